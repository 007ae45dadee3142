#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The store's file goes wrong: pages damaged at random places, a file or its log cut short,
another version's schema, a file that is shared in memory cut short. Whatever of ledger, outbox and incidents can be read is carried
over; of what cannot, the mail says so; nothing crashes, and in the end the store is sound and
flows run.

    tests/fault/disk.py [--rounds N] [--seed S] [PART...]

The parts are `damage`, `log`, `schema` and `map`; a round is one damaged store. The table says how often
the damage was noticed at once, later (when somebody came to it) or never (it hit nothing, or
what an entry says alone), and how many entries were lost, and told to be."""
import collections
import contextlib
import glob
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests/e2e"))
import form  # noqa: E402
from harness import PROGRAM, wait_for  # noqa: E402

PAGE = 4096
FAR_US = 4_000_000_000_000_000  # nothing that waits is due during the test
COUNT = {"debt": 200, "notice": 60, "incident": 60}
# What the mail says where something of a table is lost, and by which index its entries are known
TABLES = {"debt": ("the ledger", "sqlite_autoindex_debt_1"),
          "outbox_notice": ("the notices", "sqlite_autoindex_outbox_notice_1"),
          "outbox_recipient": ("the notices", "outbox_recipient_open"),
          "incident": ("the incidents", "incident_opened"),
          "flow_state": ("the incidents", None), "incident_flow": ("the incidents", None)}
KEYS = {"debt": "id", "outbox_notice": "notice", "outbox_recipient": "sequence || address",
        "incident": "id", "flow_state": "flow", "incident_flow": "incident || flow"}
# A table that takes what it has lost from another
TWINS = {"flow_state": "incident_flow", "incident_flow": "flow_state", "outbox_recipient": "outbox_notice"}


def connect(path):
    connection = sqlite3.connect(path, timeout=10)
    connection.text_factory = lambda data: data.decode(errors="replace")  # of what was damaged
    return contextlib.closing(connection)


class Place:
    """A folder with a configuration, a store, an ERP that answers, and a mail directory."""

    def __init__(self, port):
        self.folder = tempfile.mkdtemp(prefix="erpwatch-disk-")
        self.store = os.path.join(self.folder, "s/erpwatch.db")
        self.mails = os.path.join(self.folder, "mail")
        self.configure(port)
        os.mkdir(self.mails)
        self.process = None

    def configure(self, port, mails=None):
        flow = {"system": "erp", "every": "1s", "timeout": "90s", "group": "0s", "priority": "P1",
                "confirm": {"runs": 1}, "notify": ["client"]}
        document = {
            "agent": {"store": self.store},
            "mail": {"directory": mails or self.mails, "from": "Monitor <m@agency.example>",
                     "fallback": "ops", "limit": 100000},
            "contacts": {"ops": {"email": "ops@agency.example"}, "acme": {"email": "it@acme.example"}},
            "systems": {"erp": {"url": f"http://127.0.0.1:{port}/api", "timeout": "60s",
                                "auth": {"basic": {"username": "shop", "password": "demo-secret-1"}},
                                "act": {"client": "acme", "integrator": "ops", "hosting": "ops",
                                        "erp-partner": "ops"}}},
            "flows": {"reading": {**flow, "steps": [{"step": "read", "get": "/invoices/INV-1"}]}},
        }
        path = os.path.join(self.folder, "erpwatch.yaml")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file)
        os.chmod(path, 0o600)

    def run(self, *command):
        done = subprocess.run([PROGRAM, *command], cwd=self.folder, capture_output=True, text=True,
                              timeout=300, check=False)
        if done.returncode < 0 or "Sanitizer" in done.stderr:
            raise AssertionError(f"{command} ended by {done.returncode}: {done.stderr[-2000:]}")
        return done

    def texts_of_mails(self):
        texts = []
        for path in glob.glob(os.path.join(self.mails, "*.eml")):
            with open(path, encoding="utf-8") as file:
                texts.append(re.sub(r"\s+", " ", file.read()))
        return texts

    def repairs(self):
        return [text for text in self.texts_of_mails() if "was damaged" in text]

    def losses(self):
        """How many commits each mail says to be lost."""
        return [int(n) for text in self.texts_of_mails() for n in re.findall(r"The last (\d+) commits of", text)[:1]]

    def aside(self):
        return [path for path in glob.glob(self.store + ".damaged-*") if path.endswith("Z")]

    def take(self, store):
        """A fresh copy of that store; nothing else is left of the round before."""
        shutil.rmtree(os.path.dirname(self.store), ignore_errors=True)
        os.mkdir(os.path.dirname(self.store))
        for end in ("", "-wal", ".locks/commits"):
            if os.path.exists(store + end):
                os.makedirs(os.path.dirname(self.store + end), exist_ok=True)
                shutil.copy(store + end, self.store + end)
        for path in glob.glob(os.path.join(self.mails, "*")):
            os.unlink(path)

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def columns(store, table):
    return [row[1] for row in store.execute(f"PRAGMA table_info({table})")]


def multiply(store, table, times, change):
    """Copies of the table's first entry; `change(n)` says what is other in the nth."""
    names = columns(store, table)
    first = dict(zip(names, store.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()))
    marks = ", ".join("?" * len(names))
    for number in range(times):
        row = {**first, **change(number)}
        store.execute(f"INSERT INTO {table} VALUES({marks})", [row[name] for name in names])


