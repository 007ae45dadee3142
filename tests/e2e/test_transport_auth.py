#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Digest and NTLM against Apache: right, wrong, bodies, connections, evidence."""
import json
import sys
import unittest
import urllib.request

from harness import Case, ROOT, decisive

sys.path.insert(0, f"{ROOT}/tests/servers")
import apache  # noqa: E402  pylint: disable=wrong-import-position

HEAD = """
mail: {{directory: {folder}/mail, from: "Monitor <alerts@agency.example>", fallback: agency}}
agent: {{store: {folder}/erpwatch.db}}
contacts: {{agency: {{name: Agency, email: ops@agency.example}}}}
defaults:
  system: {{timeout: 20s, act: {{erp-partner: agency, client: agency, integrator: agency, hosting: agency}}}}
"""
NTLM = {"ntlm": {"domain": "ACME", "username": "probe", "password": "${env:PASSWORD}"}}
OTHER = {"ntlm": {"username": "ACME\\other", "password": "${env:OTHER_PASSWORD}"}}
DIGEST = {"digest": {"username": "probe", "password": "${env:PASSWORD}"}}
SECRETS = (apache.PASSWORD, "other-pass", "TlRMTVNTUAAD")


@unittest.skipUnless(apache.is_possible(), "Apache with mod_auth_gssapi is not installed")
class TransportAuth(Case):
    def setUp(self):
        super().setUp()
        self.apache = apache.Apache()
        self.addCleanup(self.apache.close)
        self.environment.update(PASSWORD=apache.PASSWORD, OTHER_PASSWORD="other-pass")

    def configure(self, systems, flows, more=None):
        """systems: {name: (path, auth)}, flows: {name: (system, steps)}."""
        base = f"http://127.0.0.1:{self.apache.port}"
        document = {
            "systems": {name: {"url": base + path, **({"auth": auth} if auth else {}), **(more or {})}
                        for name, (path, auth) in systems.items()},
            "flows": {name: {"system": system, "notify": ["client"], "steps": steps}
                      for name, (system, steps) in flows.items()}}
        self.write("erpwatch.yaml", HEAD.format(folder=self.folder) + "\n".join(
            f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in document.items()) + "\n")

    def test_server_that_closes(self):
        """Without a kept connection NTLM cannot work: it ends soon, and says so."""
        self.apache.close()
        self.apache = apache.Apache(keep_alive=0)
        self.addCleanup(self.apache.close)
        self.one("/ntlm", NTLM, [{"step": "write", "post": "/x", "json": {"a": 1}}])
        verdict = decisive(self.check(code=2)["flows"][0])["verdict"]
        self.assertIn("does not keep the connection", verdict["message"])
        self.assertEqual(len(self.apache.requests()), 1)

    def one(self, path, auth, steps):
        self.configure({"erp": (path, auth)}, {"orders": ("erp", steps)})

    def wire(self, least=1):
        """What went over the wire: (scheme and type of authorization, status, length of the body)."""
        return sorted((entry["authorization"].split()[0], entry["status"], entry["length"])
                      for entry in self.apache.requests(least))

    def test_ntlm(self):
        self.one("/ntlm", NTLM, [
            {"step": "read", "get": "/a", "expect": {"json": {"$.user": {"matches": "probe"}}}},
            {"step": "write", "post": "/b", "json": {"a": 1}, "expect": {"json": {"$.text": '{"a":1}', "$.length": 7}}},
            {"step": "replace", "put": "/c", "text": "x" * 5000, "expect": {"json": {"$.length": 5000}}},
            {"step": "read again", "get": "/d"}])
        flow = self.check(code=0)["flows"][0]
        log = self.apache.requests(8)
        posts = [entry for entry in log if entry["method"] == "POST"]
        self.assertEqual([(e["status"], e["length"]) for e in posts], [(401, "0"), (200, "7")])
        self.assertEqual(len({e["connection"] for e in posts}), 1)  # the legs are of one connection
        puts = [(e["status"], e["length"]) for e in log if e["method"] == "PUT"]
        self.assertEqual(puts, [(401, "0"), (200, "5000")])
        self.assertEqual(len({e["connection"] for e in log}), 4)  # and nobody else's
        for step in flow["steps"]:
            timing = step["timing_ms"]
            self.assertLessEqual(timing["first_byte"], timing["total"])
            self.assertGreater(timing["total"], 0)
        self.assert_no_secret(SECRETS)

    def test_digest(self):
        self.one("/digest", DIGEST, [
            {"step": "read", "get": "/a?x=1%202", "expect": {"json": {"$.user": "probe"}}},
            {"step": "write", "post": "/b", "json": {"a": 1}, "expect": {"json": {"$.text": '{"a":1}'}}}])
        self.check(code=0)
        self.assertEqual(self.wire(4), [("-", 401, "-"), ("-", 401, "0"), ("Digest", 200, "-"), ("Digest", 200, "7")])

    def wrong(self, path, auth, scheme):
        self.environment["PASSWORD"] = "wrong-password"
        self.one(path, auth, [{"step": "write", "post": "/x", "json": {"a": 1}, "until": {"every": "10ms", "for": "9s"},
                               "retry": {"times": 3, "after": "0s", "on": "any"}, "undo": {"delete": "/x"}}])
        flow = self.check(code=2)["flows"][0]
        step = decisive(flow)
        verdict = step["verdict"]
        self.assertEqual((verdict["class"], verdict["cause"], step["status"]), ("error_code", "auth", 401))
        self.assertIn(f"{scheme} authentication was refused", verdict["message"])
        self.assertEqual(step["attempts"], 1)
        self.assertEqual([undo["state"] for undo in flow["undo"]], ["void"])
        log = self.apache.requests(2)
        self.assertEqual(sorted((entry["status"], entry["length"]) for entry in log), [(401, "0"), (401, "7")])

    def test_wrong_password_of_ntlm_costs_one_attempt(self):
        self.wrong("/ntlm", NTLM, "NTLM")

    def test_wrong_password_of_digest_costs_one_attempt(self):
        self.wrong("/digest", DIGEST, "Digest")

    def test_server_without_ntlm(self):
        self.one("/basic", NTLM, [{"step": "read", "get": "/x"}])
        verdict = decisive(self.check(code=2)["flows"][0])["verdict"]
        self.assertEqual((verdict["class"], verdict["cause"]), ("error_code", "auth"))
        self.assertEqual(verdict["message"], "the server does not take NTLM authentication here; it offers Basic")
        self.assertNotIn(("Basic", 401, "-"), self.wire())

    def test_connections_belong_to_one_user(self):
        """The same URL, by two users, by nobody and by Digest, many times, side by side and in turns."""
        def reading(user):
            return [{"step": f"read {i}", "get": f"/{i}",
                     "expect": {"json": {"$.user": {"matches": user}}}} for i in range(5)]
        nobody = [{"step": f"read {i}", "get": f"/{i}", "expect": {"status": 401}} for i in range(5)]
        self.configure({"one": ("/ntlm", NTLM), "two": ("/ntlm", OTHER), "none": ("/ntlm", None)},
                       {"one": ("one", reading("probe")), "two": ("two", reading("other")), "none": ("none", nobody)})
        self.check(code=0)
        users = {}
        for entry in self.apache.requests(25):
            users.setdefault(entry["connection"], set()).add(entry["user"])
        for connection, names in users.items():
            self.assertLessEqual(len(names - {"-"}), 1, (connection, names))

    def test_password_stays_at_home(self):
        """A redirect to another host that is allowed, and that would like to know the user."""
        http = self.server("/usr/bin/python3", f"{ROOT}/tests/servers/scripted_http.py")
        moved = {"status": 307, "headers": {"Location": f"http://127.0.0.1:{self.apache.port}/ntlm/x"}}
        request = urllib.request.Request(f"http://127.0.0.1:{http.port}/_script", method="PUT",
                                         data=json.dumps({"*": [moved]}).encode())
        urllib.request.urlopen(request).close()
        for auth in (NTLM, DIGEST):
            self.configure({"erp": ("", auth)}, {"orders": ("erp", [
                {"step": "a", "post": f"http://127.0.0.1:{http.port}/x", "json": {"a": 1}, "follow": 2,
                 "expect": {"status": 401}}])},
                           {"url": f"http://127.0.0.1:{http.port}", "allow_hosts": f"127.0.0.1:{self.apache.port}"})
            self.check(code=0)
        self.assertEqual({entry["authorization"] for entry in self.apache.requests(2)}, {"-"})

    def test_evidence(self):
        self.one("/ntlm", NTLM, [{"step": "orders", "post": "/x", "json": {"a": "it's"},
                                  "expect": {"json": {"$.user": "nobody"}}}])
        for _ in range(2):
            shown = self.run_program("check", "--notify", "-v").stdout
            self.assertIn("| Authorization: ***", shown)
        text = "".join(part.get_content() for mail in self.read_mails() for part in mail.walk()
                       if part.get_content_type() == "text/plain")
        self.assertIn("--ntlm --user 'ACME\\probe'", text)
        self.assertNotIn("--header 'Authorization", text)
        self.assert_no_secret((*SECRETS, "NTLM TlRM"))


if __name__ == "__main__":
    unittest.main()
