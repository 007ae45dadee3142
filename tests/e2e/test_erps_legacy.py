#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The packs of older ERPs against servers that speak their protocols: the rungs of health, what sweeps
remove, what is made by calls whose answer is lost, and each family of failing answers (RUNGS, LEFT, LOST
and FAMILIES of the server's table): class, cause, code, text, who acts, ids, all languages."""
import json
import unittest
from datetime import timedelta

from erp_case import ErpCase, for_each


class Legacy(ErpCase):
    ERPS = ("ax2012", "gp", "rms", "sage100", "pronto")

    def run_one(self, file, erp, flow):
        """The step of a flow that failed, and its verdict; nothing is left behind."""
        document = self.check("-c", file, "--no-store", "--now", flow, code=2)
        self.assertEqual(erp.left(), [])
        return self.told(document["flows"][0])

    @for_each
    def test_green_and_nothing_left(self, name, erp):
        document = self.check("-c", self.fill_in(name, erp), code=0)
        self.assertEqual({flow["state"] for flow in document["flows"]}, {"ok"})
        self.assertIn("health", [flow["flow"] for flow in document["flows"]])
        for flow in document["flows"]:
            self.assertEqual({undo["state"] for undo in flow.get("undo", [])} - {"paid"}, set(), flow)
        self.assertEqual(erp.left(), [])

    @for_each
    def test_each_rung_of_health_names_the_culprit(self, name, erp):
        file = self.fill_in(name, erp)
        for rung, pattern, answer in erp.table.RUNGS:
            erp.reset()
            if pattern is None:
                erp.switch = answer
            else:
                erp.instead = {pattern: answer if isinstance(answer, tuple) else erp.failure(answer)}
            step, verdict = self.run_one(file, erp, "health")
            self.assertEqual(step, rung, verdict)

    @for_each
    def test_families(self, name, erp):
        file = self.fill_in(name, erp)
        self.assertGreaterEqual(len(erp.table.FAMILIES), 6)
        for failure, (flow, pattern, told) in erp.table.FAMILIES.items():
            with self.subTest(pack=name, failure=failure):
                erp.reset()
                erp.instead = {pattern: erp.failure(failure, "GONE")}
                _, verdict = self.run_one(file, erp, flow)
                told = {"class": "error_code", "pack": name, **told}
                text, ids = told.pop("message", ""), told.pop("ids", {})
                self.assertEqual({key: verdict.get(key) for key in told}, told, verdict)
                self.assertIn(text, verdict["message"] or "")
                for ident, pattern in ids.items():
                    self.assertRegex(verdict["correlation"].get(ident, ""), pattern)
                self.assertEqual(sorted(verdict["languages"]), ["de", "fr", "nl"])
                texts = [words[key] for words in (verdict, *verdict["languages"].values()) for key in ("explanation", "next")]
                self.assertEqual(len(set(texts)), 8, texts)

    @for_each
    def test_an_answer_that_never_came(self, name, erp):
        """The record was made all the same: it is found, and deleted."""
        for flow in getattr(erp.table, "LOST", ()):
            erp.reset()
            erp.switch = "lost"
            run = self.check("-c", self.fill_in(name, erp), flow, code=2)["flows"][0]
            self.assertEqual([undo["state"] for undo in run["undo"]], ["paid"], run)
            self.assertEqual(erp.left(), [])

    @for_each
    def test_what_was_left_is_swept(self, name, erp):
        if hasattr(erp.table, "LEFT"):  # others make nothing, or cannot list it
            self.sweep_what_was_left(name, erp)

    def test_the_version_of_sage_is_read(self):
        erp = self.erps["sage100"]
        erp.reset()
        self.assertEqual(self.version_of(self.fill_in("sage100", erp)), "7.20.0.0")

    def test_pronto_writes_to_a_test_profile_only(self):
        erp = self.erps["pronto"]
        partner = {"create_service": "SOMakeOrder", "create_request": "<Reference>{{mark}}</Reference>",
                   "cancel_service": "SODropOrder", "cancel_request": "<Reference>{{mark}}</Reference>"}
        for profile, calls in (("live", 0), ("uat", 2)):
            with self.subTest(profile=profile):
                erp.reset()
                file = self.fill_in("pronto", erp, profile=profile)
                with open(self.path(file), encoding="utf-8") as text:
                    document = json.load(text)
                document["flows"]["write"]["with"] = partner
                self.write(file, json.dumps(document))
                self.check("-c", file, "write", code=0)
                self.assertEqual(len([line for line in erp.log if "/api/SO" in line]), calls, erp.log)
                self.assertEqual(erp.left(), [])

    def test_old_sales_and_a_backlog(self):
        erp = self.erps["rms"]
        for flow, age, waiting, good in (("sales", timedelta(hours=3), 3, True), ("sales", timedelta(hours=5), 3, False),
                                         ("worksheets", timedelta(0), 20, True), ("worksheets", timedelta(0), 21, False)):
            with self.subTest(flow=flow, good=good):
                erp.reset()
                erp.instead = {"/status": erp.table.state(age, waiting)}
                run = self.check("-c", self.fill_in("rms", erp), flow, code=0 if good else 2)["flows"][0]
                if not good:
                    self.assertEqual(self.told(run)[1]["class"], "unexpected")
        erp.instead = {"/status": erp.table.state(timedelta(hours=5))}
        self.check("-c", self.fill_in("rms", erp, max_age="12h"), "sales", code=0)


if __name__ == "__main__":
    unittest.main()
