#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Sweeps: what is ours and old goes, and nothing else does; what cannot be deleted is
told once; after a kill the agent sweeps of itself."""
import json
import os
import signal
import sys
import threading
import unittest
from datetime import datetime, timedelta, timezone

from agent_case import CONTACTS, AgentCase
from harness import PATIENCE_S, ROOT

sys.path.insert(0, os.path.join(ROOT, "tests/servers"))
from records import Records, ago  # noqa: E402

SWEEP = {"system": "erp", "get": "/orders", "query": {"ref": "ERPW-"}, "items": "$.value[*]",
         "only": {"json": {"$.ref": {"matches": "^ERPW-"}}}, "at": {"json": "$.changed"},
         "capture": {"order": {"json": "$.id"}}, "undo": {"delete": "/orders/{{order}}"}}
FLOW = {"system": "erp", "every": "1h", "priority": "P1", "notify": ["erp-partner"],
        "timeout": "60s", "steps": [{"step": "look", "get": "/orders"}]}
CREATE = {"step": "create order", "post": "/orders", "json": {"ref": "{{mark}}"},
          "capture": {"order": {"json": "$.id"}}, "undo": {"delete": "/orders/{{order}}"}}
TOTAL = 50


def marked(number):
    return f"ERPW-{number:012d}"


class SweepCase(AgentCase):
    def setUp(self):
        super().setUp()
        self.records_erp = Records()
        self.addCleanup(self.records_erp.close)

    def configure_sweep(self, flows=None, system=None, sweeps=None, agent=None, **changes):
        sweep = {**SWEEP, **changes}
        document = {
            "agent": {"store": self.store, "timezone": "Europe/Brussels", **(agent or {})},
            "mail": {"from": "Monitor <alerts@agency.example>", "fallback": "acme",
                     "directory": self.mails},
            "contacts": {**CONTACTS, "acme": {**CONTACTS["acme"], "language": "nl"}},
            "systems": {"erp": {"url": f"http://127.0.0.1:{self.records_erp.port}/api",
                                "timeout": "30s",
                                "act": {"integrator": "agency", "erp-partner": "partner"},
                                **(system or {})}},
            "flows": flows if flows is not None else {"orders": FLOW},
            "sweeps": sweeps or {"orders-left": {k: v for k, v in sweep.items() if v is not None}},
        }
        self.write("erpwatch.yaml", json.dumps(document, indent=1))

    def sweep(self, code, *arguments):
        done = self.run_program("sweep", "--format", "json", *arguments)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        document = json.loads(done.stdout)
        return document["sweeps"][0] if len(document["sweeps"]) == 1 else document

    def states(self, result):
        return {record["name"]: record["state"] for record in result["records"]}

    def left(self):
        return self.records_erp.left("orders")

    def add(self, ref, **record):
        return self.records_erp.add("orders", ref=ref, **record)

    def status_of_sweep(self):
        return self.statuses()["sweeps"][0]

    def deliver(self):
        self.run_program("deliver")
        return self.read_mails()


class WhatGoes(SweepCase):
    def test_ours_and_old_goes_and_nothing_else(self):
        self.records_erp.ignores_filters = True
        self.add(marked(1))
        self.add(marked(2), changed=ago(minutes=5))
        self.add("SO-1001")
        self.add("SO-1002", note=marked(3))
        self.add(f"see {marked(4)}")
        self.add(None)
        self.add(marked(5), changed="0001-01-01T00:00:00Z")
        self.configure_sweep()
        result = self.sweep(1)
        self.assertEqual(self.states(result), {marked(1): "deleted", marked(2): "young", marked(5): "undated"})
        self.assertEqual(self.left(), [marked(2), "SO-1001", "SO-1002", f"see {marked(4)}", None, marked(5)])
        self.assertEqual((result["listed"], result["found"], result["deleted"], result["left"]), (7, 3, 1, 2))
        self.assertEqual(result["state"], "left")
        self.assertEqual(self.records_erp.asked("DELETE"), ["DELETE /api/orders/1"])
        status = self.status_of_sweep()
        self.assertEqual((status["state"], status["deleted"], status["left"]), ("left", 1, 2))

    def test_a_dry_run_only_reads(self):
        self.add(marked(1))
        self.add(marked(2), changed=ago(minutes=5))
        self.configure_sweep()
        result = self.sweep(0, "--dry-run")
        self.assertEqual(self.states(result), {marked(1): "due", marked(2): "young"})
        self.assertEqual({line.split()[0] for line in self.records_erp.log}, {"GET"})
        self.assertEqual(self.status_of_sweep()["state"], "unknown", "it is not stored")

    def test_the_table_says_what_and_why(self):
        self.add(marked(1))
        record = self.add(marked(2))
        self.records_erp.delete_answers[record["id"]] = (403, {"error": {"code": "Forbidden", "message": "no"}})
        self.configure_sweep()
        done = self.run_program("sweep", "orders-left")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stdout, rf"orders-left +{marked(1)} +order 1 +\S+ \S+ +deleted +deleted")
        self.assertRegex(done.stdout, rf"{marked(2)} .* failed +could not be deleted: DELETE answered 403 Forbidden")
        self.assertIn("orders-left at erp: 1 deleted, 1 could not be deleted", done.stdout)
        self.assertRegex(self.run_program("status").stdout, r"orders-left +erp +left .*1 deleted")
        self.assertRegex(self.run_program("history", "orders-left").stdout, r"left .* 1 deleted")

    def test_what_is_away_already_counts_as_deleted(self):
        for number, status in ((1, 404), (2, 410)):
            record = self.add(marked(number))
            self.records_erp.delete_answers[record["id"]] = (status, {"error": {"message": "gone"}})
        self.configure_sweep()
        result = self.sweep(0)
        self.assertEqual(set(self.states(result).values()), {"deleted"})

    def test_more_than_at_most(self):
        for number in range(TOTAL):
            self.add(marked(number))
        self.configure_sweep()
        result = self.sweep(1)
        self.assertIn(f"{TOTAL} records are to be deleted, and \"at_most\" is 20", result["problem"])
        self.assertEqual(len(self.left()), TOTAL)
        self.sweep(1)
        mail, = self.deliver()
        self.assertIn("the sweep orders-left deletes nothing", mail["Subject"])
        self.assertIn(marked(7), mail.get_body().get_content())
        self.configure_sweep(at_most=TOTAL)
        self.assertEqual(self.sweep(0)["deleted"], TOTAL)
        self.assertEqual(self.left(), [])

    def test_a_list_of_undos_and_else(self):
        record = self.add(marked(1))
        self.records_erp.delete_answers[record["id"]] = (409, {"error": {"code": "InUse", "message": "used"}})
        self.configure_sweep(undo=[{"delete": "/orders/{{order}}", "else": {"post": "/cancelled",
                                                                         "json": {"ref": "was {{order}}"}}},
                                   {"delete": "/lines/{{order}}"}])
        self.assertEqual(self.sweep(0)["deleted"], 1)
        self.assertEqual(self.records_erp.left("cancelled"), ["was 1"])
        self.assertEqual(self.records_erp.asked("DELETE"), ["DELETE /api/orders/1", "DELETE /api/lines/1"])

    def test_an_item_without_its_id_is_not_deleted(self):
        self.add(marked(1), key="")
        self.configure_sweep(capture={"order": {"json": "$.key"}})
        result = self.sweep(1)
        self.assertIn("capture order: $.key is empty", result["records"][0]["problem"])
        self.assertEqual(self.records_erp.asked("DELETE"), [])

    def test_xml(self):
        """Elements are judged one by one, and their namespaces go with them."""
        order = ("<o:Order><o:Id>{}</o:Id><o:Reference>{}</o:Reference><o:Note>{}</o:Note>"
                 "<o:Changed>{}</o:Changed></o:Order>")
        rows = [(1, marked(1), "", ago(hours=2)), (2, "SO-1", marked(2), ago(hours=2)), (3, marked(3), "", ago(minutes=1))]
        for row in rows:
            self.add(row[1])
        text = f"<o:Orders xmlns:o='urn:orders'>{''.join(order.format(*row) for row in rows)}</o:Orders>"
        self.records_erp.list_answers = {"*": (200, text)}
        xml = {"namespaces": {"x": "urn:orders"}, "items": {"xml": "//x:Order"},
               "only": {"xml": {"/x:Order/x:Reference": {"matches": "^ERPW-"}}},
               "at": {"xml": "//x:Changed"}, "capture": {"order": {"xml": "//x:Id"}}}
        self.configure_sweep(**xml)
        self.assertEqual(self.states(self.sweep(0)), {marked(1): "deleted", marked(3): "young"})
        self.assertEqual(self.left(), ["SO-1", marked(3)])
        self.records_erp.list_answers = {"*": (200, "<o:Orders>")}
        self.assertIn("XML", self.sweep(2)["problem"])

    def test_names(self):
        self.configure_sweep(sweeps={"one": SWEEP, "two": {**SWEEP, "off": "later"}})
        self.assertEqual(self.sweep(0)["sweep"], "one")
        self.assertEqual(self.sweep(0, "two")["sweep"], "two", "named, it runs though it is off")
        self.assertEqual(len(self.sweep(0, "one", "two")["sweeps"]), 2)
        done = self.run_program("sweep", "three")
        self.assertEqual(done.returncode, 3)
        self.assertIn("there is no sweep or system three (there are: one, two, erp)", done.stderr)
        states = {s["sweep"]: s["state"] for s in self.statuses()["sweeps"]}
        self.assertEqual(states, {"one": "ok", "two": "off"})


class Times(SweepCase):
    def test_forms(self):
        past = datetime.now(timezone.utc) - timedelta(hours=26)
        soon = datetime.now(timezone.utc) - timedelta(minutes=10)
        iso, number = "%Y-%m-%dT%H:%M:%S", past.timestamp()
        old = [past.strftime(iso) + "Z", past.strftime(iso) + "+00:00", past.strftime(iso), int(number),
               int(number * 1000), f"/Date({int(number * 1000)})/", past.strftime("%Y-%m-%d %H:%M:%S UTC")]
        young = [soon.strftime(iso) + "Z", soon.strftime(iso), int(soon.timestamp()), soon.strftime("%Y-%m-%d")]
        unreadable = ["last week", None, 0, {"at": 1}, "21/11/2026"]
        for number, value in enumerate(old + young + unreadable):
            self.add(marked(number), changed=value)
        self.configure_sweep()
        states = [record["state"] for record in self.sweep(1)["records"]]
        self.assertEqual(states, ["deleted"] * len(old) + ["young"] * len(young) + ["undated"] * len(unreadable))

    def test_without_a_zone_the_later_reading_counts_unless_it_is_told(self):
        """40 minutes ago in Brussels reads as 1 or 2 hours ahead in UTC."""
        from zoneinfo import ZoneInfo
        local = datetime.now(ZoneInfo("Europe/Brussels")) - timedelta(minutes=40)
        self.add(marked(1), changed=local.strftime("%Y-%m-%dT%H:%M:%S"))
        self.configure_sweep()
        self.assertEqual(self.sweep(0)["records"][0]["state"], "young")
        self.configure_sweep(at={"json": "$.changed", "zone": "Europe/Brussels"})
        self.assertEqual(self.sweep(0)["records"][0]["state"], "deleted")


class Pages(SweepCase):
    def fill(self, pages):
        self.records_erp.pages, self.records_erp.page_size = pages, 4
        for number in range(10):
            self.add(marked(number) if number in (1, 9) else f"SO-{number}")
        self.records_erp.ignores_filters = True

    def test_next(self):
        self.fill("next")
        self.configure_sweep(pages={"next": {"json": "$.next"}})
        result = self.sweep(0)
        self.assertEqual((result["pages"], result["listed"], result["deleted"]), (3, 10, 2))
        self.assertEqual(len(self.left()), 8)

    def test_offset(self):
        self.fill("offset")
        self.configure_sweep(query={"offset": "{{page}}"}, pages={"offset": 0, "step": 4})
        result = self.sweep(0)
        self.assertEqual((result["listed"], result["deleted"]), (10, 2))
        self.assertEqual([line.split("=")[-1] for line in self.records_erp.asked("GET")], ["0", "4", "8", "12"])

    def test_a_system_that_knows_no_offset_gives_the_same_again(self):
        self.fill(None)
        self.configure_sweep(query={"offset": "{{page}}"}, pages={"offset": 0, "step": 4})
        result = self.sweep(0)
        self.assertEqual((result["listed"], result["deleted"]), (10, 2))
        self.assertEqual(len(self.records_erp.asked("GET")), 2)

    def test_pages_that_lead_astray_delete_nothing(self):
        cases = ((200, {"value": [], "next": "/api/orders?round=1"}, "lead back"),
                 (200, {"value": [], "next": "http://127.0.0.2:1/api"}, "system's own"),
                 (200, "[", "search"), (500, {"error": "no"}, "GET answered 500"))
        for status, body, problem in cases:
            self.records_erp.searches = 0
            self.fill("next")
            self.records_erp.list_answers = {number: (status, body) for number in range(1, 9)}
            self.configure_sweep(pages={"next": {"json": "$.next"}})
            result = self.sweep(2)
            self.assertIn(problem, result["problem"])
            self.assertEqual(self.records_erp.asked("DELETE"), [])


class WhatIsTold(SweepCase):
    def test_what_cannot_be_deleted_is_mailed_once(self):
        records = [self.add(marked(1)), self.add(marked(2))]
        refused = (403, {"error": {"code": "Forbidden", "message": "you may not"}})
        self.records_erp.delete_answers[records[1]["id"]] = refused
        self.configure_sweep()
        for _ in range(2):
            self.sweep(1)
        self.assertEqual(self.deliver(), [], "twice may be chance")
        for _ in range(4):
            self.sweep(1)
        mail, = self.deliver()
        self.assertEqual(mail["To"], "Agency <ops@agency.example>", "the integrator")
        self.assertEqual(mail["Subject"], "[erpwatch] erp: 1 test record is left over and cannot be deleted")
        text = mail.get_body().get_content()
        for part in (marked(2), "order 2", "DELETE answered 403 Forbidden"):
            self.assertIn(part, text)
        self.assertNotIn(marked(1), text)
        self.records_erp.delete_answers.clear()
        self.assertEqual(self.sweep(0)["deleted"], 1)
        self.assertEqual(self.count("sweep_record"), 0, "and forgotten")
        self.records_erp.delete_answers[self.add(marked(3))["id"]] = refused
        for _ in range(3):
            self.sweep(1)
        self.assertEqual(len(self.deliver()), 2, "another record is told of anew")

    def test_notify_and_a_day(self):
        self.records_erp.delete_answers[self.add(marked(1))["id"]] = (500, {"error": {"message": "x"}})
        self.configure_sweep(notify=["erp-partner", "acme"])
        self.sweep(1)
        self.alter("UPDATE sweep_record SET first = first - 90000000000")
        self.sweep(1)
        mails = {mail["To"]: mail for mail in self.deliver()}
        self.assertEqual(set(mails), {"Partner <support@partner.example>", "Acme <it@acme.example>"})
        english, dutch = (mails[to].get_body().get_content() for to in sorted(mails, reverse=True))
        self.assertIn("Test records were left behind in erp", english)
        self.assertIn("In erp zijn testrecords blijven staan", dutch, "in the reader's language")

    def test_without_an_integrator_the_flows_contacts_are_told(self):
        self.records_erp.delete_answers[self.add(marked(1))["id"]] = (500, {"error": {"message": "x"}})
        self.configure_sweep(system={"act": {"erp-partner": "partner"}})
        for _ in range(3):
            self.sweep(1)
        mail, = self.deliver()
        self.assertEqual(mail["To"], "Partner <support@partner.example>")

    def test_a_search_that_fails_is_told_after_a_day_and_opens_no_incident(self):
        self.add(marked(1))
        self.records_erp.list_answers = {"*": (503, {"error": {"code": "Down", "message": "maintenance"}})}
        self.configure_sweep()
        for _ in range(4):
            result = self.sweep(2)
        self.assertEqual(result["problem"], "the search failed: GET answered 503 Down: maintenance")
        self.assertEqual(self.status_of_sweep()["state"], "failed")
        self.assertIn("GET answered 503 Down", self.run_program("status").stdout)
        self.assertEqual(self.deliver(), [])
        self.alter("UPDATE sweep SET failing = failing - 90000000000")
        for _ in range(2):
            self.sweep(2)
        mail, = self.deliver()
        self.assertEqual(mail["Subject"], "[erpwatch] erp: the sweep orders-left has failed for a day")
        self.assertEqual(self.incidents(), [])
        self.records_erp.list_answers = {}
        self.assertEqual(self.sweep(0)["deleted"], 1)
        self.assertEqual(self.rows("SELECT failing, told FROM sweep"), [{"failing": 0, "told": 0}])

    def test_a_system_that_is_left_alone_is_not_searched_and_has_not_failed(self):
        self.records_erp.list_answers = {"*": (401, {"error": {"code": "Key", "message": "no"}})}
        self.configure_sweep(system={"backoff": {"after": "15m"}})
        self.sweep(2)
        asked = len(self.records_erp.log)
        for _ in range(2):
            result = self.sweep(3)
        self.assertEqual(result["state"], "unknown")
        self.assertRegex(result["problem"], "^erp is left alone until ")
        self.assertLessEqual(len(self.records_erp.log), asked + 1)  # one may confirm the failure
        self.assertEqual(self.status_of_sweep()["state"], "unknown")

    def test_a_secret_is_shown_nowhere(self):
        secret = "S3cret-of-the-records"
        self.environment["RECORDS_PASSWORD"] = secret
        self.records_erp.logins = {"probe": secret}
        self.records_erp.delete_answers[self.add(marked(1), note=secret)["id"]] = (
            400, {"error": {"code": f"Bad{secret}", "message": f"{secret} is no good"}})
        login = {"post": "/login", "json": {"user": "probe", "password": "${env:RECORDS_PASSWORD}"}}
        self.configure_sweep(capture={"order": {"json": "$.id"}, "note": {"json": "$.note"}},
                             system={"auth": {"session": {"login": login, "logout": {"post": "/logout"}}}})
        for _ in range(3):
            self.sweep(1)
        self.deliver()
        self.assertEqual(len(self.mail_files()), 1)
        self.assert_no_secret([secret])
        self.assertEqual(len(self.records_erp.asked("POST")), 6, "one login and one logout a round")

    def test_a_missing_secret(self):
        self.configure_sweep(headers={"X-Key": "${env:RECORDS_UNSET}"})
        result = self.sweep(3)
        self.assertRegex(result["problem"], r"^\$\{env:RECORDS_UNSET\} is not set: set RECORDS_UNSET where")
        self.assertEqual(self.records_erp.log, [])


class ByTheAgent(SweepCase):
    def wait_gone(self, ref):
        self.wait(lambda: ref not in self.left(), f"{ref} is swept")

    def test_on_its_schedule(self):
        self.add(marked(1))
        self.configure_sweep(every="1s")
        agent = self.start_agent()
        self.wait_gone(marked(1))
        self.add(marked(2))
        self.wait_gone(marked(2))
        self.stop(agent)
        self.assertIn("sweep orders-left: 1 deleted", self.log())

    def test_a_reload_takes_sweeps_up_and_away(self):
        self.add(marked(1))
        self.configure_sweep()
        agent = self.start_agent()
        self.wait(lambda: "watches 1 flows" in self.log(), "the agent")
        self.configure_sweep(every="1s")
        agent.send_signal(signal.SIGHUP)
        self.wait_gone(marked(1))
        self.configure_sweep(every="1s", off="enough")
        agent.send_signal(signal.SIGHUP)
        self.wait(lambda: self.log().count("was read again") == 2, "the reload")
        self.add(marked(2))
        self.stop(agent)
        self.assertEqual(self.left(), [marked(2)])

    def test_a_killed_run_without_a_lookup_is_swept(self):
        """The answer with the id never came: the debt is uncertain, the record is found by its mark."""
        flow = {**FLOW, "every": "1h", "steps": [CREATE]}
        self.configure_sweep(flows={"orders": {**flow, "every": "1s"}})
        self.records_erp.answers_after = 120
        agent = self.start_agent()
        self.wait(lambda: self.left(), "the record")
        mark = self.left()[0]
        self.kill(agent)
        self.records_erp.answers_after = 0
        self.configure_sweep(flows={"orders": flow}, every="1h", older="1s")
        agent = self.start_agent()
        self.wait_gone(mark)
        self.wait(lambda: self.count("sweep_run WHERE summary LIKE '%1 deleted%'"), "the sweep is stored")
        self.stop(agent)
        debt, = self.rows("SELECT state, problem FROM debt")
        self.assertEqual(debt["state"], "uncertain")
        self.assertIn("the sweep orders-left deleted a record of this run", debt["problem"])

    def test_a_debt_of_a_check_that_becomes_uncertain_brings_the_sweep_forward(self):
        flow = {**FLOW, "every": None, "timeout": "20s", "steps": [{**CREATE, "timeout": "1s"}]}
        del flow["every"]
        self.configure_sweep(flows={"orders": flow}, every="1h", older="1s")
        agent = self.start_agent()
        self.records_erp.answers_after = 3
        self.check("orders")
        self.records_erp.answers_after = 0
        self.wait(lambda: not self.left(), "the record is swept")
        self.stop(agent)

    def test_what_a_live_run_owes_is_left_to_it(self):
        flow = {**FLOW, "steps": [CREATE, {"step": "look", "get": "/orders", "until": {"every": "1s", "for": "50s"},
                                           "expect": {"json": {"$.value": {"length": 99}}}}]}
        self.configure_sweep(flows={"orders": flow}, older="1s", only={"json": {"$.ref": {"matches": "^ERPW-"}}})
        check = self.start_program("check", "orders", log="check.log")
        self.wait(lambda: self.left(), "the record")
        mark = self.left()[0]
        self.records_erp.tables["orders"][1]["changed"] = ago(hours=5)
        self.assertEqual(self.states(self.sweep(0)), {mark: "owed"})
        check.send_signal(signal.SIGKILL)
        check.wait()
        self.assertEqual(self.states(self.sweep(0)), {mark: "deleted"}, "a dead one owes nothing that it could pay")

    def test_a_kill_during_a_sweep_is_harmless(self):
        for number in range(5):
            self.add(marked(number))
        self.configure_sweep(every="1s")
        killed = threading.Event()

        def answers_after():  # a delete only when it is too late
            return 0 if not self.records_erp.asked("DELETE") else killed.wait(PATIENCE_S) * 0
        self.records_erp.answers_after = answers_after
        agent = self.start_agent()
        self.wait(lambda: len(self.left()) < 5, "the first delete")
        self.kill(agent)
        killed.set()
        self.records_erp.answers_after = 0
        self.assertEqual(len(self.left()), 4)
        agent = self.start_agent()
        self.wait(lambda: not self.left(), "the rest is swept")
        self.stop(agent)

    def test_a_stop_ends_a_sweep_between_two_deletes(self):
        for number in range(20):
            self.add(marked(number))
        self.configure_sweep(every="1s")
        self.records_erp.answers_after = 1
        agent = self.start_agent()
        self.wait(lambda: self.records_erp.asked("DELETE"), "the first delete")
        self.stop(agent)
        self.assertGreater(len(self.left()), 10)
        self.assertEqual(self.count("sweep_run"), 0, "what was cut off says nothing")

    def test_one_at_a_time_for_each_system(self):
        self.add(marked(1))
        self.configure_sweep(sweeps={name: {**SWEEP, "every": "1s"} for name in ("one", "two", "three")})
        self.records_erp.answers_after = 0.2
        agent = self.start_agent()
        self.wait(lambda: self.count("sweep_run") >= 6, "some rounds")
        self.stop(agent)
        runs = self.rows("SELECT started, started + duration_us AS ended FROM sweep_run ORDER BY started")
        for first, second in zip(runs, runs[1:]):
            self.assertLessEqual(first["ended"], second["started"] + 1000)
        self.assertEqual({row["sweep"] for row in self.rows("SELECT sweep FROM sweep_run")}, {"one", "two", "three"})

    def test_a_command_waits_for_the_agents_sweep(self):
        for number in range(4):
            self.add(marked(number))
        self.configure_sweep(every="1s")
        self.records_erp.answers_after = 0.5
        agent = self.start_agent()
        self.wait(lambda: self.records_erp.asked("DELETE"), "the first delete")
        self.assertEqual(self.sweep(0)["state"], "ok")
        self.assertEqual(len(self.records_erp.asked("DELETE")), 4, "each record once")
        self.stop(agent)


if __name__ == "__main__":
    unittest.main()
