#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Access tokens and rotating refresh tokens against a real OAuth2 server: kept before they are
used, by one process at a time, through kills at any moment."""
import json
import os
import random
import signal
import sqlite3
import sys
import threading
import time
import unittest
import urllib.error
import urllib.request

from harness import Case, ROOT, decisive, wait_for

sys.path.insert(0, f"{ROOT}/tests/servers")
from gate import Gate  # noqa: E402

CONFIG = """
agent: {{store: {folder}/erpwatch.db, stop: 2s}}
mail: {{directory: {folder}/mail, from: "Monitor <alerts@agency.example>", fallback: agency}}
contacts: {{agency: {{name: Agency, email: ops@agency.example}}}}
systems:
  erp:
    url: http://127.0.0.1:{port}/api
    timeout: 20s
    act: {{erp-partner: agency, client: agency, integrator: agency, hosting: agency}}
    auth:
      oauth2: {{token_url: 'http://127.0.0.1:{port}/token', client_id: shop, client_secret: '${{env:CLIENT_SECRET}}'{more}}}
flows:
  orders: {{system: erp, every: {every}, timeout: 30s, notify: client, steps: [{{step: read, get: /orders}}]}}
  items: {{system: erp, every: {every}, timeout: 30s, notify: client, steps: [{{step: read, get: /items}}]}}
