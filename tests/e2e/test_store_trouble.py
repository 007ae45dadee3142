#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The store fails while the agent runs, or before it starts: a full disk (a small
tmpfs), a file made immutable or on a read-only mount, rubbish in place of the file,
a log cut short. The agent goes on, tells what failed, and knows it all again once
the store is back."""
import collections
import contextlib
import glob
import os
import re
import signal
import sqlite3
import subprocess
import sys
import unittest

from harness import Case, ROOT, wait_for

sys.path.insert(0, os.path.join(ROOT, "tests/servers"))
from listening import hold_port  # noqa: E402

CONFIG = """
agent: {{store: {store}}}
mail: {{directory: {mails}, from: "Monitor <alerts@agency.example>", fallback: agency, limit: 1000}}
contacts:
  agency: {{name: Agency, email: ops@agency.example}}
  acme: {{name: Acme, email: it@acme.example}}
systems:
  erp:
    title: Acme ERP
    url: http://127.0.0.1:{port}/api
    timeout: 60s
    auth: {{basic: {{username: shop, password: '${{env:ERP_PASSWORD}}'}}}}
    act: {{client: acme, erp-partner: acme, integrator: agency, hosting: acme}}
defaults:
  flow: {{system: erp, every: 1s, timeout: 90s, group: {group}, confirm: {{runs: 2, after: 0s}},
          priority: P1, notify: [client]}}
flows:
  reading:
    title: Read an invoice
    steps:
      - {{step: read, get: /invoices/INV-1, expect: {{json: {{$.status: Paid}}}}}}
  writing:
    title: Create a customer
    steps:
      - step: create
        post: /customers
        json: {{displayName: 'erpwatch {{{{mark}}}}', email: 'probe+{{{{run.id}}}}@acme.example'}}
        expect: {{status: 201}}
        capture: {{customer: {{json: $.id}}}}
        undo: {{delete: '/customers/{{{{customer}}}}'}}
        lookup:
          get: /customers
          query: {{displayName: 'erpwatch {{{{mark}}}}'}}
          mark: {{json: '$.value[*].displayName'}}
          capture: {{customer: {{json: '$.value[*].id'}}}}
