#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a pack brings besides flows: sweeps of what its flows leave behind, and the call that
tells a system's version, asked once a day."""
import json
import os
import sqlite3
import sys
import unittest
from datetime import datetime, timezone

from agent_case import CONTACTS, AgentCase
from harness import ROOT

sys.path.insert(0, os.path.join(ROOT, "tests/servers"))
from records import Records, ago  # noqa: E402

DAY_US = 86400 * 10**6
PACK = """
pack:
  title: A pack of the tests
  parameters:
    url: {type: url, says: Its address}
    table: {default: orders, says: The table of its orders}
system: {url: '{{url}}'}
flows:
  order:
    steps:
      - step: order
        post: /{{table}}
        json: {ref: '{{mark}}'}
        undo: {none: 'it is swept'}
  look: {steps: [{step: look, get: '/{{table}}'}]}
version:
  get: /about
  capture: {version: {json: '$.value[0].version'}}
sweeps:
  order:
    get: /{{table}}
    query: {ref: '{{mark}}'}
    items: '$.value[*]'
    only: {json: {$.ref: {matches: '^{{mark}}'}}}
    at: {json: $.changed}
    capture: {order: {json: $.id}}
    undo: {delete: '/{{table}}/{{order}}'}
"""


def away_from_midnight():
    """A time zone in which it is not just after midnight: systems are spread over that."""
    return "UTC" if datetime.now(timezone.utc).hour else "Asia/Tokyo"


class PackCase(AgentCase):
    def setUp(self):
        super().setUp()
        self.other = Records()
        self.addCleanup(self.other.close)
        self.write("packs/test.yaml", PACK)

    def configure_pack(self, flows, sweeps=None, system=None):
        document = {
            "agent": {"store": self.store, "timezone": away_from_midnight(), "mark": "TEST.A-"},
            "mail": {"from": "Monitor <alerts@agency.example>", "fallback": "agency", "directory": self.mails},
            "contacts": CONTACTS,
            "systems": {"erp": {"pack": "test", "with": {"url": f"http://127.0.0.1:{self.other.port}/api"},
                                "act": {"erp-partner": "partner"}, **(system or {})}},
            "flows": flows,
            "sweeps": sweeps or {},
        }
        self.write("erpwatch.yaml", json.dumps(document, indent=1))

    def flow(self, use, **more):
        return {"use": use, "system": "erp", "every": "1h", "notify": ["erp-partner"], "group": "0s",
                "confirm": {"runs": 1}, **more}


class Sweeps(PackCase):
    def test_what_the_packs_flow_left_is_swept(self):
        self.other.add("orders", ref="TEST.A-000000000001")
        self.other.add("orders", ref="TESTXA-000000000002")
        self.other.add("orders", ref="TEST.A-000000000003", changed=ago(minutes=5))
        self.configure_pack({"a": self.flow("order")})
        self.assertEqual(self.run_program("validate", "-v").stdout,
                         "sweep: erp/order at erp, every 6h\nOK: 1 system, 1 flow, 1 sweep\n")
        shown = self.run_program("sweep", "--dry-run", "erp/order")
        self.assertRegex(shown.stdout, r"erp/order +TEST\.A-000000000001 .*due")
        self.assertEqual(self.other.asked("DELETE"), [])
        self.assertEqual(self.run_program("sweep", "erp/order").returncode, 0)
        self.assertEqual(self.other.left("orders"), ["TESTXA-000000000002", "TEST.A-000000000003"])
        self.assertRegex(self.run_program("status").stdout, r"erp/order +erp +ok .*1 deleted")

    def test_no_flow_no_sweep(self):
        self.configure_pack({"a": self.flow("look"), "b": self.flow("order", off="not now")})
        self.assertEqual(self.statuses()["sweeps"], [])

    def test_a_user_has_it_their_own_way(self):
        self.other.add("orders", ref="TEST.A-000000000001")
        self.configure_pack({"a": self.flow("order")},
                            sweeps={"mine": {"use": "order", "system": "erp", "off": "by hand", "at_most": 3}})
        sweep, = self.statuses()["sweeps"]
        self.assertEqual((sweep["sweep"], sweep["state"], sweep["off"]), ("mine", "off", "by hand"))


