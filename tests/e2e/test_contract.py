#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Sentences of the documented behaviour, each tried on the built program against
a scripted server: the shape of the JSON, what is repeated, what is undone."""
import os
import signal
import sqlite3
import subprocess
import time
import unittest

import harness
from flow_case import FlowCase
from harness import decisive

VERDICT = {"class", "phase", "cause", "code", "message", "explanation", "act", "failed_expectation", "correlation"}
STEP = {"step", "system", "state", "attempts", "request", "status", "duration_ms", "timing_ms", "verdict"}
CREATED = {"status": 201, "body": {"id": "7"}}
CREATE = """
- step: order
  post: /orders
  json: {name: 'erpwatch {{mark}}'}
  capture: {order: {json: $.id}}
"""
LOOKUP = """  lookup:
    get: /orders
    mark: {json: '$.value[*].name'}
    capture: {order: {json: '$.value[*].id'}}
"""
SESSION = """
    auth:
      session:
        login: {post: /Login, json: {user: probe}}
        cookies: [SESSION]
"""
LOGIN = {"body": {}, "headers": [["Set-Cookie", "SESSION=tok-1; Path=/"]]}


class Contract(FlowCase):
    def headers(self, path, name):
        return [value for r in self.requests_in_full() if r["path"] == path
                for key, value in r["headers"] if key == name]

    def test_every_step_has_every_field(self):
        self.script({"GET /api/a": {"status": 500, "body": {"error": {"code": "E1", "message": "it broke"}}}})
        self.flow("- step: one\n  get: /a\n- step: two\n  get: /b")
        flow = self.run_flow(2)
        for step in flow["steps"]:
            self.assertEqual(STEP - set(step), set(), step)
        self.assertEqual(set(flow["steps"][0]["verdict"]), VERDICT)
        skipped = flow["steps"][1]
        self.assertEqual([skipped[key] for key in ("attempts", "request", "status", "duration_ms", "verdict")],
                         [0, None, None, None, None])

    def test_an_answer_that_says_what_failed_broke_no_expectation(self):
        self.script({"POST /api/orders": {"status": 400, "body": {"error": {
            "code": "Application_DialogException", "message": "The field External Document No. must have a value"}}}})
        self.flow(CREATE + "  expect: {status: 201, json: {$.status: Draft}}\n  undo: {none: nothing is made}")
        verdict = decisive(self.run_flow(2))["verdict"]
        self.assertEqual([verdict[key] for key in ("class", "cause", "code", "phase", "failed_expectation")],
                         ["error_code", "validation", "Application_DialogException", None, None])

    def test_a_login_that_fails_leaves_the_step_unsent(self):
        self.script({"POST /api/Login": {"status": 401, "body": {}}})
        self.flow("- step: one\n  get: /a", system=SESSION)
        step = self.run_flow(2)["steps"][1]
        self.assertEqual((step["state"], step["attempts"], step["verdict"]), ("skipped", 0, None))

    def test_session_cookies_go_along_on_redirects(self):
        self.script({"POST /api/Login": LOGIN, "GET /api/b": {"body": {}},
                     "GET /api/a": {"status": 302, "headers": {"Location": "/api/b"}}})
        self.flow("- step: one\n  get: /a\n  follow: 1", system=SESSION)
        self.run_flow(0)
        self.assertEqual(self.headers("/api/b", "Cookie"), ["SESSION=tok-1"])

    def test_a_retry_that_the_deadline_leaves_no_time_for(self):
        self.script({"GET /api/a": {"status": 503, "body": {"error": {"code": "Busy", "message": "The company is locked by an update"}}}})
        self.flow("- step: read\n  get: /a\n  retry: {times: 2, after: 5m}", timeout="90s")
        step = decisive(self.run_flow(2))
        self.assertEqual((step["verdict"]["code"], step["attempts"]), ("Busy", 1))

    def test_polling_says_what_it_saw_and_for_how_long(self):
        self.script({"GET /api/a": {"status": 503}})
        self.flow("- step: read\n  get: /a\n  until: {every: 300ms, for: 5m}", timeout="3s")
        verdict = decisive(self.run_flow(2))["verdict"]
        self.assertEqual((verdict["class"], verdict["phase"]), ("timeout", "poll"))
        self.assertRegex(verdict["message"], r"^asked \d+ times in [^m]*.*s: answered 503$")
        self.assertNotIn("5m", verdict["message"])

    def test_a_server_error_is_no_success(self):
        self.script({"GET /api/a": {"status": 500, "body": {"ok": True}}, "GET /api/b": {"status": 404, "body": {}}})
        self.flow("- step: read\n  get: /a\n  expect: {json: {$.ok: true}}")
        self.assertEqual(decisive(self.run_flow(2))["status"], 500)
        self.flow("- step: read\n  get: /b\n  expect: {time: {below: 1m}, size: {below: 1MiB}}")
        self.assertEqual(decisive(self.run_flow(2))["status"], 404)
        self.flow("- step: read\n  get: /a\n  expect: {status: 500}")
        self.run_flow(0)

    def test_an_undo_needs_its_id_wherever_it_stands(self):
        for undo in ("{delete: /one, query: {id: '{{order}}'}}", "{post: /one, form: {id: '{{order}}'}}",
                     "{post: /one, json: {id: '{{order}}'}}", "{delete: /one, headers: {X-Id: '{{order}}'}}"):
            with self.subTest(undo):
                self.script({"POST /api/orders": {"close": True}, "GET /api/orders": {"body": {"value": []}}})
                self.flow(CREATE + LOOKUP + "  undo: " + undo)
                self.assertEqual(self.run_flow(2, "--no-store")["undo"][0]["state"], "owed")
                self.assertEqual(self.requests(), ["POST /api/orders", "GET /api/orders"])
                self.flow(CREATE + "  undo: " + undo)
                self.assertEqual(self.run_flow(2, "--no-store")["undo"][0]["state"], "uncertain")

    def test_an_undo_with_an_empty_id_is_not_sent(self):
        create = CREATE.replace("$.id}", "$.id, default: ''}")
        for undo in ("{delete: /one, query: {id: '{{order}}'}}", "{post: /one, json: {id: '{{order}}'}}",
                     "{delete: '/a', else: {post: '/a/{{order}}', json: {}}}"):
            with self.subTest(undo):
                self.script({"POST /api/orders": {"status": 201, "body": {}}, "DELETE /api/a": {"status": 409}})
                self.flow(create + "  undo: " + undo)
                self.assertEqual(self.run_flow(1, "--no-store")["undo"][0]["state"], "uncertain")
                self.assertNotIn("id=", "".join(self.requests()))
                self.assertNotIn("POST /api/one", self.requests())
                self.assertNotIn("POST /api/a/", self.requests())

    def interrupt(self, seen, *arguments):
        """check, with SIGINT once the server saw a request: its exit code and output."""
        check = subprocess.Popen([harness.PROGRAM, "check", "--format", "json", *arguments], cwd=self.folder,
                                 env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.processes.append(check)
        harness.wait_for(lambda: seen in self.requests(), seen)
        time.sleep(0.3)  # lets the answer arrive; earlier is right as well
        check.send_signal(signal.SIGINT)
        out, errors = check.communicate(timeout=harness.PATIENCE_S)
        self.assertNotIn("Sanitizer", errors)
        self.assertEqual(check.returncode, 3, out + errors)
        return out

    def test_an_interrupt_waits_for_no_repetition(self):
        for wait in ("retry: {times: 1, after: 8m}", "until: {every: 8m, for: 9m}"):
            with self.subTest(wait):
                self.script({"GET /api/a": {"status": 503}, "POST /api/orders": CREATED,
                             "DELETE /api/orders/7": {"status": 204}})
                self.flow(CREATE + "  undo: {delete: '/orders/{{order}}'}\n- step: read\n  get: /a\n  " + wait,
                          timeout="9m")
                self.interrupt("GET /api/a")
                self.assertIn("DELETE /api/orders/7", self.requests())

    def test_an_interrupt_waits_for_no_confirming_run(self):
        self.script({"GET /api/a": {"status": 503}})
        self.flow("- step: read\n  get: /a")
        with open(self.path("erpwatch.yaml"), encoding="utf-8") as file:
            text = file.read()
        self.write("erpwatch.yaml", text.replace("    every: 1h\n", "    every: 1h\n    confirm: {runs: 2, after: 8m}\n"))
        self.interrupt("GET /api/a", "--notify")
        self.assertEqual(self.requests(), ["GET /api/a"])

    def test_no_confirming_run_after_the_deadline(self):
        self.script({"GET /api/a": {"status": 503}})
        self.flow("- step: read\n  get: /a")
        with open(self.path("erpwatch.yaml"), encoding="utf-8") as file:
            text = file.read()
        self.write("erpwatch.yaml", text.replace("    every: 1h\n", "    every: 1h\n    confirm: {runs: 2, after: 8m}\n"))
        flow = self.check("--notify", "--deadline", "40s", code=2)["flows"][0]
        self.assertEqual((flow["state"], flow["steps"][0]["status"]), ("failed", 503))
        self.assertEqual(self.requests(), ["GET /api/a"])

    def configure(self, *changes):
        with open(self.path("erpwatch.yaml"), encoding="utf-8") as file:
            text = file.read()
        for old, new in changes:
            self.assertIn(old, text)
            text = text.replace(old, new)
        self.write("erpwatch.yaml", text)

    def test_a_check_from_cron_ends_mutes(self):
        self.script({"GET /api/a": {"status": 503}})
        self.flow("- step: read\n  get: /a")
        self.configure(("    every: 1h\n", "    every: 1h\n    confirm: {runs: 1}\n"))
        self.assertEqual(self.run_program("mute", "orders", "--for", "1h", "--why", "update").returncode, 0)
        self.check("--notify", code=2)
        self.assertEqual(self.mail_files(), [])
        with sqlite3.connect(self.path("erpwatch.db")) as store:  # as if the hour had passed
            store.execute("UPDATE mute SET until = 1")
        store.close()
        self.check("--notify", code=2)
        self.assertEqual(len(self.mail_files()), 1)

    def test_a_check_from_cron_keeps_the_state_of_a_renamed_flow(self):
        self.script({"GET /api/a": {"status": 503}})
        self.flow("- step: read\n  get: /a")
        self.configure(("    every: 1h\n", "    every: 1h\n    confirm: {runs: 1}\n"))
        self.check("--notify", code=2)
        self.configure(("  orders:\n", "  sales:\n    was: orders\n"))
        self.check("--notify", code=2)
        incidents = self.statuses()["incidents"]
        self.assertEqual([i["flows"] for i in incidents], [["sales"]])
        self.assertEqual(len([m for m in self.read_mails() if " sales fails" in m["Subject"]]), 0)
        self.configure(("  sales:\n    was: orders\n", "  invoices:\n"))
        self.script({"GET /api/a": {"body": {}}})
        self.check("--notify", code=0)
        self.assertEqual(self.statuses()["incidents"], [])

    def test_a_login_that_hangs_does_not_outlive_its_flow(self):
        self.script({"POST /api/Login": {"delay": 120}})
        self.flow("- step: one\n  get: /a", system=SESSION, timeout="1s")
        verdict = decisive(self.run_flow(2))["verdict"]
        self.assertEqual(verdict["class"], "timeout")

    def test_a_flow_that_is_off_runs_only_by_its_name(self):
        self.script({"GET /api/a": {"body": {}}})
        self.flow("- step: read\n  get: /a")
        with open(self.path("erpwatch.yaml"), encoding="utf-8") as file:
            text = file.read()
        self.write("erpwatch.yaml", text.replace("    every: 1h\n", "    every: 1h\n    off: until Monday\n"))
        self.run_flow(0, "orders")
        self.assertEqual(self.run_program("check", "erp").returncode, 3)

    def test_sessions_outlive_reloads_while_they_are_used(self):
        self.script({"POST /api/Login": {"delay": 2.5, **LOGIN}, "GET /api/a": {"delay": 1.5, "body": {}}})
        self.flow("- step: one\n  get: /a", system=SESSION)
        with open(self.path("erpwatch.yaml"), encoding="utf-8") as file:
            text = file.read().replace("every: 1h", "every: 1s")
        self.write("erpwatch.yaml", text)
        agent = self.start_program("run")
        for _ in range(3):  # each configuration has a login of its own under way
            seen = self.requests().count("POST /api/Login")
            harness.wait_for(lambda: self.requests().count("POST /api/Login") > seen or "GET /api/a" in self.requests())
            agent.send_signal(signal.SIGHUP)
        harness.wait_for(lambda: "GET /api/a" in self.requests())
        agent.send_signal(signal.SIGHUP)
        self.stop(agent)
        self.assertNotIn("Sanitizer", self.log())

    def test_a_record_that_comes_later_is_looked_for_as_long_as_said(self):
        for span, state in (("", "owed"), ("for: 1m, ", "void")):
            with self.subTest(span):
                self.script({"POST /api/orders": {"status": 201, "body": {}}, "GET /api/later": {"body": {"value": []}}})
                self.flow("- step: order\n  post: /orders\n  json: {name: '{{mark}}'}\n  undo: {lookup: "
                          "{get: /later, mark: {json: '$.value[*].name'}, capture: {id: {json: '$.value[*].id'}}}, "
                          + span + "delete: '/later/{{id}}'}")
                self.assertEqual(self.run_flow(1)["undo"][0]["state"], "owed")
                with sqlite3.connect(self.path("erpwatch.db")) as store:  # ten minutes later
                    store.execute("UPDATE debt SET sent_at = sent_at - 600000000")
                run, = store.execute("SELECT run FROM debt").fetchone()
                store.close()
                self.run_flow(1)
                store = sqlite3.connect(self.path("erpwatch.db"))
                self.assertEqual(store.execute("SELECT state FROM debt WHERE run = ?", [run]).fetchone(), (state,))
                store.close()
                os.remove(self.path("erpwatch.db"))

    def test_a_check_pays_what_an_earlier_one_could_not(self):
        self.flow(CREATE + "  undo: {delete: '/orders/{{order}}'}")
        self.script({"POST /api/orders": CREATED, "DELETE /api/orders/7": {"status": 503}})
        self.assertEqual(self.run_flow(1)["undo"][0]["state"], "owed")
        self.script({"POST /api/orders": {"status": 201, "body": {"id": "8"}}, "DELETE /api/orders/7": {"status": 204},
                     "DELETE /api/orders/8": {"status": 204}})
        self.run_flow(0)
        self.assertEqual(self.requests(), ["DELETE /api/orders/7", "POST /api/orders", "DELETE /api/orders/8"])
        self.assertEqual(self.statuses()["undo_owed"], 0)


if __name__ == "__main__":
    unittest.main()
