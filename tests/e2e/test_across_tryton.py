#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""An order in a shop that has to arrive in a real ERP, Tryton: something between the
two brings it there some time later, and both records are removed again."""
import base64
import json
import sqlite3
import sys
import threading
import time
import unittest
import urllib.request
from contextlib import closing

from across_case import CONTACTS, Server
from harness import Case, ROOT, wait_for

sys.path.insert(0, f"{ROOT}/tests/servers")
import tryton  # noqa: E402


def method(name, *params):
    return {"post": "", "json": {"id": 1, "method": name, "params": [*params, {}]}}


def later(model, field, name):
    """The undo of what the link makes in the ERP."""
    return {"system": "erp", "for": "1d", **method(f"model.{model}.delete", ["{{%s}}" % name]),
            "lookup": {**method(f"model.{model}.search_read", [[field, "=", "{{mark}}"]], 0, 10, None, [field]),
                       "mark": {"json": f"$.result[*].{field}"},
                       "capture": {name: {"json": "$.result[*].id"}}}}


class Link(threading.Thread):
    """What brings orders from the shop to the ERP, each a while after it was placed."""

    def __init__(self, shop, port, ids):
        super().__init__(daemon=True)
        self.shop, self.port, self.ids, self.brought, self.over = shop, port, ids, 0, False

    def call(self, name, *params, session=None):
        headers = {"Content-Type": "application/json"}
        if session:
            headers["Authorization"] = "Session " + base64.b64encode(session.encode()).decode()
        body = json.dumps({"id": 1, "method": name, "params": list(params)}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/erp/", body, headers)
        with urllib.request.urlopen(request) as answer:
            document = json.load(answer)
        assert "error" not in document or not document["error"], document
        return document["result"]

    def bring(self, reference, session):
        context = {"company": self.ids["company"]}
        party = self.call("model.party.party.create",
                          [{"name": reference, "addresses": [["create", [{"street": "1 Street"}]]]}], context,
                          session=session)[0]
        address = self.call("model.party.party.read", [party], ["addresses"], context,
                            session=session)[0]["addresses"][0]
        self.call("model.sale.sale.create",
                  [{"party": party, "invoice_address": address, "shipment_address": address,
                    "payment_term": self.ids["term"], "reference": reference}], context, session=session)

    def run(self):
        user = self.call("common.db.login", "flow", {"password": tryton.PASSWORD}, "en")
        session = f"flow:{user[0]}:{user[1]}"
        while not self.over:
            orders = [json.loads(each["body"])["reference"] for each in self.shop.seen() if each["method"] == "POST"]
            for reference in orders[self.brought:]:
                self.bring(reference, session)
                self.brought += 1
            time.sleep(0.1)


class AcrossTryton(Case):
    @classmethod
    def setUpClass(cls):
        cls.ids = tryton.prepare()

    def setUp(self):
        super().setUp()
        trytond, self.port = tryton.start(self.folder)
        self.processes.append(trytond)
        self.environment["TRYTON_PASSWORD"] = tryton.PASSWORD
        self.shop = Server(self)
        self.shop.script(POST_orders={"status": 201, "body": {"id": "S-1"}},
                         **{"DELETE_orders__S-1": {"status": 204}})
        self.link = Link(self.shop, self.port, self.ids)
        self.addCleanup(self.end_link)

    def end_link(self):
        self.link.over = True
        if self.link.is_alive():
            self.link.join()

    def configure(self, *steps):
        login = {**method("common.db.login", "flow", {"password": "${env:TRYTON_PASSWORD}"}, "en"),
                 "capture": {"user": {"json": "$.result[0]"}, "session": {"json": "$.result[1]"}},
                 "set": {"credentials": "flow:{{user}}:{{session}}"}}
        login["json"]["params"].pop()  # a login has no context
        erp = {"url": f"http://127.0.0.1:{self.port}/erp/", "headers": {"Content-Type": "application/json"},
               "auth": {"session": {"login": login, "expired": {"status": 401},
                                    "headers": {"Authorization": "Session {{credentials | base64}}"}}},
               "act": {"erp-partner": "erp-house", "hosting": "erp-house"}}
        self.write("erpwatch.yaml", json.dumps({
            "agent": {"store": self.path("erpwatch.db")},
            "mail": {"directory": self.mails, "from": "alerts@agency.example", "fallback": "agency"},
            "contacts": CONTACTS,
            "systems": {"shop": {"url": self.shop.url, "act": {"client": "acme"}}, "erp": erp},
            "flows": {"arrives": {"system": "shop", "timeout": "80s", "notify": "client", "steps": list(steps)}}}))

    def steps(self, wait="60s"):
        order = {"step": "order in the shop", "post": "/orders", "json": {"reference": "{{mark}}"},
                 "capture": {"order": {"json": "$.id"}},
                 "undo": [{"delete": "/orders/{{order}}"}, later("sale.sale", "reference", "sale"),
                          later("party.party", "name", "party")]}
        arrived = {"step": "it is in the ERP", "system": "erp", "until": {"every": "200ms", "for": wait},
                   **method("model.sale.sale.search_read", [["reference", "=", "{{mark}}"]], 0, 10, None, ["reference"]),
                   "expect": {"json": {"$.result[0].reference": "{{mark}}"}},
                   "undo": {"none": "a search"}}
        return order, arrived

    def rows(self, table, field):
        with closing(sqlite3.connect(self.path("erp.sqlite"))) as store:
            return store.execute(f"SELECT count(*) FROM {table} WHERE {field} LIKE 'ERPW-%'").fetchone()[0]

    def assert_nothing_left(self):
        self.assertEqual((self.rows("sale_sale", "reference"), self.rows("party_party", "name")), (0, 0))

    def test_an_order_arrives_and_both_are_removed(self):
        self.configure(*self.steps())
        self.link.start()
        flow = self.check(code=0)["flows"][0]
        self.assertEqual([(step["system"], step["state"]) for step in flow["steps"]],
                         [("shop", "ok"), ("erp", "ok")])
        self.assertEqual([undo["state"] for undo in flow["undo"]], ["paid"] * 3)
        self.assertEqual(self.link.brought, 1)
        self.assertEqual(self.shop.lines()[-1], "DELETE /orders/S-1")
        self.assert_nothing_left()

    def test_a_link_that_is_late(self):
        """The flow fails at the ERP; what arrives after it is found by the next process."""
        self.configure(*self.steps(wait="1s"))
        flow = self.check(code=2)["flows"][0]
        self.assertEqual((flow["failed_system"], flow["steps"][1]["verdict"]["phase"]), ("erp", "poll"))
        self.assertEqual([undo["state"] for undo in flow["undo"]], ["owed", "owed", "paid"])
        self.link.start()
        wait_for(lambda: self.link.brought, "the order in the ERP")
        self.assertEqual(self.rows("sale_sale", "reference"), 1)
        self.configure({"step": "look", "get": "/orders", "undo": {"delete": "/never"}})
        self.check()
        self.assert_nothing_left()


if __name__ == "__main__":
    unittest.main()
