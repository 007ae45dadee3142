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

    @for_each
    def test_failing_answers(self, name, erp):
        """Each family is told as what it is: the code and the ids found, and who can mend it."""
        file = self.fill_in(name, erp)
        for family, (flow, asked, told) in erp.table.FAMILIES.items():
            with self.subTest(pack=name, family=family):
                erp.instead = {asked: erp.failure(family)}
                _, verdict = self.told(self.check("-c", file, "--now", flow, code=2)["flows"][0])
                for key in ("class", "cause", "act", "code"):
                    if key in told:
                        self.assertEqual(verdict[key], told[key], verdict)
                self.assertIn(told.get("message", ""), verdict["message"])
                self.assertIn(told.get("says", ""), verdict["explanation"])
                for key, value in told.get("ids", {}).items():
                    self.assertEqual(verdict["correlation"].get(key), value, verdict)
                self.assertEqual((verdict["pack"], set(verdict["languages"])), (name, {"nl", "fr", "de"}))
                texts = [verdict["explanation"], verdict["next"]] + [
                    text for language in verdict["languages"].values() for text in (language["explanation"], language["next"])]
                self.assertEqual(len(set(texts)), 8, texts)
        erp.reset()
        self.assertEqual(erp.left(), [])

    @for_each
    def test_an_answer_that_never_came(self, name, erp):
        """The record was made all the same: it is found by its mark, and deleted."""
        erp.switch = "lost"
        flow = self.check("-c", self.fill_in(name, erp), "order", code=2)["flows"][0]
        self.assertEqual([undo["state"] for undo in flow["undo"]], ["paid"], flow)
        self.assertEqual(erp.left(), [])

    def test_a_second_delete_at_exact_online(self):
        """It is Forbidden, as is one without the right: who asks for the record knows which."""
        erp = self.erps["exact-online"]
        asked = f"DELETE {erp.table.BASE}/salesorder/SalesOrders"

        def gone_before():
            erp.records["orders"].clear()
            return erp.failure("missing")

        for answer, state in ((gone_before, "paid"), (erp.failure("missing"), "owed")):
            erp.reset()
            erp.instead = {asked: answer}
            flow = self.check("-c", self.fill_in("exact-online", erp), "order")["flows"][0]
            self.assertEqual([undo["state"] for undo in flow["undo"]], [state], flow)
        self.assertEqual(len(erp.left()), 1)
        erp.records["orders"].clear()
        erp.reset()

    @for_each
    def test_what_was_left_is_swept(self, name, erp):
        self.sweep_what_was_left(name, erp)

    @for_each
    def test_the_version_is_read(self, name, erp):
        version = getattr(erp.table, "VERSION", None)
        file = self.fill_in(name, erp)
        if version:
            self.assertEqual(self.version_of(file), version)
        else:  # it tells none, and the pack says so
            self.assertIn("tells", self.run_program("packs", name).stdout)


if __name__ == "__main__":
    unittest.main()
