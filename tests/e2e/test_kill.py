#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The agent is ended by SIGKILL between each two stages of a failing flow and
started again: nothing that counts is lost, nothing happens twice that must not.
The moments are those of the servers: an answer that is held, a mail server that
waits, a store that another process has locked."""
import collections
import json
import os
import signal
import sqlite3
import unittest

from agent_case import AgentCase, customer, flow, order
from bad_smtp import BadSmtp, HANG, WAIT

ORDERS = {"orders": flow(customer(), order())}


class Killed(AgentCase):
    def restart_until_paid(self):
        """Started again, the agent pays what the dead one owed; nothing is left."""
        owed = [debt["id"] for debt in self.debts() if debt["state"] == "owed"]
        self.assertTrue(owed)
        agent = self.start_agent()
        self.wait(lambda: not self.count("debt WHERE state = 'owed' AND id IN (%s)"
                                         % ",".join(f"'{each}'" for each in owed)), "the undos")
        self.wait_for_state("orders", "ok", "failed")
        self.stop(agent)
        self.assertEqual(self.records(), 0)
        return {debt["step"]: debt["state"] for debt in self.debts() if debt["id"] in owed}

    def kill_at(self, hold):
        agent = self.start_agent()
        self.assertTrue(hold.reached.wait(90), self.log())
        self.kill(agent)
        hold.go.set()
        return agent


class Steps(Killed):
    def setUp(self):
        super().setUp()
        self.configure(ORDERS)

    def test_sent_and_not_answered(self):
        self.kill_at(self.gate.hold("POST /api/customers"))
        self.assertEqual(self.records(), 1)
        self.assertEqual(self.restart_until_paid(), {"create customer": "paid"})

    def test_the_second_step_sent_and_not_answered(self):
        self.kill_at(self.gate.hold("POST /api/salesOrders"))
        self.assertEqual(self.records(), 2)
        self.assertEqual(self.restart_until_paid(), {"create customer": "paid", "submit order": "paid"})
        deleted = [line for line in self.gate.seen if line.startswith("DELETE")]
        self.assertIn("/salesOrders/", deleted[0])  # the reverse of sending
        self.assertIn("/customers/", deleted[1])

    def test_sent_and_committed_later(self):
        hold = self.gate.hold("POST /api/salesOrders", acts=False)
        agent = self.start_agent()
        self.assertTrue(hold.reached.wait(90), self.log())
        self.kill(agent)
        agent = self.start_agent()
        late = "debt WHERE step = 'submit order' AND tries > 0"
        self.wait(lambda: self.count(late), "the lookup that finds nothing")
        self.stop(agent)
        self.assertEqual(self.count(late + " AND state = 'owed'"), 1)  # not void: it may come yet
        hold.go.set()  # without a customer the ERP refuses it: nothing is made
        self.assertTrue(hold.done.wait(90))
        self.alter("UPDATE debt SET sent_at = sent_at - 300000000, due = 0"
                   " WHERE state = 'owed' AND due IS NOT NULL")
        agent = self.start_agent()
        self.wait(lambda: self.count("debt WHERE step = 'submit order' AND state = 'void'"),
                  "the second look")
        self.stop(agent)
        self.assertEqual(self.records(), 0)

    def test_answered_and_not_stored(self):
        """The answer arrives while the store is locked: nothing of it is kept."""
        hold = self.gate.hold("POST /api/salesOrders")
        agent = self.start_agent()
        self.assertTrue(hold.reached.wait(90), self.log())
        lock = sqlite3.connect(self.store, isolation_level=None)
        self.addCleanup(lock.close)
        lock.execute("BEGIN IMMEDIATE")
        hold.go.set()
        self.assertTrue(hold.done.wait(90))
        self.kill(agent)
        lock.execute("ROLLBACK")
        self.assertEqual(self.restart_until_paid(), {"create customer": "paid", "submit order": "paid"})

    def test_answered_and_judged(self):
        """The undo has begun: it is repeated, and finds that nothing is left."""
        self.kill_at(self.gate.hold("DELETE /api/salesOrders"))
        self.assertEqual(self.records(), 1)
        self.assertEqual(self.restart_until_paid(), {"create customer": "paid", "submit order": "paid"})

    def test_a_confirming_run_begun_again_is_another_run(self):
        """What the dead one made is found by its mark, and nothing of the new one."""
        self.configure({"orders": flow(customer(), order(), every="1h")})
        self.break_erp()
        first, second = self.gate.hold("POST /api/customers"), self.gate.hold("POST /api/customers")
        first.go.set()
        check = self.start_program("check", "--notify")
        self.assertTrue(second.reached.wait(90), self.log())
        check.kill()
        check.wait()
        second.go.set()
        agent = self.start_agent()
        self.wait(lambda: self.count("flow_state WHERE state = 'failing'"), "the confirming run")
        self.wait(lambda: not self.count("debt WHERE step = 'create customer' AND state != 'paid'"), "the undos")
        self.stop(agent)
        runs = {debt["run"] for debt in self.debts() if debt["step"] == "create customer"}
        self.assertEqual(len(runs), 3)
        self.assertEqual(self.records(), 0)

    def test_refused_and_judged(self):
        self.break_erp()
        self.kill_at(self.gate.hold("DELETE /api/customers"))
        states = {debt["step"]: debt["state"] for debt in self.debts()}
        self.assertEqual(states, {"create customer": "owed", "submit order": "void"})
        self.assertEqual(self.count("run"), 0)  # the run has not ended: it counts nowhere
        self.assertEqual(self.restart_until_paid(), {"create customer": "paid"})


class Notices(Killed):
    contacts = {"one": ["one@acme.example", "two@acme.example"], "partner": ["three@partner.example"]}

    def serve(self, script=None):
        self.smtp = BadSmtp(script, auth=False)
        self.addCleanup(self.smtp.close)
        self.configure_mail()

    def configure_mail(self):
        settings = self.settings(ORDERS, mail={"server": f"127.0.0.1:{self.smtp.port}", "security": "none"})
        settings["contacts"] = {name: {"name": name, "email": email} for name, email in self.contacts.items()}
        settings["contacts"]["one"]["style"] = "business"
        settings["mail"]["fallback"] = "partner"
        settings["systems"]["erp"]["act"] = {"client": "one", "erp-partner": "partner"}
        self.write("erpwatch.yaml", json.dumps(settings))

    def received(self):
        """address -> the mails accepted for it."""
        mails = collections.defaultdict(list)
        for recipients, content in list(self.smtp.messages):
            for address in recipients:
                mails[address].append(content)
        return mails

    def wait_for_all(self):
        everyone = {address for emails in self.contacts.values() for address in emails}
        self.wait(lambda: set(self.received()) == everyone, "a mail for each")
        self.wait(lambda: not self.count("outbox_recipient WHERE state != 'accepted'"), "an empty outbox")
        return self.received()

    def restart_until_delivered(self, doubles=()):
        """Whoever got a mail twice got the same bytes twice."""
        self.alter("UPDATE outbox_recipient SET due_us = 0 WHERE state = 'waiting'",
                   "UPDATE outbox_server SET due_us = 0")
        agent = self.start_agent()
        mails = self.wait_for_all()
        self.stop(agent)
        self.assertEqual(self.count("incident"), 1)
        for address, contents in mails.items():
            self.assertEqual(len(contents), 2 if address in doubles else 1, address)
            self.assertEqual(len(set(contents)), 1, address)
        return mails

    def fail_until(self, ready, what):
        self.break_erp()
        agent = self.start_agent()
        self.wait(ready, what)
        self.kill(agent)

    def test_incident_and_notice_stored_and_nothing_sent(self):
        self.serve({"greeting": [HANG, HANG]})
        self.fail_until(lambda: self.smtp.connections, "a delivery")
        self.assertEqual(self.count("incident"), 1)
        self.assertEqual(self.count("outbox_notice"), 2)  # in the transaction of the incident
        self.smtp.script.clear()
        self.restart_until_delivered()

    def test_half_of_the_recipients_accepted(self):
        self.serve({"dot": [None, WAIT]})
        self.fail_until(lambda: len(self.smtp.messages) == 2, "the second mail")
        twice = self.smtp.messages[1][0][0]  # received, but the agent could not know
        self.smtp.go.set()
        self.smtp.script.clear()
        self.restart_until_delivered([twice])

    def test_dropped_before_the_mail_was_whole(self):
        self.serve({"data": [HANG]})
        self.fail_until(lambda: "DATA" in self.smtp.verbs(), "the first mail")
        self.smtp.script.clear()
        self.restart_until_delivered()

    def test_deliver_outlives_the_agent(self):
        """The agent alone is killed: its deliver goes on, and nothing is sent twice."""
        self.serve({"dot": [WAIT]})
        self.break_erp()
        agent = self.start_agent()
        self.wait(lambda: self.smtp.messages, "the first mail")
        os.kill(agent.pid, signal.SIGKILL)
        agent.wait()
        second = self.start_agent()
        self.wait(lambda: self.log().count("watches 1 flows") == 2, "the second agent")
        self.smtp.go.set()
        mails = self.wait_for_all()
        self.stop(second)
        self.assertEqual({len(contents) for contents in mails.values()}, {1})
        self.assertEqual(self.count("incident"), 1)

    def test_killed_again_and_again(self):
        """Wherever it is: one incident, its records undone, each notice once."""
        self.serve()
        self.break_erp()
        for what in ("POST /api/customers", "POST /api/salesOrders", "DELETE /api/customers") * 2:
            self.kill_at(self.gate.hold(what))
        agent = self.start_agent()
        mails = self.wait_for_all()
        self.mend_erp()
        self.wait(lambda: self.count("incident WHERE closed != 0"), "the recovery")
        self.wait(lambda: len(self.received()["one@acme.example"]) == 2, "its mail")
        self.stop(agent)
        self.assertEqual({len(contents) for contents in mails.values()}, {1})
        self.assertEqual(self.count("incident"), 1)
        owed = {debt["step"] for debt in self.debts() if debt["state"] == "owed"}
        self.assertLessEqual(owed, {"submit order"})  # refused: looked for once more, later
        self.assertEqual(self.records(), 0)


if __name__ == "__main__":
    unittest.main()
