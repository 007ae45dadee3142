# SPDX-License-Identifier: MIT
"""What the mail tests share: a store and a configuration in a temporary folder,
the erpwatch commands, and a certificate authority of their own."""
import base64
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("ERPWATCH_BUILD", os.path.join(os.path.dirname(TESTS), "build"))
ERPWATCH = os.path.join(BUILD, "erpwatch")
FILL = os.path.join(BUILD, "tests/e2e/outbox_fill")
sys.path.insert(0, os.path.join(TESTS, "servers"))

USER, PASSWORD = "alerts@agency.example", "S3cret-of-the-mail!"
LONG = "90s"  # a session's time where nothing hangs: no test waits for it
SHORT = "3s"  # where something hangs, and the end is what the test is about


class Authority:
    """Certificates for the servers, made once for all tests."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="erpwatch-ca-")
        self.ca = self.path("ca.pem")
        self._run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                  "-days", "30", "-subj", "/CN=Test CA", "-keyout", self.path("ca.key"),
                  "-out", self.ca, "-addext", "basicConstraints=critical,CA:TRUE",
                  "-addext", "keyUsage=critical,keyCertSign")
        self.good = self.make("good", "DNS:localhost")
        self.wrong = self.make("wrong", "DNS:elsewhere.example")
        self.address = self.make("address", "IP:127.0.0.1")
        self.expired = self.make("expired", "DNS:localhost", "-days", "-1")

    def path(self, name):
        return os.path.join(self.folder, name)

    def _run(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    def make(self, name, names, *options):
        key, request, certificate = (self.path(name + end) for end in (".key", ".csr", ".pem"))
        with open(self.path(name + ".ext"), "w") as file:
            file.write(f"subjectAltName={names}\nextendedKeyUsage=serverAuth\n")
        self._run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                  f"/CN={name}", "-keyout", key, "-out", request)
        self._run("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.path("ca.key"),
                  "-CAcreateserial", "-extfile", self.path(name + ".ext"), "-out", certificate,
                  *(options or ("-days", "30")))
        return certificate, key

    def close(self):
        shutil.rmtree(self.folder)


def facts(notice="N1", to=("one@x.example",), incident="I1", kind="opened", contact="acme",
          priority=2):
    with open(os.path.join(TESTS, "mails/opened.json")) as file:
        document = json.load(file)
    document.update(notice=notice, incident=incident, kind=kind, priority=priority)
    document["contact"].update(id=contact, email=list(to))
    document["thread"]["root"] = f"{incident}@agency.example"
    return document


class MailCase(unittest.TestCase):
    library = "auto"

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="erpwatch-mail-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.store = os.path.join(self.folder, "store.db")
        self.config = os.path.join(self.folder, "erpwatch.yaml")
        self.output = ""

    def serve(self, server):
        self.addCleanup(server.close)
        return server

    def configure(self, contacts=None, **mail):
        """Writes a configuration; JSON is YAML."""
        mail = {"from": f"ERP monitor <{USER}>", "library": self.library, **mail}
        people = {"acme": ["one@x.example"], **(contacts or {})}
        document = {
            "agent": {"store": self.store},
            "mail": {k: v for k, v in mail.items() if v is not None},
            "contacts": {k: {"name": k, "email": v} for k, v in people.items()},
            "systems": {"erp": {"url": "https://erp.example"}},
            "flows": {"order": {"system": "erp", "every": "5m", "notify": ["acme"],
                                "steps": [{"step": "look", "get": "/"}]}},
        }
        with open(self.config, "w") as file:
            json.dump(document, file)
        os.chmod(self.config, 0o600)

    def configure_server(self, server, security="none", ca=None, password=None, host=None, **mail):
        host = host or ("localhost" if security != "none" else "127.0.0.1")
        self.configure(server=f"{host}:{server.port}", security=security, ca=ca,
                       username=USER if password else mail.pop("username", None),
                       password=password, **mail)

    def queue(self, *documents):
        lines = "".join(json.dumps(d) + "\n" for d in documents)
        subprocess.run([FILL, self.store], input=lines, text=True, check=True)

    def erpwatch(self, *arguments, given=None):
        done = subprocess.run([ERPWATCH, arguments[0], "-c", self.config, *arguments[1:]],
                              input=given, capture_output=True, text=True, timeout=300)
        self.output += done.stdout + done.stderr
        return done

    def deliver(self, expected, timeout=LONG):
        done = self.erpwatch("deliver", "--timeout", timeout)
        self.assertEqual(done.returncode, expected, done.stdout + done.stderr)
        return done.stdout

    def start_deliver(self, timeout=LONG, **environment):
        child = subprocess.Popen([ERPWATCH, "deliver", "-c", self.config, "--timeout", timeout],
                                 env={**os.environ, **environment},
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        return child

    def rows(self, sql, *values):
        connection = sqlite3.connect(self.store)
        connection.row_factory = sqlite3.Row
        try:
            with connection:
                return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def states(self):
        return {r["address"]: r["state"] for r in self.rows(
            "SELECT address, state FROM outbox_recipient ORDER BY sequence")}

    def recipient(self, address="one@x.example"):
        return self.rows("SELECT * FROM outbox_recipient WHERE address = ?", address)[-1]

    def backs_off(self):
        return bool(self.rows("SELECT * FROM outbox_server"))

    def make_due(self):
        """As if the time had passed."""
        self.rows("UPDATE outbox_recipient SET due_us = 0 WHERE state = 'waiting'")
        self.rows("UPDATE outbox_server SET due_us = 0")

    def kept_mail(self, notice="N1"):
        return self.rows("SELECT mail FROM outbox_notice WHERE notice = ?", notice)[0]["mail"]

    def assert_no_secret(self, *secrets):
        """Neither what was printed nor any file of the store holds a secret, in any form."""
        texts = [self.output.encode()]
        for name in os.listdir(self.folder):
            path = os.path.join(self.folder, name)
            if os.path.isfile(path) and path != self.config:
                with open(path, "rb") as file:
                    texts.append(file.read())
        for secret in secrets:
            raw = secret.encode()
            plain = base64.b64encode(b"\0" + USER.encode() + b"\0" + raw)
            for form in (raw, base64.b64encode(raw), plain, plain.rstrip(b"=")):
                for text in texts:
                    self.assertNotIn(form, text)
