# SPDX-License-Identifier: MIT
"""A name server on 127.0.0.1 port 53, in a network namespace of our own, in the process of the
test. What it says of a name is what `names` holds for its first label, and may change:

    "address"   127.0.0.1          "missing"   there is no such name
    "broken"    SERVFAIL           "dead"      no answer at all
    a number    127.0.0.1, so many seconds later

server.asked counts the questions by first label; server.slowest says how many seconds the longest lay
here before it was answered, beyond what was wanted: by the time that the kernel had it."""
import collections
import socket
import struct
import threading
import time

CODES = {"broken": 2, "missing": 3}
TYPE_A = 1
SO_TIMESTAMPNS = 35  # of <asm-generic/socket.h>; Python does not name it


class NameServer:
    def __init__(self):
        self.names, self.asked, self.slowest = {}, collections.Counter(), collections.Counter()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            question, more, _, client = self.socket.recvmsg(4096, 128)
            came = struct.unpack("qq", more[0][2])
            label = question[13:13 + question[12]].decode().lower()
            self.asked[label] += 1
            threading.Thread(target=self.answer, daemon=True, args=(
                question, client, label, self.names.get(label, "missing"), came[0] + came[1] / 1e9)).start()

    def answer(self, question, client, label, what, came):
        if what == "dead":
            return
        if not isinstance(what, str):
            time.sleep(what)
            came += what
        end = question.index(b"\0", 12) + 5
        asks_address = struct.unpack(">H", question[end - 4:end - 2])[0] == TYPE_A
        found = what not in CODES and asks_address
        head = question[:2] + struct.pack(">HHHHH", 0x8180 | CODES.get(what, 0), 1, found, 0, 0)
        record = b"\xc0\x0c" + struct.pack(">HHIH", TYPE_A, 1, 1, 4) + socket.inet_aton("127.0.0.1")
        self.socket.sendto(head + question[12:end] + (record if found else b""), client)
        self.slowest[label] = max(self.slowest[label], time.time() - came)
