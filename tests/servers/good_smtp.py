# SPDX-License-Identifier: MIT
"""An SMTP server on loopback that behaves, by aiosmtpd: STARTTLS or implicit
TLS, AUTH by password or XOAUTH2, greylisting, recipients that are refused.

Recipients whose address begins with gone are refused for good, with busy for
now, with grey the first time. `refuse` is a text: mails that hold it are refused
for good.
"""
import asyncio
import base64
import ssl
import threading

from aiosmtpd.smtp import AuthResult, LoginPassword, SMTP


class Lenient(SMTP):
    line_length_limit = 65536  # tokens of XOAUTH2 are long


class GoodSmtp:
    def __init__(self, certificate=None, implicit=False, user=None, password=None, token=None,
                 size=None, refuse=None):
        self.messages = []   # of dict: recipients, content, tls, user
        self.names = []      # what clients asked for by SNI
        self.logins = []     # what was tried
        self.seen = set()
        self.user, self.password, self.token, self.refuse = user, password, token, refuse
        self.context = self._context(certificate) if certificate else None
        self.options = {"hostname": "good.test", "timeout": 60, "data_size_limit": size or 33554432}
        if certificate and not implicit:
            self.options.update(tls_context=self.context, require_starttls=True)
        if user:
            self.options.update(auth_required=True, authenticator=self._check, auth_exclude_mechanism=[]
                                if password else ["PLAIN", "LOGIN"],
                                auth_require_tls=bool(certificate) and not implicit)
        self.loop = asyncio.new_event_loop()
        self.server = self.loop.run_until_complete(self.loop.create_server(
            lambda: Lenient(self, loop=self.loop, **self.options), "127.0.0.1", 0,
            ssl=self.context if implicit else None))
        self.port = self.server.sockets[0].getsockname()[1]
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.loop.call_soon_threadsafe(self.server.close)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def _context(self, certificate):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        context.sni_callback = lambda connection, name, _: self.names.append(name)
        return context

    def _check(self, server, session, envelope, mechanism, data):
        good = (isinstance(data, LoginPassword) and data.login == self.user.encode()
                and data.password == (self.password or "").encode())
        self.logins.append((mechanism, good))
        return AuthResult(success=good, handled=False, auth_data=self.user)

    async def auth_XOAUTH2(self, server, arguments):
        given = arguments[1] if len(arguments) > 1 else (await server.challenge_auth("")).decode()
        text = given if "\x01" in given else base64.b64decode(given).decode()
        good = text == f"user={self.user}\x01auth=Bearer {self.token}\x01\x01"
        self.logins.append(("XOAUTH2", good))
        return AuthResult(success=good, handled=False, auth_data=self.user)

    async def handle_RCPT(self, server, session, envelope, address, options):
        kind = address.split("@")[0]
        if kind.startswith("gone"):
            return "550 5.1.1 no such user"
        if kind.startswith("busy") or (kind.startswith("grey") and address not in self.seen):
            self.seen.add(address)
            return "450 4.7.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        content = envelope.original_content
        if self.refuse and self.refuse.encode() in content:
            return "554 5.7.1 content refused"
        self.messages.append({"recipients": list(envelope.rcpt_tos), "content": content,
                              "tls": session.ssl is not None, "user": session.auth_data})
        return "250 2.0.0 queued"
