#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Doing no harm: keys of idempotency, budgets, leaving alone what refused us. Spans that are over are
made so in the store, as if the time had passed."""
import json
import re
import signal
import sqlite3
import time
import unittest
from email.utils import formatdate

from flow_case import FlowCase
from harness import PATIENCE_S, wait_for

ORDER = """
- step: submit
  post: /orders
  json: {name: '{{mark}}'}
  follow: 3
  retry: {times: 3, after: 20ms, on: any}
  idempotency: Idempotency-Key
  expect: {status: 201}
  capture: {order: {json: $.id}}
  undo: {delete: '/orders/{{order}}'}
"""
CREATED = {"status": 201, "body": {"id": "o1"}}


class Idempotency(FlowCase):
    def keys(self, name="Idempotency-Key"):
        """[request, its key or None] in the order of sending."""
        return [[f"{r['method']} {r['path']}", next((v for k, v in r["headers"] if k == name), None)]
                for r in self.requests_in_full()]

    def test_one_key_for_all_repetitions_and_another_for_another_run(self):
        self.flow(ORDER.replace("{delete: '/orders/{{order}}'}", "{none: orders expire}"))
        self.script({"POST /api/orders": [{"status": 500}, {"close": True}, CREATED]})
        self.run_flow(0)
        first = self.keys()
        self.assertEqual([request for request, _ in first], ["POST /api/orders"] * 3)
        self.assertEqual(len({key for _, key in first}), 1)
        self.assertRegex(first[0][1], r"^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
        self.script({"POST /api/orders": CREATED})
        self.run_flow(0)
        self.assertNotEqual(self.keys()[0][1], first[0][1])

    def test_each_step_has_its_own_and_polling_keeps_it(self):
        self.flow("""
- step: one
  post: /jobs
  idempotency: X-Job-Key
  until: {every: 20ms, for: 20s}
  expect: {json: {$.state: done}}
  undo: {none: jobs expire}
- step: two
  put: /jobs/1
  idempotency: X-Job-Key
""")
        self.script({"POST /api/jobs": [{"body": {"state": "new"}}, {"status": 503}, {"body": {"state": "done"}}],
                     "PUT /api/jobs/1": {"status": 204}})
        self.run_flow(0)
        keys = [key for _, key in self.keys("X-Job-Key")]
        self.assertEqual(len(keys), 4)
        self.assertEqual(len(set(keys[:3])), 1)
        self.assertNotIn(keys[3], keys[:3] + [None])

    def test_redirects_that_repeat_the_request_keep_it(self):
        self.flow(ORDER)
        for status, kept in ((307, True), (308, True), (303, False)):
            method = "POST" if kept else "GET"
            self.script({"POST /api/orders": {"status": status, "headers": {"Location": "/api/new"}},
                         f"{method} /api/new": CREATED, "DELETE /api/orders/o1": {"status": 204}})
            self.run_flow(0)
            (_, asked), (request, repeated), (_, undo) = self.keys()
            self.assertIsNone(undo, "an undo has none")
            self.assertEqual(request, f"{method} /api/new")
            self.assertEqual(repeated, asked if kept else None, status)

    def test_the_replay_after_a_new_login_keeps_it(self):
        self.flow(ORDER, system="""    auth:
      session:
        login: {post: /login, json: {}, capture: {token: {json: $.token}}}
        headers: {X-Session: '{{token}}'}
""")
        self.script({"POST /api/login": {"body": {"token": "a-token-of-a-session"}},
                     "POST /api/orders": [{"status": 401}, CREATED], "DELETE /api/orders/o1": {"status": 204}})
        self.run_flow(0)
        sent = [key for request, key in self.keys() if request == "POST /api/orders"]
        self.assertEqual(len(sent), 2)
        self.assertEqual(len(set(sent)), 1)
        self.assertEqual([key for request, key in self.keys() if request == "POST /api/login"], [None, None])

    def test_it_is_shown_in_the_evidence(self):
        self.flow(ORDER)
        self.script({"POST /api/orders": {"status": 400, "body": {"error": {"code": "Bad", "message": "Bad"}}}})
        done = self.run_program("check", "-v", "--no-store")
        key = self.keys()[0][1]
        self.assertTrue(re.search(rf"Idempotency-Key: {key}", done.stdout), done.stdout)


REFUSED = {"status": 401, "body": {"error": {"code": "Unauthorized", "message": "Invalid credentials"}}}
READ = "- step: read\n  get: /a\n"
BACKOFF = "    backoff: {after: 15m, up_to: 1h}\n"
LOGIN = """    auth:
      session:
        login: {post: /login, json: {password: %s}, capture: {token: {json: $.token}}}
        headers: {X-Session: '{{token}}'}
