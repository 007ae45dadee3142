#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""SAP Business One, S/4HANA, Magento, any OData service, any JSON API: what their packs know beyond their
flows: the rungs of health, what failing answers mean, records that were left behind."""
import json
import unittest

from erp_case import ErpCase, for_each

ERPS = ("sap-b1", "s4hana", "magento", "odata", "rest")


class SapRest(ErpCase):
    ERPS = ERPS

    def fill_in_for(self, name, port, given):
        """A login of the system's own, where the pack leaves it open."""
        file = super().fill_in_for(name, port, given)
        login = getattr(self.erps[name].table, "LOGIN", None)
        if login:
            with open(self.path(file), encoding="utf-8") as text:
                document = json.load(text)
            system, = document["systems"].values()
            system["auth"] = login
            self.write(file, json.dumps(document))
        return file

    def one(self, file, flow, code):
        return self.check("-c", file, flow, code=code)["flows"][0]

    @for_each
    def test_green_and_nothing_left(self, name, erp):
        variants = {"sap-b1": ({"api": "v1"}, {"api": "v2"}), "odata": ({"odata": "4"}, {"odata": "2"})}.get(name, ({},))
        for other in variants:
            document = self.check("-c", self.fill_in(name, erp, **other), code=0)
            self.assertEqual({flow["state"] for flow in document["flows"]}, {"ok"})
            self.assertEqual({u["state"] for flow in document["flows"] for u in flow.get("undo", [])} - {"paid"}, set())
            self.assertEqual(erp.left(), [])

    @for_each
    def test_each_rung_of_health_names_its_culprit(self, name, erp):
        file = self.fill_in(name, erp)
        steps = [step["step"] for step in self.one(file, "health", 0)["steps"] if step["step"] != "log in"]
        self.assertEqual([step for step, _ in erp.table.RUNGS], steps)
        for step, pattern in erp.table.RUNGS:
            erp.reset()
            erp.instead = {pattern: (503, "<html><head><title>Down</title></head><body>Down</body></html>")}
            told, verdict = self.told(self.one(self.fill_in(name, erp), "health", 2))
            self.assertEqual((told, verdict["cause"]), (step, "unavailable"), verdict)

    @for_each
    def test_what_failing_answers_mean(self, name, erp):
        file = self.fill_in(name, erp)
        for flow, pattern, answer, kind, cause, code, words, act, *ids in erp.table.CASES:
            with self.subTest(answer=answer):
                erp.reset()
                erp.instead = {pattern: answer}
                _, verdict = self.told(self.check("-c", file, "--no-store", flow, code=2)["flows"][0])
                self.assertEqual((verdict["cause"], verdict["act"], verdict["pack"]), (cause, act, name), verdict)
                self.assertIn(verdict["class"], (kind,) if kind else ("error_code", "cryptic"), verdict)
                if code:
                    self.assertEqual(verdict["code"], code)
                self.assertIn(words, verdict["message"] or "")
                self.assertEqual(set(verdict["languages"]), {"nl", "fr", "de"})
                self.assertTrue(verdict["next"])
                for key, value in (ids[0] if ids else {}).items():
                    self.assertEqual(verdict["correlation"].get(key), value, verdict)
                self.assertEqual(erp.left(), [])

    @for_each
    def test_sweeps_take_what_was_left_and_nothing_else(self, name, erp):
        file = self.fill_in(name, erp)
        for table, record in erp.table.SWEPT:
            rows = erp.records.setdefault(table, {})
            rows["made-left"] = record
            rows["made-other"] = {**record, "key": record["key"] + "9", **{k: v.replace("ERPW-", "SHOP-") for k, v in record.items()
                                                                           if isinstance(v, str) and "ERPW-" in v}}
        done = self.run_program("sweep", "-c", file)
        for table, _ in erp.table.SWEPT:
            self.assertIn("made-other", erp.records[table], done.stdout)
            del erp.records[table]["made-other"]
        self.assertEqual(erp.left(), [], done.stdout + done.stderr)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    @for_each
    def test_the_version_is_read(self, name, erp):
        self.assertEqual(self.version_of(self.fill_in(name, erp)), erp.table.VERSION)

    def test_sap_b1_speaks_both_versions(self):
        erp = self.erps["sap-b1"]
        for api, code in (("v1", -5002), ("v2", "-5002")):
            erp.reset()
            file = self.fill_in("sap-b1", erp, api=api, item="GONE")
            _, verdict = self.told(self.one(file, "order", 2))
            self.assertEqual((verdict["code"], verdict["cause"], verdict["pack"]), ("-5002", "validation", "sap-b1"), verdict)
            self.assertIn("Item number is missing", verdict["message"])
            self.assertIs(type(erp.table.fail(400, -5002, "")["error"]["code"]), type(code))

    def test_a_login_of_the_system_s_own_is_refused(self):
        for name, login in (("odata", {"basic": {"username": "shop", "password": "wrong"}}), ("rest", {"bearer": {"token": "wrong"}})):
            erp = self.erps[name]
            erp.reset()
            file = self.fill_in(name, erp)
            with open(self.path(file), encoding="utf-8") as text:
                document = json.load(text)
            document["systems"]["shop-system"]["auth"] = login
            self.write(file, json.dumps(document))
            flow = self.one(file, "health", 2)
            step, verdict = self.told(flow)
            self.assertEqual((step, verdict["cause"], verdict["act"]), (flow["steps"][1]["step"], "auth", "client"), verdict)
            self.assertEqual(erp.left(), [])

    def test_init_says_that_the_login_is_left_open(self):
        for name in ERPS:
            text = self.run_program("init", "--pack", name, "-o", "-").stdout
            self.assertEqual("    # auth: {" in text, name in ("odata", "rest"), text)


if __name__ == "__main__":
    unittest.main()
