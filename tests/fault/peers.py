# SPDX-License-Identifier: MIT
"""The ERPs of kills.py, each with a configuration of flows and sweeps against it, ways to break it,
and the processes of erpwatch: `records`, an ERP with log-ins that commits late, also where the
client is gone; `tokens`, the same behind rotating refresh tokens; `tryton`, a real ERP."""
import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests/servers"))
sys.path.insert(0, os.path.join(ROOT, "tests/e2e"))
import tryton  # noqa: E402
from good_smtp import GoodSmtp  # noqa: E402
from harness import PROGRAM, wait_for  # noqa: E402
from records import Records  # noqa: E402

def has_group(process):
    """Whether a process of the group lives: its leader, or what that started."""
    process.poll()
    try:
        os.killpg(process.pid, 0)
        return True
    except ProcessLookupError:
        return False


def end_group(process):
    """Its leader and what that started, as a power cut would."""
    if has_group(process):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


KILL_AT = os.path.join(os.path.dirname(PROGRAM), "tests/preload/kill_at.so")
PASSWORD = "Left-pass-7431"
OAUTH2 = os.path.join(ROOT, "tests/servers/oauth2.py")
REPLAY = os.path.join(os.path.dirname(PROGRAM), "tests/fault/replay_events")
MARK = "erpwatch {{mark}}"
REAL = ("", "erpwatch", "erpwatch ERPW", "ERPW 2026-1")  # what others called their records


CONTACTS = {"shop": ["it@shop.example", "owner@shop.example"], "partner": ["support@partner.example"],
            "desk": ["desk@agency.example", "night@agency.example"], "sales": ["sales@shop.example"],
            "stock": ["stock@shop.example"], "host": ["noc@host.example"], "ops": ["ops@agency.example"]}
TOLD = ("shop", "partner", "desk", "sales", "stock", "host")


class SlowSmtp(GoodSmtp):
    """Takes its time before each answer, and puts a recipient off now and then."""

    def __init__(self, random_numbers):
        self.random = random_numbers
        self.sessions = 0  # that wait for an answer
        super().__init__()

    async def pause(self):
        self.sessions += 1
        try:
            await asyncio.sleep(self.random.choice((0, 0, 0.05, 0.3)))
        finally:
            self.sessions -= 1

    async def handle_MAIL(self, server, session, envelope, address, options):
        await self.pause()
        envelope.mail_from = address
        return "250 2.1.0 ok"

    async def handle_RCPT(self, server, session, envelope, address, options):
        await self.pause()
        if self.random.random() < 0.15:
            return "450 4.2.1 later"
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_DATA(self, server, session, envelope):
        await self.pause()
        answer = await super().handle_DATA(server, session, envelope)
        await self.pause()  # it has the mail, and the client does not know
        return answer