"""


class LeftAlone(FlowCase):
    def count(self, request="GET /api/a"):
        return self.requests().count(request)

    def state(self):
        """The row of the system, or None."""
        connection = sqlite3.connect(self.path("erpwatch.db"))
        connection.row_factory = sqlite3.Row
        row = connection.execute("SELECT * FROM left_alone").fetchone()
        connection.close()
        return dict(row) if row else None

    def let_it_pass(self):
        """As if the span were over."""
        connection = sqlite3.connect(self.path("erpwatch.db"), timeout=30)
        with connection:
            connection.execute("UPDATE left_alone SET since = since - (until - ?), until = ?",
                               [int(time.time() * 1e6) - 1] * 2)
        connection.close()

    def each_second(self):
        with open(self.path("erpwatch.yaml"), encoding="utf-8") as file:
            text = file.read()
        self.write("erpwatch.yaml", text.replace("every: 1h", "every: 1s\n    group: 0s"))

    def span_s(self):
        state = self.state()
        return round((state["until"] - state["since"]) / 1e6)

    def held(self, *arguments):
        flow = self.run_flow(3, *arguments)
        step = next(s for s in flow["steps"] if s["state"] == "unknown")
        self.assertIn("erp is left alone until ", step["verdict"]["message"])
        self.assertIn("check --now", step["verdict"]["message"])
        self.assertRegex(flow["held_until"], r"^\d{4}-.*Z$")
        return flow

    def test_one_confirming_run_and_then_none(self):
        self.flow(READ, system=BACKOFF)
        self.script({"GET /api/a": REFUSED})
        self.run_flow(2)
        self.run_flow(2)
        for _ in range(3):
            self.held()
        self.assertEqual(self.count(), 2)
        self.assertEqual((self.state()["level"], self.span_s()), (1, 900))
        self.let_it_pass()
        self.run_flow(2)
        self.held()
        self.assertEqual(self.count(), 3)
        self.assertEqual((self.state()["level"], self.span_s()), (2, 1800))
        for span in (3600, 3600):
            self.let_it_pass()
            self.run_flow(2)
            self.assertEqual(self.span_s(), span)

    def test_status_says_so(self):
        self.flow(READ, system=BACKOFF)
        self.script({"GET /api/a": REFUSED})
        self.run_flow(2)
        left = self.statuses()["left_alone"]
        self.assertEqual([(i["system"], i["why"]) for i in left], [("erp", 'status 401 (auth) at "read"')])
        text = self.run_program("status").stdout
        self.assertRegex(text, r'The system erp is left alone until .* after status 401 \(auth\) at "read"')

    def test_now_and_the_first_good_call_end_it(self):
        self.flow(READ, system=BACKOFF)
        self.script({"GET /api/a": REFUSED})
        self.run_flow(2)
        self.run_flow(2)
        self.held()
        self.script({"GET /api/a": {"body": {}}})
        self.held()
        self.assertEqual(self.count(), 0)
        self.run_flow(0, "--now")
        self.assertIsNone(self.state())
        self.run_flow(0)
        self.assertEqual(self.count(), 2)

    def test_now_that_fails_does_not_make_it_longer(self):
        self.flow(READ, system=BACKOFF)
        self.script({"GET /api/a": REFUSED})
        self.run_flow(2)
        before = self.state()["until"]
        self.run_flow(2, "--now")
        self.run_flow(2, "--now")
        self.assertEqual(self.state()["until"], before)

    def test_without_the_key_it_is_not_left_alone(self):
        self.flow(READ)
        self.script({"GET /api/a": REFUSED})
        for _ in range(4):
            self.run_flow(2)
        self.assertEqual(self.count(), 4)
        self.assertIsNone(self.state())

    def test_other_failures_are_none_of_its_business(self):
        self.flow(READ, system=BACKOFF)
        self.script({"GET /api/a": [{"status": 500}, {"status": 404}, {"close": True}, {"status": 503}]})
        for _ in range(5):
            self.run_flow(2)
        self.assertIsNone(self.state())

    def test_a_changed_password_ends_it(self):
        for auth in ("{basic: {username: u, password: one-secret-1}}", "{header: {X-Key: '${env:ERP_KEY}'}}"):
            self.environment["ERP_KEY"] = "one-secret-1"
            self.flow(READ, system=f"{BACKOFF}    auth: {auth}\n")
            self.script({"GET /api/a": REFUSED})
            self.run_flow(2, "--now")
            self.run_flow(2)
            self.held()
            self.environment["ERP_KEY"] = "two-secret-2"
            self.flow(READ, system=f"{BACKOFF}    auth: {auth.replace('one-secret-1', 'two-secret-2')}\n")
            self.assertEqual(self.statuses()["left_alone"], [])
            self.script({"GET /api/a": [{"body": {}}]})
            self.run_flow(0)
            self.assertIsNone(self.state())
        self.assert_no_secret(("one-secret-1", "two-secret-2"))

    def flows(self, names, system):
        """Flows of the one system, each with a path of its own."""
        self.flow(READ, system=system)
        with open(self.path("erpwatch.yaml"), encoding="utf-8") as file:
            head, body = file.read().split("  orders:\n")
        flows = "".join(f"  {name}:\n{body}".replace("/a\n", f"/{name}\n") for name in names)
        self.write("erpwatch.yaml", head + flows)

    def test_logins_of_many_flows_are_two_in_total(self):
        names = [f"f{i}" for i in range(6)]
        self.flows(names, BACKOFF + LOGIN % "wrong-password-1")
        self.script({"POST /api/login": REFUSED})
        for _ in range(4):
            self.check()
        self.assertEqual(self.requests(), ["POST /api/login"] * 2)
        self.script({"POST /api/login": {"body": {"token": "a-token-of-a-session"}}, "*": {"body": {}}})
        self.let_it_pass()
        states = [f["state"] for f in self.check(code=0)["flows"]]
        self.assertEqual(states, ["ok"] * 6)
        self.assertEqual(self.count("POST /api/login"), 1)
        self.assertIsNone(self.state())

    def test_a_refused_token_is_asked_for_twice_in_total(self):
        self.flow(READ, system=BACKOFF + f"""    auth:
      oauth2:
        grant: client_credentials
        token_url: http://127.0.0.1:{self.http.port}/token
        client_id: us
        client_secret: wrong-secret-1
