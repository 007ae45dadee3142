#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Client certificates against nginx and Apache: good ones, refused ones, missing ones."""
import json
import os
import subprocess
import sys
import unittest

from harness import Case, ROOT, decisive

sys.path.insert(0, f"{ROOT}/tests/servers")
import apache  # noqa: E402  pylint: disable=wrong-import-position
from certificates import Authority  # noqa: E402  pylint: disable=wrong-import-position
from nginx import Nginx  # noqa: E402  pylint: disable=wrong-import-position

HEAD = """
mail: {{directory: {folder}/mail, from: "Monitor <alerts@agency.example>", fallback: agency}}
agent: {{store: {folder}/erpwatch.db}}
contacts: {{agency: {{name: Agency, email: ops@agency.example}}}}
"""
EVERYBODY = {role: "agency" for role in ("erp-partner", "client", "integrator", "hosting")}


class ClientCert(Case):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.folder)
        self.server_pair = self.authority.issue("localhost")

    def nginx(self, **options):
        server = Nginx(*self.server_pair, self.authority.pem, **options)
        self.addCleanup(server.close)
        return f"https://localhost:{server.port}"

    def configure(self, systems, steps):
        """systems: {name: (url, pair or None or a whole client_cert)}; each has the flow of its name."""
        lines = [HEAD.format(folder=self.folder), "systems:"]
        for name, (url, pair) in systems.items():
            system = {"url": url, "timeout": "20s", "tls": {"ca": self.authority.pem}, "act": EVERYBODY}
            if isinstance(pair, tuple):
                pair = {"cert": pair[0], "key": pair[1]}
            if pair:
                system["auth"] = {"client_cert": pair}
            lines.append(f"  {name}: {json.dumps(system)}")
        lines.append("flows:")
        for name in systems:
            own = steps(name) if callable(steps) else steps
            lines.append(f"  {name}: {json.dumps({'system': name, 'notify': ['client'], 'steps': own})}")
        self.write("erpwatch.yaml", "\n".join(lines) + "\n")

    def user_is(self, name, **more):
        return [{"step": "who am I", "get": "/x", "expect": {"json": {"$.user": name}}, **more}]

    def verdict(self, url, pair, **more):
        step = {"step": "write", "post": "/x", "json": {"a": 1}, "undo": {"delete": "/x"}, **more}
        self.configure({"erp": (url, pair)}, [step])
        flow = self.check(code=2)["flows"][0]
        self.assertEqual([undo["state"] for undo in flow["undo"]], ["void"], flow)
        return decisive(flow)["verdict"]

    def test_good(self):
        url = self.nginx()
        pair = self.authority.issue("shop")
        self.configure({"erp": (url, pair)}, self.user_is("CN=shop"))
        self.check(code=0)

    def test_one_file_with_a_password(self):
        url = self.nginx()
        pem, key = self.authority.issue("shop", password="s3cret-pass")
        both = self.path("both.pem")
        with open(both, "w", encoding="ascii") as file:
            for part in (pem, key):
                with open(part, encoding="ascii") as source:
                    file.write(source.read())
        os.chmod(both, 0o600)
        os.remove(key)
        self.environment["KEY_PASSWORD"] = "s3cret-pass"
        self.configure({"erp": (url, {"cert": "both.pem", "password": "${env:KEY_PASSWORD}"})}, self.user_is("CN=shop"))
        self.check(code=0)
        self.assert_no_secret(("s3cret-pass",))

    def test_nginx_wants_one(self):
        verdict = self.verdict(self.nginx(), None)
        self.assertEqual((verdict["class"], verdict["cause"]), ("error_code", "auth"))
        self.assertEqual(verdict["message"], "the server wants a client certificate")
        self.assertIn("client certificate: it is missing", verdict["explanation"])

    def test_nginx_refuses_one(self):
        other = Authority(self.folder, "other").issue("stranger")
        verdict = self.verdict(self.nginx(), other)
        self.assertEqual((verdict["class"], verdict["cause"]), ("error_code", "auth"))
        self.assertEqual(verdict["message"], "the server refused the client certificate")

    @unittest.skipUnless(apache.is_possible(), "Apache is not installed")
    def test_alerts(self):
        """Apache ends the TLS session; by TLS 1.3 only after the request was sent."""
        other = Authority(self.folder, "other").issue("stranger")
        expected = {(None, "1.3"): "the server wants a client certificate",
                    (other, "1.3"): "the server refused the client certificate: unknown ca",
                    (other, "1.2"): "the server refused the client certificate: unknown ca"}
        for protocol in ("1.2", "1.3"):
            server = apache.Apache(tls={"certificate": self.server_pair[0], "key": self.server_pair[1],
                                        "ca": self.authority.pem, "verify": "require", "protocol": "TLSv" + protocol})
            self.addCleanup(server.close)
            url = f"https://localhost:{server.tls_port}"
            self.configure({"erp": (url, self.authority.issue("shop"))},
                           [{"step": "a", "get": "/x", "expect": {"json": {"$.certificate": "shop"}}}])
            self.check(code=0)
            for pair in (None, other):
                if (pair, protocol) not in expected:
                    continue
                verdict = self.verdict(url, pair)
                self.assertEqual((verdict["class"], verdict["phase"], verdict["cause"], verdict["message"]),
                                 ("unreachable", "tls", "auth", expected[pair, protocol]))

    def test_never_shared(self):
        """One origin, three systems: each is known as itself, kept connections or not."""
        url = self.nginx(verify="optional")
        users = {"one": "CN=one", "two": "CN=two", "none": ""}
        self.configure({"one": (url, self.authority.issue("one")), "two": (url, self.authority.issue("two")),
                        "none": (url, None)},
                       lambda name: [{"step": f"read {i}", "get": "/x", "expect": {"json": {"$.user": users[name]}}}
                                     for i in range(6)])
        self.check(code=0)

    def test_auth_none_sends_none(self):
        url = self.nginx(verify="optional")
        self.configure({"erp": (url, self.authority.issue("shop"))},
                       [*self.user_is("CN=shop"), {**self.user_is("")[0], "step": "nobody", "auth": "none"},
                        {**self.user_is("CN=shop")[0], "step": "again"}])
        self.check(code=0)

    def problems(self, pair):
        self.configure({"erp": ("https://localhost:1", pair)}, self.user_is("x"))
        done = self.run_program("validate")
        return done.stdout + done.stderr

    def test_validate(self):
        good, key = self.authority.issue("shop")
        stranger = self.authority.issue("stranger")
        locked = self.authority.issue("locked", password="s3cret-pass")
        self.environment["WRONG"] = "wrong-pass"
        cases = [((self.path("no.pem"), key), "cannot be read: No such file"),
                 ((key, key), "holds no certificate in PEM"),
                 ((good, good), "holds no private key in PEM"),
                 ((good, stranger[1]), "is not that of the certificate in"),
                 (locked, 'an encrypted private key: write its "password"'),
                 ({"cert": locked[0], "key": locked[1], "password": "${env:WRONG}"}, "that this password does not open"),
                 (self.authority.issue("soon", days=20), "warning: the certificate of"),
                 (self.authority.issue("ended", days=-1), "error: the certificate of")]
        for pair, words in cases:
            self.assertIn(words, self.problems(pair))
        text = self.problems((good, key))
        self.assertNotIn("certificate", text)

    def test_file_gone(self):
        """The monitor's own fault: nothing is known of the system."""
        url = self.nginx()
        pair = self.authority.issue("shop")
        self.configure({"erp": (url, pair)}, self.user_is("CN=shop"))
        os.remove(pair[1])
        done = self.run_program("check")
        self.assertEqual(done.returncode, 3)
        self.assertIn("the client certificate cannot be used", done.stdout)

    def test_evidence(self):
        url = self.nginx()
        pair = self.authority.issue("shop")
        self.configure({"erp": (url, pair)}, self.user_is("somebody"))
        for _ in range(2):
            self.check("--notify", code=2)
        text = "".join(part.get_content() for mail in self.read_mails() for part in mail.walk()
                       if part.get_content_type() == "text/plain")
        self.assertIn(f"--cert '{pair[0]}' --key '{pair[1]}'", text)
        with open(pair[1], encoding="ascii") as file:
            secret = file.read().splitlines()[1]
        found = subprocess.run(["grep", "-rlF", secret, self.folder], capture_output=True, text=True).stdout.split()
        self.assertEqual(found, [pair[1]])


if __name__ == "__main__":
    unittest.main()