"""
IN_MEMORY = "incidents are kept in memory"
BACK = "what was kept in memory is in it now"
STORE_FAILS = "erpwatch cannot write its store"


def command_works(*command):
    return subprocess.run(command, capture_output=True).returncode == 0


def overwrite(path):
    """Rubbish in place, in the same file: who has it open has the rubbish."""
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        file.write(b"rubbish " * (size // 8 + 1))


class StoreTrouble(Case):
    def setUp(self):
        super().setUp()
        self.environment["ERP_PASSWORD"] = "demo-secret-1"
        held = hold_port()  # also while the ERP is down
        self.addCleanup(held.close)
        self.port = held.getsockname()[1]
        self.mend_erp()
        self.store = self.path("store/erpwatch.db")
        os.mkdir(self.path("store"))

    def configure(self, group="0s"):
        self.write("erpwatch.yaml", CONFIG.format(store=self.store, mails=self.mails, port=self.port, group=group))

    def mount(self, *options):
        """Mounts on the store's folder, until the test has ended."""
        folder = self.path("store")
        if not command_works("mount", *options, folder):
            self.skipTest("nothing can be mounted here")
        self.addCleanup(command_works, "umount", "-l", folder)

    def freeze(self, *more):
        """Makes the store's files immutable; even root cannot write them then. What is mapped
        into memory (-shm) stays: to write there would end who does it."""
        files = [path for path in (self.store, *[self.store + end for end in ("-wal", *more)])
                 if os.path.exists(path)]
        self.addCleanup(self.thaw, files)
        self.look_whether_files_freeze(self.path("store/probe"))
        self.assertTrue(command_works("chattr", "+i", *files))
        return files

    def look_whether_files_freeze(self, path):
        """Immutable is to hold for those who have the file open, too."""
        with open(path, "wb", buffering=0) as file:
            self.addCleanup(self.thaw, [path])
            if not command_works("chattr", "+i", path):
                self.skipTest("no file can be made immutable here")
            with contextlib.suppress(PermissionError):
                file.write(b"x")
                self.skipTest("this file system lets open files be written all the same")
        self.thaw([path])
        os.unlink(path)

    def thaw(self, files):
        command_works("chattr", "-i", *[path for path in files if os.path.exists(path)])

    def fill_disk(self):
        path = self.path("store/filler")
        with open(path, "wb", buffering=0) as file:
            for size in (65536, 4096, 1):
                with contextlib.suppress(OSError):
                    while file.write(b"x" * size):
                        pass
        return path

    def wait(self, ready, what):
        try:
            return wait_for(ready, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()}\n{self.subjects()}") from None

    def start_agent(self):
        agent = self.start_program("run")
        self.wait(lambda: self.rows("SELECT 1 FROM flow WHERE state = 'ok'") == [(1,), (1,)], "two good flows")
        return agent

    def close_store(self):
        """All is in the one file: whoever closes it last, a deliver maybe, removes the log."""
        def closed():
            with contextlib.closing(sqlite3.connect(self.store)) as store:
                store.execute("SELECT count(*) FROM meta").fetchall()
            return not os.path.exists(self.store + "-wal")
        self.wait(closed, "the store closed")

    def break_erp(self):
        self.server_of_erp.kill()
        self.server_of_erp.wait()

    def mend_erp(self):
        self.server_of_erp = self.server("/usr/bin/python3", os.path.join(ROOT, "tools/demo/erp.py"),
                                         str(self.port))

    def rows(self, sql):
        if not os.path.exists(self.store):
            return []
        with contextlib.closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True, timeout=10)) as store:
            try:
                return store.execute(sql).fetchall()
            except sqlite3.DatabaseError:
                return []

    def open_incidents(self):
        return [row[0] for row in self.rows("SELECT flow FROM incident_flow JOIN incident ON id = incident"
                                            " WHERE closed = 0")]

    def subjects(self):
        return [f"{mail['To']}: {mail['Subject']}" for mail in self.read_mails()]

    def wait_for_mail(self, pattern):
        return self.wait(lambda: [m for m in self.read_mails() if re.search(pattern, m["Subject"])],
                         f"a mail {pattern}")[0]

    def wait_for_log(self, text, times=1):
        self.wait(lambda: self.log().count(text) >= times, f"{text} in the log")

    def assert_each_mail_once(self):
        ids = collections.Counter(mail["Message-ID"] for mail in self.read_mails())
        self.assertEqual([i for i, count in ids.items() if count > 1], [], self.subjects())
        counts = collections.Counter(self.subjects())
        self.assertEqual([s for s, count in counts.items() if count > 1], [], self.subjects())

    def assert_log_is_short(self):
        """A trouble that lasts is told when it begins and when it ends."""
        lines = collections.Counter(re.sub(r"^\S+ |\d+", "", line) for line in self.log().splitlines())
        self.assertEqual({line: count for line, count in lines.items() if count > 3}, {}, self.log())

    def mend_and_see_it_told(self, agent):
        """The store is well again, the ERP is not: the store knows it; then that ends, too."""
        self.wait_for_log(BACK)
        self.wait(lambda: "reading" in self.open_incidents(), "the incident in the store")
        self.mend_erp()
        self.wait_for_mail("works? again")
        self.wait(lambda: not self.open_incidents(), "no open incident")
        self.wait(lambda: set(self.flow_states().values()) == {"ok"}, "good flows")
        self.assertEqual(self.rows("SELECT 1 FROM outbox_recipient WHERE state <> 'accepted'"), [])
        self.assertEqual(self.rows("PRAGMA integrity_check"), [("ok",)])
        self.stop(agent)
        self.assertEqual(self.rows("SELECT 1 FROM debt WHERE state = 'owed'"), [])

    def fail_in_memory(self):
        """The ERP goes down while the store cannot be written."""
        self.wait_for_log(IN_MEMORY)
        told = self.wait_for_mail(STORE_FAILS)
        self.assertEqual(told["To"], "Agency <ops@agency.example>")
        self.break_erp()
        mail = self.wait_for_mail("Read an invoice")
        self.assertEqual(mail["To"], "Acme <it@acme.example>")
        self.assertEqual(self.open_incidents(), [])
        return " ".join(told.get_body(("plain",)).get_content().split())

    def test_a_full_disk(self):
        self.mount("-t", "tmpfs", "-o", "size=12m", "tmpfs")
        self.configure()
        agent = self.start_agent()
        filler = self.fill_disk()
        text = self.fail_in_memory()
        self.assertIn("the disk is full", text)
        self.assertIn("They are kept in " + self.store + ".standby too", text)
        self.assertEqual([s for s in self.subjects() if "Create a customer" in s], [])
        os.unlink(filler)
        self.mend_and_see_it_told(agent)
        self.assert_each_mail_once()
        self.assert_log_is_short()

    def test_checks_on_a_full_disk(self):
        """Driven by cron, with nobody else at work: what fails is told all the same."""
        self.mount("-t", "tmpfs", "-o", "size=12m", "tmpfs")
        self.configure()
        self.assertEqual(self.run_program("check", "--notify").returncode, 0)
        filler = self.fill_disk()
        done = self.run_program("check", "--notify", "reading")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("the disk is full", done.stderr)
        self.assertIn(IN_MEMORY, done.stderr)
        self.assertIn("ok", done.stdout)
        self.break_erp()
        done = self.run_program("check", "--notify")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("for the next start", done.stderr)
        self.wait_for_mail(STORE_FAILS)
        opened = self.wait_for_mail("Read an invoice")
        self.assertEqual(opened["To"], "Acme <it@acme.example>")
        # the next one knows what this one did
        self.assertEqual(self.run_program("check", "--notify", "reading").returncode, 2)
        os.unlink(filler)
        done = self.run_program("check", "--notify")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(BACK, done.stderr)
        self.assertEqual(len(self.open_incidents()), 2)
        self.mend_erp()
        done = self.run_program("check", "--notify")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.wait_for_mail("works? again")["X-Erpwatch-Incident"], opened["X-Erpwatch-Incident"])
        self.assert_each_mail_once()

    def test_killed_while_the_disk_is_full(self):
        """What was kept in memory is in a file that needs no room: nothing is lost or told twice."""
        self.mount("-t", "tmpfs", "-o", "size=12m", "tmpfs")
        self.configure()
        agent = self.start_agent()
        filler = self.fill_disk()
        self.fail_in_memory()
        opened = self.wait_for_mail("Read an invoice")
        agent.kill()
        agent.wait()
        agent = self.start_program("run")
        self.wait_for_log("is taken over")
        agent.kill()
        agent.wait()
        agent = self.start_program("run")
        self.wait_for_log("is taken over", 2)
        self.wait(lambda: " watches " in self.log().rsplit("is taken over", 1)[1], "an agent that can be told to stop")
        self.stop(agent)
        self.assertIn("erpwatch.db.standby for the next start", self.log())
        os.unlink(filler)
        agent = self.start_program("run")
        self.mend_and_see_it_told(agent)
        self.assertEqual(self.wait_for_mail("works? again")["X-Erpwatch-Incident"], opened["X-Erpwatch-Incident"])
        self.assert_each_mail_once()

    def test_read_only_while_running(self):
        self.configure()
        agent = self.start_agent()
        files = self.freeze()
        text = self.fail_in_memory()
        self.assertIn("read-only", text)
        self.thaw(files)
        self.mend_and_see_it_told(agent)
        self.assert_each_mail_once()
        self.assert_log_is_short()

    def test_nothing_can_be_written(self):
        """Then it is in memory alone, and log and mail say so."""
        self.configure()
        agent = self.start_agent()
        files = self.freeze(".standby", ".standby-journal")
        text = self.fail_in_memory()
        self.assertIn("erpwatch.db.standby cannot be written, so that they are lost", text)
        self.assertIn("what is kept in memory from now on is lost if this process ends", self.log())
        self.thaw(files)
        self.mend_and_see_it_told(agent)
        self.assert_each_mail_once()
        self.assert_log_is_short()

    def test_recovery_while_the_store_fails(self):
        """What the store knew is known in memory: the recovery goes to who was told."""
        self.configure()
        agent = self.start_agent()
        self.break_erp()
        opened = self.wait_for_mail("Read an invoice")
        self.wait(lambda: len(self.open_incidents()) == 2, "an incident of both flows")
        files = self.freeze()
        self.wait_for_mail(STORE_FAILS)
        self.mend_erp()
        # The writing flow cannot be run, so that the incident stays open
        self.thaw(files)
        recovered = self.wait_for_mail("works? again")
        self.assertEqual(opened["X-Erpwatch-Incident"], recovered["X-Erpwatch-Incident"])
        self.wait(lambda: not self.open_incidents(), "no open incident")
        self.stop(agent)
        self.assert_each_mail_once()

    def test_an_opening_that_waits_for_company(self):
        """It was queued in the store, and goes out all the same."""
        self.configure(group="12s")
        agent = self.start_agent()
        self.break_erp()
        self.wait(lambda: self.open_incidents(), "an incident")
        files = self.freeze()
        self.assertEqual(self.mail_files(), [])
        self.wait_for_log(IN_MEMORY)
        self.wait_for_mail("takes no connection")
        self.assertTrue(self.open_incidents())
        self.thaw(files)
        self.mend_and_see_it_told(agent)
        self.assert_each_mail_once()

    def test_read_only_before_the_start(self):
        self.configure()
        self.stop(self.start_agent())
        self.mount("--bind", self.path("store"))
        if not command_works("mount", "-o", "remount,bind,ro", self.path("store")):
            self.skipTest("nothing can be mounted read-only here")
        for command in (["run"], ["check"], ["check", "--notify"], ["deliver"]):
            done = self.run_program(*command)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn("ead-only", done.stderr)
            self.assertIn("Make the file and its folder writable", done.stderr)
        self.check("--no-store", code=0)
        done = self.run_program("status")
        self.assertEqual(done.returncode, 3, done.stdout)
        self.assertIn(self.store, done.stderr)

    def test_rubbish_before_the_start(self):
        self.configure()
        self.stop(self.start_agent())
        self.close_store()
        overwrite(self.store)
        agent = self.start_agent()
        told = self.wait_for_mail("was damaged").get_body(("plain",)).get_content()
        aside = [p for p in glob.glob(self.store + ".damaged-*") if p.endswith("Z")]
        self.assertEqual(len(aside), 1)
        self.assertIn(aside[0], told)
        self.stop(agent)

    def test_check_finds_rubbish(self):
        self.configure()
        self.stop(self.start_agent())
        self.close_store()
        overwrite(self.store)
        done = self.run_program("status")
        self.assertEqual(done.returncode, 3, done.stdout)
        self.assertRegex(done.stderr, r"is damaged .*Restart erpwatch: when it starts, it sets the file aside")
        done = self.run_program("check", "--notify")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("was damaged", done.stderr)
        self.assertEqual(self.subjects(), ["Agency <ops@agency.example>: " + s for s in
                                           [self.read_mails()[0]["Subject"]]])
        self.assertIn("was damaged", self.read_mails()[0]["Subject"])

    def test_a_damaged_page_before_the_start(self):
        """Open incidents are carried over."""
        self.configure()
        agent = self.start_agent()
        self.break_erp()
        opened = self.wait_for_mail("takes no connection")
        self.wait(lambda: len(self.open_incidents()) == 2, "an incident of both flows")
        self.stop(agent)
        self.close_store()
        page = self.rows("SELECT rootpage FROM sqlite_master WHERE name = 'decision'")[0][0]
        with open(self.store, "r+b") as file:
            file.seek((page - 1) * 4096)
            file.write(b"x" * 4096)
        self.mend_erp()
        agent = self.start_agent()
        self.wait_for_mail("was damaged")
        recovered = self.wait_for_mail("works? again")
        self.assertEqual(opened["X-Erpwatch-Incident"], recovered["X-Erpwatch-Incident"])
        self.wait(lambda: not self.open_incidents(), "no open incident")
        self.stop(agent)

    def test_damage_that_deliver_alone_meets(self):
        """The agent never reads it, and the mail goes out all the same."""
        self.configure()
        self.stop(self.start_agent())
        self.close_store()
        page = self.rows("SELECT rootpage FROM sqlite_master WHERE name = 'sweep_record'")[0][0]
        agent = self.start_program("run")
        self.wait_for_log("watches 2 flows", 2)
        with open(self.store, "r+b") as file:
            file.seek((page - 1) * 4096)
            file.write(b"x" * 4096)
        self.break_erp()
        self.wait_for_mail("Read an invoice")
        self.assertIn("estart erpwatch", self.log())
        self.stop(agent)
        self.mend_erp()
        agent = self.start_agent()
        self.wait_for_mail("was damaged")
        self.stop(agent)

    def test_rubbish_while_running(self):
        self.configure()
        agent = self.start_agent()
        overwrite(self.store)
        overwrite(self.store + "-wal")
        text = self.fail_in_memory()
        self.assertIn("estart erpwatch", text)
        self.assertIn("estart erpwatch", self.log())
        self.stop(agent)
        self.assert_log_is_short()
        self.mend_erp()
        agent = self.start_agent()
        self.wait_for_mail("was damaged")
        self.stop(agent)

    def test_a_log_cut_short(self):
        self.configure()
        agent = self.start_agent()
        agent.send_signal(signal.SIGKILL)
        agent.wait()
        wal = self.store + "-wal"
        os.truncate(wal, os.path.getsize(wal) * 2 // 3 + 7)
        agent = self.start_program("run")
        self.wait(lambda: self.rows("SELECT 1 FROM flow WHERE state = 'ok'") == [(1,), (1,)], "two good flows")
        self.assertEqual(self.rows("PRAGMA integrity_check"), [("ok",)])
        told = self.wait_for_mail("has lost its last entries").get_body(("plain",)).get_content()
        self.assertRegex(" ".join(told.split()), r"The last \d+ commits of the store \S+ are gone")
        self.stop(agent)

    def test_a_log_cut_short_while_running(self):
        self.configure()
        agent = self.start_agent()
        os.truncate(self.store + "-wal", 0)
        self.break_erp()
        self.wait_for_mail("Read an invoice")
        self.stop(agent)
        self.mend_erp()
        self.stop(self.start_agent())


unittest.main()
