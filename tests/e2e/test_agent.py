#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The agent from outside: what it does over time with flows, incidents, mails,
signals, its configuration, its store and the commands beside it."""
import http.server
import json
import os
import signal
import socket
import subprocess
import threading
import unittest

from agent_case import AgentCase, Gate, customer, flow, invoice, order, read_back


class Pages:
    """Answers everything with one document."""

    def __init__(self, document):
        pages, body = self, document.encode()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                pages.asked += 1
                self.send_response(200)
                self.send_header("Content-Type", "text/xml")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.asked, self.server = 0, http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Incidents(AgentCase):
    def setUp(self):
        super().setUp()
        self.configure({"orders": flow(customer(), order(), read_back(), title="Submit an order"),
                        "payments": flow(invoice())})

    def open_incident(self, agent):
        self.wait_for_state("orders", "ok")
        self.wait_for_state("payments", "ok")
        self.break_erp()
        mails = self.wait_for_mails(2)
        self.assertIsNone(agent.poll())
        return mails

    def test_an_update_breaks_and_mends_a_flow(self):
        agent = self.start_agent()
        opened = self.open_incident(agent)
        self.assertEqual([m["To"].addresses[0].addr_spec for m in opened],
                         ["it@acme.example", "support@partner.example"])
        self.assertEqual(len(self.incidents()), 1)
        self.assertGreaterEqual(self.count("run WHERE state = 'failed'"), 2)
        self.mend_erp()
        mails = self.wait_for_mails(4)
        for first, last in zip(opened, mails[2:]):
            self.assertEqual(first["To"], last["To"])
            self.assertEqual(last["In-Reply-To"], first["Message-ID"])
            self.assertIn(first["Message-ID"], last["References"])
            self.assertIn("works again", last["Subject"])
        self.stop(agent)
        self.assertNotEqual(self.incidents()[0]["closed"], 0)
        self.assertEqual(self.records(), 0)
        self.assert_no_secret()

    def test_check_from_cron_keeps_the_same_incident(self):
        agent = self.start_agent()
        self.open_incident(agent)
        document = self.check("--notify", "orders", code=2)
        self.assertEqual(document["flows"][0]["state"], "failed")
        self.stop(agent)
        self.check("--notify", "orders", code=2)
        self.assertEqual(len(self.incidents()), 1)
        self.wait_for_mails(2)
        self.mend_erp()
        self.check("--notify", "orders", code=0)
        self.assertNotEqual(self.incidents()[0]["closed"], 0)
        mails = self.wait_for_mails(4)
        self.assertEqual(mails[2]["In-Reply-To"], mails[0]["Message-ID"])

    def test_check_alone_opens_and_the_agent_closes(self):
        self.break_erp()
        self.check("--notify", "orders", code=2)
        self.wait_for_mails(2)
        self.mend_erp()
        agent = self.start_agent()
        self.wait_for_mails(4)
        self.stop(agent)
        self.assertEqual(len(self.incidents()), 1)

    def test_check_without_notify_counts_nowhere(self):
        self.break_erp()
        for _ in range(3):
            self.check("orders", code=2)
        self.assertEqual(self.incidents(), [])
        self.assertEqual(self.mail_files(), [])
        self.assertEqual(self.count("run WHERE counted = 0"), 3)

    def test_a_restart_does_not_lose_the_confirming_run(self):
        self.configure({"orders": flow(customer(), order(), every="1h",
                                       confirm={"runs": 2, "after": "1s"})})
        self.break_erp()
        hold = self.gate.hold("POST /api/salesOrders")
        self.write("hurry.yaml", json.dumps(self.settings({"orders": flow(customer(), order())})))
        agent = self.start_agent("-c", "hurry.yaml")
        self.assertTrue(hold.reached.wait(90))
        second = self.gate.hold("POST /api/customers")
        hold.go.set()
        self.assertTrue(second.reached.wait(90))  # the confirming run has begun: kill it
        self.kill(agent)
        second.go.set()
        self.assertEqual(self.rows("SELECT state, count FROM flow_state"), [{"state": "suspect", "count": 1}])
        agent = self.start_agent()  # once an hour, but for the confirming run
        self.wait_for_mails(2)
        self.stop(agent)
        self.assertEqual(len(self.incidents()), 1)
        self.assertEqual(self.records(), 0)

    def test_flows_go_on_while_a_configuration_is_read(self):
        """It takes as long as the test likes: a part of it is a pipe."""
        agent = self.start_agent()
        self.wait_for_state("orders", "ok")
        os.mkfifo(self.path("more.yaml"))
        settings = self.settings({"orders": flow(customer(), order())})
        self.write("erpwatch.yaml", json.dumps(dict(settings, include=["more.yaml"])))
        agent.send_signal(signal.SIGHUP)
        with open(self.path("more.yaml"), "w", encoding="ascii") as pipe:  # once it is opened there
            agent.send_signal(signal.SIGHUP)  # while one is read: read again after it
            before = self.gate.count("POST /api/salesOrders")
            self.wait(lambda: self.gate.count("POST /api/salesOrders") > before + 1, "further runs")
            self.assertNotIn("read again", self.log())
            os.unlink(self.path("more.yaml"))
            self.write("more.yaml", "{}")
            pipe.write("{}")
        self.wait(lambda: self.log().count("was read again: 1 flows") == 2, "both readings")
        self.stop(agent)

    def test_a_removed_flow_is_withdrawn(self):
        agent = self.start_agent()
        self.open_incident(agent)
        self.configure({"payments": flow(invoice())})
        agent.send_signal(signal.SIGHUP)
        mails = self.wait_for_mails(4)
        for first, last in zip(mails, mails[2:]):
            self.assertEqual(last["In-Reply-To"], first["Message-ID"])
        self.assertNotEqual(self.incidents()[0]["closed"], 0)
        self.stop(agent)
        self.assertEqual(self.records(), 0)

    def test_a_renamed_flow_keeps_its_state(self):
        agent = self.start_agent()
        self.open_incident(agent)
        self.configure({"sales": flow(customer(), order(), was="orders"), "payments": flow(invoice())})
        agent.send_signal(signal.SIGHUP)
        self.wait_for_state("sales", "failed")
        self.wait_for_mails(2)
        self.mend_erp()
        mails = self.wait_for_mails(4)
        self.assertEqual(mails[2]["In-Reply-To"], mails[0]["Message-ID"])
        self.assertEqual(len(self.incidents()), 1)
        self.stop(agent)

    def test_a_wrong_configuration_leaves_the_old_in_force(self):
        agent = self.start_agent()
        self.wait_for_state("orders", "ok")
        self.write("erpwatch.yaml", "flows: {orders: {sistem: erp}}")
        agent.send_signal(signal.SIGHUP)
        self.wait(lambda: "the former one stays in force" in self.log(), "the refusal")
        self.assertIn("sistem", self.log())
        before = self.gate.count("POST /api/salesOrders")
        self.wait(lambda: self.gate.count("POST /api/salesOrders") > before + 1, "further runs")
        self.configure({"late": flow(invoice())})
        agent.send_signal(signal.SIGHUP)
        self.wait_for_state("late", "ok")
        self.stop(agent)

    def test_mails_wait_for_a_configuration_that_can_be_read(self):
        agent = self.start_agent()
        self.wait_for_state("orders", "ok")
        self.write("erpwatch.yaml", "flows: {orders: {sistem: erp}}")
        self.break_erp()
        tried = "deliver could not do its work"
        self.wait(lambda: tried in self.log(), "a deliver without a configuration")
        ticks = self.gate.count("GET /api/invoices/INV-1")  # a run each second
        self.wait(lambda: self.gate.count("GET /api/invoices/INV-1") > ticks + 4, "further runs")
        self.assertEqual(self.log().count(tried), 1)
        self.configure({"orders": flow(customer(), order(), read_back()), "payments": flow(invoice())})
        agent.send_signal(signal.SIGHUP)
        self.wait(lambda: len(self.mail_files()) >= 2, "the mails")
        self.stop(agent)

    def test_a_mended_mail_server_is_tried_at_once(self):
        """What is known of the former one, which was gone for long, holds nothing back."""
        flows = {"orders": flow(customer(), order(), read_back()), "payments": flow(invoice())}
        self.configure(flows, mail={"server": f"127.0.0.1:{self.closed_port()}", "security": "none"})
        agent = self.start_agent()
        self.wait_for_state("orders", "ok")
        self.break_erp()
        self.wait(lambda: self.count("outbox_server"), "a server that takes no mail")
        self.alter("UPDATE outbox_server SET due_us = due_us + 3540000000, interval_us = 3600000000")
        self.configure(flows)
        agent.send_signal(signal.SIGHUP)
        self.wait(lambda: len(self.mail_files()) >= 2, "the mails")
        self.stop(agent)

    def test_another_store_is_for_the_next_start(self):
        agent = self.start_agent()
        self.wait_for_state("orders", "ok")
        flows = {"orders": flow(customer(), order(), read_back()), "payments": flow(invoice())}
        self.configure(flows, agent={"store": self.path("other.db")})
        agent.send_signal(signal.SIGHUP)
        self.wait(lambda: "agent.store is another one now" in self.log(), "a word about the store")
        self.break_erp()
        self.wait(lambda: len(self.mail_files()) >= 2, "the mails")
        self.stop(agent)
        self.assertFalse(os.path.exists(self.path("other.db")))


class Groups(AgentCase):
    def test_two_flows_of_one_cause_are_one_mail(self):
        self.configure({"orders": flow(customer(), order(), group="1h"),
                        "customers": flow(customer(), group="1h")},
                       system={"auth": {"basic": {"username": "shop", "password": "wrong-secret-1"}}})
        agent = self.start_agent()
        self.wait(lambda: self.count("incident_flow") == 2, "both flows in it")
        self.assertEqual(self.mail_files(), [])
        self.alter("UPDATE outbox_recipient SET due_us = 0")
        mails = self.wait_for_mails(2)
        self.assertEqual(len(self.incidents()), 1)
        for mail in mails:
            text = mail.get_body(("plain",)).get_content()
            self.assertIn("orders", text)
            self.assertIn("customers", text)
        self.stop(agent)
        self.assert_no_secret(["wrong-secret-1"])

    def test_mute_holds_and_ack_shows(self):
        self.configure({"orders": flow(customer(), order())})
        agent = self.start_agent()
        self.wait_for_state("orders", "ok")
        muted = self.run_program("mute", "orders", "--for", "1h", "--why", "an update is planned")
        self.assertEqual(muted.returncode, 0, muted.stderr)
        self.break_erp()
        self.wait(self.incidents, "an incident")
        self.assertEqual(self.count("decision WHERE kind = 'muted'"), 1)
        self.assertEqual(self.count("outbox_notice"), 0)
        self.alter("UPDATE mute SET until = 1")
        self.wait_for_mails(2)
        incident = self.incidents()[0]["id"]
        acked = self.run_program("ack", incident, "--by", "Ann", "--note", "known at the partner")
        self.assertEqual(acked.returncode, 0, acked.stderr)
        shown = self.run_program("incident", incident)
        self.assertIn("Ann", shown.stdout)
        self.assertIn("known at the partner", shown.stdout)
        self.stop(agent)


class Process(AgentCase):
    def test_sigterm_finishes_the_call_and_undoes(self):
        self.configure({"orders": flow(customer(), order(), read_back())})
        hold = self.gate.hold("POST /api/salesOrders")
        agent = self.start_agent()
        self.assertTrue(hold.reached.wait(90))
        agent.send_signal(signal.SIGTERM)
        self.wait(lambda: "stopping" in self.log(), "the stop")
        hold.go.set()
        self.assertEqual(agent.wait(90), 0, self.log())
        self.assertEqual(self.gate.count("GET /api/salesOrders"), 0)  # no new step
        self.assertEqual(self.records(), 0)
        self.assertEqual({d["state"] for d in self.debts()}, {"paid"})
        self.assertEqual(self.count("run"), 0)  # a run cut off has no state

    def test_what_the_stop_cannot_wait_for_stays_owed(self):
        self.configure({"orders": flow(customer(), order())}, agent={"stop": "1s"})
        hold = self.gate.hold("POST /api/salesOrders")
        agent = self.start_agent()
        self.assertTrue(hold.reached.wait(90))
        self.stop(agent)
        hold.go.set()
        self.assertEqual([d["state"] for d in self.debts()], ["owed", "owed"])
        agent = self.start_agent()
        self.wait(lambda: {d["state"] for d in self.debts()[:2]} == {"paid"}, "the undos")
        self.stop(agent)
        self.assertEqual(self.records(), 0)

    def test_one_agent_for_a_store(self):
        self.configure({"payments": flow(invoice())})
        agent = self.start_agent()
        self.wait_for_state("payments", "ok")
        second = self.run_program("run")
        self.assertEqual(second.returncode, 3)
        self.assertIn("another agent runs on the store", second.stderr)
        self.assertIsNone(agent.poll())
        self.stop(agent)

    def test_the_service_manager_is_told(self):
        self.configure({"payments": flow(invoice())})
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.bind(self.path("notify"))
        manager.settimeout(90)
        self.environment.update(NOTIFY_SOCKET=self.path("notify"), WATCHDOG_USEC="4000000")
        agent = self.start_agent()
        self.assertEqual(manager.recv(100), b"READY=1")
        self.assertEqual(manager.recv(100), b"WATCHDOG=1")
        self.assertEqual(manager.recv(100), b"WATCHDOG=1")
        agent.send_signal(signal.SIGHUP)
        told = [manager.recv(100)]
        while told[-1] != b"READY=1":
            told.append(manager.recv(100))
        self.assertEqual([words for words in told if b"WATCHDOG" not in words][-2][:11], b"RELOADING=1")
        agent.send_signal(signal.SIGTERM)
        while told[-1] != b"STOPPING=1":
            told.append(manager.recv(100))
        self.assertEqual(agent.wait(90), 0)

    def test_a_network_that_is_down_is_no_incident(self):
        port = self.closed_port()
        self.configure({"payments": flow(invoice())}, agent={"online": [f"http://127.0.0.1:{port}/"]},
                       system={"url": f"http://127.0.0.1:{port}/api"})
        agent = self.start_agent()
        self.wait_for_state("payments", "unknown")
        self.wait(lambda: self.count("run WHERE state = 'unknown'") >= 3, "three runs")
        self.assertEqual(self.incidents(), [])
        self.configure({"payments": flow(invoice())}, agent={"online": [f"http://127.0.0.1:{self.gate.port}/"]},
                       system={"url": f"http://127.0.0.1:{port}/api"})
        agent.send_signal(signal.SIGHUP)
        self.wait(self.incidents, "an incident, now that it is not us")
        self.stop(agent)


class Check(AgentCase):
    def test_a_network_that_is_down_cannot_be_told_from_the_system(self):
        """Whether nobody answers, or a connection of better times has gone silent."""
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        nobody = f"http://127.0.0.1:{self.closed_port()}/"
        for url in (nobody, f"http://127.0.0.1:{silent.getsockname()[1]}/"):
            for online, code, state in ((nobody, 3, "unknown"), (f"http://127.0.0.1:{self.gate.port}/", 2, "failed")):
                self.configure({"payments": flow(invoice())}, agent={"online": [online]},
                               system={"url": url, "timeout": "1s"})
                found = self.check(code=code)["flows"][0]
                self.assertEqual(found["state"], state)

    def test_interrupted_it_undoes_and_cannot_tell(self):
        self.configure({"orders": flow(customer(), order(), read_back())})
        hold = self.gate.hold("POST /api/salesOrders")
        check = self.start_program("check", log="check.log")
        self.assertTrue(hold.reached.wait(90))
        check.send_signal(signal.SIGINT)
        hold.go.set()
        self.assertEqual(check.wait(90), 3)
        self.assertEqual(self.gate.count("GET /api/salesOrders"), 0)
        self.assertEqual(self.records(), 0)

    def test_a_flow_runs_once_at_a_time(self):
        self.configure({"customers": flow(customer(), timeout="3s")})
        hold = self.gate.hold("DELETE /api/customers")  # an undo has no part in the flow's time
        agent = self.start_agent()
        self.assertTrue(hold.reached.wait(90))
        created = self.gate.count("POST")
        document = self.check("customers", code=3)
        self.assertEqual(document["flows"][0]["state"], "unknown")
        self.assertEqual(self.gate.count("POST"), created)
        hold.go.set()
        self.stop(agent)
        self.assertEqual(self.records(), 0)


class Secrets(AgentCase):
    def test_a_missing_secret_is_unknown(self):
        needy = {"step": "ask", "get": "/invoices/INV-1", "headers": {"X-Key": "${env:NOT_THERE}"}}
        self.configure({"payments": flow(invoice()), "needy": flow(needy)})
        agent = self.start_agent()
        self.wait_for_state("payments", "ok")
        self.wait_for_state("needy", "unknown")
        mails = self.wait_for_mails(1)
        self.assertEqual(mails[0]["To"].addresses[0].addr_spec, "ops@agency.example")
        self.assertIn("NOT_THERE", mails[0].get_body(("plain",)).get_content())
        self.assertEqual(self.incidents(), [])
        self.stop(agent)

    def test_a_literal_secret_that_others_can_read_is_refused(self):
        basic = {"auth": {"basic": {"username": "shop", "password": "demo-secret-1"}}}
        path = self.configure({"payments": flow(invoice())}, system=basic)
        os.chmod(path, 0o644)
        done = self.run_program("run")
        self.assertEqual(done.returncode, 3)
        self.assertIn("chmod", done.stderr)
        self.assertNotIn("demo-secret-1", done.stderr)
        os.chmod(path, 0o600)
        agent = self.start_agent()
        self.wait_for_state("payments", "ok")
        self.stop(agent)


class Debts(AgentCase):
    def test_an_erp_that_is_down_during_the_undo_is_asked_again(self):
        self.configure({"customers": flow(customer(), every="1h")})
        self.gate.shut.add("DELETE")
        document = self.check(code=1)
        self.assertEqual(document["flows"][0]["undo"][0]["state"], "owed")
        self.assertEqual(self.records(), 1)
        agent = self.start_agent()  # takes over what the dead process owes, in vain
        self.wait(lambda: self.debts()[0]["tries"] >= 2, "a further try")
        self.gate.shut.clear()
        self.stop(agent)
        agent = self.start_agent()
        self.wait(lambda: self.debts()[0]["state"] == "paid", "the undo")
        self.stop(agent)
        self.assertEqual(self.records(), 0)

    def test_a_system_that_hangs_delays_no_other(self):
        other = Gate(self.erp_process.port)
        self.addCleanup(other.close)
        flows = {name: flow(customer(), system=name, every="1h") for name in ("erp", "other")}
        settings = self.settings(flows)
        settings["systems"]["other"] = {**settings["systems"]["erp"], "url": f"http://127.0.0.1:{other.port}/api"}
        self.write("erpwatch.yaml", json.dumps(settings))
        self.gate.shut.add("DELETE")
        other.shut.add("DELETE")
        self.check("erp", code=1)
        self.check("other", code=1)
        self.gate.shut.clear()
        other.shut.clear()
        hold = self.gate.hold("DELETE")
        agent = self.start_agent()
        self.assertTrue(hold.reached.wait(90))
        self.wait(lambda: self.count("debt WHERE system = 'other' AND state = 'paid'"), "the other's undo")
        self.assertEqual(self.count("debt WHERE system = 'erp' AND state = 'owed'"), 1)
        hold.go.set()
        self.stop(agent)
        self.assertEqual(self.records(), 0)

    def evaluator(self, agent):
        """The process that evaluates an XPath, where there is one; and how it does."""
        for folder in os.listdir("/proc"):
            try:
                with open(f"/proc/{folder}/stat", encoding="ascii") as file:
                    state, parent = file.read().rsplit(")", 1)[1].split()[:2]
            except OSError:
                continue  # no process, or none any more
            if int(parent) == agent.pid and state != "Z":
                return int(folder), state
        return None

    def stop_evaluator(self, agent):
        """One that stands still now, or None: it ends when it likes."""
        found = self.evaluator(agent)
        if not found:
            return None
        try:
            os.kill(found[0], signal.SIGSTOP)
        except ProcessLookupError:
            return None
        return found[0] if self.evaluator(agent) == (found[0], "T") else None

    def test_an_answer_that_takes_long_to_judge_delays_no_other(self):
        """As long as the test likes: the process that evaluates stands still."""
        path = "count(//a[count(preceding-sibling::a) > 5])"
        server = Pages("<r>" + 200000 * "<a/>" + "</r>")
        self.addCleanup(server.close)
        listing = {"step": "list", "get": "/list", "expect": {"xml": {path: 1}}}
        settings = self.settings({"listing": flow(listing, system="pages", confirm={"runs": 99}), "payments": flow(invoice())})
        settings["systems"]["pages"] = {**settings["systems"]["erp"], "url": f"http://127.0.0.1:{server.port}"}
        self.write("erpwatch.yaml", json.dumps(settings))
        agent = self.start_agent()
        self.wait(lambda: server.asked > 1, "the mails' first look to have ended")
        evaluator = self.wait(lambda: self.stop_evaluator(agent), "an evaluation")
        before = self.gate.count("GET /api/invoices/INV-1")
        self.wait(lambda: self.gate.count("GET /api/invoices/INV-1") > before + 2, "further runs")
        self.assertEqual(self.evaluator(agent), (evaluator, "T"), "it was waited for")
        os.kill(evaluator, signal.SIGCONT)
        self.wait(lambda: self.count("run WHERE flow = (SELECT no FROM flow WHERE id = 'listing')") > 1, "its verdict")
        self.stop(agent)
        self.assertIn("takes too much work on this document",
                      self.rows("SELECT result FROM run WHERE state != 'ok'")[0]["result"])

    def test_the_agent_takes_over_what_a_check_owes(self):
        self.configure({"customers": flow(customer(), every="1h")})
        agent = self.start_agent()
        self.wait(lambda: os.path.exists(self.store), "the store")
        self.gate.shut.add("DELETE")
        self.check(code=1)
        self.gate.shut.clear()
        self.wait(lambda: self.debts()[0]["state"] == "paid", "the undo")
        self.stop(agent)
        self.assertEqual(self.records(), 0)


@unittest.skipUnless(os.geteuid() == 0, "only root can make a file system")
class FullDisk(AgentCase):
    def setUp(self):
        super().setUp()
        disk = self.path("disk")
        os.mkdir(disk)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk])
        if mounted.returncode:
            self.skipTest("mounting is not allowed here")
        self.addCleanup(subprocess.run, ["umount", "-l", disk])
        self.store = self.path("disk/erpwatch.db")

    def fill(self):
        with open(self.path("disk/filler"), "wb", buffering=0) as filler:
            for size in (65536, 4096):
                try:
                    while True:
                        filler.write(b"x" * size)
                except OSError:
                    pass

    def full(self):
        """Fills what the store's log gives back, too, until it cannot grow."""
        self.fill()
        return "the store cannot be written" in self.log() and "orders, run" in self.unknown()

    def unknown(self):
        return "\n".join(line for line in self.log().splitlines() if ": unknown in" in line)

    def test_what_creates_records_is_not_sent(self):
        self.configure({"orders": flow(customer(), order()), "payments": flow(invoice())})
        agent = self.start_agent("-v")
        self.wait_for_state("orders", "ok")
        self.wait_for_state("payments", "ok")
        self.wait(self.full, "a full disk")
        self.assertIn("could not be noted for undoing", self.unknown())
        self.assertNotIn("payments", self.unknown())
        reads = self.gate.count("GET /api/invoices")
        self.wait(lambda: self.gate.count("GET /api/invoices") >= reads + 3, "further reading runs")
        self.gate.shut.add("GET")
        told = self.wait(self.openings, "a mail from memory")  # what is read fails now
        self.assertIn("payments", told[0]["Subject"])
        self.assertEqual(self.incidents(), [])
        os.unlink(self.path("disk/filler"))
        self.wait(lambda: "can be written again" in self.log(), "the store")
        self.gate.shut.clear()
        self.wait(lambda: [i for i in self.incidents() if i["closed"]], "the recovery")
        self.stop(agent)
        self.assertEqual(self.gate.count("POST"), len(self.debts()))
        self.assertEqual(self.records(), 0)
        self.assertEqual(len(self.openings()), 2)  # none of them twice

    def openings(self):
        return [mail for mail in self.read_mails() if mail["X-Erpwatch-Flow"] == "payments"
                and not mail["In-Reply-To"]]


if __name__ == "__main__":
    unittest.main()
