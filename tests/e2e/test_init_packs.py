#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What `init --pack` writes, for every pack that there is: the text itself, filled in at its FILL IN marks
with the values of the test server of that ERP and with its flows uncommented, is valid, and check is green."""
import json
import os
import re
import unittest

from erp_case import engine
from harness import Case, ROOT, SECRETS
import tryton

PUNCHOUTS = {
    "punchout-cxml": {"url": "{erp}/cxml", "from_identity": "123456789", "to_identity": "987654321",
                      "shared_secret": SECRETS[0], "item": "1896-S", "browser_form_post": "{erp}/hook", "transfer": "{erp}/transfer"},
    "punchout-oci": {"url": "{erp}/oci", "username": "shop", "password": SECRETS[0], "item": "1896-S",
                     "hook_url": "{erp}/hook?a=1&b=2", "detail": "Bolt M8", "search": "bolt"},
}
GAP = re.compile(r"      # FILL IN: (\w+): .*\n      \1: (.*)")
LATER = re.compile(r"      # (\w+): (.*?)   # (FILL IN for )?.*")
LOGIN = re.compile(r"    # auth: .*")
FLOW = re.compile(r"^  # ([\w-]+: \{use: .*)", re.M)


class InitPacks(Case):
    def setUp(self):
        super().setUp()
        done = self.run_program("packs", "--format", "json")
        self.packs = [pack["pack"] for pack in json.loads(done.stdout)]
        self.assertGreaterEqual(len(self.packs), 16)

    def serve(self, name):
        """The port of the pack's server, the login that the pack leaves open, what the system is told; a pack without one is a mistake."""
        module = name.replace("-", "_")
        if name in PUNCHOUTS:
            return self.server("/usr/bin/python3", f"{ROOT}/tests/servers/punchout_shop.py").port, None, PUNCHOUTS[name]
        if name == "tryton":
            given = tryton.prepare()
            process, port = tryton.start(self.folder)
            self.processes.append(process)
            return port, None, {"url": "{erp}", "database": "erp", "username": "flow", "password": tryton.PASSWORD,
                                "company": given["company"], "product": given["product"], "unit": given["unit"],
                          "payment_term": given["term"], "price": "30.00"}
        self.assertTrue(os.path.exists(f"{ROOT}/tests/servers/erps/{module}.py"), f"no server speaks as {name} does")
        erp = engine.Erp(module)
        self.addCleanup(erp.close)
        return erp.port, getattr(erp.table, "LOGIN", None), erp.table.GIVEN

    def write_out(self, name):
        done = self.run_program("init", "--pack", name, "-o", name + ".yaml")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        done = self.run_program("validate", "-c", name + ".yaml")
        self.assertEqual((done.returncode, done.stderr), (0, ""), name)
        with open(self.path(name + ".yaml"), encoding="utf-8") as file:
            return file.read()

    def fill_in(self, text, given, secrets):
        """A person's work with the file: each gap, then what the flows below ask for, then the flows."""
        used = set()

        def value(name, found):
            used.add(name)
            if name in secrets:
                self.environment[name.upper()] = given[name]
                return found
            return json.dumps(given[name])

        def gap(match):
            name = match.group(1)
            self.assertIn(name, given, "a gap that nothing fills")
            return f"      {name}: {value(name, match.group(2))}"

        def later(match):
            name = match.group(1)
            return f"      {name}: {value(name, match.group(2))}" if name in given else match.group(0)

        text = LATER.sub(later, GAP.sub(gap, text))
        self.assertEqual(set(given) - used, set(), "the file does not ask for it")
        text = text.replace("store: erpwatch.db", f"store: {self.path('init.db')}").replace("directory: mails", f"directory: {self.path('mails')}")
        return FLOW.sub(r"  \1", text)

    def test_all(self):
        for name in self.packs:
            with self.subTest(pack=name):
                text = self.write_out(name)
                if os.path.exists(self.path("init.db")):
                    os.unlink(self.path("init.db"))
                port, login, given = self.serve(name)
                text = LOGIN.sub(f"    auth: {json.dumps(login)}", text) if login else text
                given = {key: value.replace("{erp}", f"http://127.0.0.1:{port}") if isinstance(value, str) else value
                         for key, value in given.items()}
                pack = json.loads(self.run_program("packs", name, "-f", "json").stdout)
                self.assertEqual(pack["flows"][0]["flow"], "health", "the first flow proves the connection")
                secrets = {one["name"] for one in pack["parameters"] if one["type"] == "secret"}
                self.write(name + ".yaml", self.fill_in(text, given, secrets))
                document = self.check("-c", name + ".yaml", code=0)
                self.assertEqual({flow["flow"]: flow["state"] for flow in document["flows"]},
                                 {flow["flow"]: "ok" for flow in pack["flows"]})
                undone = {undo["state"] for flow in document["flows"] for undo in flow.get("undo", [])}
                self.assertEqual(undone - {"paid"}, set())

    def test_each_flow_says_what_it_writes(self):
        for name in self.packs:
            with self.subTest(pack=name):
                text = self.write_out(name)
                flows = json.loads(self.run_program("packs", name, "-f", "json").stdout)["flows"]
                for flow in flows:
                    head = text.split(f"{flow['flow']}: {{use: ")[0].rsplit("\n\n", 1)[-1]
                    self.assertIn(flow["title"], head)
                    undos = [step for step in flow["steps"] if (step["undo"] or "").startswith("undone by ")]
                    self.assertEqual(head.count("#   writes: "), len(undos), head)
                    self.assertEqual("leaves nothing to undo" in head, not undos, head)


if __name__ == "__main__":
    unittest.main()
