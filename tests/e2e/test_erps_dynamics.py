#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Business Central, Dynamics NAV, Finance and Operations against servers that speak their protocols: the
rungs of health, what sweeps remove, the version, and each family of failing answers (RUNGS, LEFT, VERSION
and ANSWERS of the server's table): class, cause, code, text without noise, ids, who acts, all languages."""
import json
import unittest

from erp_case import ErpCase, for_each

LANGUAGES = {"nl", "fr", "de"}


class Dynamics(ErpCase):
    ERPS = ("business-central", "nav", "fno")

    def run_one(self, file, erp, flow, pattern, answer):
        """A flow of which one call gets another answer: the step that failed, and its verdict."""
        erp.reset()
        erp.instead = {pattern: answer}
        document = self.check("-c", file, "--no-store", "--now", flow, code=2)
        self.assertEqual(erp.left(), [])
        return self.told(document["flows"][0])

    @for_each
    def test_each_rung_of_health_names_the_culprit(self, name, erp):
        file = self.fill_in(name, erp)
        for rung, pattern, answer in erp.table.RUNGS:
            step, verdict = self.run_one(file, erp, "health", pattern, answer)
            self.assertEqual(step, rung, verdict)

    @for_each
    def test_answers(self, name, erp):
        file = self.fill_in(name, erp)
        self.assertGreaterEqual(len(erp.table.ANSWERS), 8)
        for flow, pattern, answer, (cause, act, code, message), ids in erp.table.ANSWERS:
            with self.subTest(pack=name, answer=answer):
                _, verdict = self.run_one(file, erp, flow, pattern, answer)
                told = tuple(verdict.get(key) for key in ("class", "cause", "act", "code", "message"))
                self.assertEqual(told, ("error_code", cause, act, code, message))
                self.assertEqual(verdict["correlation"], ids)
                self.assertEqual(verdict["pack"], name)
                self.assertTrue(verdict["source"])
                self.assertEqual(set(verdict["languages"]), LANGUAGES)
                texts = [verdict["explanation"], verdict["next"]] + [
                    text for language in verdict["languages"].values() for text in (language["explanation"], language["next"])]
                self.assertEqual(len(set(texts)), 8, texts)

    @for_each
    def test_what_was_left_is_swept(self, name, erp):
        self.sweep_what_was_left(name, erp)

    @for_each
    def test_the_version_is_read(self, name, erp):
        if erp.table.VERSION is not None:
            self.assertEqual(self.version_of(self.fill_in(name, erp)), erp.table.VERSION)

    def test_customer_and_health_need_no_more(self):
        """The four values that the pack asks of every system, and where the test's server is."""
        erp = self.erps["business-central"]
        erp.reset()
        self.environment["SECRET"] = erp.table.GIVEN["client_secret"]
        given = {key: erp.table.GIVEN[key] for key in ("tenant", "company", "client_id")}
        given |= {"client_secret": "${env:SECRET}", "api": f"http://127.0.0.1:{erp.port}/v2.0", "login": f"http://127.0.0.1:{erp.port}"}
        system = {"pack": "business-central", "with": given}
        flow = {"system": "erp", "notify": "ops"}
        document = {"contacts": {"ops": {"email": "ops@b.example"}}, "systems": {"erp": system},
                    "flows": {"health": {**flow, "use": "health"}, "customer": {**flow, "use": "customer"}}}
        self.write("few.yaml", json.dumps(document))
        self.check("-c", "few.yaml", "--no-store", code=0)
        document["flows"]["order"] = {**flow, "use": "order", "with": {"customer_no": "10000"}}
        self.write("few.yaml", json.dumps(document))
        done = self.run_program("validate", "-c", "few.yaml")
        self.assertEqual(done.returncode, 3)
        self.assertIn('the flow order needs the parameter "item" of the pack business-central: ', done.stderr)
        self.assertNotIn("customer_no", done.stderr)

    def test_another_login_needs_no_parameters_of_the_first(self):
        """Users of the kind NavUserPassword: what the system says itself, the pack need not be told."""
        self.environment["KEY"] = "access-key-1"
        basic = {"basic": {"username": "shop", "password": "${env:KEY}"}}
        given = {"nav": {"url": "http://127.0.0.1:7047/NAV/WS/CRONUS"},
                 "business-central": {"url": "http://127.0.0.1:7048/BC/api/v2.0", "company": "c0ffee00-0000-4000-8000-000000000001"}}
        for pack, values in given.items():
            system = {"pack": pack, "with": values, "auth": basic}
            flow = {"system": "erp", "notify": "ops"}
            document = {"contacts": {"ops": {"email": "ops@b.example"}}, "systems": {"erp": system},
                        "mail": {"directory": self.mails, "from": "m@b.example", "fallback": "ops"},
                        "flows": {"health": {**flow, "use": "health"}, "customer": {**flow, "use": "customer"}}}
            self.write("basic.yaml", json.dumps(document))
            done = self.run_program("validate", "-c", "basic.yaml")
            self.assertEqual((done.returncode, done.stderr), (0, ""), pack)
            del system["auth"]
            self.write("basic.yaml", json.dumps(document))
            done = self.run_program("validate", "-c", "basic.yaml")
            self.assertEqual(done.returncode, 3, pack)
            self.assertIn("with: password is missing in the system erp: " if pack == "nav" else "with: client_secret is missing in",
                          done.stderr)


if __name__ == "__main__":
    unittest.main()
