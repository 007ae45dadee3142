# SPDX-License-Identifier: MIT
"""Waits for a server that a test has started; ports that stay the test's own."""
import socket
import time


def hold_port(host="127.0.0.1"):
    """A socket for listen(), and after shutdown() again; or for a server that listens at its port by itself, which such
    sockets allow each other. Meanwhile the port is given to nobody who asks for any. That takes one that was bound by
    its number."""
    with socket.socket() as first:
        held = socket.socket()
        for each in (first, held):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        first.bind((host, 0))
        held.bind(first.getsockname())
        return held


def wait_until_listening(process, port, seconds=60):
    """True once something takes connections at the port of 127.0.0.1; False where the process
    has ended, or that does not come in this time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 2).close()
            return True
        except OSError:
            time.sleep(0.05)
    return False
