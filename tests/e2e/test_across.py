#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Flows that touch several systems: each call with its own system's
authentication, names, jar and owner; the verdict, the incident and the mails name
the one that failed."""
import base64
import json
import signal
import sqlite3
import unittest
from contextlib import closing

from across_case import AcrossCase
from harness import decisive, wait_for

ORDER = {"step": "order in the shop", "post": "/orders", "json": {"reference": "{{mark}}"},
         "capture": {"order": {"json": "$.id"}}, "undo": {"delete": "/orders/{{order}}"}}
ARRIVES = {"step": "it is in the ERP", "system": "erp", "get": "/salesOrders",
           "query": {"reference": "{{mark}}"}, "until": {"every": "100ms", "for": "10s"},
           "expect": {"json": {"$.value[*].reference": "{{mark}}"}}}
REFUSED = {"status": 400, "body": {"error": {"code": "SkuUnknown", "message": "No such article"}}}
MADE = {"status": 201, "body": {"id": "S-1"}}


LATER = {"system": "erp", "delete": "/salesOrders/{{order}}", "for": "1d",
         "lookup": {"get": "/salesOrders", "query": {"reference": "{{mark}}"},
                    "mark": {"json": "$.value[*].reference"}, "capture": {"order": {"json": "$.value[*].id"}}}}
SYNCED = {**ORDER, "undo": [{"delete": "/orders/{{order}}"}, LATER]}


class Steps(AcrossCase):
    def test_each_call_goes_to_its_system(self):
        self.configure(ORDER, {"step": "in the ERP", "system": "erp", "get": "/salesOrders"})
        self.shop.script(POST_orders=MADE, **{"DELETE_orders__S-1": {"status": 204}})
        self.erp_server.script(GET_api__salesOrders={"body": []})
        flow = self.run_flow(0)
        self.assertEqual([(step["step"], step["system"]) for step in flow["steps"]],
                         [("order in the shop", "shop"), ("in the ERP", "erp")])
        self.assertEqual(self.shop.lines(), ["POST /orders", "DELETE /orders/S-1"])
        self.assertEqual(self.erp_server.lines(), ["GET /api/salesOrders"])
        for line in self.shop.lines():
            sent = self.shop.headers(line)
            self.assertEqual((sent["authorization"], sent["x-shop"]), ("Bearer shop-secret-7", "one"))
        sent = self.erp_server.headers("GET /api/salesOrders")
        basic = base64.b64encode(b"probe:erp-secret-8").decode()
        self.assertEqual(sent["authorization"], f"Basic {basic}")
        self.assertNotIn("x-shop", sent)
        self.assert_no_secret(("shop-secret-7", "erp-secret-8", basic))

    def test_cookies_stay_with_their_system(self):
        self.systems["shop"]["url"] = self.shop.url.replace("127.0.0.1", "localhost")
        self.systems["erp"]["url"] = self.erp_server.url.replace("127.0.0.1", "localhost")
        self.configure({"step": "a", "get": "/a"}, {"step": "b", "system": "erp", "get": "/b"},
                       {"step": "c", "get": "/c"}, {"step": "d", "system": "erp", "get": "/d"})
        answer = {"headers": {"Set-Cookie": "session=of-the-shop"}}
        self.shop.script(GET_a=answer, GET_c={})
        self.erp_server.script(GET_b={"headers": {"Set-Cookie": "session=of-the-erp"}}, GET_d={})
        self.run_flow(0)
        self.assertEqual(self.shop.headers("GET /c")["cookie"], "session=of-the-shop")
        self.assertNotIn("cookie", self.erp_server.headers("GET /b"))
        self.assertEqual(self.erp_server.headers("GET /d")["cookie"], "session=of-the-erp")

    def test_names_are_those_of_the_calls_system(self):
        self.systems["shop"]["with"] = {"company": "shop-nv", "only": "here"}
        self.systems["erp"]["with"] = {"company": "ERP BV"}
        self.configure({"step": "a", "get": "/a/{{company}}"},
                       {"step": "b", "system": "erp", "get": "/b/{{company}}"},
                       {"step": "c", "get": "/c/{{company}}/{{only}}/{{mine}}"}, vars={"mine": "{{company}}"})
        self.shop.script(**{"*": {}})
        self.erp_server.script(**{"*": {}})
        self.run_flow(0)
        self.assertEqual(self.shop.lines(), ["GET /a/shop-nv", "GET /c/shop-nv/here/shop-nv"])
        self.assertEqual(self.erp_server.lines(), ["GET /api/b/ERP%20BV"])

    def test_names_made_of_the_run_are_those_of_the_calls_system(self):
        self.systems["shop"]["with"] = {"note": "shop {{mark}}", "only": "{{note}} here"}
        self.systems["erp"]["with"] = {"note": "erp {{mark}}"}
        self.configure({"step": "a", "get": "/a", "query": {"note": "{{note}}", "mine": "{{mine}}"}},
                       {"step": "b", "system": "erp", "get": "/b", "query": {"note": "{{note}}"}},
                       {"step": "c", "get": "/c", "query": {"note": "{{note}}", "only": "{{only}}"}}, vars={"mine": "my {{note}}"})
        self.shop.script(**{"*": {}})
        self.erp_server.script(**{"*": {}})
        mark = "ERPW-" + self.run_flow(0)["run"]
        self.assertEqual(self.shop.lines(), [f"GET /a?note=shop%20{mark}&mine=my%20shop%20{mark}",
                                             f"GET /c?note=shop%20{mark}&only=shop%20{mark}%20here"])
        self.assertEqual(self.erp_server.lines(), [f"GET /api/b?note=erp%20{mark}"])

    def test_a_name_of_another_system_is_not_known(self):
        self.systems["shop"]["with"] = {"only": "here"}
        self.configure({"step": "b", "system": "erp", "get": "/b/{{only}}"})
        done = self.run_program("validate")
        self.assertEqual(done.returncode, 3)
        self.assertIn("nothing gives {{only}} a value here", done.stdout + done.stderr)

    def test_sessions_are_each_systems_own(self):
        for name, server in (("shop", self.shop), ("erp", self.erp_server)):
            self.systems[name]["auth"] = {"session": {
                "login": {"post": "/login", "json": {"user": name},
                          "capture": {"token": {"json": "$.token"}}},
                "headers": {"X-Token": "{{token}}"}}}
        self.configure({"step": "a", "get": "/a"}, {"step": "b", "system": "erp", "get": "/b"},
                       {"step": "c", "get": "/c", "query": {"t": "{{login.token}}"}})
        self.shop.script(POST_login={"body": {"token": "token-of-shop"}}, GET_a={}, GET_c={})
        self.erp_server.script(POST_api__login={"body": {"token": "token-of-erp"}}, GET_api__b={})
        self.run_flow(0)
        self.assertEqual(self.shop.headers("GET /a")["x-token"], "token-of-shop")
        self.assertEqual(self.erp_server.headers("GET /api/b")["x-token"], "token-of-erp")
        self.assertIn("GET /c?t=token-of-shop", self.shop.lines())

    def test_timeouts_are_each_systems_own(self):
        self.systems["erp"]["timeout"] = "300ms"
        self.configure({"step": "b", "system": "erp", "get": "/b"})
        self.erp_server.script(GET_api__b={"delay": 3})
        step = decisive(self.run_flow(2))
        self.assertEqual((step["system"], step["verdict"]["class"]), ("erp", "timeout"))

    def test_check_runs_flows_that_have_a_step_there(self):
        self.configure(flows={
            "one": {"system": "shop", "steps": [{"step": "a", "get": "/a"}]},
            "both": {"system": "shop", "steps": [{"step": "b", "system": "erp", "get": "/b"}]},
            "own": {"system": "erp", "steps": [{"step": "c", "get": "/c"}]}})
        self.shop.script(**{"*": {}})
        self.erp_server.script(**{"*": {}})
        names = [flow["flow"] for flow in self.check("erp", code=0)["flows"]]
        self.assertEqual(names, ["both", "own"])
        self.assertEqual([flow["flow"] for flow in self.check("shop", code=0)["flows"]], ["one", "both"])


class Failures(AcrossCase):
    """What fails at the ERP is the ERP's: everywhere it is told."""

    def fail_at_the_erp(self):
        self.configure(ORDER, {"step": "in the ERP", "system": "erp", "get": "/salesOrders"})
        self.shop.script(POST_orders=MADE, **{"DELETE_orders__S-1": {"status": 204}})
        self.erp_server.script(GET_api__salesOrders={"status": 503, "body": {"error": {
            "code": "Maintenance", "message": "The ERP is closed"}}})

    def test_the_run_names_it(self):
        self.fail_at_the_erp()
        flow = self.run_flow(2)
        self.assertEqual((flow["system"], flow["failed_system"]), ("shop", "erp"))
        self.assertEqual(decisive(flow)["system"], "erp")
        table = self.run_program("check").stdout
        self.assertRegex(table, r"failed +in the ERP .* at erp\n")
        self.assertIn("orders failed at erp: GET /api/salesOrders answered 503",
                      self.run_program("check", "--format", "nagios").stdout)
        history = json.loads(self.run_program("history", "orders", "--format", "json").stdout)
        self.assertEqual(history["runs"][0]["failed_system"], "erp")

    def test_those_of_the_flow_and_of_the_erp_are_told(self):
        self.fail_at_the_erp()
        self.check("--notify", code=2)
        self.assertEqual(self.told(), ["dev@shop.example", "it@acme.example", "support@erp.example"])
        mail = self.read_mails()[0]
        self.assertIn("[P1] Acme:", mail["Subject"])  # the ERP names no client: the flow's
        text = mail.get_body(("plain",)).get_content()
        self.assertIn("Who can act      ERP House (the hosting provider)", text)
        incident = json.loads(self.run_program("incidents", "--format", "json").stdout)[0]
        self.assertEqual(incident["system"], "erp")
        status = self.statuses()["flows"][0]
        self.assertEqual((status["system"], status["failed_system"]), ("shop", "erp"))

    def test_the_erps_people_hear_nothing_of_the_shop(self):
        self.fail_at_the_erp()
        self.shop.script(POST_orders=REFUSED)
        self.check("--notify", code=2)
        self.assertEqual(self.told(), ["dev@shop.example", "it@acme.example"])

    def test_another_system_fails_later(self):
        """An incident that moves from the shop to the ERP tells the ERP's people, too."""
        self.fail_at_the_erp()
        self.shop.script(POST_orders=REFUSED)
        self.check("--notify", code=2)
        self.shop.script(POST_orders=MADE, **{"DELETE_orders__S-1": {"status": 204}})
        self.check("--notify", code=2)
        opened = [mail for mail in self.read_mails() if "support@erp.example" in mail["To"]]
        self.assertEqual(len(opened), 1)
        incidents = json.loads(self.run_program("incidents", "--format", "json").stdout)
        self.assertEqual([each["system"] for each in incidents], ["erp"])

    def test_a_mute_of_the_erp_holds_back_its_failure(self):
        self.fail_at_the_erp()
        self.run_program("mute", "erp", "--for", "1h", "--why", "maintenance")
        self.check("--notify", code=2)
        self.assertEqual(self.mail_files(), [])
        self.assertTrue(self.statuses()["flows"][0]["muted"])
        self.shop.script(POST_orders=REFUSED)
        self.check("--notify", code=2)
        self.assertNotEqual(self.mail_files(), [])  # the shop's own is not muted

    def test_a_mute_of_the_shop_does_not(self):
        self.fail_at_the_erp()
        self.run_program("mute", "shop", "--for", "1h", "--why", "maintenance")
        self.check("--notify", code=2)
        self.assertIn("support@erp.example", self.told())

    def test_flows_of_several_systems_join_one_incident(self):
        steps = [{"step": "log in", "system": "erp", "get": "/salesOrders"}]
        flow = {"every": "1h", "confirm": {"runs": 1}, "notify": ["client", "erp-partner"], "group": "0s"}
        self.configure(flows={"a": {"system": "shop", "steps": steps, **flow},
                              "b": {"system": "erp", "steps": steps, **flow, "notify": ["erp-partner"]}})
        self.erp_server.script(GET_api__salesOrders={"status": 401, "body": {"message": "bad password"}})
        self.check("--notify", code=2)
        incidents = json.loads(self.run_program("incidents", "--format", "json").stdout)
        self.assertEqual(len(incidents), 1)
        self.assertEqual(incidents[0]["system"], "erp")

    def test_route_shows_each_system(self):
        self.configure(ORDER, {"step": "in the ERP", "system": "erp", "get": "/salesOrders"})
        text = self.run_program("route", "orders", "--cause", "unavailable").stdout
        shop, erp = text.split("A failure at the system erp:")
        self.assertIn("A failure at the system shop:", shop)
        self.assertIn("dev@shop.example", shop)
        self.assertNotIn("support@erp.example", shop)
        for address in ("it@acme.example", "dev@shop.example", "support@erp.example"):
            self.assertIn(address, erp)

    def test_a_role_that_only_the_erp_gives(self):
        del self.systems["shop"]["act"]["erp-partner"]
        self.fail_at_the_erp()
        self.check("--notify", code=2)
        self.assertEqual(self.told(), ["it@acme.example", "support@erp.example"])