""")
        self.script({"POST /token": {"status": 401, "body": {"error": "invalid_client"}}})
        for _ in range(4):
            self.check()
        self.assertEqual(self.requests(), ["POST /token"] * 2)

    def test_one_run_tells_when_the_span_is_over(self):
        names = [f"f{i}" for i in range(6)]
        self.flows(names, BACKOFF + "    parallel: 1\n")
        self.script({"*": REFUSED})
        flows = self.check(code=2)["flows"]
        self.assertEqual(sorted(f["state"] for f in flows), ["failed"] + ["unknown"] * 5)
        self.assertEqual(len(self.requests()), 1)
        self.let_it_pass()
        flows = self.check(code=2)["flows"]
        self.assertEqual(sorted(f["state"] for f in flows), ["failed"] + ["unknown"] * 5)
        self.assertEqual(len(self.requests()), 2)
        self.let_it_pass()
        self.script({"*": {"body": {}}})
        self.assertEqual([f["state"] for f in self.check(code=0)["flows"]], ["ok"] * 6)

    def test_what_is_owed_waits_and_is_not_dropped(self):
        self.flow("""
- step: make
  post: /orders
  json: {name: '{{mark}}'}
  capture: {order: {json: $.id}}
  undo: {delete: '/orders/{{order}}'}
- step: read
  get: /a
""", system=BACKOFF)
        self.script({"POST /api/orders": {"status": 201, "body": {"id": "o1"}}, "GET /api/a": REFUSED,
                     "DELETE /api/orders/o1": {"status": 204}})
        flow = self.run_flow(2)
        self.assertEqual([u["state"] for u in flow["undo"]], ["owed"])
        self.assertIn("left alone", flow["undo"][0]["problem"])
        self.assertEqual(self.requests(), ["POST /api/orders", "GET /api/a"])
        self.let_it_pass()
        self.run_flow(2)  # pays first: the debts of a process that has died
        self.assertEqual(self.count("DELETE /api/orders/o1"), 1)

    def test_a_run_that_was_only_forbidden_something_removes_what_it_made(self):
        self.flow("""
- step: make
  post: /orders
  json: {name: '{{mark}}'}
  capture: {order: {json: $.id}}
  undo: {delete: '/orders/{{order}}'}
- step: read
  get: /a
