# SPDX-License-Identifier: MIT
"""Waits for a server that a test has started."""
import socket
import time


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
