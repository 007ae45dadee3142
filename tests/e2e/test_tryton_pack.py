#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The pack of Tryton against the real one: health by rung, what was left is swept, and its failing
answers are told in plain words."""
import base64
import json
import os
import re
import sqlite3
import unittest
import urllib.error
import urllib.request

from erp_case import ErpCase
import tryton


class TrytonPack(ErpCase):
    @classmethod
    def setUpClass(cls):
        cls.erps = {}
        cls.ids = tryton.prepare()

    def setUp(self):
        super().setUp()
        process, self.port = tryton.start(self.folder)
        self.processes.append(process)
        self.given = {"url": "{erp}", "database": "erp", "username": "flow", "password": tryton.PASSWORD,
                      "company": self.ids["company"], "product": self.ids["product"], "unit": self.ids["unit"],
                      "payment_term": self.ids["term"], "price": "30.00"}

    def fill(self, **other):
        return self.fill_in_for("tryton", self.port, {**self.given, **other})

    def ask(self, method, *params, user="flow"):
        """The answer to one call, of a session of our own."""
        def post(body, **headers):
            request = urllib.request.Request(f"http://127.0.0.1:{self.port}/erp/", data=json.dumps(body).encode(),
                                             headers={"Content-Type": "application/json", **headers})
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["result"]

        login = post({"id": 0, "method": "common.db.login", "params": [user, {"password": tryton.PASSWORD}, "en"]})
        credentials = base64.b64encode(f"{user}:{login[0]}:{login[1]}".encode()).decode()
        return post({"id": 1, "method": method, "params": [*params, {"company": self.ids["company"]}]},
                    Authorization="Session " + credentials)

    def rows(self, query):
        with sqlite3.connect(self.path("erp.sqlite")) as database:
            return database.execute(query).fetchall()

    def judge(self, method, *params, file=None, context=None):
        """The verdict of one call in a flow of our own."""
        file = file or self.fill()
        with open(self.path(file), encoding="utf-8") as text:
            document = json.load(text)
        step = {"step": "call", "post": "", "json": {"id": 1, "method": method, "params": [
            *params, {"company": self.ids["company"], **(context or {})}]}, "undo": {"none": "a test"}}
        document["flows"] = {"call": {"system": next(iter(document["systems"])), "every": "1h", "steps": [step]}}
        self.write(file, json.dumps(document))
        return self.told(self.check("-c", file, "call", code=2)["flows"][0])[1]

    def health(self, **other):
        return self.check("-c", self.fill(**other), "health")["flows"][0]

    def test_health(self):
        self.assertEqual(self.health()["state"], "ok")
        for other, rung, cause in (({"password": "not-this-one"}, "log in", "auth"), ({"database": "gone"}, "log in", "not_found"),
                                   ({"username": "nobody"}, "orders can be read", "permission")):
            step, verdict = self.told(self.health(**other))
            self.assertEqual((step, verdict["cause"]), (rung, cause), verdict)
        self.processes[-1].kill()
        self.processes[-1].wait()
        step, verdict = self.told(self.health())
        self.assertEqual((step, verdict["class"], verdict["act"]), ("Tryton answers", "unreachable", "hosting"))

    def test_what_was_left_is_swept(self):
        party, = self.ask("model.party.party.create", [{"name": "erpwatch ERPW-0123456789ab", "addresses": [["create", [{}]]]}])
        address, = self.ask("model.party.party.read", [party], ["addresses"])[0]["addresses"]
        self.ask("model.sale.sale.create", [{"party": party, "invoice_address": address, "shipment_address": address,
                                             "payment_term": self.ids["term"], "reference": "ERPW-0123456789ab"}])
        self.ask("model.party.party.create", [{"name": "erpwatch fan club"}])
        file = self.fill()
        for table, old in (("party_party", False), ("party_party", True)):
            if old:
                with sqlite3.connect(self.path("erp.sqlite")) as database:
                    for each in ("party_party", "sale_sale"):
                        database.execute(f"UPDATE {each} SET create_date = datetime(create_date, '-3 days')")
            for _ in range(2 if old else 1):  # a customer can go once its order is gone
                done = self.run_program("sweep", "-c", file, "--format", "json")
            found = [record for sweep in json.loads(done.stdout)["sweeps"] for record in sweep["records"]]
            if not old:
                self.assertEqual({record["state"] for record in found} - {"young"}, set(), done.stdout)
                self.assertEqual(len(self.rows("SELECT id FROM sale_sale")), 1, table)
        self.assertEqual(self.rows("SELECT name FROM party_party WHERE name LIKE 'erpwatch%' AND active"), [("erpwatch fan club",)])
        self.assertEqual(self.rows("SELECT id FROM sale_sale"), [])

    def test_the_version_is_read(self):
        self.assertEqual(self.version_of(self.fill()), tryton.ask(self.port, "common.server.version", []))

    def test_its_own_translations(self):
        """What Tryton says in other languages means the same."""
        folder = "/usr/lib/python3/dist-packages/trytond/ir/locale"
        meant = {"required_validation_record": "validation", "domain_validation_record": "validation",
                 "digits_validation_record": "validation", "selection_validation_record": "validation",
                 "access_rule_error": "permission", "write_rule_error": "permission", "read_error": "not_found",
                 "foreign_model_missing": "not_found", "foreign_model_exist": "validation"}
        for language in ("de", "fr", "nl", "es"):
            with open(os.path.join(folder, language + ".po"), encoding="utf-8") as file:
                blocks = file.read().split("\n\n")
            for message, cause in meant.items():
                block = next(block for block in blocks if f'"model:ir.message,text:msg_{message}"' in block)
                text = "".join(json.loads(line) for line in re.findall('".*"', block.partition("msgstr ")[2]))
                self.assertTrue(text)
                text = re.sub(r"%\(\w+\)[a-z]", "17", text)
                body = json.dumps({"id": 1, "error": ["UserError", [text, "", None]]})
                done = self.run_program("explain", "--pack", "tryton", "--status", "200", input=body)
                verdict = json.loads(done.stdout)
                self.assertEqual((verdict["class"], verdict["cause"], verdict["code"], verdict["pack"]),
                                 ("error_code", cause, "UserError", "tryton"), (language, text))

    def test_who_calls(self):
        step, verdict = self.told(self.health(password="not-this-one"))
        self.assertEqual((step, verdict["cause"], verdict["act"]), ("log in", "auth", "client"), verdict)
        self.assertIn("does not accept the user or the password", verdict["explanation"])
        with sqlite3.connect(self.path("erp.sqlite")) as database:  # each failure makes the next answer wait longer
            for _ in range(6):
                database.execute("INSERT INTO res_user_login_attempt (login, ip_address, ip_network, create_date) "
                                 "VALUES ('flow', '127.0.0.1', '127.0.0.1/32', datetime('now'))")
        step, verdict = self.told(self.health())
        self.assertEqual((step, verdict["cause"], verdict["act"]), ("log in", "auth", "client"), verdict)
        self.assertIn("Too many logins", verdict["explanation"])
        self.assertIn("five minutes", verdict["next"])

    def test_what_is_asked_for(self):
        party, other = self.ask("model.party.party.create", [{"name": "Somebody"}, {"name": "Other", "addresses": [["create", [{}]]]}])
        address, = self.ask("model.party.party.read", [other], ["addresses"])[0]["addresses"]
        self.ask("model.sale.sale.create", [{"party": other, "invoice_address": address}])
        model = "model.party.party."
        for what, verdict, cause, act, code, message, says in (
                ("no right", self.judge("model.sale.sale.search_count", [], file=self.fill(username="nobody")), "permission", "client",
                 "UserError", "not allowed", "in no group"),
                ("required", self.judge("model.sale.sale.create", [{"reference": "x"}]), "validation", "erp-partner", "UserError",
                 "value is required", "requires is empty"),
                ("digits", self.judge("model.sale.sale.create", [{"party": party, "lines": [["create", [
                    {"type": "line", "quantity": 1, "unit_price": {"__class__": "Decimal", "decimal": "1.123456789"}}]]]}]),
                 "validation", "integrator", "UserError", "exceeds the limit", "does not fit its field"),
                ("selection", self.judge("model.sale.sale.create", [{"party": party, "invoice_method": "sometimes"}]), "validation",
                 "integrator", "UserError", "not one of the allowed", "keyword"),
                ("domain", self.judge("model.sale.sale.create", [{"party": party, "invoice_address": address}]), "validation",
                 "erp-partner", "UserError", "according to its domain", "not among those"),
                ("in use", self.judge(model + "delete", [other]), "validation", "integrator", "UserError", "used by field", "used by others"),
                ("missing record", self.judge(model + "read", [999999], ["name"]), "not_found", "integrator", "UserError", "exist anymore",
                 "was deleted"),
                ("unknown model", self.judge("model.sale.wishlist.search_count", []), "contract", "integrator", None, "", "module"),
                ("unknown field", self.judge(model + "search_count", [["wishes", "=", 1]]), "contract", "integrator", None, "", ""),
                ("unknown method", self.judge(model + "explode", []), "contract", "integrator", None, "", "does not offer"),
                ("in between", self.judge(model + "write", [party], {"name": "y"},
                                          context={"_timestamp": {f"party.party,{party}": "1.0"}}), "conflict", "integrator",
                 "ConcurrencyException", "", "Somebody else changed")):
            with self.subTest(what):
                self.assertEqual((verdict["cause"], verdict["act"]), (cause, act), verdict)
                if code:
                    self.assertEqual((verdict["class"], verdict["code"]), ("error_code", code), verdict)
                self.assertIn(message, verdict["message"] or "")
                self.assertIn(says, verdict["explanation"])


if __name__ == "__main__":
    unittest.main()
