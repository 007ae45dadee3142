#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The packs of older ERPs against servers that speak their protocols: what an earlier run left is swept,
and each family of failing answers is told as what it is: class, cause, code, text, who acts, ids."""
import json
import unittest
from datetime import timedelta

from erp_case import ErpCase, for_each
from harness import wait_for


class Legacy(ErpCase):
    ERPS = ("ax2012", "gp", "rms", "sage100", "pronto")

    def run_one(self, name, erp, flow, **other):
        """A flow that fails, from a state of its own."""
        return self.check("-c", self.fill_in(name, erp, **other), flow, code=2)["flows"][0]

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
        for rung, pattern, answer in erp.table.RUNGS:
            erp.reset()
            if pattern is None:
                erp.switch = answer
            else:
                erp.instead = {pattern: answer if isinstance(answer, tuple) else erp.failure(answer)}
            step, verdict = self.told(self.run_one(name, erp, "health"))
            self.assertEqual(step, rung, verdict)

    @for_each
    def test_families(self, name, erp):
        self.assertGreaterEqual(len(erp.table.FAMILIES), 6)
        for failure, (flow, pattern, told) in erp.table.FAMILIES.items():
            with self.subTest(pack=name, failure=failure):
                erp.reset()
                erp.instead = {pattern: erp.failure(failure, "GONE")}
                _, verdict = self.told(self.run_one(name, erp, flow))
                self.assertEqual({key: verdict.get(key) for key in told if key not in ("message", "ids")},
                                 {key: value for key, value in told.items() if key not in ("message", "ids")}, verdict)
                self.assertIn(told.get("message", ""), verdict["message"] or "")
                for ident, text in told.get("ids", {}).items():
                    self.assertRegex(verdict["correlation"].get(ident, ""), text)
                self.assertEqual(verdict.get("pack"), name, verdict)
                self.assertEqual(sorted(verdict["languages"]), ["de", "fr", "nl"])
                for text in (verdict, *verdict["languages"].values()):
                    self.assertTrue(text["explanation"] and text["next"], verdict)
                self.assertEqual(erp.left(), [])

    @for_each
    def test_what_was_left_is_swept(self, name, erp):
        file = self.fill_in(name, erp)
        left = getattr(erp.table, "LEFT", {})
        if not left:
            return  # it makes nothing, or nothing can be listed
        for table, record in left.items():
            erp.leave(table, **record)
            erp.leave(table, **{key: "of somebody else" for key in record})
        done = self.run_program("sweep", "-c", file, "--format", "json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        swept = [record["state"] for sweep in json.loads(done.stdout)["sweeps"] for record in sweep["records"]]
        self.assertEqual(swept, ["deleted"] * len(left), done.stdout)
        self.assertEqual(len(erp.left()), len(left))
        for rows in erp.records.values():
            for key in [key for key in rows if str(key).startswith("left-")]:
                del rows[key]

    def test_the_version_of_sage_is_read(self):
        erp = self.erps["sage100"]
        erp.reset()
        file = self.fill_in("sage100", erp)
        with open(self.path(file), encoding="utf-8") as text:
            document = json.load(text)
        for flow in document["flows"].values():
            flow["off"] = "only the version is asked"
        self.write(file, json.dumps(document))

        def known():
            done = self.run_program("status", "-c", file, "--format", "json")
            return [version["version"] for version in json.loads(done.stdout)["versions"]] if done.returncode == 0 else []

        agent = self.start_program("run", "-c", file)
        wait_for(lambda: known() == ["7.20.0.0"], "the version is told")
        self.stop(agent)

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