""", system=BACKOFF)
        self.script({"POST /api/orders": {"status": 201, "body": {"id": "o1"}},
                     "GET /api/a": {"status": 403, "body": {"error": {"code": "Forbidden", "message": "no"}}},
                     "DELETE /api/orders/o1": {"status": 204}})
        flow = self.run_flow(2)
        self.assertEqual([u["state"] for u in flow["undo"]], ["paid"])
        self.assertEqual(self.state()["level"], 1)

    def test_retry_after_in_seconds_and_as_a_date(self):
        date = formatdate(time.time() + 7200, usegmt=True)
        for status, headers, least, most in (
                (503, {"Retry-After": date}, 7200 - PATIENCE_S, 7201),
                (429, {"Retry-After": "120"}, 119, 121), (503, {"Retry-After": "200"}, 199, 201),
                (429, {"X-RateLimit-Reset": "90"}, 89, 91),
                (429, {"Retry-After": "9999999"}, 86399, 86401)):
            self.flow(READ)
            self.script({"GET /api/a": {"status": status, "headers": headers}})
            self.run_flow(2, "--now")
            self.assertTrue(least <= self.span_s() <= most, (headers, self.span_s()))
            if most < 300:
                self.held()
                self.assertEqual(self.count(), 1)
            self.let_it_pass()
            self.script({"GET /api/a": {"body": {}}})
            self.run_flow(0)
            self.assertIsNone(self.state())

    def test_a_long_retry_after_is_confirmed_once(self):
        self.flow(READ)
        self.script({"GET /api/a": {"status": 503, "headers": {"Retry-After": "3600"}}})
        self.run_flow(2)
        self.run_flow(2)
        self.held()
        self.assertEqual(self.count(), 2)

    def test_retry_after_within_a_run(self):
        self.flow("""
- step: retried
  get: /a
  retry: {times: 1, after: 10ms}
- step: polled
  get: /b
  until: {every: 10ms, for: 20s}
- step: no time
  get: /c
  until: {every: 10ms, for: 20s}
