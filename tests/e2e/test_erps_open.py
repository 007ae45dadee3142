#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Odoo, NetSuite, Exact Online, AFAS, ERPNext, and punchouts: what their packs know beyond their flows.
The first rung of health that fails names the culprit."""
import unittest

from erp_case import ErpCase, for_each

ERPS = ("odoo", "netsuite", "exact-online", "afas", "erpnext")


class Open(ErpCase):
    ERPS = ERPS

    def health(self, file, code):
        return self.check("-c", file, "health", code=code)["flows"][0]

    @for_each
    def test_health_by_rung(self, name, erp):
        known = erp.table.HEALTH
        file = self.fill_in(name, erp)
        self.assertEqual(self.health(file, 0)["state"], "ok")
        erp.instead = {known["asked"]: erp.failure("forbidden")}
        step, verdict = self.told(self.health(file, 2))
        self.assertEqual((step, verdict["cause"]), (known["last"], "permission"), verdict)
        erp.reset()
        erp.switch = "maintenance"
        flow = self.health(file, 2)
        step, verdict = self.told(flow)
        self.assertEqual((step, verdict["cause"]), (flow["steps"][0]["step"], "unavailable"), verdict)
        self.assertEqual(len(erp.log), 1, "the later rungs are not asked")
        erp.reset()
        file = self.fill_in(name, erp, **erp.table.WRONG["give"])
        step, verdict = self.told(self.health(file, 2))
        self.assertEqual((step, verdict["cause"]), (known["wrong"], "auth"), verdict)


if __name__ == "__main__":
    unittest.main()