class Peer:
    """An ERP, a mail server, the configuration against them, and the processes that are killed."""

    longest = 2.5  # seconds that a process lives at most

    def __init__(self, random_numbers):
        self.random = random_numbers
        self.folder = tempfile.mkdtemp(prefix="erpwatch-kills-")
        self.store = os.path.join(self.folder, "erpwatch.db")
        self.environment = dict(os.environ, LEFT_PASSWORD=PASSWORD)
        self.environment["ASAN_OPTIONS"] = self.environment.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        self.process = None
        self.groups = []
        self.configurations = set()
        self.smtp = SlowSmtp(random.Random(random_numbers.random()))
        self.begin()
        self.real_at_first = self.real()

    def close(self):
        for process in self.groups:
            end_group(process)
        self.end()
        self.smtp.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # the configuration

    def system(self):
        raise NotImplementedError

    def configure(self, flows_run):
        """With flows that run each second; or, at the end, without: only debts and sweeps."""
        flow = {"system": "erp", "every": "1s", "timeout": "150s", "priority": "P1", "group": "0s",
                "confirm": {"runs": 2, "after": "0s"}, "notify": list(TOLD)}
        if not flows_run:
            flow["off"] = "the end"
        document = {
            "agent": {"store": self.store, "stop": "20s"},
            "mail": {"server": f"127.0.0.1:{self.smtp.port}", "security": "none", "fallback": "ops",
                     "from": "Monitor <m@agency.example>", "limit": 100000},
            "contacts": {name: {"name": name, "email": email} for name, email in CONTACTS.items()},
            "systems": {"erp": {"timeout": "60s", "act": {"integrator": "ops"}, **self.system()}},
            "flows": {name: {**flow, **steps} for name, steps in self.flows().items()},
            "sweeps": {name: {"system": "erp", "every": "1s", "older": "2s", "at_most": 500, **sweep}
                       for name, sweep in self.sweeps().items()},
        }
        path = os.path.join(self.folder, "erpwatch.yaml")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
        os.chmod(path, 0o600)
        self.configurations.add(shutil.copy2(path, f"{path[:-5]}-{flows_run}.yaml"))

    # processes

    def launch(self, *command, kill_at=0):
        """In a group of its own, so that what it starts can be killed with it. With kill_at it kills itself."""
        environment = self.environment
        if kill_at:
            environment = dict(environment, LD_PRELOAD=KILL_AT, KILL_AT=str(kill_at))
        with open(os.path.join(self.folder, "log"), "a", encoding="utf-8") as log:
            process = subprocess.Popen([PROGRAM, *command], cwd=self.folder, env=environment,
                                       stdout=log, stderr=log, start_new_session=True)
        self.groups = [p for p in self.groups if has_group(p)] + [process]
        return process

    def be_born(self):
        """The store is made by processes that are killed at that."""
        for _ in range(20):
            self.start("run", kill_at=self.random.randint(1, 200))
            time.sleep(self.random.uniform(0, 0.06))
            self.kill()
        subprocess.run([PROGRAM, "deliver"], cwd=self.folder, env=self.environment, capture_output=True, check=True)

    def litter(self):
        """What dead processes left in the store's folder."""
        return [name for name in os.listdir(self.store + ".locks") if name.startswith("owner-")]

    def start(self, *command, kill_at=0):
        self.process = self.launch(*command, kill_at=kill_at)

    def kill(self):
        end_group(self.process)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(180) != 0:
            raise AssertionError(f"the agent did not stop well: {self.process.returncode}")

    def starts(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            return file.read().count(" watches ")

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()[-6000:]

    def connect(self):
        """Read only: so that no checkpoint of ours does what the next process has to do."""
        return sqlite3.connect(f"file:{self.store}?mode=ro", uri=True, timeout=30)

    def rows(self, sql, *values):
        with contextlib.closing(self.connect()) as connection:
            return connection.execute(sql, values).fetchall()

    def alter(self, sql):
        connection = sqlite3.connect(self.store, timeout=30)
        with connection:
            connection.execute(sql)
        connection.close()

    # debts, sweeps and mails

    def owed(self):
        return self.rows("SELECT count(*) FROM debt WHERE state = 'owed'")[0][0]

    def undelivered(self):
        return self.rows("SELECT count(*) FROM outbox_recipient WHERE state IN ('waiting', 'sending', 'held')")[0][0]

    def is_mail_due(self):
        return self.rows("SELECT 1 FROM outbox_recipient WHERE state = 'sending' OR"
                         " (state = 'waiting' AND due_us <= strftime('%s') * 1000000) LIMIT 1")

    def pass_time_for_mails(self):
        """Who was put off is due again; who waits for company goes on waiting."""
        self.alter("UPDATE outbox_recipient SET due_us = 0 WHERE state = 'waiting' AND attempts > 0")

    def is_clean(self):
        """What is due is paid, and what is left is waited for on purpose; all mails are out."""
        if self.undelivered():
            self.pass_time_for_mails()
            return False
        due = self.rows("SELECT count(*) FROM debt WHERE state = 'owed' AND"
                        " (due IS NULL OR due < (strftime('%s') + 5) * 1000000)")[0][0]
        return due == 0 and not self.left() and not self.is_busy()

    def settle(self):
        """One agent is let live. A lookup that finds nothing is repeated after minutes, as a slow
        server may still commit: they pass at once."""
        self.configure(flows_run=False)
        for _ in range(12):
            starts = self.starts()
            self.start("run")
            wait_for(lambda: self.starts() > starts, "the agent's start", 240)
            try:
                wait_for(self.is_clean, f"a clean {type(self).__name__}", 240)
            except AssertionError as late:
                raise AssertionError(f"{late}: {self.owed()} undos are owed, {self.undelivered()} mails wait,"
                                     f" {self.left()} are left") from None
            self.stop()
            if self.owed() == 0:
                break
            self.alter("UPDATE debt SET sent_at = sent_at - 300000000, due = strftime('%s') * 1000000"
                       " WHERE state = 'owed'")

    def judge(self):
        """What is wrong at the end, as sentences."""
        wrong = []
        if self.left():
            wrong.append(f"{len(self.left())} records are left: {self.left()[:5]}")
        if self.owed():
            wrong.append(f"{self.owed()} undos are owed")
        if len(self.litter()) > 1:  # the last one may have owed something
            wrong.append(f"dead processes left {self.litter()[:5]}")
        check = subprocess.run([PROGRAM, "check", *self.flows(), "--format", "json"], cwd=self.folder,
                               env=self.environment, capture_output=True, text=True, check=False)
        if check.returncode:
            wrong.append(f"its flows do not work any more: {check.stdout[-3000:]}{check.stderr}")
        if self.left():
            wrong.append(f"a good run leaves {self.left()[:5]}")
        return wrong + self.judge_swept() + self.judge_now()

    def judge_now(self):
        """What is wrong at any moment, whoever is at work."""
        wrong = []
        if self.rows("PRAGMA integrity_check") != [("ok",)]:
            wrong.append("the store is damaged")
        if self.real() != self.real_at_first:
            wrong.append(f"of the records of others are left {self.real()} of {self.real_at_first}")
        return wrong + self.judge_replay() + self.judge_peer()

    def judge_replay(self):
        """The table of events alone makes the same incidents, whoever was killed. Of a copy: it stands still."""
        copy = os.path.join(self.folder, "copy.db")
        with contextlib.closing(sqlite3.connect(copy)) as database:
            with contextlib.closing(self.connect()) as store:
                store.backup(database)
        replay = subprocess.run([REPLAY, copy, *self.configurations], env=self.environment,
                                capture_output=True, text=True, check=False)
        return [f"the replay differs: {replay.stdout[-2000:]}{replay.stderr}"] if replay.returncode else []

    def judge_swept(self):
        """A sweep deletes what no undo could find, no more: the ledger forgets nothing."""
        swept = self.facts()["swept"]
        lost = self.rows("SELECT count(*) FROM debt WHERE run IN (SELECT run FROM debt WHERE state = 'uncertain')")[0][0]
        return [f"{swept} records were swept, though {lost} undos could not be paid at most"] if swept > lost else []

    def facts(self):
        states = dict(self.rows("SELECT state, count(*) FROM debt GROUP BY state"))
        told = self.rows("SELECT coalesce(sum(substr(summary, 1, instr(summary, ' deleted') - 1)), 0)"
                         " FROM sweep_run WHERE summary LIKE '% deleted%' AND summary NOT LIKE '%could%'")
        return {"created": self.created(), "paid": states.get("paid", 0), "void": states.get("void", 0),
                "uncertain": states.get("uncertain", 0), "swept": int(told[0][0]) if told else 0}

    # of the ERP

    def begin(self):
        raise NotImplementedError

    def end(self):
        raise NotImplementedError

    excused = ()  # what a run may fail with at any time, as the ERP is like that

    def breaks(self):
        """What can fail there: name -> (flows that fail then, incidents that are one cause each)."""
        raise NotImplementedError

    def break_it(self, what):
        raise NotImplementedError

    def mend(self):
        raise NotImplementedError

    can_fail_once = False

    def fail_once(self):
        """Each flow fails once, soon; returns them."""
        raise NotImplementedError

    def has_failed_once(self):
        raise NotImplementedError

    def flows(self):
        raise NotImplementedError

    def sweeps(self):
        raise NotImplementedError

    def left(self):
        raise NotImplementedError

    def real(self):
        """Records of others, which stay as they are."""
        raise NotImplementedError

    def created(self):
        raise NotImplementedError

    def is_busy(self):
        return False

    def judge_peer(self):
        return []


def sweep_of(table, field, pattern):
    return {"get": f"/{table}", "items": "$.value[*]", "only": {"json": {f"$.{field}": {"matches": pattern}}},
            "at": {"json": "$.changed"}, "capture": {"id": {"json": "$.id"}},
            "undo": {"delete": f"/{table}/{{{{id}}}}"}}


REFUSED = 422, {"error": {"code": "ValidationError", "message": "The order date lies in a closed period."}}
NO_SESSION = 401, {"error": {"code": "SessionExpired", "message": "Please log in"}}
NO_LOGIN = 503, {"error": {"code": "Maintenance", "message": "The login service is down for maintenance."}}


class RecordsPeer(Peer):
    """Log-ins; commits up to 0.6 s late; customers have a lookup, orders and quotes have none."""

    can_fail_once = True

    def begin(self):
        self.erp = Records()
        self.erp.logins = {"probe": PASSWORD}
        self.erp.refers = {"orders": ("customer", "customers")}
        self.erp.commits_after = lambda: self.random.choice((0, 0, 0.1, 0.6))
        self.erp.answers_after = lambda: self.random.choice((0, 0, 0, 0.05, 0.3))
        for name in REAL:
            self.erp.add("customers", name=name)
            self.erp.add("orders", ref=name)
            self.erp.add("quotes", ref=name)

    def end(self):
        self.erp.close()

    def breaks(self):
        both = {"orders", "quotes"}
        return {"orders": ({"orders"}, 1), "quotes": ({"quotes"}, 1), "each": (both, 2), "login": (both, 1),
                "down": (both, 1)}

    def break_it(self, what):
        self.erp.fails = {"orders": {"POST orders": REFUSED}, "quotes": {"POST quotes": REFUSED},
                          "each": {"POST orders": REFUSED, "POST quotes": REFUSED},
                          "login": {"POST login": NO_LOGIN, "POST token": NO_LOGIN, "*": NO_SESSION},
                          "down": {"*": None}}[what]

    def mend(self):
        self.erp.fails = {}

    def fail_once(self):
        self.erp.fails_once = {"POST orders": REFUSED, "POST quotes": REFUSED}
        return {"orders", "quotes"}

    def has_failed_once(self):
        return not self.erp.fails_once

    def system(self):
        login = {"post": "/login", "json": {"user": "probe", "password": "${env:LEFT_PASSWORD}"}}
        return {"url": f"http://127.0.0.1:{self.erp.port}/api",
                "auth": {"session": {"login": login, "logout": {"post": "/logout"}}}}

    def flows(self):
        customer = {"step": "create customer", "post": "/customers", "json": {"name": MARK},
                    "capture": {"customer": {"json": "$.id"}},
                    "lookup": {"get": "/customers", "mark": {"json": "$.value[*].name"},
                               "capture": {"customer": {"json": "$.value[*].id"}}},
                    "undo": {"delete": "/customers/{{customer}}"}}
        order = {"step": "create order", "post": "/orders", "json": {"ref": "{{mark}}", "customer": "{{customer}}"},
                 "capture": {"order": {"json": "$.id"}}, "undo": {"delete": "/orders/{{order}}"}}
        quote = {"step": "create quote", "post": "/quotes", "json": {"ref": "{{mark}}"},
                 "capture": {"quote": {"json": "$.id"}}, "undo": {"delete": "/quotes/{{quote}}"}}
        there = {"step": "the quote is there", "get": "/quotes/{{quote}}", "expect": {"json": {"$.ref": "{{mark}}"}}}
        return {"orders": {"steps": [customer, order]},
                "quotes": {"steps": [quote, there, customer], "recover": 2, "group": "1s"}}

    def sweeps(self):
        return {"orders-left": sweep_of("orders", "ref", "^ERPW-"),
                "quotes-left": sweep_of("quotes", "ref", "^ERPW-"),
                "customers-left": sweep_of("customers", "name", "^erpwatch ERPW-")}

    def all(self):
        return self.erp.left("orders") + self.erp.left("quotes") + self.erp.left("customers", "name")

    def left(self):
        return [name for name in self.all() if name not in REAL]

    def real(self):
        return [name for name in self.all() if name in REAL]

    def created(self):
        return self.erp.number - len(self.real_at_first)

    def is_busy(self):
        return self.erp.creating > 0

    def judge_peer(self):
        locked = self.erp.locked_accounts()
        return ([f"the account {user} is locked" for user in locked] +
                [f"{count} {table} were made with the mark {mark}" for (table, mark), count in self.erp.made.items()
                 if count > 1])


class TokensPeer(RecordsPeer):
    """The same behind access tokens of two seconds and refresh tokens that are good for one use."""

    def begin(self):
        super().begin()
        self.erp.logins = {}
        self.provider = subprocess.Popen(["/usr/bin/python3", OAUTH2], stdout=subprocess.PIPE, text=True)
        self.erp.provider = int(self.provider.stdout.readline())
        self.ask("PUT", "/_set", {"grace": True, "expires_in": 2})
        self.environment["LEFT_REFRESH"] = self.ask("POST", "/_consent", {})["refresh_token"]
        self.environment["LEFT_CLIENT"] = "cl13nt s3cret+"

    def end(self):
        super().end()
        self.provider.kill()
        self.provider.wait()
        self.provider.stdout.close()

    def ask(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.erp.provider}{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def system(self):
        url = f"http://127.0.0.1:{self.erp.port}/api"
        return {"url": url, "auth": {"oauth2": {
            "token_url": f"{url}/token", "grant": "refresh_token", "client_id": "shop",
            "client_secret": "${env:LEFT_CLIENT}", "refresh_token": "${env:LEFT_REFRESH}"}}}

    def judge_peer(self):
        alive = self.ask("GET", "/_log")["alive"]
        return super().judge_peer() + ([] if alive == [True] else ["the refresh token is lost"])


class TrytonPeer(Peer):
    """Customers and draft orders in a real ERP; orders have no lookup."""

    longest = 4
    # two requests at once may draw one number: that of a dead client's, and ours
    excused = ("The code on party must be unique",)

    def begin(self):
        self.ids = tryton.prepare()
        self.server, self.port = tryton.start(self.folder)
        self.environment["TRYTON_PASSWORD"] = tryton.PASSWORD

    def end(self):
        self.server.kill()
        self.server.wait()

    def breaks(self):
        return {"refused": ({"orders"}, 1), "down": ({"orders", "customers"}, 1)}

    def break_it(self, what):
        if what == "down":
            self.end()
        else:
            self.make_salable(False)

    def mend(self):
        if self.server.poll() is not None:
            self.server, self.port = tryton.start(self.folder, port=self.port)
        self.make_salable(True)

    def make_salable(self, salable):
        self.erp_rows(f"UPDATE product_template SET salable = {salable:d}")

    def system(self):
        login = {"post": "", "json": {"id": 0, "method": "common.db.login", "params": [
            "flow", {"password": "${env:TRYTON_PASSWORD}"}, "en"]},
            "expect": {"status": 200, "json": {"$.result[1]": {"type": "string"}}},
            "capture": {"user": {"json": "$.result[0]"}, "session": {"json": "$.result[1]"}},
            "set": {"credentials": "flow:{{user}}:{{session}}"}}
        return {"url": f"http://127.0.0.1:{self.port}/erp/", "headers": {"Content-Type": "application/json"},
                "parallel": 1, "with": {"company": self.ids["company"]},
                "auth": {"session": {"login": login, "expired": {"status": 401},
                                     "headers": {"Authorization": "Session {{credentials | base64}}"},
                                     "logout": self.call("common.db.logout", context=False)}}}

    def call(self, method, *params, context=True):
        if context:
            params = [*params, {"company": "{{company}}"}]
        return {"post": "", "json": {"id": 1, "method": method, "params": list(params)}}

    def party(self):
        found = self.call("model.party.party.search_read", [["name", "=", MARK]], 0, 10, None, ["name"])
        return {"step": "create customer",
                **self.call("model.party.party.create", [{"name": MARK, "addresses": [["create", [{"street": "1 Probe"}]]]}]),
                "capture": {"party": {"json": "$.result[0]"}},
                "lookup": {**found, "mark": {"json": "$.result[*].name"},
                           "capture": {"party": {"json": "$.result[*].id"}}},
                "undo": self.call("model.party.party.delete", ["{{party}}"])}

    def sale(self):
        ids = self.ids
        line = {"type": "line", "product": ids["product"], "quantity": 2, "unit": ids["unit"], "description": "A service",
                "unit_price": {"__class__": "Decimal", "decimal": "30.00"}}
        sale = {"party": "{{party}}", "invoice_address": "{{address}}", "shipment_address": "{{address}}",
                "payment_term": ids["term"], "reference": "{{mark}}", "lines": [["create", [line]]]}
        return {"step": "create order", **self.call("model.sale.sale.create", [sale]),
                "capture": {"sale": {"json": "$.result[0]"}},
                # an id that is gone is hidden by a rule, as Tryton has it
                "undo": {**self.call("model.sale.sale.delete", ["{{sale}}"]), "gone": {"json": {
                    "$.error[1][0]": {"contains": "not allowed to read records"}}}}}

    def flows(self):
        address = {"step": "read customer", **self.call("model.party.party.read", ["{{party}}"], ["addresses"]),
                   "capture": {"address": {"json": "$.result[0].addresses[0]"}}, "undo": {"none": "a read"}}
        quote = {"step": "quote", **self.call("model.sale.sale.quote", ["{{sale}}"]),
                 "undo": {"none": "the order is deleted as a whole"}}
        return {"orders": {"steps": [self.party(), address, self.sale(), quote]},
                "customers": {"steps": [self.party()], "recover": 2, "group": "1s"}}

    def sweep(self, model, field, like, pattern):
        search = self.call(f"model.{model}.search_read", [[field, "like", like]], 0, 1000, None, [field, "create_date"])
        return {**search, "items": "$.result[*]", "only": {"json": {f"$.{field}": {"matches": pattern}}},
                "at": {"json": "$.create_date", "zone": "UTC"}, "capture": {"id": {"json": "$.id"}},
                "undo": self.call(f"model.{model}.delete", ["{{id}}"])}

    def sweeps(self):
        return {"sales-left": self.sweep("sale.sale", "reference", "ERPW-%", "^ERPW-"),
                "parties-left": self.sweep("party.party", "name", "erpwatch ERPW-%", "^erpwatch ERPW-")}

    def erp_rows(self, sql):
        with sqlite3.connect(os.path.join(self.folder, "erp.sqlite"), timeout=30) as database:
            return database.execute(sql).fetchall()

    def left(self):
        return [row[0] for row in self.erp_rows(
            "SELECT reference FROM sale_sale UNION ALL SELECT name FROM party_party WHERE name LIKE 'erpwatch %'")]

    def real(self):
        return self.erp_rows("SELECT id, name FROM party_party WHERE coalesce(name, '') NOT LIKE 'erpwatch %'")

    def created(self):
        return self.erp_rows("SELECT coalesce(sum(seq), 0) FROM sqlite_sequence"
                             " WHERE name IN ('sale_sale', 'party_party')")[0][0]



PEERS = {"records": RecordsPeer, "tokens": TokensPeer, "tryton": TrytonPeer}
