# SPDX-License-Identifier: MIT
"""What the tests of the agent share: the demo's ERP behind a gate, flows that
run each second, the agent as a process group, and questions to its store."""
import json
import os
import signal
import sqlite3
import subprocess
import sys
import urllib.request

from harness import Case, PATIENCE_S, ROOT, wait_for

sys.path.insert(0, os.path.join(ROOT, "tests/servers"))
from gate import Gate  # noqa: E402
from listening import hold_port  # noqa: E402

MARKED = "erpwatch {{mark}}"
CONTACTS = {
    "agency": {"name": "Agency", "email": "ops@agency.example"},
    "acme": {"name": "Acme", "email": "it@acme.example", "style": "business"},
    "partner": {"name": "Partner", "email": "support@partner.example", "style": "technical"},
}


def lookup(table, field, name):
    return {"get": f"/{table}", "query": {field: MARKED if table == "customers" else "{{mark}}"},
            "mark": {"json": f"$.value[*].{field}"}, "capture": {name: {"json": "$.value[*].id"}}}


def customer(**more):
    return {"step": "create customer", "post": "/customers",
            "json": {"displayName": MARKED, "email": "probe+{{run.id}}@acme.example"},
            "expect": {"status": 201}, "capture": {"customer": {"json": "$.id"}},
            "lookup": lookup("customers", "displayName", "customer"),
            "undo": {"delete": "/customers/{{customer}}"}, **more}


def order():
    return {"step": "submit order", "post": "/salesOrders",
            "json": {"customerId": "{{customer}}", "externalDocumentNumber": "{{mark}}"},
            "expect": {"status": 201}, "capture": {"order": {"json": "$.id"}},
            "lookup": lookup("salesOrders", "externalDocumentNumber", "order"),
            "undo": {"delete": "/salesOrders/{{order}}"}}


def read_back():
    return {"step": "read back", "get": "/salesOrders/{{order}}"}


def invoice():
    return {"step": "read invoice", "get": "/invoices/INV-1", "expect": {"json": {"$.status": "Paid"}}}


def flow(*steps, **more):
    return {"system": "erp", "every": "1s", "timeout": "60s", "group": "0s", "priority": "P1",
            "confirm": {"runs": 2, "after": "0s"}, "notify": ["client", "erp-partner"],
            "steps": list(steps), **more}


class AgentCase(Case):
    def setUp(self):
        super().setUp()
        self.erp_process = self.erp()
        self.gate = Gate(self.erp_process.port)
        self.addCleanup(self.gate.close)
        self.environment["ERP_PASSWORD"] = "demo-secret-1"
        self.store = self.path("erpwatch.db")

    def settings(self, flows, mail=None, agent=None, system=None):
        act = {"client": "acme", "erp-partner": "partner", "integrator": "agency", "hosting": "agency"}
        auth = {"basic": {"username": "shop", "password": "${env:ERP_PASSWORD}"}}
        return {
            "agent": {"store": self.store, **(agent or {})},
            "mail": {"from": "Monitor <alerts@agency.example>", "fallback": "agency",
                     **(mail or {"directory": self.mails})},
            "contacts": CONTACTS,
            "systems": {"erp": {"url": f"http://127.0.0.1:{self.gate.port}/api", "timeout": "30s",
                                "act": act, "auth": auth, **(system or {})}},
            "flows": flows,
        }

    def configure(self, flows, **more):
        """JSON is YAML."""
        return self.write("erpwatch.yaml", json.dumps(self.settings(flows, **more), indent=1))

    def closed_port(self):
        """Where nobody listens."""
        held = hold_port()
        self.addCleanup(held.close)
        return held.getsockname()[1]

    def start_agent(self, *options):
        with open(self.path("agent.log"), "a", encoding="utf-8") as stream:
            agent = subprocess.Popen([self.program, "run", *options], cwd=self.folder, env=self.environment,
                                     stdout=stream, stderr=stream, start_new_session=True)
        self.processes.append(agent)
        return agent

    def clean_up(self):
        for process in self.processes:
            if process.poll() is None and os.getpgid(process.pid) == process.pid:
                os.killpg(process.pid, signal.SIGKILL)  # its deliver, too
        logged = self.log()
        super().clean_up()
        self.assertNotIn("Sanitizer", logged, logged)

    def log(self, name="agent.log"):
        return super().log(name) if os.path.exists(self.path(name)) else ""

    def kill(self, agent):
        """The agent and its deliver, as a power cut would."""
        os.killpg(agent.pid, signal.SIGKILL)
        agent.wait()

    def break_erp(self):
        self.erp_process.send_signal(signal.SIGUSR1)

    def mend_erp(self):
        self.erp_process.send_signal(signal.SIGUSR2)

    def records(self):
        """How many customers and orders are left in the ERP."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.erp_process.port}/records") as answer:
            count = json.load(answer)
        return count["customers"] + count["salesOrders"]

    def rows(self, sql, *values):
        if not os.path.exists(self.store):
            return []
        connection = sqlite3.connect(f"file:{self.store}?mode=ro", uri=True, timeout=10)
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(sql, values)]
        except sqlite3.OperationalError:
            return []  # not there yet
        finally:
            connection.close()

    def alter(self, *statements):
        """As if the time had passed that somebody waits for."""
        connection = sqlite3.connect(self.store, timeout=30)
        with connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    def count(self, sql, *values):
        rows = self.rows(f"SELECT count(*) AS n FROM {sql}", *values)
        return rows[0]["n"] if rows else 0

    def incidents(self):
        return self.rows("SELECT * FROM incident ORDER BY opened")

    def debts(self):
        return self.rows("SELECT * FROM debt ORDER BY seq")

    def wait(self, ready, what, patience=PATIENCE_S):
        try:
            return wait_for(ready, what, patience)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()}") from None

    def wait_for_state(self, name, *states):
        def ready():
            rows = self.rows("SELECT state FROM flow WHERE id = ?", name)
            return rows and rows[0]["state"] in states
        self.wait(ready, f"{name} becomes {states}")

    def wait_for_mails(self, count):
        self.wait(lambda: len(self.mail_files()) >= count, f"{count} mails")
        self.assertEqual(len(self.mail_files()), count, self.log())
        def place(mail):  # two mails may be of one second
            return mail["Date"].datetime, mail["In-Reply-To"] is not None, mail["To"]
        return sorted(self.read_mails(), key=place)