def fill(path):
    """Many entries of each table, after real ones; all that waits is not due."""
    with connect(path) as store, store:
        store.execute(
            "INSERT INTO debt(id, run, flow, system, step, attempt, owner, sent_at, timeout_ms, undo, origin, url,"
            " digest, known, state, tries, due, told, changed) VALUES('D', 'R', 'gone', 'gone', 's', 1, 'dead', 1, 1,"
            " '{}', 'http://127.0.0.1:1', 'http://127.0.0.1:1/x', 'd', ?, 'owed', 0, ?, 0, 1)",
            ["{\"number\": \"" + "7" * 200 + "\"}", FAR_US])
        multiply(store, "debt", COUNT["debt"], lambda n: {"seq": None, "id": f"D{n}", "sent_at": n})
        multiply(store, "outbox_notice", COUNT["notice"],
                 lambda n: {"sequence": 1000 + n, "notice": f"N{n}", "incident": f"I{n % COUNT['incident']}"})
        multiply(store, "outbox_recipient", COUNT["notice"], lambda n: {"sequence": 1000 + n})
        store.execute("UPDATE outbox_recipient SET state = 'waiting', due_us = ?, interval_us = ?", [FAR_US, FAR_US])
        state = store.execute("SELECT state FROM incident").fetchone()[0]
        multiply(store, "incident", COUNT["incident"], lambda n: {"id": f"I{n}", "fingerprint": f"F{n}", "state": state})
        multiply(store, "incident_flow", COUNT["incident"],
                 lambda n: {"incident": f"I{n}", "place": 0, "flow": f"flow {n} " + "f" * 60})
        multiply(store, "flow_state", COUNT["incident"],
                 lambda n: {"flow": f"flow {n} " + "f" * 60, "incident": f"I{n}", "fingerprint": f"F{n}"})
        multiply(store, "run", 300, lambda n: {"seq": None, "id": f"R{n}"})
        store.execute("INSERT INTO good_run(flow, started, duration_us) SELECT 1, seq, 1 FROM run")
        store.execute("INSERT INTO event(at, kind, data) SELECT at, 'tick', data FROM event, (SELECT 1 FROM run)")
    with connect(path) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def make_base(place, erp):
    """A store with one real incident and its notice, which could not be sent, and many more."""
    place.configure(1, mails=os.path.join(place.folder, "erpwatch.yaml"))
    place.run("check", "--notify")
    place.configure(erp)
    base = os.path.join(place.folder, "base.db")
    shutil.copy(place.store, base)
    fill(base)
    return base


def pages_of(path):
    """Of each table and index: page -> its path in the tree, and how many entries it has."""
    pages = collections.defaultdict(dict)
    with connect(path) as store:
        for name, where, page, cells in store.execute("SELECT name, path, pageno, ncell FROM dbstat"):
            pages[name][page] = (where, cells)
    return pages