"""
REFRESH = ", grant: refresh_token, refresh_token: '${env:REFRESH_TOKEN}'"


class OAuth2Case(Case):
    def setUp(self):
        super().setUp()
        self.provider = self.server("/usr/bin/python3", f"{ROOT}/tests/servers/oauth2.py")
        self.gate = Gate(self.provider.port)
        self.addCleanup(self.gate.close)
        self.environment["CLIENT_SECRET"] = "cl13nt s3cret+"

    def ask(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.provider.port}{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def settings(self, **values):
        self.ask("PUT", "/_set", values)

    def provider_log(self):
        return self.ask("GET", "/_log")

    def consent(self):
        self.environment["REFRESH_TOKEN"] = self.ask("POST", "/_consent", {})["refresh_token"]

    def configure(self, more="", every="1h"):
        self.write("erpwatch.yaml", CONFIG.format(folder=self.folder, port=self.gate.port, more=more, every=every))

    def rows(self):
        with sqlite3.connect(self.path("erpwatch.db")) as db:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute("SELECT * FROM token")]

    def assert_tokens_nowhere_but_in_their_table(self):
        """In no file but the store, and there in no other table; nor in what commands print."""
        secrets = self.provider_log()["secrets"] + ["cl13nt s3cret+", "cl13nt+s3cret%2B"]
        with sqlite3.connect(self.path("erpwatch.db")) as db:
            dump = "\n".join(line for line in db.iterdump() if not line.startswith('INSERT INTO "token"'))
        printed = "".join(self.run_program(*words).stdout for words in (
            ["history", "orders"], ["status", "--format", "json"], ["incidents"], ["validate", "-v"]))
        files = []
        for base, _, names in os.walk(self.folder):
            files += [os.path.join(base, n) for n in names if not n.startswith("erpwatch.db")]
        for secret in secrets:
            self.assertNotIn(secret, dump)
            self.assertNotIn(secret, printed)
            for path in files:
                with open(path, "rb") as file:
                    self.assertNotIn(secret.encode(), file.read(), path)


class ClientCredentials(OAuth2Case):
    def test_one_token_for_all_flows_and_all_processes(self):
        self.configure()
        for _ in range(3):
            self.check(code=0)
        self.assertEqual(self.provider_log()["tokens"], 1)
        self.assertEqual(os.stat(self.path("erpwatch.db")).st_mode & 0o777, 0o600)
        self.assert_tokens_nowhere_but_in_their_table()

    def test_client_auth_basic(self):
        self.configure(", client_auth: basic")
        self.check(code=0)
        self.assertNotIn("client", self.provider_log()["bodies"][0].replace("client_credentials", ""))

    def test_no_store_keeps_nothing_and_works(self):
        self.configure()
        self.check("--no-store", code=0)
        self.assertFalse(os.path.exists(self.path("erpwatch.db")))

    def test_a_kept_token_that_was_revoked_is_replaced(self):
        self.configure()
        self.check(code=0)
        self.ask("POST", "/_expire", {})
        self.check("orders", code=0)
        self.assertEqual(self.provider_log()["tokens"], 2)

    def test_one_that_ends_is_asked_for_before(self):
        self.settings(expires_in=600)
        self.configure()
        began = time.time()
        self.check("orders", code=0)
        self.assertTrue(began < self.rows()[0]["access_until"] / 1e6 <= time.time() + 600)
        calls = self.gate.count("GET /api")
        with sqlite3.connect(self.path("erpwatch.db")) as db:  # as if the time had passed
            db.execute("UPDATE token SET access_until = ?", [int(began * 1e6)])
        self.check("orders", code=0)
        self.assertEqual((self.provider_log()["tokens"], self.gate.count("GET /api") - calls), (2, 1))

    def test_another_secret_needs_another_token(self):
        self.configure()
        self.check(code=0)
        self.environment["CLIENT_SECRET"] = "wrong-one"
        flow = self.check("orders", code=2)["flows"][0]
        self.assertEqual(decisive(flow)["step"], "get a token")
        self.assertEqual(decisive(flow)["verdict"]["code"], "invalid_client")

    def test_a_reload_with_another_client(self):
        self.settings(clients={"shop": "cl13nt s3cret+", "other": "another s3cret"})
        self.configure(every="1s")
        agent = self.start_program("run")
        wait_for(lambda: self.provider_log()["tokens"] == 1, "the first token")
        text = self.log("erpwatch.yaml")
        self.write("erpwatch.yaml", text.replace("client_id: shop", "client_id: other")
                   .replace("'${env:CLIENT_SECRET}'", "another s3cret"))
        agent.send_signal(signal.SIGHUP)
        wait_for(lambda: self.provider_log()["tokens"] == 2, "the second token")
        self.stop(agent)
        self.assertIn("client_id=other", self.provider_log()["bodies"][1])


class RefreshTokens(OAuth2Case):
    def setUp(self):
        super().setUp()
        self.consent()
        self.configure(REFRESH)

    def end_tokens(self):
        self.ask("POST", "/_expire", {})

    def test_each_is_used_once_and_the_next_is_kept(self):
        for _ in range(4):
            self.check(code=0)
            self.end_tokens()
        log = self.provider_log()
        self.assertEqual((log["tokens"], log["reused"], log["alive"]), (4, 0, [True]))
        row, = self.rows()
        self.assertNotEqual(row["refresh"], self.environment["REFRESH_TOKEN"])
        self.assertEqual(row["asking"], 0)
        self.assert_tokens_nowhere_but_in_their_table()

    def test_an_access_token_that_holds_is_not_renewed(self):
        self.settings(early=True)
        for _ in range(5):
            self.check(code=0)
        self.assertEqual(self.provider_log()["tokens"], 1)

    def test_refused_too_early_the_answer_of_the_call_stands(self):
        """The API refuses a token that has not ended: the token server is not to blame."""
        self.settings(early=True, one_use=True)
        self.check("orders", code=0)
        flow = self.check("orders", code=2)["flows"][0]
        self.assertEqual([s["step"] for s in flow["steps"]], ["read"])
        self.assertEqual(decisive(flow)["status"], 401)
        self.assertEqual(self.provider_log()["alive"], [True])

    def test_a_server_that_keeps_the_refresh_token(self):
        self.settings(rotate=False)
        for _ in range(3):
            self.check(code=0)
            self.end_tokens()
        log = self.provider_log()
        self.assertEqual((log["tokens"], log["refused"]), (3, []))

    def test_without_a_store_it_is_not_used(self):
        done = self.check("--no-store", code=3)
        step = done["flows"][0]["steps"][0]
        self.assertEqual((step["step"], step["state"]), ("get a token", "unknown"))
        self.assertIn("store", step["verdict"]["message"])
        self.assertEqual(self.provider_log()["bodies"], [])

    def test_a_store_that_cannot_be_written(self):
        self.check("orders", code=0)
        self.end_tokens()
        with sqlite3.connect(self.path("erpwatch.db")) as db:
            db.execute("CREATE TRIGGER refuse BEFORE INSERT ON token BEGIN SELECT RAISE(ABORT, 'no room'); END")
        done = self.check("orders", code=3)
        self.assertEqual(done["flows"][0]["steps"][0]["state"], "unknown")
        self.assertEqual(self.provider_log()["tokens"], 1)
        with sqlite3.connect(self.path("erpwatch.db")) as db:
            db.execute("DROP TRIGGER refuse")
        self.check("orders", code=0)

    def test_an_answer_that_cannot_be_kept_is_not_used(self):
        """The next token is in memory alone: it is kept before anything else is done."""
        self.check("orders", code=0)
        self.end_tokens()
        with sqlite3.connect(self.path("erpwatch.db")) as db:
            db.execute("CREATE TRIGGER refuse BEFORE INSERT ON token WHEN NEW.asking = 0"
                       " BEGIN SELECT RAISE(ABORT, 'no room'); END")
        self.configure(REFRESH, every="1s")
        calls = self.gate.count("GET /api")
        agent = self.start_program("run")
        wait_for(lambda: self.provider_log()["tokens"] == 2, "the second token")
        wait_for(lambda: "unknown" in self.flow_states().values(), "a run that could not tell")
        # the first call carried the token that had ended; none carried the new one
        self.assertLessEqual(self.gate.count("GET /api") - calls, 2)
        with sqlite3.connect(self.path("erpwatch.db")) as db:
            db.execute("DROP TRIGGER refuse")
        wait_for(lambda: set(self.flow_states().values()) == {"ok"}, "good runs")
        self.stop(agent)
        log = self.provider_log()
        self.assertEqual((log["tokens"], log["reused"]), (2, 0))

    def test_it_is_kept_at_the_latest_before_the_end(self):
        text = self.log("erpwatch.yaml")
        start, end = text.index("  erp:\n"), text.index("flows:\n")
        other = text[start:text.index("    auth:")].replace("  erp:\n", "  open:\n", 1)
        self.write("erpwatch.yaml", text[:end] + other + text[end:].replace("items: {system: erp", "items: {system: open"))
        self.check("orders", code=0)
        self.end_tokens()
        with sqlite3.connect(self.path("erpwatch.db")) as db:
            db.execute("CREATE TRIGGER refuse BEFORE INSERT ON token WHEN NEW.asking = 0"
                       " BEGIN SELECT RAISE(ABORT, 'no room'); END")
        hold = self.gate.hold("GET /api/items")
        process = self.start_program("check", "orders", "items")
        self.assertTrue(hold.reached.wait(60))
        wait_for(lambda: self.rows()[0]["asking"] and self.provider_log()["tokens"] == 2, "the second token")
        wait_for(lambda: self.flow_states().get("orders") == "unknown", "the run that could not tell")
        with sqlite3.connect(self.path("erpwatch.db")) as db:
            db.execute("DROP TRIGGER refuse")
        hold.go.set()
        process.wait(60)
        self.assertEqual(self.rows()[0]["asking"], 0)
        self.end_tokens()
        self.check("orders", code=0)
        self.assertEqual(self.provider_log()["reused"], 0)

    def test_a_new_consent_replaces_a_dead_chain(self):
        self.check("orders", code=0)
        row, = self.rows()
        self.end_tokens()
        body = f"grant_type=refresh_token&client_id=shop&client_secret=cl13nt+s3cret%2B&refresh_token=" \
               f"{self.environment['REFRESH_TOKEN']}"
        with self.assertRaises(urllib.error.HTTPError):  # somebody else used the first one again
            urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{self.provider.port}/token",
                                                          body.encode(), method="POST"))
        flow = self.check("orders", code=2)["flows"][0]
        verdict = decisive(flow)["verdict"]
        self.assertEqual((decisive(flow)["step"], verdict["code"]), ("get a token", "invalid_grant"))
        self.assertIn("consent", verdict["explanation"])
        self.consent()
        self.check("orders", code=0)
        self.assertEqual(len(self.rows()), 2)
        self.assertNotIn(row["refresh"], self.rows()[0]["key"])

    def test_the_former_one_is_tried_once(self):
        """The server has forgotten the last exchange (a restored backup): it knows the former."""
        self.check("orders", code=0)
        self.end_tokens()
        with sqlite3.connect(self.path("erpwatch.db")) as db:
            db.execute("UPDATE token SET former = refresh, refresh = 'never-heard-of-1'")
        self.check("orders", code=0)
        self.end_tokens()
        with sqlite3.connect(self.path("erpwatch.db")) as db:
            db.execute("UPDATE token SET former = 'never-heard-of-2', refresh = 'never-heard-of-3'")
        self.check("orders", code=2)
        before = len(self.provider_log()["bodies"])
        self.check("orders", code=2)
        self.assertEqual(len(self.provider_log()["bodies"]), before + 1)

    def test_two_systems_with_one_refresh_token(self):
        text = self.log("erpwatch.yaml")
        start, end = text.index("  erp:\n"), text.index("flows:\n")
        second = text[start:end].replace("  erp:\n", "  second:\n", 1)
        self.write("erpwatch.yaml", text[:end] + second + text[end:].replace("items: {system: erp", "items: {system: second"))
        for _ in range(3):
            self.check(code=0)
            self.end_tokens()
        log = self.provider_log()
        self.assertEqual((log["tokens"], log["reused"]), (3, 0))


class Mails(OAuth2Case):
    def test_no_token_in_mails_and_their_attachments(self):
        self.consent()
        self.configure(REFRESH, every="1s")
        text = self.log("erpwatch.yaml").replace("notify: client,", "notify: client, confirm: {runs: 1, after: 0s}, group: 0s,")
        self.write("erpwatch.yaml", text)
        self.check(code=0)
        self.settings(clients={"shop": "another one"})
        self.ask("POST", "/_expire", {})
        agent = self.start_program("run")
        wait_for(self.mail_files, "a mail")
        self.stop(agent)
        mail = self.read_mails()[0]
        self.assertIn("token", mail["Subject"])
        plain = next(p for p in mail.walk() if p.get_content_type() == "text/plain").get_content()
        self.assertIn("identity provider 127.0.0.1", " ".join(plain.split()))
        har = [p.get_content() for p in mail.walk() if p.get_filename() == "exchange.har"]
        self.assertEqual(len(har), 1)
        everything = har[0] if isinstance(har[0], str) else har[0].decode()
        for part in mail.walk():
            if part.get_content_maintype() == "text":
                everything += part.get_content()
        for secret in self.provider_log()["secrets"] + ["cl13nt s3cret+", "cl13nt+s3cret%2B"]:
            self.assertNotIn(secret, everything)
        self.assert_tokens_nowhere_but_in_their_table()


class TwoProcesses(OAuth2Case):
    def setUp(self):
        super().setUp()
        self.consent()
        self.configure(REFRESH)

    def test_the_second_uses_what_the_first_got(self):
        hold = self.gate.hold("POST /token")
        first = self.start_program("check", "orders", log="first.log")
        self.assertTrue(hold.reached.wait(60))
        second = self.start_program("check", "items", log="second.log")
        wait_for(lambda: any(n.startswith("token-") for n in os.listdir(self.path("erpwatch.db.locks"))), "the lock")
        self.assertIsNone(second.poll())
        hold.go.set()
        self.assertEqual((first.wait(60), second.wait(60)), (0, 0), self.log("second.log"))
        log = self.provider_log()
        self.assertEqual((log["tokens"], log["reused"]), (1, 0))

    def test_agent_and_checks_side_by_side(self):
        self.settings(one_use=True)
        self.configure(REFRESH, every="1s")
        agent = self.start_program("run")
        wait_for(lambda: self.provider_log()["tokens"] > 0, "the first token")
        for _ in range(4):
            self.run_program("check", "items")
        self.stop(agent)
        self.assertEqual(self.provider_log()["reused"], 0)

    def test_the_lock_of_a_dead_process_is_free(self):
        hold = self.gate.hold("POST /token", False)
        first = self.start_program("check", "orders")
        self.assertTrue(hold.reached.wait(60))
        first.kill()
        first.wait()
        hold.go.set()
        hold.done.wait(60)
        self.settings(grace=True)
        self.check("orders", code=0)


class Kills(OAuth2Case):
    def setUp(self):
        super().setUp()
        self.consent()
        self.configure(REFRESH)
        self.check("orders", code=0)
        self.ask("POST", "/_expire", {})

    def kill_at(self, what, acts):
        hold = self.gate.hold(what, acts)
        process = self.start_program("check", "orders")
        self.assertTrue(hold.reached.wait(60))
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.gate.shut.add("POST")  # what is held on its way in does not arrive any more
        hold.go.set()
        hold.done.wait(60)
        self.gate.shut.clear()

    def test_before_the_server_has_it(self):
        self.kill_at("POST /token", False)
        self.assertGreater(self.rows()[0]["asking"], 0)
        self.check("orders", code=0)
        self.assertEqual(self.provider_log()["reused"], 0)

    def test_while_the_answer_is_on_its_way_to_a_lenient_server(self):
        self.settings(grace=True)
        self.kill_at("POST /token", True)
        self.check("orders", code=0)
        self.assertEqual(self.provider_log()["alive"], [True])

    def test_while_the_answer_is_on_its_way_to_a_strict_server(self):
        """The one moment that nobody can close: it is said, with what mends it."""
        self.kill_at("POST /token", True)
        flow = self.check("orders", code=2)["flows"][0]
        self.assertIn("consent", decisive(flow)["verdict"]["explanation"])
        self.consent()
        self.check("orders", code=0)

    def test_after_the_answer_was_kept(self):
        tokens = self.provider_log()["tokens"]
        hold = self.gate.hold("GET /api")  # with the token that has ended
        process = self.start_program("check", "orders")
        self.assertTrue(hold.reached.wait(60))
        again = self.gate.hold("GET /api")  # with the new one
        hold.go.set()
        self.assertTrue(again.reached.wait(60))
        process.kill()
        process.wait()
        again.go.set()
        self.check("orders", code=0)
        log = self.provider_log()
        self.assertEqual((log["tokens"], log["reused"]), (tokens + 1, 0))

    def test_a_stop_waits_for_the_answer(self):
        hold = self.gate.hold("POST /token")
        agent = self.start_program("check", "orders")
        self.assertTrue(hold.reached.wait(60))
        agent.send_signal(signal.SIGTERM)
        threading.Timer(4, hold.go.set).start()  # beyond agent.stop
        agent.wait(60)
        self.assertEqual(self.rows()[0]["asking"], 0)
        self.check("orders", code=0)
        self.assertEqual(self.provider_log()["reused"], 0)

    def test_a_reload_while_the_answer_is_on_its_way(self):
        """The run that asked has ended, its configuration goes: the answer is waited for and kept."""
        self.configure(REFRESH, every="1s")
        self.write("erpwatch.yaml", self.log("erpwatch.yaml").replace("timeout: 30s", "timeout: 1s"))
        hold = self.gate.hold("POST /token")
        agent = self.start_program("run")
        self.assertTrue(hold.reached.wait(60))
        self.configure(REFRESH, every="2s")
        agent.send_signal(signal.SIGHUP)
        wait_for(lambda: "configuration" in self.log(), "the reload")
        wait_for(lambda: self.statuses()["flows"] and "failed" in self.flow_states().values(), "the deadline")
        hold.go.set()
        wait_for(lambda: set(self.flow_states().values()) == {"ok"}, "good runs")
        self.stop(agent)
        log = self.provider_log()
        self.assertEqual((log["tokens"], log["reused"], log["alive"]), (2, 0, [True]))

    def test_forty_kills_at_any_moment(self):
        self.settings(grace=True, one_use=True)
        luck = random.Random(20261121)
        for _ in range(40):
            process = self.start_program("check", "orders")
            try:
                process.wait(luck.random() * 0.12)
            except Exception:  # noqa: BLE001
                process.kill()
                process.wait()
        for _ in range(2):
            self.check("orders", code=0)
        log = self.provider_log()
        self.assertEqual((log["reused"], log["alive"]), (0, [True]))
        self.assert_tokens_nowhere_but_in_their_table()


if __name__ == "__main__":
    unittest.main()
