#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""An SMTP server on loopback that misbehaves where it is told to.

BadSmtp({"rcpt": "450 4.2.1 busy", "data": HANG}) answers well but for the named
stages: greeting, ehlo, starttls, handshake, auth, mail, rcpt, data, body, dot,
quit. What is told is a reply (a text with its code), or one of HANG (never
answers, until the client goes), DROP, RESET, INJECT (at starttls: plain text
behind the 220), WAIT (at dot: answers when `go` is set). At rcpt a dict gives
each address its own. A list is used up, one connection after the other.

Used as a module; run alone it takes stage=reply arguments and prints its port.
"""
import socket
import ssl
import struct
import sys
import threading

from listening import hold_port

HANG, STALL, DROP, RESET, INJECT, WAIT = "HANG", "STALL", "DROP", "RESET", "INJECT", "WAIT"


class Gone(Exception):
    """The connection is over."""


class BadSmtp:
    def __init__(self, script=None, certificate=None, auth=True, extensions=()):
        self.script = {k: list(v) if isinstance(v, list) else v for k, v in (script or {}).items()}
        self.certificate, self.auth, self.extensions = certificate, auth, list(extensions)
        self.commands = []      # every line that was read outside of a message
        self.messages = []      # (recipients accepted, bytes) of each whole message
        self.connections = 0
        self.got_message, self.go = threading.Event(), threading.Event()
        self.listener = hold_port()
        self.listener.listen(128)
        self.port = self.listener.getsockname()[1]
        self.open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.go.set()
        for each in (self.listener, *self.open):
            try:
                each.shutdown(socket.SHUT_RDWR)  # ends accept and recv, too
            except OSError:
                pass
            each.close()

    def verbs(self):
        return [line.split(" ")[0].split(":")[0].upper() for line in self.commands]

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(connection)
            script = {k: (v.pop(0) if v else None) if isinstance(v, list) else v
                      for k, v in self.script.items()}
            threading.Thread(target=self._serve, args=(connection, script), daemon=True).start()

    def _serve(self, connection, script):
        session = _Session(self, connection, script)
        try:
            session.run()
        except (Gone, OSError, ValueError):
            pass
        finally:
            session.connection.close()


class _Session:
    def __init__(self, server, connection, script):
        self.server, self.connection, self.script = server, connection, script
        self.file = connection.makefile("rb")
        self.tls, self.recipients = False, []

    def say(self, text):
        self.connection.sendall((text + "\r\n").encode("utf-8", "surrogateescape"))

    def line(self):
        line = self.file.readline()
        if not line:
            raise Gone()
        return line

    def hang(self):
        while self.connection.recv(65536):
            pass
        raise Gone()

    def act(self, stage, good, told=None):
        """Answers at a stage as told; returns the reply that was sent."""
        told = told or self.script.get(stage)
        if told == HANG:
            self.hang()
        if told == STALL:
            self.server.go.wait()
            raise Gone()
        if told == RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if told in (DROP, RESET):
            self.file.close()
            self.connection.close()
            raise Gone()
        if told == WAIT:
            self.server.go.wait()
            told = None
        self.say(told or good)
        return told or good

    def run(self):
        greeting = self.act("greeting", "220 bad.test ESMTP")
        while True:
            text = self.line().decode("utf-8", "replace").rstrip("\r\n")
            self.server.commands.append(text)
            verb = text.split(" ")[0].upper()
            if not greeting.startswith("220") and verb != "QUIT":
                self.say("503 5.5.1 no")
                continue
            getattr(self, "on_" + verb.lower(), self.on_unknown)(text)

    def on_unknown(self, text):
        self.say("500 5.5.2 what")

    def on_ehlo(self, text):
        lines = ["bad.test", "ENHANCEDSTATUSCODES", "8BITMIME", *self.server.extensions]
        if self.server.certificate and not self.tls:
            lines.append("STARTTLS")
        if self.server.auth and (self.tls or not self.server.certificate):
            lines.append("AUTH PLAIN LOGIN")
        good = "\r\n".join(["250-" + line for line in lines[:-1]] + ["250 " + lines[-1]])
        self.act("ehlo", good)

    on_helo = on_ehlo

    def on_starttls(self, text):
        if self.script.get("starttls") == INJECT:
            self.say("220 2.0.0 go\r\n250-bad.test\r\n250-AUTH PLAIN LOGIN\r\n250 PIPELINING")
        elif not self.act("starttls", "220 2.0.0 go").startswith("220"):
            return
        if self.script.get("handshake"):
            self.act("handshake", "this is no handshake")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.server.certificate)
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.server.open.append(self.connection)
        self.file = self.connection.makefile("rb")
        self.tls = True

    def on_auth(self, text):
        parts = text.split(" ")
        if not self.script.get("auth") in (HANG, DROP, RESET):
            if parts[1].upper() == "LOGIN":
                for prompt in ("334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"):
                    self.say(prompt)
                    self.line()
            elif len(parts) < 3:
                self.say("334 ")
                self.line()
        self.act("auth", "235 2.7.0 welcome")

    def on_mail(self, text):
        self.recipients = []
        self.act("mail", "250 2.1.0 ok")

    def on_rcpt(self, text):
        address = text[text.index("<") + 1:text.index(">")]
        told = self.script.get("rcpt")
        told = told.get(address, "250 2.1.5 ok") if isinstance(told, dict) else told
        if self.act("rcpt", "250 2.1.5 ok", told).startswith("250"):
            self.recipients.append(address)

    def on_data(self, text):
        if not self.recipients:
            self.say("503 5.5.1 no valid recipients")
            return
        if not self.act("data", "354 go on").startswith("354"):
            return
        if self.script.get("body"):
            self.connection.recv(1024)
            self.act("body", "250 2.0.0 impatient")
        content = b""
        for line in iter(self.line, b".\r\n"):
            content += line[1:] if line.startswith(b".") else line
        self.server.messages.append((list(self.recipients), content))
        self.server.got_message.set()
        if not self.act("dot", "250 2.0.0 queued").startswith("250"):
            self.server.messages.pop()

    def on_rset(self, text):
        self.say("250 2.0.0 ok")

    on_noop = on_rset

    def on_quit(self, text):
        self.act("quit", "221 2.0.0 bye")
        raise Gone()


if __name__ == "__main__":
    bad = BadSmtp(dict(argument.split("=", 1) for argument in sys.argv[1:]))
    print(bad.port, flush=True)
    threading.Event().wait()
