#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Secrets of every kind, sent everywhere, thrown back by the server in every
form: none of them is in the store, the logs, the mails, the HAR or any output."""
import base64
import email
import email.policy
import http.server
import json
import os
import sqlite3
import threading
import unittest
from urllib.parse import quote, quote_plus

from harness import Case, wait_for

KNOWN = {  # what the configuration refers to
    "BASIC": "Basic/pa+ss&Zebra?1=x", "LOGIN": "login-Ge\"heim\\nis'1", "BODY": "body-<secret>-é42",
    "HEADER": "header~secret~7f3a", "FILE": "file secret/of 9 words", "BEARER": "bearer.Token-123_abc",
}
GIVEN = {"token": "session+Token/0815==", "cookie": "c00kie-of-the-session", "key": "captured/Key+of?the&answer"}


def forms(secret):
    """How a secret may look: as it is, escaped, encoded."""
    raw = secret.encode()
    yield raw
    yield json.dumps(secret)[1:-1].encode()
    yield json.dumps(secret, ensure_ascii=False)[1:-1].encode()
    for text in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield text.encode()
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + raw)
        core = text[-(-shift * 8 // 6):(shift + len(raw)) * 8 // 6]  # what does not depend on neighbours
        yield core
        yield core.replace(b"+", b"-").replace(b"/", b"_")


class Mirror(http.server.BaseHTTPRequestHandler):
    """Gives a session and a key, and throws all else back as an error."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, document, *headers):
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in (("Content-Type", "application/json"), ("Content-Length", len(body)), *headers):
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200, {"key": GIVEN["key"]})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if self.path == "/login":
            self.answer(200, {"token": GIVEN["token"]}, ("Set-Cookie", f"SID={GIVEN['cookie']}; Path=/"))
            return
        sent = f"{self.path} {self.headers} {body}"
        names = [name for name, mark in (("key", "X-Key"), ("token", "SID="), ("cookie", "SID=")) if mark in sent]
        mine = [GIVEN[name] for name in names]  # no server knows what another one gave
        every = [f.decode() for secret in (*KNOWN.values(), *mine) for f in forms(secret)]
        self.answer(400, {"error": {"code": "-".join(["Bad", *mine]), "message": f"refused {KNOWN['BASIC']} {sent}",
                                    "details": [sent, base64.b64encode(sent.encode()).decode(), *every]}},
                    ("X-Echo", quote(KNOWN["LOGIN"])), ("X-Auth", self.headers.get("Authorization", "none")))


def steps(folder):
    return [
        {"step": "get a key", "get": "/key", "capture": {"key": {"json": "$.key", "secret": True}}},
        {"step": "use the key", "post": "/fail/{{key}}",
         "query": {"key": "{{key}}", "file": f"${{file:{folder}/secrets/file}}", "b": "{{key | base64}}"},
         "headers": {"X-Key": "{{key}}", "X-Env": "${env:HEADER}"},
         "json": {"key": "{{key}}", "secret": "${env:BODY}", "list": ["{{key | url}}"]},
         "undo": {"none": "nothing is made"}},
    ]


class Secrets(Case):
    def setUp(self):
        super().setUp()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        for name in ("FILE", "BEARER"):
            self.write(f"secrets/{name.lower()}", KNOWN[name] + "\n")
        self.environment.update({k: v for k, v in KNOWN.items() if k not in ("FILE", "BEARER")})
        self.configure(f"http://127.0.0.1:{server.server_address[1]}")
        self.output = b""

    def configure(self, url):
        session = {"login": {"post": "/login", "json": {"user": "shop", "password": "${env:LOGIN}"},
                             "capture": {"token": {"json": "$.token"}}},
                   "cookies": ["SID"], "headers": {"Authorization": "Session {{token}}"}}
        kinds = {"basic": {"basic": {"username": "shop", "password": "${env:BASIC}"}},
                 "bearer": {"bearer": {"token": f"${{file:{self.folder}/secrets/bearer}}"}},
                 "session": {"session": session},
                 "refused": {"session": {**session, "login": {**session["login"], "post": "/refuse"}}}}
        people = {"it": {"name": "IT", "email": "it@acme.example"},
                  "boss": {"name": "Boss", "email": "boss@acme.example", "style": "business", "language": "nl"}}
        self.write("erpwatch.yaml", json.dumps({
            "agent": {"store": self.path("erpwatch.db")},
            "mail": {"directory": self.mails, "from": "alerts@agency.example", "fallback": "it"},
            "contacts": people,
            "systems": {kind: {"url": url, "auth": auth, "act": {"client": "it", "erp-partner": "it"}}
                        for kind, auth in kinds.items()},
            "flows": {f"{kind}-flow": {"system": kind, "every": "1s", "group": "0s", "priority": "P1",
                                       "confirm": {"runs": 2, "after": "0s"}, "notify": ["it", "boss"],
                                       "steps": steps(self.folder)} for kind in kinds}}))

    def ask(self, *arguments):
        done = self.run_program(*arguments)
        self.output += done.stdout.encode() + done.stderr.encode()
        return done.stdout

    def run_everything(self):
        agent = self.start_program("run", "-v")
        wait_for(lambda: len(self.mail_files()) >= 8, "eight mails")
        self.stop(agent)
        for form in ("table", "json", "junit", "nagios"):
            self.ask("check", "-v", "--notify", "--format", form)
        self.ask("check", "-v", "--no-store")
        self.ask("status")
        self.ask("status", "--format", "json")
        self.ask("history", "basic-flow", "--format", "json")
        incidents = json.loads(self.ask("incidents", "--format", "json"))
        for each in self.incident_ids():
            self.ask("incident", each)
            self.ask("incident", each, "--format", "json")
        self.ask("validate", "-v")
        return incidents

    def incident_ids(self):
        connection = sqlite3.connect(self.path("erpwatch.db"))
        ids = [row[0] for row in connection.execute("SELECT id FROM incident")]
        self.kept = [row[0] for row in connection.execute("SELECT mail FROM outbox_notice WHERE mail IS NOT NULL")]
        connection.close()
        return ids

    def texts(self):
        """Everything that was written anywhere, mails decoded as well."""
        yield "output", self.output
        mails = [("kept mail", mail if isinstance(mail, bytes) else mail.encode()) for mail in self.kept]
        for base, _, names in os.walk(self.folder):
            for name in names:
                if name == "erpwatch.yaml" or base.endswith("secrets"):
                    continue
                with open(os.path.join(base, name), "rb") as file:
                    content = file.read()
                yield name, content
                if name.endswith(".eml"):
                    mails.append((name, content))
        for name, content in mails:
            for part in email.message_from_bytes(content, policy=email.policy.default).walk():
                yield f"{name} {part.get_content_type()}", part.get_payload(decode=True) or b""
                yield f"{name} headers", "\n".join(f"{k}: {v}" for k, v in part.items()).encode()

    def test_no_secret_is_written_anywhere(self):
        self.run_everything()
        self.assertIn(b"use the key", self.output)
        hars, checked = 0, 0
        for name, content in self.texts():
            hars += b'"entries"' in content
            checked += 1
            for label, secret in (*KNOWN.items(), *GIVEN.items()):
                for form in forms(secret):
                    at = content.find(form)
                    self.assertEqual(at, -1, f"{label} is in {name} as {form}: "
                                             f"{content[max(at - 200, 0):at + 100]}")
        self.assertGreaterEqual(hars, 8)
        self.assertGreater(checked, 40)


if __name__ == "__main__":
    unittest.main()
