#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""All commands on one store at once, while flows fail and recover: an agent that is reloaded and
restarted, checks with and without --notify, deliver, ack, mute, status, sweep. At the end the
replay of the event table gives the same rows, each incident was opened and closed once, each
notice was delivered, each flow ran once at a time, and nobody was told of a locked database.

    tests/fault/processes.py [--seconds N] [--seed S]"""
import email
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
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import form

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests/e2e"))
from harness import PROGRAM, wait_for  # noqa: E402

REPLAY = os.path.join(os.path.dirname(PROGRAM), "tests/fault/replay_events")
STEADY = ("orders", "customers", "prices", "stock")  # flows that every configuration has
LONGEST_S = 300  # of one command: longer than a deliver has for all that it is to send, 4 minutes
TROUBLE = re.compile(r"locked|in use by another|is busy|Sanitizer|assert|cannot be (noted|looked|kept|read|written)|not be stored", re.I)
# What a command may exit with; 3 only with one of these texts.
CODES = {"check": {0, 1, 2}, "deliver": {0, 1}, "ack": {0}, "mute": {0}, "status": {0, 1, 2}, "incidents": {0},
         "history": {0}, "sweep": {0}, "run": {0}}
UNKNOWN = {"ack": r"has ended already|there is no incident", "run": r"another agent runs",
           "status": r"unknown|agent is not running"}
ANSWERS = {  # what a flow's look answers in each mode
    "code": (500, "application/json", '{"error":{"code":"E_STOCK","message":"The stock is closed"}}'),
    "other": (400, "application/json", '{"error":{"code":"E_PRICE","message":"No price list"}}'),
    "page": (503, "text/html", "<html><title>Oops</title><h1>Something went wrong</h1></html>"),
    "wrong": (200, "application/json", '{"open": "perhaps"}'),
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        answer = self.server.erp.answer(self.command, self.path)
        if answer is None:  # down: the connection is closed in its face
            self.close_connection = True
            return
        status, kind, text = answer
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST = do_DELETE = answer

    def log_message(self, *_):
        pass


class Erp:
    """Answers as its modes have it, and sees which runs follow one another."""

    def __init__(self):
        self.lock = threading.Lock()
        self.modes, self.is_down = {}, False
        self.current, self.ended, self.overlaps, self.seen = {}, set(), [], {}
        self.records, self.number = {}, 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads, self.server.erp = True, self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def see(self, flow, run, what, first):
        """The requests of a flow's runs do not mix: who was followed by another is at its end. A
        confirming run that was cut off by a stop comes again from its first step."""
        self.seen.setdefault(run, []).append(f"{time.time():.3f} {what}")
        former = self.current.get(flow)
        if former == run:
            return
        if run in self.ended and not first:
            self.overlaps.append(f"{flow}: {run} {self.seen[run]} and {former} {self.seen[former]}")
        self.ended.add(former)
        self.current[flow] = run

    def answer(self, method, path):
        """/api/look/FLOW/RUN/STEP, POST /api/records/FLOW/RUN/STEP, DELETE /api/records/FLOW/RUN/ID,
        GET /api/records"""
        _, _, kind, *rest = path.split("/")
        if not rest:
            return 200, "application/json", json.dumps({"value": []})
        flow, run, last = rest
        with self.lock:
            self.see(flow, run, f"{method} {kind}", method != "DELETE" and last == "0")
            mode = self.modes.get(flow, "ok")
            down = self.is_down
            if method == "POST":
                self.number += 1
                self.records[str(self.number)] = flow
                return 201, "application/json", json.dumps({"id": self.number})
            if method == "DELETE":
                gone = self.records.pop(last, None) is None
                return 404 if gone else 200, "application/json", "{}"
        if kind == "look" and down:
            return None
        if mode == "slow":
            time.sleep(0.3)
        return ANSWERS.get(mode, (200, "application/json", '{"open": true}'))


class World:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.folder = tempfile.mkdtemp(prefix="erpwatch-processes-")
        self.store = self.path("erpwatch.db")
        self.mails = self.path("mail")
        self.erp = Erp()
        self.agent, self.agent_lock = None, threading.Lock()
        self.stopping = threading.Event()
        self.wrong, self.counts, self.lock = [], {}, threading.Lock()
        self.longest = {}  # seconds that each deed took, at most
        self.configs = []

    def close(self):
        self.stopping.set()
        if self.agent and self.agent.poll() is None:
            os.killpg(self.agent.pid, signal.SIGKILL)
            self.agent.wait()
        self.erp.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def complain(self, text):
        with self.lock:
            self.wrong.append(text)

    # the configuration, which changes again and again

    def flow(self, name, pick):
        at = f"{name}/{{{{run.id}}}}"

        def look(place):
            return {"step": f"look {place}", "get": f"/look/{at}/{place}", "expect": {"json": {"$.open": True}}}

        def create(place):
            return {"step": "create", "post": f"/records/{at}/{place}", "json": {"mark": "{{mark}}"},
                    "capture": {"record": {"json": "$.id"}}, "undo": {"delete": f"/records/{at}/{{{{record}}}}"}}
        steps = pick.choice(([look(0)], [create(0), look(1)], [look(0), create(1), look(2)]))
        return {"system": "erp", "every": "1s", "timeout": "90s", "priority": pick.choice(("P1", "P2", "P3")),
                "confirm": {"runs": pick.randint(1, 3), "after": pick.choice(("0s", "100ms"))},
                "recover": pick.randint(1, 2), "group": pick.choice(("0s", "300ms", "1s", "2s")),
                "notify": pick.sample(("ops", "partner", "shop"), pick.randint(1, 2)), "steps": steps}

    def document(self, pick):
        flows = {name: self.flow(name, pick) for name in STEADY}
        if pick.random() < 0.7:  # removed now and then, and comes back under another name
            name, was = pick.sample(("invoices", "bills"), 2)
            flows[name] = {**self.flow("invoices", pick), "was": was}
        if pick.random() < 0.2:
            flows["stock"]["off"] = "for now"
        contacts = {"ops": {"email": ["ops@agency.example", "night@agency.example"]},
                    "partner": {"email": "support@partner.example", "language": pick.choice(("en", "de"))},
                    "shop": {"email": "it@shop.example", "style": "business"}}
        sweep = {"system": "erp", "every": "1h", "older": "1h", "at_most": 10, "get": "/records",
                 "items": "$.value[*]", "only": {"json": {"$.mark": {"matches": "^ERPW-"}}},
                 "at": {"json": "$.changed"}, "capture": {"id": {"json": "$.id"}}, "undo": {"delete": "/records/x/y/{{id}}"}}
        return {"agent": {"store": self.store, "stop": "20s"},
                "mail": {"directory": self.mails, "from": "Monitor <m@agency.example>", "fallback": "ops", "limit": 100000},
                "contacts": contacts,
                "systems": {"erp": {"url": f"http://127.0.0.1:{self.erp.port}/api", "timeout": "60s",
                                    "act": {"integrator": "ops"}}},
                "flows": flows, "sweeps": {"left": sweep}}

    def configure(self):
        path = self.path(f"config-{len(self.configs)}.yaml")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.document(self.random), file, indent=1)
        os.chmod(path, 0o600)
        self.configs.append(path)
        shutil.copy2(path, self.path("new"))
        os.rename(self.path("new"), self.path("erpwatch.yaml"))  # nobody reads half of it

    # processes

    def judge_output(self, what, text):
        for line in text.splitlines():
            if TROUBLE.search(line):
                self.complain(f"{what} says: {line}")

    def command(self, *words):
        done = subprocess.run([PROGRAM, *words], cwd=self.folder, capture_output=True, text=True, timeout=LONGEST_S,
                              check=False)
        name, text = words[0], done.stdout + done.stderr
        with self.lock:
            self.counts[name] = self.counts.get(name, 0) + 1
        known = done.returncode == 3 and name in UNKNOWN and re.search(UNKNOWN[name], text)
        if done.returncode not in CODES[name] and not known:
            self.complain(f"{' '.join(words)} exits {done.returncode}: {text[-600:]}")
        self.judge_output(" ".join(words[:2]), done.stderr)
        return done

    def start_agent(self):
        starts = self.log().count(" watches ")
        with open(self.path("log"), "a", encoding="utf-8") as log:
            self.agent = subprocess.Popen([PROGRAM, "run"], cwd=self.folder, stdout=log, stderr=log,
                                          start_new_session=True)
        wait_for(lambda: self.log().count(" watches ") > starts, "the agent's start")

    def stop_agent(self):
        self.agent.send_signal(signal.SIGTERM)
        code = self.agent.wait(LONGEST_S)
        if code != 0:
            self.complain(f"the agent exits {code}: {self.log()[-600:]}")

    def log(self):
        if not os.path.exists(self.path("log")):
            return ""
        with open(self.path("log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def rows(self, sql):
        connection = sqlite3.connect(f"file:{self.store}?mode=ro", uri=True, timeout=30)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    # who does what, again and again

    def change_modes(self, pick):
        self.erp.is_down = pick.random() < 0.15
        for flow in (*STEADY, "invoices"):
            if pick.random() < 0.4:
                self.erp.modes[flow] = pick.choice(("ok", "ok", "slow", *ANSWERS))
        return pick.uniform(0.2, 1.5)

    def reload(self, pick):
        with self.agent_lock:
            self.configure()
            if pick.random() < 0.15:
                self.stop_agent()
                self.start_agent()
            else:
                self.agent.send_signal(signal.SIGHUP)
        return pick.uniform(0.3, 3)

    def second_agent(self, pick):
        with self.agent_lock:
            if self.command("run").returncode != 3:
                self.complain("a second agent runs on the store")
        return pick.uniform(1, 5)

    def check(self, pick):
        words = ["check"] + (["--notify"] if pick.random() < 0.5 else [])
        words += pick.sample(STEADY, pick.randint(1, 2)) if pick.random() < 0.5 else []
        self.command(*words, "--format", "json")
        return pick.uniform(0, 0.3)

    def deliver(self, pick):
        self.command("deliver")
        return pick.uniform(0, 0.3)

    def acknowledge(self, pick):
        incidents = self.rows("SELECT id FROM incident WHERE closed = 0")
        if incidents:
            self.command("ack", pick.choice(incidents)[0], "--by", "Ann", "--note", "I look")
        return pick.uniform(0.2, 0.8)

    def mute(self, pick):
        target = pick.choice((*STEADY[:3], "erp"))
        self.command("mute", target, "--for", f"{pick.randint(1, 4)}s", "--why", "works")
        return pick.uniform(0.5, 3)

    def look(self, pick):
        self.command(*pick.choice((("status",), ("status", "--format", "json"), ("incidents",),
                                   ("history", "orders"), ("sweep",))))
        return pick.uniform(0, 0.5)

    def act(self, deed, seed):
        """Goes on to the end whatever a deed comes to, else the rest would be tested less and less."""
        pick, pause = random.Random(seed), 0
        while not self.stopping.wait(pause):
            began = time.monotonic()
            try:
                pause = deed(pick)
            except Exception as error:  # pylint: disable=broad-except
                self.complain(f"{deed.__name__}: {error!r}")
            took = time.monotonic() - began
            self.longest[deed.__name__] = max(took, self.longest.get(deed.__name__, 0))

    def live(self, seconds):
        self.configure()
        self.start_agent()
        deeds = (self.change_modes, self.reload, self.second_agent, self.check, self.check, self.check, self.deliver,
                 self.acknowledge, self.mute, self.look)
        threads = [threading.Thread(target=self.act, args=(deed, self.random.random())) for deed in deeds]
        for thread in threads:
            thread.start()
        self.stopping.wait(seconds)
        self.stopping.set()
        for thread in threads:
            thread.join()

    # the end

    def is_well(self):
        return not self.rows("SELECT 1 FROM flow_state UNION ALL SELECT 1 FROM incident WHERE closed = 0"
                             " UNION ALL SELECT 1 FROM mute WHERE ended = 0")

    def settle(self):
        """All works again, nothing is muted, all mail is out."""
        self.erp.is_down, self.erp.modes = False, {}
        self.configure()
        self.agent.send_signal(signal.SIGHUP)
        try:
            wait_for(self.is_well, "all flows are well again")
        except AssertionError as error:
            states = self.rows("SELECT flow, state, count, incident FROM flow_state")
            self.complain(f"{error}: {states} {self.rows('SELECT id, closed FROM incident WHERE closed = 0')}")
        self.stop_agent()
        wait_for(self.has_delivered, "all mail to go out")
        self.judge_output("the agent", self.log())

    def has_delivered(self):
        """The agent's deliver goes on when the agent has stopped; one beside it leaves all to it."""
        done = self.command("deliver")
        return done.returncode == 0 and "another deliver" not in done.stdout

    def judge_replay(self):
        done = subprocess.run([REPLAY, self.store, *self.configs], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.complain(f"the replay differs: {done.stdout[-3000:]}{done.stderr}")
        return done.stdout.splitlines()[0] if done.stdout else ""

    def judge_incidents(self):
        for incident, opened, closed in self.rows(
                "SELECT i.id, (SELECT count(*) FROM decision WHERE incident = i.id AND kind = 'opened'),"
                " (SELECT count(*) FROM decision WHERE incident = i.id AND kind = 'recovered')"
                " + json_extract(i.state, '$.withdrawn') FROM incident i"):
            if (opened, closed) != (1, 1):
                self.complain(f"the incident {incident} was opened {opened} times and closed {closed} times")
        doubles = self.rows("SELECT id, count(*) FROM run GROUP BY id HAVING count(*) > 1")
        if doubles:
            self.complain(f"runs are there twice: {doubles}")

    def judge_mails(self):
        ids = {}
        for path in glob.glob(os.path.join(self.mails, "*.eml")):
            with open(path, "rb") as file:
                content = file.read()
            ids.setdefault(email.message_from_bytes(content)["Message-ID"], set()).add(content)
        if any(len(contents) > 1 for contents in ids.values()):
            self.complain("two mails have one Message-ID and not the same bytes")
        notices = self.rows("SELECT notice FROM outbox_notice")
        missing = [notice for notice, in notices if not any(notice in message for message in ids)]
        if missing:
            self.complain(f"{len(missing)} notices are not there as mails: {missing[:3]}")
        states = self.rows("SELECT DISTINCT state FROM outbox_recipient")
        if states not in ([], [("accepted",)]):
            self.complain(f"recipients are {states}")

    def judge(self):
        self.judge_incidents()
        self.judge_mails()
        if self.erp.overlaps:
            self.complain(f"{len(self.erp.overlaps)} runs of one flow at once: {self.erp.overlaps[:3]}")
        if self.erp.records:
            self.complain(f"records are left: {self.erp.records}")
        if self.rows("PRAGMA integrity_check") != [("ok",)]:
            self.complain("the store is damaged")
        return self.judge_replay()


def test_processes(seconds, seed):
    """How often each command ran, what came of it, and what is wrong."""
    world = World(seed)
    try:
        world.live(seconds)
        world.settle()
        rows = world.judge()
        facts = {**world.counts, "reloads": len(world.configs), "runs": len(world.erp.seen),
                 "longest": max((took, name) for name, took in world.longest.items()),
                 "incidents": world.rows("SELECT count(*) FROM incident")[0][0],
                 "mails": len(glob.glob(os.path.join(world.mails, "*.eml"))), "replayed": rows}
        return facts, world.wrong
    except AssertionError as error:
        raise AssertionError(f"{error}\n{world.wrong}\n{world.log()[-3000:]}") from None
    finally:
        world.close()


def main():
    given = form.options(__doc__, seconds=600)
    facts, wrong = test_processes(given.seconds, given.seed)
    columns = ("check", "deliver", "ack", "mute", "status", "sweep", "reloads", "runs", "incidents", "mails")
    table = form.Table(*columns, "found", width=8)
    table.row(*(facts.get(column, 0) for column in columns), "\n".join(dict.fromkeys(wrong)))
    print("longest: {1}, {0:.1f} s".format(*facts["longest"]))
    print(f"replayed: {facts['replayed']}")
    return table.close()


if __name__ == "__main__":
    sys.exit(main())