class Never(PackCase):
    """What a pack refuses is not sent, also where only values make it so."""

    def setUp(self):
        super().setUp()
        self.write("packs/test.yaml", PACK + "never:\n  - {call: 'POST */posted', says: it books}\n"
                   "  - {body: action_post, says: it posts}\n")

    def refused(self, step, **more):
        step = {"step": "try", "undo": {"none": "x"}, **step}
        self.configure_pack({"a": {"system": "erp", "notify": ["erp-partner"], "steps": [step], **more}})
        flow, = self.check(code=3)["flows"]
        self.assertEqual(flow["state"], "unknown")
        return flow["steps"][0]["verdict"]["message"]

    def test_values(self):
        says = "the pack test never makes such a call: it books; nothing was sent"
        self.assertEqual(self.refused({"post": "/{{where}}"}, vars={"where": "posted"}), says)
        self.assertEqual(self.refused({"post": "/orders/{{where | raw}}"}, vars={"where": "../Posted/"}), says)
        says = "the pack test never makes such a call: it posts; nothing was sent"
        self.assertEqual(self.refused({"post": "/call", "json": {"method": "action_{{what}}"}},
                                      vars={"what": "post"}), says)
        self.assertEqual(self.refused({"post": "/call", "form": {"method": "action_{{what}}"}},
                                      vars={"what": "post"}), says)
        self.assertEqual(self.other.log, [])

    def test_an_undo(self):
        step = {"step": "try", "post": "/orders", "json": {"ref": "{{mark}}"}, "capture": {"id": {"json": "$.id"}},
                "lookup": {"get": "/orders", "mark": {"json": "$.value[*].ref"},
                           "capture": {"id": {"json": "$.value[*].id"}}},
                "undo": {"post": "/{{where}}", "json": {"id": "{{id}}"}}}
        self.configure_pack({"a": {"system": "erp", "notify": ["erp-partner"], "steps": [step],
                                   "vars": {"where": "posted"}}})
        flow, = self.check(code=1)["flows"]
        self.assertEqual((flow["state"], flow["undo"][0]["state"]), ("ok", "owed"))
        self.assertEqual(self.other.asked("POST"), ["POST /api/orders"])


class Versions(PackCase):
    def setUp(self):
        super().setUp()
        self.about = self.other.add("about", version="23.1")

    def version(self):
        known = self.statuses().get("versions")  # not while the store is being made
        return known[0] if known else dict.fromkeys(("version", "since", "unknown_since"))

    def yesterday(self):
        """Whatever was asked today was asked yesterday."""
        with sqlite3.connect(self.store) as store:
            store.execute("UPDATE version SET asked = asked - ?1, seen = seen - ?1, since = since - ?1", (DAY_US,))

    def ask(self, ready):
        agent = self.start_agent()
        self.wait(lambda: ready(self.version()), "the version is told")
        self.stop(agent)

    def let_run(self):
        """An agent that has had its time to ask whoever is due."""
        before = self.statuses()["agent"]["heartbeat"]
        agent = self.start_agent()
        beats = {before}
        self.wait(lambda: len(beats.add(self.statuses()["agent"]["heartbeat"]) or beats) > 2, "two heartbeats")
        self.stop(agent)

    def asked(self):
        return self.other.log.count("GET /api/about")

    def test_an_upgrade_shows(self):
        self.configure_pack({"a": self.flow("look")})
        self.assertIsNone(self.version()["version"])
        self.ask(lambda version: version["version"] == "23.1")
        first = self.version()
        self.assertEqual(self.asked(), 1)
        self.let_run()
        self.assertEqual(self.asked(), 1, "once a day is enough")
        self.yesterday()
        self.about["version"] = "23.2"
        self.ask(lambda version: version["version"] == "23.2")
        self.assertIn("version of erp: 23.1 became 23.2", self.log())
        self.assertNotEqual(self.version()["since"], first["since"])
        self.assertRegex(self.run_program("status").stdout, r"erp +23\.2 +\d{4}-")
        for name in ("a", "erp"):
            self.assertRegex(self.run_program("history", name).stdout, r"version .*version of erp: 23\.1 became 23\.2")
        self.other.list_answers["*"] = (400, {"error": {"code": "E1", "message": "no such field"}})
        self.run_program("check", "--notify", "a")
        mail, = self.read_mails()
        self.assertRegex(" ".join(mail.get_body().get_content().split()),
                         r"The version of erp changed from 23\.1 to 23\.2 on ")

    def test_one_that_cannot_be_read_is_no_failure(self):
        self.other.list_answers["*"] = (500, {"error": {"message": "out of order"}})
        self.configure_pack({})
        self.ask(lambda version: version["unknown_since"])
        self.assertIn("the version of erp cannot be told", self.log())
        self.assertEqual(self.statuses()["incidents"], [])
        self.assertEqual(self.read_mails(), [])
        self.assertRegex(self.run_program("status").stdout, r"erp +- .*unknown since .*GET answered 500")
        self.assertEqual(self.asked(), 1, "the next time is an hour later")

    def test_with_authentication_and_never_while_left_alone(self):
        self.other.logins = {"shop": "a-password"}
        login = {"post": "/login", "json": {"user": "shop", "password": "${env:PASSWORD}"}}
        self.environment["PASSWORD"] = "wrong-password"
        self.configure_pack({}, system={"auth": {"session": {"login": login}},
                                        "backoff": {"after": "1h"}})
        self.ask(lambda version: version["unknown_since"])
        self.yesterday()
        tries = self.other.log.count("POST /api/login")
        self.let_run()
        self.assertEqual(self.other.log.count("POST /api/login"), tries, "it is left alone")
        self.environment["PASSWORD"] = "a-password"
        self.run_program("check", "--now")
        self.configure_pack({}, system={"auth": {"session": {"login": {**login, "timeout": "9s"}}}})
        self.ask(lambda version: version["version"] == "23.1")
        self.assert_no_secret(("a-password", "wrong-password"))

    def test_it_can_be_left_out(self):
        self.configure_pack({"a": self.flow("look")}, system={"version": {"off": "each call costs"}})
        self.assertEqual(self.statuses()["versions"], [])


if __name__ == "__main__":
    unittest.main()
