#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Each pack of an ERP against a server that speaks that ERP's protocol (tests/servers/erp.py): what
init writes, filled in, is green and leaves nothing behind; and each usual failure is told as what it is."""
import sqlite3
import unittest

from erp_case import ErpCase, for_each
import tryton

ERPS = ("business-central", "sap-b1", "magento", "s4hana", "odoo", "erpnext", "afas", "fno", "exact-online",
        "nav", "pronto", "netsuite", "sage100", "ax2012", "gp")


class Erps(ErpCase):
    ERPS = ERPS

    @for_each
    def test_green_and_nothing_left(self, name, erp):
        document = self.check("-c", self.fill_in(name, erp), code=0)
        self.assertGreaterEqual(len(document["flows"]), 2)
        self.assertEqual({flow["state"] for flow in document["flows"]}, {"ok"})
        for flow in document["flows"]:
            self.assertEqual({undo["state"] for undo in flow.get("undo", [])} - {"paid"}, set(), flow)
        self.assertEqual(erp.left(), [])

    @for_each
    def test_wrong_credentials(self, name, erp):
        wrong = erp.table.WRONG
        document = self.check("-c", self.fill_in(name, erp, **wrong["give"]), "order", code=2)
        step, verdict = self.told(document["flows"][0])
        self.assertEqual((verdict["class"], verdict["cause"], step), (wrong.get("class", "error_code"), "auth", wrong["step"]), verdict)
        self.assertEqual(verdict["code"], wrong.get("code"))
        self.assertEqual(erp.left(), [])

    @for_each
    def test_invalid(self, name, erp):
        invalid = erp.table.INVALID
        document = self.check("-c", self.fill_in(name, erp, **invalid["give"]), "order", code=2)
        _, verdict = self.told(document["flows"][0])
        self.assertEqual((verdict["class"], verdict["code"]), ("error_code", invalid["code"]), verdict)
        self.assertIn(invalid["message"], verdict["message"])
        self.assertEqual(erp.left(), [])

    @for_each
    def test_an_expired_session_is_replaced_once(self, name, erp):
        erp.expire_after = getattr(erp.table, "EXPIRES_AFTER", None)
        if erp.expire_after is None:
            return  # keys that never end
        self.check("-c", self.fill_in(name, erp), "order", code=0)
        self.assertEqual(erp.logins, 2, erp.log)
        refused = [line for line in erp.log if line.endswith((" -> 401", " -> 403"))]
        self.assertEqual(len(refused), 1, erp.log)
        self.assertEqual(erp.left(), [])

    @for_each
    def test_locked_slow_and_maintenance(self, name, erp):
        file = self.fill_in(name, erp)
        erp.switch = "maintenance"
        _, verdict = self.told(self.check("-c", file, "order", code=2)["flows"][0])
        self.assertEqual((verdict["class"], verdict["cause"]), ("cryptic", "unavailable"))
        if "locked" in erp.table.FAILURES:
            erp.switch = "locked"
            _, verdict = self.told(self.check("-c", file, "order", code=2)["flows"][0])
            self.assertEqual(verdict["class"], "error_code", verdict)
        self.assertEqual(erp.left(), [])

    def test_tryton(self):
        """The real one: its database says what is left."""
        given = tryton.prepare()
        process, port = tryton.start(self.folder)
        self.processes.append(process)
        given = {"url": "{erp}", "database": "erp", "username": "flow", "password": tryton.PASSWORD, "company": given["company"],
                 "product": given["product"], "unit": given["unit"], "payment_term": given["term"], "price": "30.00"}
        document = self.check("-c", self.fill_in_for("tryton", port, given), code=0)
        self.assertEqual({flow["state"] for flow in document["flows"]}, {"ok"})
        self.assertEqual({undo["state"] for flow in document["flows"] for undo in flow.get("undo", [])}, {"paid"})
        with sqlite3.connect(self.path("erp.sqlite")) as database:
            left = database.execute("SELECT name FROM party_party WHERE name LIKE 'erpwatch %' UNION ALL "
                                    "SELECT state FROM sale_sale").fetchall()
        self.assertEqual(left, [])


if __name__ == "__main__":
    unittest.main()