""")
        soon = {"status": 503, "headers": {"Retry-After": "1"}}
        self.script({"GET /api/a": [soon, {"body": {}}], "GET /api/b": [soon, {"body": {}}],
                     "GET /api/c": {"status": 503, "headers": {"Retry-After": "60"}}})
        began = time.monotonic()
        flow = self.run_flow(2)
        self.assertGreaterEqual(time.monotonic() - began, 2)
        self.assertEqual([(s["state"], s["attempts"]) for s in flow["steps"]], [("ok", 2), ("ok", 2), ("failed", 1)])

    def test_a_kill_forgets_nothing(self):
        self.flow(READ, system=BACKOFF)
        self.script({"GET /api/a": REFUSED})
        self.each_second()
        agent = self.start_program("run")
        wait_for(lambda: self.count() == 2 and self.flow_states()["orders"] == "unknown", "it is held back")
        agent.send_signal(signal.SIGKILL)
        agent.wait()
        asked = self.count()
        self.assertEqual(asked, 2)
        agent = self.start_program("run")
        rows = self.history()
        wait_for(lambda: self.history() > rows + 2, "further runs")
        self.assertEqual(self.count(), asked)
        self.stop(agent)

    def history(self):
        return len(json.loads(self.run_program("history", "orders", "--format", "json").stdout)["runs"])

    def test_the_incident_opens_stays_and_closes(self):
        self.flow(READ, system=BACKOFF)
        self.script({"GET /api/a": REFUSED})
        self.each_second()
        agent = self.start_program("run")
        wait_for(lambda: self.statuses().get("incidents"), "an incident")
        wait_for(lambda: self.flow_states().get("orders") == "unknown", "the flow is held back")
        self.assertEqual(self.count(), 2)
        self.assertEqual([i["state"] for i in self.statuses()["incidents"]], ["open"])
        self.script({"GET /api/a": {"body": {}}})
        self.run_flow(0, "--now")  # a person has mended it, and the agent learns of that
        wait_for(lambda: not self.statuses()["incidents"], "the recovery")
        self.assertEqual(self.flow_states(), {"orders": "ok"})
        self.stop(agent)


class Budget(FlowCase):
    def budget(self, runs, more=""):
        self.flow(READ)
        with open(self.path("erpwatch.yaml"), encoding="utf-8") as file:
            text = file.read()
        lines = f"    budget: {{runs_per_day: {runs}}}\n    group: 0s\n{more}    steps:\n"
        # the day must not end while a test runs
        self.write("erpwatch.yaml", text.replace("    steps:\n", lines).replace(
            "agent: {", f"agent: {{timezone: {self.zone()}, "))

    @staticmethod
    def zone():
        """One where it is noon or later, and not yet evening."""
        hour = time.gmtime().tm_hour
        return f"Etc/GMT{hour - 14:+d}" if hour != 14 else "UTC"

    def spent(self):
        flow = self.statuses()["flows"][0]
        return flow["budget"]["spent"], flow["budget"]["runs_per_day"]

    def refused(self):
        flow = self.run_flow(3)
        self.assertIn("is spent for today: nothing was sent", flow["problem"])
        self.assertEqual([s["state"] for s in flow["steps"]], ["skipped"])

    def test_spent_is_unknown_and_sends_nothing(self):
        self.budget(2)
        self.script({"GET /api/a": {"body": {}}})
        self.assertEqual(self.statuses()["flows"][0]["budget"]["spent"], 0)
        self.run_flow(0)
        self.run_flow(0)
        self.assertEqual(self.spent(), (2, 2))
        self.refused()
        self.refused()
        self.assertEqual(len(self.requests()), 2)
        self.assertEqual(self.spent(), (2, 2))
        done = self.run_program("status")
        self.assertRegex(done.stdout, r"The budget of orders, 2 runs a day, is spent until \d{4}-")
        self.budget(3)
        self.run_flow(0)
        self.refused()

    def test_another_day_has_its_own(self):
        self.budget(1)
        self.script({"GET /api/a": {"body": {}}})
        self.run_flow(0)
        self.refused()
        connection = sqlite3.connect(self.path("erpwatch.db"), timeout=30)
        with connection:
            connection.execute("UPDATE spent SET day = day - 1")
        connection.close()
        self.run_flow(0)
        self.refused()

    def test_processes_side_by_side_never_overspend(self):
        self.budget(3)
        self.script({"GET /api/a": {"body": {}, "delay": 0.1}})
        processes = [self.start_program("check", log=f"check-{i}") for i in range(6)]
        self.assertEqual(sorted(p.wait(90) for p in processes), [0, 0, 0, 3, 3, 3])
        self.assertEqual(len(self.requests()), 3)

    def test_the_agent_counts_on_after_a_kill_and_opens_no_incident(self):
        self.budget(3)
        with open(self.path("erpwatch.yaml"), encoding="utf-8") as file:
            self.write("erpwatch.yaml", file.read().replace("every: 1h", "every: 1s"))
        self.script({"GET /api/a": {"body": {}}})
        agent = self.start_program("run")
        wait_for(lambda: len(self.requests()) >= 2, "two runs")
        agent.send_signal(signal.SIGKILL)
        agent.wait()
        agent = self.start_program("run")
        wait_for(lambda: self.flow_states().get("orders") == "unknown" and self.spent() == (3, 3), "it is spent")
        rows = len(self.runs())
        wait_for(lambda: len(self.runs()) > rows + 1, "further runs")
        self.assertEqual(self.statuses()["incidents"], [])
        self.stop(agent)
        self.assertLessEqual(len(self.requests()), 3)

    def runs(self):
        return json.loads(self.run_program("history", "orders", "--format", "json").stdout)["runs"]

    def test_confirming_runs_count(self):
        self.budget(3, "    confirm: {runs: 3, after: 0s}\n")
        self.script({"GET /api/a": {"status": 500}})
        self.run_flow(2, "--notify")
        self.assertEqual(len(self.requests()), 3)
        self.refused()
        self.assertEqual(len(self.statuses()["incidents"]), 1)

    def test_a_check_does_not_wait_for_tomorrow_to_confirm(self):
        self.budget(1)
        self.script({"GET /api/a": {"status": 500}})
        self.run_flow(2)
        self.run_flow(3, "--notify")
        self.assertEqual(len(self.requests()), 1)

    def test_what_cannot_be_counted_is_not_run(self):
        self.budget(5)
        self.script({"GET /api/a": {"body": {}}})
        flow = self.run_flow(3, "--no-store")
        self.assertIn("--no-store", flow["problem"])
        self.run_flow(0)
        connection = sqlite3.connect(self.path("erpwatch.db"), timeout=30)
        with connection:
            connection.execute("CREATE TRIGGER broken BEFORE INSERT ON spent BEGIN SELECT RAISE(ABORT, 'no'); END")
        connection.close()
        flow = self.run_flow(3)
        self.assertIn("cannot be counted", flow["problem"])
        self.assertEqual(len(self.requests()), 1)

    def test_what_is_left_alone_costs_nothing(self):
        self.budget(2)
        with open(self.path("erpwatch.yaml"), encoding="utf-8") as file:
            text = file.read()
        self.write("erpwatch.yaml", text.replace("    timeout: 60s\n", "    timeout: 60s\n" + BACKOFF))
        self.script({"GET /api/a": REFUSED})
        self.run_flow(2)
        self.script({"GET /api/a": {"status": 401}})
        self.run_flow(2)
        for _ in range(3):
            self.run_flow(3)
        self.assertEqual(self.spent(), (2, 2))
        self.budget(3)
        self.script({"GET /api/a": {"body": {}}})
        self.run_flow(0, "--now")


if __name__ == "__main__":
    unittest.main()
