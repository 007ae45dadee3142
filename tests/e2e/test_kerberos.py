#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Negotiate with real tickets against Apache: good, missing, old and unwanted ones; a dead KDC stops nobody."""
import json
import socket
import subprocess
import sys
import time
import unittest

from harness import Case, ROOT, decisive, wait_for

sys.path.insert(0, f"{ROOT}/tests/servers")
import apache  # noqa: E402  pylint: disable=wrong-import-position
import kdc  # noqa: E402  pylint: disable=wrong-import-position

HEAD = """
mail: {{directory: {folder}/mail, from: "Monitor <alerts@agency.example>", fallback: agency}}
agent: {{store: {folder}/erpwatch.db, stop: 2s}}
contacts: {{agency: {{name: Agency, email: ops@agency.example}}}}
"""
EVERYBODY = {role: "agency" for role in ("erp-partner", "client", "integrator", "hosting")}
NEGOTIATE = {"negotiate": {}}
WRITE = {"step": "write", "post": "/x", "json": {"a": 1}, "undo": {"delete": "/x"}}


@unittest.skipUnless(apache.is_possible() and kdc.is_possible(), "Apache or a KDC is not installed")
class Kerberos(Case):
    def setUp(self):
        super().setUp()
        self.kdc = kdc.Kdc()
        self.addCleanup(self.kdc.close)
        cache = self.kdc.cache()
        self.environment.update(self.kdc.environment(cache))
        self.apache = apache.Apache(keytab=self.kdc.keytab, environment=self.kdc.environment(cache))
        self.addCleanup(self.apache.close)

    def configure(self, systems, flows):
        """systems: {name: (host and path, auth, more)}, flows: {name: (system, steps, more)}."""
        lines = [HEAD.format(folder=self.folder), "systems:"]
        for name, (place, auth, more) in systems.items():
            host, path = place.split("/", 1)
            system = {"url": f"http://{host}:{self.apache.port}/{path}", "timeout": "20s", "act": EVERYBODY, **more}
            if auth:
                system["auth"] = auth
            lines.append(f"  {name}: {json.dumps(system)}")
        lines.append("flows:")
        for name, (system, steps, more) in flows.items():
            lines.append(f"  {name}: {json.dumps({'system': system, 'notify': ['client'], 'steps': steps, **more})}")
        self.write("erpwatch.yaml", "\n".join(lines) + "\n")

    def one(self, place, steps, **more):
        self.configure({"erp": (place, NEGOTIATE, more)}, {"orders": ("erp", steps, {})})

    def dead_kdc(self):
        """A port where a KDC was: it takes what comes and says nothing."""
        tcp = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(tcp.close)
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(udp.close)
        try:
            udp.bind(tcp.getsockname())
        except OSError:  # somebody else's, of that number
            return self.dead_kdc()
        return tcp.getsockname()[1]

    def use_dead_kdc(self):
        cache = self.environment["KRB5CCNAME"].removeprefix("FILE:")
        self.environment.update(self.kdc.environment(cache, self.dead_kdc()))

    def test_good(self):
        self.one("localhost/kerberos", [
            {"step": "read", "get": "/a", "expect": {"json": {"$.user": "probe@ERPWATCH.TEST"}}},
            {"step": "write", "post": "/b", "json": {"a": 1}, "expect": {"json": {"$.text": '{"a":1}'}}},
            {"step": "many", "put": "/c", "text": "x" * 100000, "expect": {"json": {"$.length": 100000}}},
            {"step": "moved", "get": "/a", "follow": 2}])
        flow = self.check(code=0)["flows"][0]
        log = self.apache.requests(4)
        self.assertEqual([entry["status"] for entry in log], [200] * 4)  # no leg too many, no body twice
        for step in flow["steps"]:
            self.assertLessEqual(step["timing_ms"]["first_byte"], step["timing_ms"]["total"])
        self.assertEqual(self.kdc.log().count("TGS_REQ"), 1)  # the ticket is kept
        self.assert_no_secret(("YII",))

    def test_evidence(self):
        self.one("localhost/kerberos", [{"step": "a", "get": "/x", "expect": {"json": {"$.user": "nobody"}}}])
        for _ in range(2):
            self.check("--notify", code=2)
        text = "".join(part.get_content() for mail in self.read_mails() for part in mail.walk()
                       if part.get_content_type() == "text/plain")
        self.assertIn("--negotiate --user ':'", text)
        self.assert_no_secret(("YII", "oYG"))

    def unknown(self, words):
        """Our own user has no ticket: nothing is known of the system, and nobody is told that it fails."""
        self.one("localhost/kerberos", [WRITE])
        flow = self.check(code=3)["flows"][0]
        self.assertEqual(flow["state"], "unknown")
        message = flow["steps"][0]["verdict"]["message"]
        self.assertIn("the user that erpwatch runs as has no valid Kerberos ticket", message)
        self.assertIn(words, message)
        self.assertEqual([undo["state"] for undo in flow["undo"]], ["void"])
        self.assertEqual(self.apache.requests(0), [])

    def test_no_ticket(self):
        self.environment["KRB5CCNAME"] = "FILE:" + self.path("none")
        self.unknown(self.path("none"))

    def test_keytab_of_the_client(self):
        """As a service has it: no cache yet, and a keytab that the library logs in with by itself."""
        self.environment["KRB5CCNAME"] = "FILE:" + self.path("fresh")
        self.environment["KRB5_CLIENT_KTNAME"] = self.kdc.client_keytab
        self.one("localhost/kerberos", [WRITE])
        self.check(code=0)

    def test_old_ticket(self):
        cache = self.kdc.cache("old", "1s")
        wait_for(lambda: not self.kdc.gives(cache), "the ticket's end")
        self.environment["KRB5CCNAME"] = "FILE:" + cache
        self.unknown("expired")

    def failed(self, place, step=None):
        self.one(place, [step or WRITE])
        flow = self.check(code=2)["flows"][0]
        self.assertEqual([undo["state"] for undo in flow["undo"]], ["void"])
        step = decisive(flow)
        self.assertEqual(step["attempts"], 1)
        return step["verdict"]

    def test_service_is_not_known(self):
        verdict = self.failed("127.0.0.1/kerberos")
        self.assertEqual((verdict["class"], verdict["cause"]), ("unreachable", "auth"))
        self.assertIn("no Kerberos ticket for HTTP@127.0.0.1: Server HTTP/127.0.0.1@", verdict["message"])

    def test_ticket_is_not_accepted(self):
        self.kdc.rotate()
        verdict = self.failed("localhost/kerberos")
        self.assertEqual((verdict["class"], verdict["cause"]), ("error_code", "auth"))
        self.assertIn("the Kerberos ticket was not accepted", verdict["message"])
        self.assertEqual(len(self.apache.requests()), 1)

    def test_server_without_negotiate(self):
        verdict = self.failed("localhost/basic")
        self.assertEqual((verdict["class"], verdict["cause"]), ("error_code", "auth"))
        self.assertEqual(verdict["message"], "the server does not take Negotiate authentication here; it offers Basic")

    def test_kdc_refuses(self):
        self.kdc.stop()
        verdict = self.failed("localhost/kerberos")
        self.assertEqual((verdict["class"], verdict["cause"]), ("unreachable", "network"))
        self.assertIn("Cannot contact any KDC", verdict["message"])

    def test_dead_kdc_stops_nobody(self):
        """What others ask for is answered while a call waits for its ticket."""
        self.use_dead_kdc()
        self.configure({"erp": ("localhost/kerberos", NEGOTIATE, {"timeout": "1m"}), "other": ("localhost/open", None, {})},
                       {"orders": ("erp", [WRITE], {"every": "1s"}),
                        "items": ("other", [{"step": "read", "get": "/x"}], {"every": "1s"})})
        agent = self.start_program("run")
        known = {}  # thread that waits -> requests that had come when it was first seen

        def others_go_on():
            count = len(self.apache.requests(0))
            return any(count > known.setdefault(thread, count) + 1 for thread in self.threads_that_wait(agent.pid))
        wait_for(others_go_on, "runs of others, while one call waits")
        self.stop(agent)

    def test_dead_kdc_is_told(self):
        self.use_dead_kdc()
        self.one("localhost/kerberos", [WRITE], timeout="5s")
        flow = self.check(code=2)["flows"][0]
        verdict = decisive(flow)["verdict"]
        self.assertEqual((verdict["class"], verdict["phase"], verdict["cause"]), ("timeout", "connect", "network"))
        self.assertIn("no Kerberos ticket for localhost within 5s: the ticket server (KDC)", verdict["message"])
        self.assertEqual([undo["state"] for undo in flow["undo"]], ["void"])  # nothing was sent

    def test_dead_kdc_holds_one_thread(self):
        self.use_dead_kdc()
        self.one("localhost/kerberos", [{"step": "read", "get": "/x", "retry": {"times": 2, "after": "0s"}}], timeout="2s")
        step = decisive(self.check(code=2)["flows"][0])
        self.assertEqual(step["attempts"], 3)
        self.assertIn("has not answered an earlier call", step["verdict"]["message"])

    def test_agent_ends_while_a_call_waits(self):
        self.use_dead_kdc()
        self.configure({"erp": ("localhost/kerberos", NEGOTIATE, {"timeout": "1m"})},
                       {"orders": ("erp", [{"step": "read", "get": "/x"}], {"every": "1s"})})
        agent = self.start_program("run")
        wait_for(lambda: self.threads_that_wait(agent.pid), "a call")
        began = time.monotonic()
        self.stop(agent)
        self.assertLess(time.monotonic() - began, 50)

    @staticmethod
    def threads_that_wait(pid):
        lines = subprocess.run(["ps", "-L", "-o", "lwp=,comm=", "-p", str(pid)], capture_output=True, text=True).stdout
        return [line.split()[0] for line in lines.splitlines() if line.split()[1] == "call"]

    def test_slow_server(self):
        self.one("localhost/kerberos", [{"step": "read", "get": "/x?slow", "slow": "100ms"},
                                        {"step": "too slow", "get": "/x?slow", "timeout": "3s"}])
        verdict = decisive(self.check(code=2)["flows"][0])["verdict"]
        self.assertEqual((verdict["class"], verdict["phase"]), ("timeout", "first_byte"))


if __name__ == "__main__":
    unittest.main()