def entries(path):
    found = {}
    with connect(path) as store:
        for table, key in KEYS.items():
            found[table] = {row[0] for row in store.execute(f"SELECT {key} FROM {table}")}
    return found


class Damage:
    """What is done to a copy, and what may be lost by it."""

    KINDS = ("rubbish", "zeros", "bits", "cut")

    def __init__(self, numbers, pages, size):
        self.kind = numbers.choice(self.KINDS)
        self.pages = pages
        last = size // PAGE
        if self.kind == "cut":
            self.size = numbers.randrange(size // 2, size)
            self.hit = set(range(self.size // PAGE + 1, last + 1))
        else:
            wanted = sorted({page for table in TABLES for page in pages[table]})
            among = wanted if numbers.random() < 0.7 else range(1, last + 1)
            self.hit = {numbers.choice(among) for _ in range(numbers.choice((1, 1, 2, 3, 8)))}
        self.numbers = numbers

    def do(self, path):
        with open(path, "r+b") as file:
            if self.kind == "cut":
                file.truncate(self.size)
            for page in self.hit if self.kind != "cut" else ():
                file.seek((page - 1) * PAGE)
                if self.kind == "bits":
                    content = bytearray(file.read(PAGE))
                    for _ in range(self.numbers.randrange(1, 6)):
                        content[self.numbers.randrange(PAGE)] ^= 1 << self.numbers.randrange(8)
                    file.seek((page - 1) * PAGE)
                    file.write(content)
                else:
                    file.write(self.numbers.randbytes(PAGE) if self.kind == "rubbish" else b"\0" * PAGE)

    def hits(self, name):
        return name is not None and bool(self.hit & set(self.pages[name]))

    def hits_schema(self):
        return self.hits("sqlite_schema") or self.hits("sqlite_master") or 1 in self.hit

    def may_lose(self, table):
        """How many entries of a table at most, or None: any number."""
        mine = self.pages[table]
        index = TABLES[table][1]
        if self.hits_schema() or (self.hits(table) and (index is None or self.hits(index))):
            return None
        # an entry of a table without rowids may sit between its children
        below = sum(cells for path, cells in mine.values() if path == "/") if len(mine) > 1 and self.hits(table) else 0
        for page in self.hit & set(mine):
            where = mine[page][0]
            below += max(sum(max(cells, 1) for path, cells in mine.values() if path.startswith(where)), 1)
        return below


def judge_lost(damage, before, place, told):
    """Sentences about what is lost and should not be, or is not told; and how much is lost."""
    wrong, lost = [], {}
    after = entries(place.store)
    for table, keys in before.items():
        lost[table] = len(keys - after[table])
        excused = damage.may_lose(table)
        twin = TWINS.get(table)
        if table in ("flow_state", "incident_flow", "outbox_recipient"):
            # it goes with the incident or notice, or comes from the twin
            owner = "outbox_notice" if table == "outbox_recipient" else "incident"
            if damage.may_lose(owner) is None or (damage.hits(table) and (damage.hits(twin) or damage.kind == "bits")):
                excused = None
            else:
                excused = damage.may_lose(owner) + (damage.may_lose(table) or 0 if damage.kind == "bits" else 0)
        if excused is not None and lost[table] > excused:
            wrong.append(f"{lost[table]} entries of {table} are lost, though at most {excused} were hit")
        if lost[table] and damage.kind != "bits" and TABLES[table][0] not in (told or ""):
            wrong.append(f"{lost[table]} entries of {table} are lost, and no mail says so")
    return wrong, sum(lost.values())


def is_sound(path):
    with contextlib.suppress(sqlite3.DatabaseError), connect(path) as store:
        return store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return False


def settle(place, excused=False, lost=False):
    """Flows are run until all is well, as damage may show late; what was wrong. Where the damage
    is in pages that nobody has come to, somebody does. `excused`: bits that only
    change what an entry says are not seen, and cannot be. `lost`: the last commits may be, which is told."""
    if not place.aside() and not is_sound(place.store):
        with open(place.store + ".suspect", "w", encoding="utf-8"):
            pass
    for _ in range(4):
        done = place.run("check", "--notify")
        if done.returncode == 0 and "store" not in done.stderr:
            break
        if done.returncode == 0 and re.search("was damaged|The last .* commits", done.stderr):
            continue
    wrong = []
    if done.returncode != 0 or re.search("cannot be|could not|has no incident", done.stderr.split("open incidents")[-1]):
        wrong.append(f"flows do not run: {done.returncode} {done.stderr[-600:]}")
    if place.aside() == [] and done.stderr and not lost:
        wrong.append(f"without a word of damage: {done.stderr[-600:]}")
    if not is_sound(place.store):
        wrong.append("the store is not sound")
    else:
        with connect(place.store) as store:
            opened = store.execute("SELECT count(*) FROM incident WHERE closed = 0").fetchone()[0]
        if opened and not excused:
            wrong.append(f"{opened} incidents stay open, though their flows are gone or work")
    if len(place.repairs()) != len(place.aside()):
        wrong.append(f"{len(place.aside())} files are set aside, {len(place.repairs())} mails tell so")
    return wrong


def damage_round(place, base, pages, before, numbers):
    damage = Damage(numbers, pages, os.path.getsize(base))
    place.take(base)
    damage.do(place.store)
    wrong = []
    done = place.run("deliver")
    noticed = bool(place.aside())
    told = " ".join(place.repairs())
    if done.returncode not in (0, 1) and not (done.returncode == 3 and re.search("damaged", done.stderr)):
        wrong.append(f"deliver: {done.returncode} {done.stderr[-300:]}")
    if noticed != bool(told):
        wrong.append(f"set aside: {noticed}, told: {bool(told)}; {done.stderr[-300:]}")
    lost = 0
    if noticed:
        more, lost = judge_lost(damage, before, place, told)
        wrong += more
    wrong += settle(place, excused=damage.kind == "bits")
    facts = {"rounds": 1, "at once": noticed, "later": not noticed and bool(place.aside()),
             "never": not place.aside(), "lost": lost}
    return damage.kind, facts, wrong


def run_damage(place, erp, rounds, numbers):
    base = make_base(place, erp)
    pages, before = pages_of(base), entries(base)
    facts = collections.defaultdict(collections.Counter)
    wrong = []
    for number in range(rounds):
        kind, more, found = damage_round(place, base, pages, before, random.Random(numbers.random()))
        facts[kind].update(more)
        wrong += [f"round {number}, {kind}: {text}" for text in found]
    return facts, wrong


# A log cut short, or damaged


def make_log(place, erp):
    """A store whose log holds much that is not in the file yet, as after a kill."""
    place.configure(1, mails=os.path.join(place.folder, "erpwatch.yaml"))
    shutil.rmtree(os.path.dirname(place.store), ignore_errors=True)
    with open(os.path.join(place.folder, "log"), "w", encoding="utf-8") as log:
        place.process = subprocess.Popen([PROGRAM, "run"], cwd=place.folder, stdout=log, stderr=log)
    wait_for(lambda: os.path.exists(place.store + "-wal") and os.path.getsize(place.store + "-wal") > 300_000, "the log")
    wait_for(lambda: place.run("status", "--format", "json").returncode == 2, "the incident")
    place.process.send_signal(signal.SIGKILL)
    place.process.wait()
    place.configure(erp)
    base = os.path.join(place.folder, "log.db")
    os.mkdir(base + ".locks")
    for end in ("", "-wal", ".locks/commits"):
        shutil.copy(place.store + end, base + end)
    return base


def events(path):
    with connect(path) as store:
        return store.execute("SELECT * FROM event ORDER BY seq").fetchall()


def run_log(place, erp, rounds, numbers):
    base = make_log(place, erp)
    place.take(base)
    whole = events(place.store)
    facts = collections.Counter()
    wrong = []
    for number in range(rounds):
        place.take(base)
        wal = place.store + "-wal"
        size = os.path.getsize(wal)
        how = numbers.random()
        if how < 0.4:
            os.truncate(wal, numbers.randrange(size))
        elif how < 0.5:
            os.unlink(wal)
        elif how < 0.9:
            with open(wal, "r+b") as file:
                file.seek(numbers.randrange(size))
                file.write(numbers.randbytes(numbers.choice((1, 8, 100))))
        found = settle(place, lost=True)
        kept = [event for event in events(place.store) if event in whole]
        told = sum(place.losses())
        if len(kept) < len(whole) and not told and not place.aside():
            found.append(f"{len(whole) - len(kept)} events are lost, and no mail says so")
        if how >= 0.9 and told:
            found.append(f"{told} commits are said to be lost, and the log is whole")
        if len(place.losses()) > 1:
            found.append(f"told {len(place.losses())} times")
        if not place.aside() and kept != whole[:len(kept)]:
            found.append("what is left of the log is not its beginning")
        facts.update({"rounds": 1, "at once": bool(place.aside() or told), "never": not (place.aside() or told),
                      "lost": told})
        wrong += [f"log, round {number}: {text}" for text in found]
    return {"log": facts}, wrong


# Another version's schema


def schema_steps():
    """The SQL of each step, as it stands in the sources."""
    texts = {}
    for path in glob.glob(os.path.join(ROOT, "monitor/*.c")) + glob.glob(os.path.join(ROOT, "alerts/*.c")):
        with open(path, encoding="utf-8") as file:
            source = file.read()
        for name, body in re.findall(r"const char (\w+)\[\] =((?:\s*\"(?:[^\"\\]|\\.)*\")+);", source):
            texts[name] = "".join(re.findall(r"\"((?:[^\"\\]|\\.)*)\"", body))
        found = re.search(r"steps_done\[\] = {([^}]*)}", source)
        if found:
            order = re.findall(r"\w+", found.group(1))
    return [texts[name] for name in order]


def make_older(path, base, steps, version):
    """A store as the program of that version would have left it."""
    with connect(path) as store, store:
        for step in steps[:version]:
            store.executescript(step)
        store.execute(f"PRAGMA user_version={version}")
    with connect(path) as store, store:
        store.execute("ATTACH ? AS new", [base])
        tables = [row[0] for row in store.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")]
        for table in tables:
            if not table.startswith("sqlite_"):
                names = ", ".join(columns(store, table))
                store.execute(f"INSERT INTO main.{table}({names}) SELECT {names} FROM new.{table}")
    return {table: dump(path, table) for table in tables}


def dump(path, table):
    with connect(path) as store:
        names = ", ".join(columns(store, table))
        return store.execute(f"SELECT {names} FROM {table} ORDER BY 1, 2").fetchall()


def judge_older(place, version, count, before):
    wrong = []
    done = place.run("status")
    if done.returncode != 3 or "brought up to date" not in done.stderr:
        wrong.append(f"status on version {version}: {done.returncode} {done.stderr}")
    done = place.run("deliver")
    if done.returncode not in (0, 1):
        wrong.append(f"deliver on version {version}: {done.returncode} {done.stderr}")
    with connect(place.store) as store:
        if store.execute("PRAGMA user_version").fetchone()[0] != count:
            wrong.append(f"version {version} was not brought up to date")
    copy = f"{place.store}.v{version}"
    for table, rows in before.items():
        if table == "sqlite_sequence":
            continue
        with connect(copy) as store:
            names = columns(store, table)
        for path in (copy, place.store):
            with connect(path) as store:
                now = store.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY 1, 2").fetchall()
            if not set(rows) <= set(now):
                wrong.append(f"version {version}: {table} in {os.path.basename(path)} is not what it was")
    return wrong + settle(place)


def judge_newer(place, count):
    with connect(place.store) as store:
        store.execute(f"PRAGMA user_version={count + 1}")
    with open(place.store, "rb") as file:
        before = file.read()
    wrong = []
    for command in (["run"], ["check"], ["check", "--notify"], ["deliver"], ["status"], ["incidents"], ["history", "reading"],
                    ["ack", "I1"]):
        done = place.run(*command)
        if done.returncode != 3 or "newer erpwatch" not in done.stderr:
            wrong.append(f"{command} on a newer store: {done.returncode} {done.stderr}")
    with open(place.store, "rb") as file:
        if file.read() != before:
            wrong.append("a newer store was changed")
    return wrong


def run_schema(place, erp, rounds, numbers):
    base = make_base(place, erp)
    steps = schema_steps()
    facts = collections.defaultdict(collections.Counter)
    wrong = []
    for version in sorted(numbers.sample(range(1, len(steps)), min(rounds, len(steps) - 1))):
        older = os.path.join(place.folder, "older.db")
        if os.path.exists(older):
            os.unlink(older)
        before = make_older(older, base, steps, version)
        place.take(older)
        found = judge_older(place, version, len(steps), before)
        # the same, damaged besides
        place.take(older)
        damage = Damage(random.Random(numbers.random()), pages_of(older), os.path.getsize(older))
        damage.do(place.store)
        place.run("deliver")
        found += settle(place, excused=damage.kind == "bits")
        facts["older schema"].update({"rounds": 2})
        wrong += [f"older schema, version {version}: {text}" for text in found]
    place.take(base)
    found = judge_newer(place, len(steps))
    facts["newer schema"].update({"rounds": 1})
    return facts, wrong + [f"newer schema: {text}" for text in found]


# A file that processes share in memory is cut short under them


def start_agent(place):
    with open(os.path.join(place.folder, "agent.log"), "w", encoding="utf-8") as log:
        place.process = subprocess.Popen([PROGRAM, "run"], cwd=place.folder, stdout=log, stderr=log)


def agent_log(place):
    with open(os.path.join(place.folder, "agent.log"), encoding="utf-8") as log:
        return log.read()


def runs_made(place):
    with connect(place.store) as store:
        return store.execute("SELECT (SELECT count(*) FROM run) + (SELECT count(*) FROM good_run)").fetchone()[0]


def cut_round(place, base, numbers):
    place.take(base)
    start_agent(place)
    first = runs_made(place)
    wait_for(lambda: runs_made(place) > first, "a run")
    cut = place.store + numbers.choice(("-shm", "-shm", ".locks/flows"))
    os.truncate(cut, numbers.choice((0, 0, numbers.randrange(os.path.getsize(cut)))))
    first = time.monotonic()
    wait_for(lambda: place.process.poll() is not None or time.monotonic() > first + 3, "the end")
    ended = place.process.poll() is not None
    if not ended:
        place.process.terminate()
        place.process.wait()
    wrong = []
    code, log = place.process.returncode, agent_log(place)
    if code not in ((3,) if ended else (0, 3)) or (code == 3) != ("has to end: a file beside the store" in log):
        wrong.append(f"the agent ended by {code}: {log[-500:]}")
    wrong += settle(place)
    if place.aside():
        wrong.append("a sound store was set aside")
    return {"rounds": 1, "at once": code == 3, "never": code == 0}, wrong


def run_map(place, erp, rounds, numbers):
    base = make_base(place, erp)
    facts = collections.Counter()
    wrong = []
    for number in range(rounds):
        more, found = cut_round(place, base, numbers)
        facts.update(more)
        wrong += [f"shared memory, round {number}: {text}" for text in found]
    return {"shared memory": facts}, wrong


PARTS = {"damage": run_damage, "log": run_log, "schema": run_schema, "map": run_map}


def run_part(name, rounds, seed):
    """The figures of a part by what was done, and sentences about what is wrong."""
    numbers = random.Random(f"{seed} {name}")
    erp = subprocess.Popen(["/usr/bin/python3", os.path.join(ROOT, "tools/demo/erp.py")], stdout=subprocess.PIPE,
                           text=True)
    place = None
    try:
        port = int(erp.stdout.readline().split()[0])
        place = Place(port)
        return PARTS[name](place, port, rounds, numbers)
    finally:
        if place:
            place.close()
        erp.kill()
        erp.wait()
        erp.stdout.close()


def main():
    given = form.options(__doc__, rounds=300)
    figures = ("rounds", "at once", "later", "never", "lost")
    table = form.Table("damaged", *figures, "found")
    for part in given.names or PARTS:
        facts, wrong = run_part(part, given.rounds, given.seed)
        for what, counts in sorted(facts.items()):
            table.row(what, *(counts[name] for name in figures),
                      "; ".join(text for text in wrong if what in text))
    return table.close()


if __name__ == "__main__":
    sys.exit(main())
