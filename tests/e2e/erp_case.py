# SPDX-License-Identifier: MIT
"""What the tests of packs share: servers that speak an ERP's protocol (tests/servers/erp.py), and what
`init --pack` writes, filled in for one of them. A test names its packs in ERPS."""
import json
import os
import sys

import yaml

from harness import Case, ROOT, decisive, wait_for

sys.path.insert(0, f"{ROOT}/tests/servers")
import erp as engine  # noqa: E402  pylint: disable=wrong-import-position


def for_each(test):
    """The test once for each ERP, with its name and server."""
    def run(self):
        for name, server in self.erps.items():
            with self.subTest(pack=name):
                server.reset()
                test(self, name, server)
    return run


class ErpCase(Case):
    """Its packs' servers, by name."""
    ERPS = ()

    @classmethod
    def setUpClass(cls):
        cls.erps = {name: engine.Erp(name.replace("-", "_")) for name in cls.ERPS}

    @classmethod
    def tearDownClass(cls):
        for erp in cls.erps.values():
            erp.close()

    def fill_in(self, name, erp, **other):
        return self.fill_in_for(name, erp.port, {**erp.table.GIVEN, **other})

    def fill_in_for(self, name, port, given):
        """What `init --pack` writes, filled in for the server; secrets come from the environment."""
        file = name + ".yaml"
        for old in (file, name + ".db"):
            if os.path.exists(self.path(old)):
                os.unlink(self.path(old))
        done = self.run_program("init", "--pack", name, "-o", file)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        done = self.run_program("validate", "-c", file)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        pack = json.loads(self.run_program("packs", name, "-f", "json").stdout)
        with open(self.path(file), encoding="utf-8") as text:
            document = yaml.safe_load(text)
        system, = document["systems"].values()
        kinds = {parameter["name"]: parameter["type"] for parameter in pack["parameters"]}
        for key, value in given.items():
            value = value.replace("{erp}", f"http://127.0.0.1:{port}") if isinstance(value, str) else value
            if kinds[key] == "secret":
                self.environment[key.upper()] = value
            else:
                system["with"][key] = value
        system["timeout"] = "10s"
        (written, one), = document["flows"].items()
        self.assertEqual(written, pack["flows"][0]["flow"])
        document["flows"] = {flow["flow"]: {**one, "use": flow["flow"]} for flow in pack["flows"]}
        document["agent"] = {"store": self.path(name + ".db")}
        self.write(file, json.dumps(document))
        return file

    def version_of(self, file):
        """What the agent reads of the system's version."""
        with open(self.path(file), encoding="utf-8") as text:
            document = json.load(text)
        for flow in document["flows"].values():
            flow["off"] = "only the version is asked"
        self.write(file, json.dumps(document))

        def known():
            done = self.run_program("status", "-c", file, "--format", "json")
            versions = json.loads(done.stdout)["versions"] if done.returncode == 0 else []
            return [version["version"] for version in versions if version["version"]]

        agent = self.start_program("run", "-c", file)
        version, = wait_for(known, "the version is told")
        self.stop(agent)
        return version

    def told(self, flow):
        step = decisive(flow)
        return step["step"], step["verdict"]

    def sweep_what_was_left(self, name, erp):
        """Records of ours (LEFT of the table) and of others lie about for days: ours go, and no other."""
        left = erp.table.LEFT
        file = self.fill_in(name, erp)
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