class Undos(AcrossCase):
    """A record that the ERP gets later, from whatever brings orders there."""

    def setUp(self):
        super().setUp()
        self.shop_answers = {"POST_orders": MADE, "DELETE_orders__S-1": {"status": 204}}
        self.sync()

    def sync(self, *references):
        """What the ERP has by now."""
        rows = [{"id": f"E-{i}", "reference": each} for i, each in enumerate(references)]
        self.erp_server.script(GET_api__salesOrders={"body": {"value": rows}},
                               **{f"DELETE_api__salesOrders__{row['id']}": {"status": 204} for row in rows})

    def mark(self):
        order = next(each for each in self.shop.seen() if each["method"] == "POST")
        return json.loads(order["body"])["reference"]

    def start(self, *steps):
        self.configure(*(steps or [SYNCED]))
        self.shop.script(**self.shop_answers)

    def debts(self):
        with closing(sqlite3.connect(self.path("erpwatch.db"))) as store:
            return dict(store.execute("SELECT undo LIKE '%salesOrders%', state FROM debt"
                                      " WHERE step != 'look' ORDER BY seq"))

    def alter(self, sql):
        with closing(sqlite3.connect(self.path("erpwatch.db"))) as store, store:
            store.execute(sql)

    def next_run(self):
        """Another process pays what the former owes, and runs nothing that writes."""
        self.configure({"step": "look", "get": "/look", "undo": {"delete": "/never"}})
        self.shop.script(GET_look={"status": 400, "body": {"error": {"code": "X", "message": "validation"}}},
                         **self.shop_answers)
        self.check()

    def test_both_are_removed(self):
        self.start()
        self.run_flow(1)  # owed: it may come yet
        self.assertEqual(self.debts(), {0: "paid", 1: "owed"})
        self.assertEqual(self.shop.lines(), ["POST /orders", "DELETE /orders/S-1"])
        self.sync("another", self.mark())
        self.next_run()
        self.assertEqual(self.debts()[1], "paid")
        self.assertEqual(self.erp_server.lines()[-1], "DELETE /api/salesOrders/E-1")
        self.assertNotIn("DELETE /orders/S-1", self.shop.lines())
        sent = self.erp_server.headers("DELETE /api/salesOrders/E-1")
        self.assertTrue(sent["authorization"].startswith("Basic "))

    def test_void_only_after_its_time(self):
        self.start()
        self.run_flow(1)
        for hours, state in ((1, "owed"), (23, "owed"), (25, "void")):
            self.alter(f"UPDATE debt SET sent_at = sent_at - {hours} * 3600000000, due = 0 WHERE state = 'owed'")
            self.next_run()
            self.assertEqual(self.debts()[1], state, hours)
            self.alter(f"UPDATE debt SET sent_at = sent_at + {hours} * 3600000000 WHERE state = 'owed'")
        self.assertNotIn("DELETE", " ".join(self.erp_server.lines()))

    def test_nobody_is_told_of_what_may_still_come(self):
        self.start({**SYNCED, "undo": [{**LATER, "for": "3d"}]})
        self.run_flow(1)
        mark = self.mark()
        self.alter("UPDATE debt SET sent_at = sent_at - 2 * 86400000000, due = 0")
        self.next_run()
        self.check("--notify")
        self.assertEqual([mail for mail in self.read_mails() if "could not be deleted" in mail["Subject"]], [])
        self.erp_server.script(GET_api__salesOrders={"body": {"value": [{"id": "E-0", "reference": mark}]}},
                               **{"DELETE_api__salesOrders__E-0": {"status": 500}})
        self.check("--notify")  # the ERP has it, and does not delete it
        self.assertTrue([mail for mail in self.read_mails() if "could not be deleted" in mail["Subject"]])

    def test_found_though_the_shop_never_answered(self):
        self.shop_answers["POST_orders"] = {"close": True}
        self.start()
        self.run_flow(2)
        self.assertEqual(self.debts()[1], "owed")
        self.sync(self.mark())
        self.next_run()
        self.assertEqual(self.debts(), {0: "uncertain", 1: "paid"})

    def test_nothing_is_owed_for_what_the_shop_refused(self):
        self.shop_answers["POST_orders"] = REFUSED
        self.start()
        self.run_flow(2)
        self.assertEqual(self.debts(), {0: "void", 1: "void"})

    def test_after_kill_9(self):
        self.shop_answers["POST_orders"] = {**MADE, "delay": 30}
        self.start()
        process = self.start_program("check")
        wait_for(lambda: "POST /orders" in self.shop.lines(), "the order")
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.assertEqual(self.debts(), {0: "owed", 1: "owed"})
        self.sync(self.mark())
        self.next_run()
        self.assertEqual(self.debts()[1], "paid")
        self.assertIn("DELETE /api/salesOrders/E-0", self.erp_server.lines())

    def test_a_debt_at_the_erp_itself_after_kill_9(self):
        self.start({"step": "order in the ERP", "system": "erp", "post": "/salesOrders",
                    "json": {"reference": "{{mark}}"}, "capture": {"order": {"json": "$.id"}},
                    "lookup": LATER["lookup"], "undo": {"delete": "/salesOrders/{{order}}"}})
        self.erp_server.script(POST_api__salesOrders={"delay": 30})
        process = self.start_program("check")
        wait_for(self.erp_server.lines, "the order")
        mark = json.loads(self.erp_server.seen()[0]["body"])["reference"]
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.sync(mark)
        self.next_run()
        self.assertEqual(self.debts(), {1: "paid"})
        self.assertEqual(self.erp_server.lines()[-1], "DELETE /api/salesOrders/E-0")

    def test_another_erp_of_that_name(self):
        self.start()
        self.run_flow(1)
        mark = self.mark()
        self.systems["erp"]["url"] = f"{self.shop.url}/uat"
        self.sync(mark)
        self.next_run()
        self.assertEqual(self.debts()[1], "orphaned")
        self.assertNotIn("/uat", " ".join(self.shop.lines()))

    def test_an_undo_that_only_goes_elsewhere(self):
        self.systems["erp"]["with"] = {"company": "ACME"}
        self.start({**ORDER, "undo": {**LATER, "delete": "/{{company}}/salesOrders/{{order}}"}})
        self.run_flow(1)
        self.sync(self.mark())
        self.next_run()
        self.assertEqual(self.erp_server.lines()[-1], "DELETE /api/ACME/salesOrders/E-0")


if __name__ == "__main__":
    unittest.main()
