#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Networks that fail: each kind of outage opens one incident and closes it, with the verdict that
the contract gives it; undos are paid, no record is left, and the flows of other systems run on.

    tests/fault/network.py [--rounds N] [--seed S] [PART...]       (ROUNDS=3)

Parts: `outages`, every kind at once, each behind a wire of its own; `twice`, what writes is never
sent twice, however its connection ends; `hushed`, kept connections that fall silent; `names`, name
servers that are dead, slow or wrong; `routes`, systems that can no longer be reached, or not without
new connections; `own`, our own network is gone; `back`, it is back before the calls that hung have
ended: these four in network namespaces of their own."""
import collections
import email
import email.policy
import glob
import itertools
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
for folder in ("tests/servers", "tests/e2e", "tests/fault"):
    sys.path.insert(0, os.path.join(ROOT, folder))
import form  # noqa: E402
from harness import PROGRAM, wait_for  # noqa: E402
from name_server import NameServer  # noqa: E402
from records import Records  # noqa: E402
from wire import Cut, Drip, Hold, Loss, ResetAtOnce, Together, Wire  # noqa: E402

PASSWORD = "Wire-pass-7431"
MARK = "{{mark}}"
LATE_S = 0.3  # an answer of a name server: the program asks again for 2 s
# Of a call that hangs; and what nothing that stands still for a shorter time is blamed for.
SHORT_S, TIMEOUT_S, PATIENT_S = 3, 5, 60
# Flows of systems that work start each second or two: a longer pause is no machine's slowness.
LONGEST_PAUSE_S = 15


class Program:
    """A folder with a configuration, a store and mails; an agent, or checks."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="erpwatch-network-")
        self.store = os.path.join(self.folder, "erpwatch.db")
        # the proxy of whoever started us is dead: it is not to be asked
        proxies = {name: "http://127.0.0.1:9" for name in ("http_proxy", "https_proxy", "all_proxy", "ALL_PROXY")}
        self.environment = {**os.environ, **proxies, "WIRE_PASSWORD": PASSWORD}
        self.process = None
        self.systems, self.flows, self.sweeps, self.online = {}, {}, {}, []
        os.mkdir(self.path("mail"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def close(self):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def configure(self):
        document = {
            "agent": {"store": self.store, "stop": "5s", "online": self.online},
            "mail": {"directory": self.path("mail"), "from": "Monitor <m@agency.example>", "fallback": "ops",
                     "limit": 100000},
            "contacts": {"ops": {"email": "ops@agency.example"}},
            "systems": self.systems, "flows": self.flows, "sweeps": self.sweeps,
        }
        with open(self.path("erpwatch.yaml"), "w", encoding="utf-8") as file:
            json.dump({key: value for key, value in document.items() if value}, file, indent=1)
        os.chmod(self.path("erpwatch.yaml"), 0o600)

    def start(self):
        with open(self.path("log"), "a", encoding="utf-8") as log:
            self.process = subprocess.Popen([PROGRAM, "run"], cwd=self.folder, env=self.environment, stdout=log,
                                            stderr=log, start_new_session=True)

    def reload(self):
        said = self.log().count("was read again")
        self.configure()
        self.process.send_signal(signal.SIGHUP)
        self.wait(lambda: self.log().count("was read again") > said, "the configuration to be read again")

    def stop(self):
        """Seconds until it had ended."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENT_S)
        if code != 0:
            raise AssertionError(f"the agent ended with {code}\n{self.log()}")
        return time.monotonic() - began

    def run(self, *arguments):
        done = subprocess.run([PROGRAM, *arguments], cwd=self.folder, env=self.environment, capture_output=True,
                              text=True, check=False, timeout=2 * PATIENT_S)
        if "Sanitizer" in done.stderr:
            raise AssertionError(done.stderr)
        return done

    def log(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as file:
            return file.read()[-6000:]

    def rows(self, sql, *values):
        if not os.path.exists(self.store):
            return []
        connection = sqlite3.connect(self.store, timeout=30)
        try:
            with connection:
                return connection.execute(sql, values).fetchall()
        except sqlite3.OperationalError:
            return []  # not there yet
        finally:
            connection.close()

    def wait(self, ready, what):
        def ready_or_ended():
            if self.process.poll() is not None:
                raise AssertionError(f"the agent has ended before {what}")
            return ready()
        try:
            return wait_for(ready_or_ended, what, 2 * PATIENT_S)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()}") from None

    # what became of the flows

    def states(self):
        return dict(self.rows("SELECT flow, state FROM flow_state"))

    def runs(self, flow):
        """(start in seconds, state) of all runs."""
        return [(started / 1e6, state) for started, state in self.rows(
            "SELECT started, 'ok' FROM good_run WHERE flow = (SELECT no FROM flow WHERE id = ?1) UNION ALL"
            " SELECT started, state FROM run WHERE flow = (SELECT no FROM flow WHERE id = ?1) ORDER BY 1", flow)]

    def good_runs(self, flow):
        return sum(state == "ok" for _, state in self.runs(flow))

    def bad_runs(self, flow):
        """Their states, in order."""
        return [state for _, state in self.runs(flow) if state not in ("ok", "slow")]

    def verdicts(self, flow):
        """(class, phase, cause) of the runs that failed, with how often; None: no run of ours to judge."""
        found = collections.Counter()
        for (text,) in self.rows("SELECT result FROM run WHERE flow = (SELECT no FROM flow WHERE id = ?)"
                                 " AND state = 'failed'", flow):
            result = json.loads(text)
            steps = [step for step in result["steps"] if step["state"] == "failed"]
            verdict = steps[-1]["verdict"]
            found[verdict["class"], verdict["phase"], verdict["cause"]] += 1
        return found

    def messages(self, flow):
        found = set()
        for (text,) in self.rows("SELECT result FROM run WHERE flow = (SELECT no FROM flow WHERE id = ?)"
                                 " AND state = 'failed'", flow):
            verdicts = [step["verdict"] for step in json.loads(text)["steps"] if step["state"] == "failed"]
            found |= {verdict["message"] or verdict["failed_expectation"] for verdict in verdicts}
        return found

    def incidents(self, system):
        """(opened, closed) of each; closed 0: it is open."""
        return self.rows("SELECT opened, closed FROM incident WHERE system = ? ORDER BY opened", system)

    def mails(self, flow=""):
        """Subjects of those about a flow; "": about none."""
        found = []
        for path in glob.glob(self.path("mail/*.eml")):
            with open(path, "rb") as file:
                mail = email.message_from_binary_file(file, policy=email.policy.default)
            flows = mail["X-Erpwatch-Flow"] or ""
            if flow in flows and bool(flow) == bool(flows):
                found.append(mail["Subject"])
        return found

    def owed(self):
        return self.rows("SELECT count(*) FROM debt WHERE state = 'owed'")[0][0]

    def settle(self):
        """All mails are out, and what is owed is paid. A lookup that finds nothing is repeated after
        minutes, which pass at once."""
        self.wait(lambda: not self.rows("SELECT 1 FROM outbox_notice WHERE ended_us IS NULL"), "all mails")
        self.stop()
        for flow in self.flows.values():
            flow["off"] = "the end"
        self.configure()
        for _ in range(20):
            if self.owed() == 0:
                return
            self.rows("UPDATE debt SET sent_at = sent_at - 300000000, due = strftime('%s') * 1000000"
                      " WHERE state = 'owed'")
            tries = self.rows("SELECT sum(tries) FROM debt")[0][0]
            self.start()
            self.wait(lambda tries=tries: self.owed() == 0 or self.rows("SELECT min(due) > strftime('%s') * 1000000"
                      " AND sum(tries) > 0 FROM debt WHERE state = 'owed'")[0][0], f"more than {tries} tries")
            self.stop()

    def judge_others(self, flows):
        """What is wrong with flows whose systems were well all the time; the longest pause."""
        wrong, longest = [f"a mail: {subject}" for subject in self.mails()], 0
        for flow in flows:
            runs = self.runs(flow)
            bad = [state for _, state in runs if state not in ("ok", "slow")]
            pauses = [later - sooner for (sooner, _), (later, _) in itertools.pairwise(runs)]
            longest = max([longest, *pauses])
            if bad:
                wrong.append(f"{flow} was {', '.join(sorted(set(bad)))} {len(bad)} times: {self.messages(flow)}")
            if longest > LONGEST_PAUSE_S:
                wrong.append(f"{flow} paused {longest:.0f} s")
        return wrong, longest


def wait_for_good(program, names):
    had = {name: program.good_runs(name) for name in names}
    for name in names:
        program.wait(lambda name=name: program.good_runs(name) > had[name], f"a good run of {name}")


# The configuration

def system(url, **more):
    return {"url": f"{url}/api", "timeout": f"{PATIENT_S}s", "act": {"integrator": "ops", "hosting": "ops"}, **more}


def session():
    return {"session": {"login": {"post": "/login", "json": {"user": "probe", "password": "${env:WIRE_PASSWORD}"}},
                        "logout": {"post": "/logout"}}}


def flow(name, *steps, **more):
    return {"system": name, "every": "2s", "timeout": f"{PATIENT_S}s", "priority": "P1", "notify": ["ops"],
            "confirm": {"runs": 2, "after": "0s"}, "group": "0s", "steps": list(steps), **more}


def create(table, **more):
    return {"step": "create", "post": f"/{table}", "json": {"ref": MARK}, "capture": {"id": {"json": "$.id"}},
            "lookup": {"get": f"/{table}", "query": {"ref": MARK}, "mark": {"json": "$.value[*].ref"},
                       "capture": {"id": {"json": "$.value[*].id"}}},
            "undo": {"delete": f"/{table}/{{{{id}}}}"}, **more}


def look(table, name="look"):
    return {"step": name, "get": f"/{table}", "expect": {"json": {"$.value": {"type": "array"}}}}


# Outages: every kind at once, each system behind its own wire.

class Outage:
    """`verdicts`: those that it may have, as (class, phase, cause); none: nothing may fail. What
    `hangs`, a step or all, has not long: the others may need it on a busy machine."""

    def __init__(self, begin, verdicts, hangs=None, changes=False):
        self.begin, self.verdicts, self.hangs, self.changes = begin, verdicts, hangs, changes

    @staticmethod
    def end(wire):
        """What hangs now hangs on."""
        wire.fault = None
        wire.accept()


def set_fault(make):
    """Of all requests, or of those that write: then a record was made, and must be removed."""
    def begin(wire, numbers):
        fault = make(numbers)
        fault.methods = fault.methods or numbers.choice((None, {"POST"}, {"POST", "DELETE"}))
        wire.fault = fault
    return begin


def hold(wire, numbers):
    wire.fault = Hold()
    wire.freeze()


GONE = {("unreachable", "first_byte", "network")}
BROKEN = {("cryptic", None, "server_fault")}
LATE = {("timeout", "transfer", "network")}
STALLS = (0, 0, 0, 0.05, 0.2, 0.4)
OUTAGES = {
    "refused": Outage(lambda wire, numbers: wire.refuse(), {("unreachable", "connect", "network")} | GONE),
    "half-open": Outage(hold, {("timeout", "first_byte", "network")}, hangs="all"),
    "reset-at-once": Outage(set_fault(lambda n: ResetAtOnce()), {("unreachable", "connect", "network")} | GONE),
    "reset-unheard": Outage(set_fault(lambda n: Cut("before", "rst", acts=False)), GONE),
    "reset-before": Outage(set_fault(lambda n: Cut("before", "rst")), GONE),
    "closed-before": Outage(set_fault(lambda n: Cut("before", "fin")), GONE),
    "reset-in-head": Outage(set_fault(lambda n: Cut("head", "rst")), BROKEN),
    "closed-in-head": Outage(set_fault(lambda n: Cut("head", "fin")), BROKEN),
    "reset-in-body": Outage(set_fault(lambda n: Cut("body", "rst")), BROKEN),
    "closed-in-body": Outage(set_fault(lambda n: Cut("body", "fin")), BROKEN),
    "silent-in-body": Outage(set_fault(lambda n: Cut("body", "silent", methods={"POST"})), LATE, hangs="create"),
    "slow-loris": Outage(set_fault(lambda n: Drip(0.5, methods={"POST"})), LATE, hangs="create"),
    "any-byte": Outage(set_fault(lambda n: AnyByte(n)), BROKEN | GONE | {("unreachable", "transfer", "network")},
                       changes=True),
    "reset-after": Outage(set_fault(lambda n: Cut("after", "rst")), set()),
    "loss": Outage(set_fault(lambda n: Loss(40, lambda: n.choice(STALLS))), set()),
    "delay": Outage(set_fault(lambda n: Loss(10**6, lambda: 0.2)), set()),
}


class AnyByte(Cut):
    """At another byte each time."""

    def __init__(self, numbers):
        super().__init__("before", "rst")
        self.numbers = numbers

    def place(self, length, head):
        return self.numbers.randrange(length)


class Outages:
    def __init__(self, seed, kinds=None):
        self.numbers = random.Random(seed)
        self.kinds = {name: OUTAGES[name] for name in kinds or OUTAGES}
        self.erp, self.program = Records(), Program()
        self.erp.logins = {"probe": PASSWORD}
        self.wires = {name: Wire(self.erp.port) for name in self.kinds}
        for name, kind in self.kinds.items():
            self.program.systems[name] = system(f"http://127.0.0.1:{self.wires[name].port}", auth=session())
            self.program.flows[name] = flow(name, look(name), create(name), look(name, "look again"))
        self.program.systems["well"] = system(f"http://127.0.0.1:{self.erp.port}", auth=session())
        self.program.flows["well-orders"] = flow("well", create("well"), look("well"))
        self.program.flows["well-look"] = flow("well", look("well"), every="1s")
        self.rounds = 0

    def close(self):
        self.program.close()
        for wire in self.wires.values():
            wire.close()
        self.erp.close()

    def round(self):
        program, kinds = self.program, self.kinds
        self.rounds += 1
        wait_for_good(program, program.flows)
        for name, kind in kinds.items():
            time.sleep(self.numbers.uniform(0, 0.1))  # at any moment of a run
            kind.begin(self.wires[name], self.numbers)
        for name, kind in kinds.items():
            if kind.verdicts:
                program.wait(lambda name=name: len(program.incidents(name)) >= self.rounds, f"an incident of {name}")
            else:
                program.wait(lambda name=name: self.wires[name].fault.struck > 3, f"{name} to be met")
        for name, kind in kinds.items():
            kind.end(self.wires[name])
        for name in kinds:
            program.wait(lambda name=name: all(closed for _, closed in program.incidents(name)), f"{name} to be closed")
        wait_for_good(program, program.flows)

    def shorten(self):
        """What is to hang has not long from now on, but longer than all runs so far: on a busy machine
        other calls must not hang, too."""
        longest, = self.program.rows("SELECT max(duration_us) / 1000 FROM good_run")[0]
        short = {"timeout": f"{min(max(1000 * SHORT_S, 4 * longest), 500 * PATIENT_S)}ms"}
        for name, kind in self.kinds.items():
            if kind.hangs == "all":
                self.program.systems[name].update(short)
            elif kind.hangs == "create":
                self.program.flows[name]["steps"][1].update(short)
        self.program.reload()

    def run(self, rounds):
        self.program.configure()
        self.program.start()
        wait_for_good(self.program, self.program.flows)
        self.shorten()
        for _ in range(rounds):
            self.round()
        self.program.settle()

    def judge(self, name):
        """(failed runs, incidents, mails, what is wrong)."""
        program, kind = self.program, self.kinds[name]
        verdicts, incidents, mails = program.verdicts(name), program.incidents(name), program.mails(name)
        expected = self.rounds if kind.verdicts else 0
        wrong = [f"{'/'.join(map(str, verdict))} {count} times ({', '.join(program.messages(name))})"
                 for verdict, count in verdicts.items() if verdict not in kind.verdicts]
        if len(incidents) != expected:
            wrong.append(f"{len(incidents)} incidents in place of {expected}")
        if not all(closed for _, closed in incidents):
            wrong.append("one was not closed")
        if len(mails) != 2 * expected and not (kind.changes and len(mails) >= 2 * expected):
            wrong.append(f"{len(mails)} mails: {mails}")
        states = dict(program.rows("SELECT state, count(*) FROM debt WHERE system = ? GROUP BY state", name))
        if set(states) - {"paid", "void"}:
            wrong.append(f"undos are {states}")
        if self.erp.left(name):
            wrong.append(f"{len(self.erp.left(name))} records are left")
        wrong += twice_sent(self.wires[name])
        return sum(verdicts.values()), len(incidents), len(mails), states.get("paid", 0), wrong


def twice_sent(wire):
    """A POST of a step carries its run's id: none may come twice."""
    posts = collections.Counter(request for request in wire.seen
                                if request[0] == "POST" and request[2] and "login" not in request[1])
    return [f"{method} {path} {body} came {count} times" for (method, path, body), count in posts.items() if count > 1]


def test_outages(rounds, seed, kinds=None):
    """The rows of the table."""
    outages = Outages(seed, kinds)
    try:
        outages.run(rounds)
        for name in outages.kinds:
            failed, incidents, mails, paid, wrong = outages.judge(name)
            yield name, rounds, f"{failed} failed, {incidents} opened and closed, {mails} mails, {paid} paid", wrong
        wrong, longest = outages.program.judge_others(("well-look", "well-orders"))
        runs = sum(len(outages.program.runs(name)) for name in ("well-look", "well-orders"))
        yield "others", rounds, f"{runs} runs on time, longest pause {longest:.1f} s", wrong
    finally:
        outages.close()


# Never twice: what writes goes out once, however its connection ends.

class Writing:
    """A way to write: the flow or sweep that does it once in a run, after a read that leaves a
    kept connection behind. `asked` says how often the server was asked for it."""

    def __init__(self, method, path, *steps, auth=None, command="check", runs=1):
        self.method, self.path, self.steps, self.auth = method, path, steps, auth
        self.command, self.runs = command, runs

    def asked(self, wire):
        return sum(method == self.method and path.startswith(self.path) for method, path, _ in wire.seen)


def post(**more):
    return {"step": "create", "post": "/orders", "json": {"ref": MARK}, "undo": {"none": "counted"}, **more}


SWEEP = {"get": "/orders", "items": "$.value[*]", "only": {"json": {"$.ref": {"matches": "^ERPW-"}}},
         "at": {"json": "$.changed"}, "older": "1h", "capture": {"id": {"json": "$.id"}},
         "undo": {"delete": "/orders/{{id}}"}}
WRITINGS = {
    "post": Writing("POST", "/api/orders", look("orders"), post()),
    "put": Writing("PUT", "/api/orders", look("orders"), {**post(), "post": None, "put": "/orders/1"}),
    "100-continue": Writing("POST", "/api/orders", look("orders"), post(headers={"Expect": "100-continue"})),
    "idempotent": Writing("POST", "/api/orders", look("orders"), post(idempotency="Idempotency-Key")),
    # one repetition that the user wants, with the same key
    "retried": Writing("POST", "/api/orders", look("orders"), post(
        idempotency="Idempotency-Key", retry={"times": 1, "after": "10ms", "on": "any"}), runs=2),
    "undo": Writing("DELETE", "/api/orders", create("orders"), look("orders")),
    "login": Writing("POST", "/api/login", look("orders"), auth=session()),
    "sweep": Writing("DELETE", "/api/orders", command="sweep"),
}
ENDS = list(itertools.product(("before", "head", "body"), ("fin", "rst"), (True, False)))


def test_writing(erp, wire, name, end):
    """What is wrong with one way to write whose connection ends so."""
    writing, (where, how, acts) = WRITINGS[name], end
    program = Program()
    try:
        auth = {"auth": writing.auth} if writing.auth else {}
        program.systems["erp"] = system(f"http://127.0.0.1:{wire.port}", **auth)
        steps = [{key: value for key, value in step.items() if value is not None} for step in writing.steps]
        program.flows["orders"] = flow("erp", *steps or [look("orders")])
        program.sweeps["left"] = {"system": "erp", "every": "1h", **SWEEP}
        program.configure()
        erp.tables["orders"] = {}
        erp.add("orders", ref="ERPW-1")
        wire.seen.clear()
        wire.fault = Cut(where, how, acts=acts, methods={writing.method})
        done = program.run(writing.command)
        asked = writing.asked(wire)
        if asked != writing.runs:
            return [f"{how} at {where}{'' if acts else ' of an answer that was not made'}: {asked} times, "
                    f"{done.stdout[:200]}{done.stderr}"]
        return []
    finally:
        program.close()


def test_twice(rounds, seed):
    """Four kinds of ends a round."""
    numbers = random.Random(seed)
    erp = Records()
    wire = Wire(erp.port)
    try:
        for name, writing in WRITINGS.items():
            erp.logins = {"probe": PASSWORD} if writing.auth else {}
            ends = (ENDS * (rounds // 3) + numbers.sample(ENDS, 4 * (rounds % 3)))
            wrong = [text for end in ends for text in test_writing(erp, wire, name, end)]
            yield name, len(ends), "each sent once" if writing.runs == 1 else "each sent twice, as told", wrong
    finally:
        wire.close()
        erp.close()


# Hushed: a firewall on the way has forgotten the connections that are kept; new ones work.

KEPT = 4


def hush(program, wire):
    """Flows leave connections behind, of which one flow finds the first dead, and no other."""
    wire.fault = Together(KEPT)
    names = [f"look-{number}" for number in range(KEPT)]
    program.systems["hushed"] = system(f"http://127.0.0.1:{wire.port}")
    program.flows.update({name: flow("hushed", look("orders"), every="1s") for name in names})
    program.configure()
    program.start()
    program.wait(lambda: wire.fault.all.is_set(), f"{KEPT} calls at once")
    wire.fault = None
    wait_for_good(program, names)
    program.systems["hushed"]["timeout"] = f"{TIMEOUT_S}s"
    for name in names[1:]:
        program.flows[name]["off"] = "for now"
    program.reload()
    wait_for_good(program, names[:1])
    wire.freeze()
    program.wait(lambda: program.verdicts(names[0]), "a call over a silent connection")
    wait_for_good(program, names[:1])
    program.settle()
    return names[0]


def test_hushed(rounds, seed):
    del seed
    for _ in range(rounds):
        erp, program = Records(), Program()
        wire = Wire(erp.port)
        try:
            name = hush(program, wire)
            found, incidents = program.verdicts(name), program.incidents("hushed")
            wrong = [f"{len(incidents)} incidents, mails {program.mails(name)}"] if incidents else []
            if dict(found) != {("timeout", "first_byte", "network"): 1}:
                wrong.append(f"{dict(found)}: {program.messages(name)}")
            yield "hushed", 1, f"{sum(found.values())} failed, though {KEPT} connections fell silent", wrong
        finally:
            program.close()
            wire.close()
            erp.close()


# In a network namespace of our own, where we are root: the part runs in a process of its own,
# which says its rows as lines of JSON.

INSIDE = "ERPWATCH_FAULT_INSIDE"
RESOLVER = "nameserver 127.0.0.1\noptions timeout:5 attempts:4\n"  # asks for 20 s


class Skipped(Exception):
    """This machine does not let us."""


def in_namespace(part):
    def run(rounds, seed):
        may = subprocess.run(["unshare", "-rnm", "ip", "link", "set", "lo", "up"], capture_output=True, text=True,
                             check=False)
        if may.returncode != 0:
            raise Skipped(f"{part} needs a network namespace: {may.stderr.strip()}")
        environment = dict(os.environ, **{INSIDE: json.dumps([part, rounds, seed])})
        with subprocess.Popen(["unshare", "-rnm", sys.executable, os.path.abspath(__file__)], env=environment,
                              stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                yield json.loads(line)
        if process.returncode != 0:
            yield part, rounds, "", [f"it ended with {process.returncode}"]
    return run


def shell(*lines):
    for line in lines:
        subprocess.run(line.split(), check=True, capture_output=True)


def set_resolver(folder):
    for name, text in (("resolv.conf", RESOLVER), ("nsswitch.conf", "hosts: files dns\n"),
                       ("hosts", "127.0.0.1 localhost\n")):
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        shell(f"mount --bind {path} /etc/{name}")


def run_inside():
    part, rounds, seed = json.loads(os.environ.pop(INSIDE))
    shell("ip link set lo up")
    for row in INSIDE_PARTS[part](rounds, seed):
        print(json.dumps(row), flush=True)


# Names

class Names:
    """Each system has a name of its own, of which the name server says something of its own."""

    KINDS = {  # what is said, the verdicts that may come of it, words of the message
        "dead": ("dead", {("timeout", "dns", "network")}, "was not resolved|have not answered"),
        "broken": ("broken", {("unreachable", "dns", "network")}, "name servers"),
        "missing": ("missing", {("unreachable", "dns", "network")}, "name not found"),
        "slow": (1.5, set(), ""),
        "good": ("address", set(), ""),
    }

    def __init__(self, server):
        self.erp, self.program, self.server = Records(), Program(), server
        server.names = {name: said for name, (said, _, _) in self.KINDS.items()}
        server.asked.clear()
        server.slowest.clear()
        for name in self.KINDS:
            timeout = f"{TIMEOUT_S}s" if name == "dead" else f"{PATIENT_S}s"
            self.program.systems[name] = system(f"http://{name}.test:{self.erp.port}", timeout=timeout)
            self.program.flows[name] = flow(name, create(name), look(name))
        self.program.systems["well"] = system(f"http://127.0.0.1:{self.erp.port}")
        self.program.flows["well"] = flow("well", look("well"), every="1s")
        self.failing = [name for name, (_, verdicts, _) in self.KINDS.items() if verdicts]

    def close(self):
        self.program.close()
        self.erp.close()

    def stop_meanwhile(self):
        """How long a stop takes while a lookup hangs."""
        self.program.start()
        self.program.wait(lambda: self.server.asked["dead"], "the question for a name")
        return self.program.stop()

    def run(self):
        program = self.program
        program.configure()
        self.stopping = self.stop_meanwhile()
        program.start()
        for name in self.failing:
            program.wait(lambda name=name: program.incidents(name), f"an incident of {name}")
        for name in self.KINDS:
            self.server.names[name] = "address"
        for name in self.KINDS:
            program.wait(lambda name=name: all(closed for _, closed in program.incidents(name)), f"{name} to be closed")
            program.wait(lambda name=name: program.good_runs(name), f"a good run of {name}")
        program.settle()

    def judge(self, name):
        _, verdicts, words = self.KINDS[name]
        found, messages = self.program.verdicts(name), self.program.messages(name)
        if self.server.slowest[name] > LATE_S:  # so busy a machine: no answer is what there was
            verdicts = verdicts and verdicts | self.KINDS["dead"][1]
            words += "|have no answer|have not answered"
        wrong = [f"{'/'.join(map(str, verdict))} {count} times" for verdict, count in found.items()
                 if verdict not in verdicts]
        wrong += [message for message in messages if not re.search(words, message)]
        expected = 1 if verdicts else 0
        incidents, mails = self.program.incidents(name), self.program.mails(name)
        if len(incidents) != expected or len(mails) != 2 * expected:
            wrong.append(f"{len(incidents)} incidents and {len(mails)} mails in place of {expected} and {2 * expected}")
        if self.erp.left(name):
            wrong.append(f"{len(self.erp.left(name))} records are left")
        return f"{sum(found.values())} failed, {len(incidents)} opened and closed", wrong


def test_names(rounds, seed):
    del seed
    server = NameServer()
    folder = tempfile.mkdtemp(prefix="erpwatch-resolver-")
    set_resolver(folder)
    for _ in range(rounds):
        names = Names(server)
        try:
            names.run()
            for name in names.KINDS:
                figures, wrong = names.judge(name)
                yield f"name {name}", 1, figures, wrong
            wrong, longest = names.program.judge_others(("well",))
            yield "others", 1, f"longest pause {longest:.1f} s", wrong
            wrong = [f"a stop took {names.stopping:.0f} s"] if names.stopping > LONGEST_PAUSE_S else []
            yield "stop", 1, f"{names.stopping:.1f} s while a lookup hung", wrong
        finally:
            names.close()
    shutil.rmtree(folder)


# Links and routes

def set_silent():
    """10.9.9.0/24 lies behind a cable whose other end takes nothing: no answer, no refusal."""
    shell("ip link add cable type veth peer name end", "ip addr add 10.9.9.254/24 dev cable",
          "ip link set cable up", "ip link set end up",
          "ip neigh add 10.9.9.2 lladdr 02:00:00:00:00:02 dev cable nud permanent")


class Route:
    """A system at an address that comes and goes."""

    def __init__(self, address, gone, back, verdicts):
        self.address, self.gone, self.back, self.verdicts = address, gone, back, verdicts


ROUTES = {
    "silent": Route("10.9.9.2", ("ip addr del 10.9.9.2/32 dev lo",), ("ip addr add 10.9.9.2/32 dev lo",),
                    {("timeout", "connect", "network"), ("timeout", "first_byte", "network")}),
    "no-route": Route("10.9.8.2", ("ip addr del 10.9.8.2/32 dev lo", "ip route add unreachable 10.9.8.2"),
                      ("ip route del unreachable 10.9.8.2", "ip addr add 10.9.8.2/32 dev lo"),
                      {("unreachable", "connect", "network"), ("timeout", "first_byte", "network")}),
}


def test_routes(rounds, seed):
    """Systems that are gone while we are online; connections that are reset only when they are used again."""
    numbers = random.Random(seed)
    erp, program = Records(), Program()
    wires = {name: Wire(erp.port, "0.0.0.0") for name in [*ROUTES, "vanished"]}
    set_silent()
    try:
        for name, route in ROUTES.items():
            shell(*route.back[-1:])
            program.systems[name] = system(f"http://{route.address}:{wires[name].port}", timeout=f"{TIMEOUT_S}s")
        program.systems["vanished"] = system(f"http://127.0.0.1:{wires['vanished'].port}", timeout=f"{TIMEOUT_S}s")
        for name in wires:
            program.flows[name] = flow(name, look(name), create(name), look(name, "look again"))
        program.systems["well"] = system(f"http://127.0.0.1:{erp.port}")
        program.flows["well"] = flow("well", look("well"), every="1s")
        program.online = [f"http://127.0.0.1:{erp.port}/"]
        program.configure()
        program.start()
        for number in range(1, rounds + 1):
            wait_for_good(program, program.flows)
            time.sleep(numbers.uniform(0, 2))
            wires["vanished"].vanish()
            for route in ROUTES.values():
                shell(*route.gone)
            for name in ROUTES:
                program.wait(lambda name=name: len(program.incidents(name)) == number, f"an incident of {name}")
            for route in ROUTES.values():
                shell(*route.back)
            for name in ROUTES:
                program.wait(lambda name=name: all(closed for _, closed in program.incidents(name)),
                             f"{name} to be closed")
            wait_for_good(program, program.flows)
        program.settle()
        for name in wires:
            # one that vanished under a call is not answered: a run, and no more; else the next one is taken
            verdicts = ROUTES[name].verdicts if name in ROUTES else {("timeout", "first_byte", "network")}
            yield judge_link(program, erp, name, verdicts, rounds)
        wrong, longest = program.judge_others(("well",))
        yield "others", rounds, f"longest pause {longest:.1f} s", wrong
    finally:
        program.close()
        for wire in wires.values():
            wire.close()
        erp.close()


def judge_link(program, erp, name, verdicts, rounds):
    found, incidents = program.verdicts(name), program.incidents(name)
    wrong = [f"{'/'.join(map(str, verdict))} {count} times: {program.messages(name)}"
             for verdict, count in found.items() if verdict not in verdicts]
    expected = rounds if name in ROUTES else 0
    if len(incidents) != expected or len(program.mails(name)) != 2 * expected:
        wrong.append(f"{len(incidents)} incidents, mails {program.mails(name)}")
    if erp.left(name):
        wrong.append(f"{len(erp.left(name))} records are left")
    return name, rounds, f"{sum(found.values())} failed, {len(incidents)} opened and closed", wrong


NO_ROUTE = (("ip rule add pref 9 table local", "ip rule del pref 0", "ip rule add pref 1 unreachable"),
            ("ip rule add pref 0 table local", "ip rule del pref 9", "ip rule del pref 1"))
OWN_NETWORK = {  # how it goes, and comes back
    "silent": (("ip link set lo down",), ("ip link set lo up",)),
    "unreachable": NO_ROUTE,
    "gone at the start": NO_ROUTE,
}


def test_own_network(rounds, seed):
    """Our own network is gone: nobody knows, and nobody is told."""
    numbers = random.Random(seed)
    erp, elsewhere, program = Records(), Records("127.0.0.2"), Program()
    erp.logins = {"probe": PASSWORD}
    try:
        program.systems["erp"] = system(f"http://127.0.0.1:{erp.port}", auth=session(), timeout=f"{TIMEOUT_S}s")
        program.flows["orders"] = flow("erp", create("orders"), look("orders"))
        program.flows["look"] = flow("erp", look("orders"), every="1s")
        program.online = [f"http://127.0.0.2:{elsewhere.port}/"]
        program.configure()
        program.start()
        for way in rounds * list(OWN_NETWORK):
            gone, back = OWN_NETWORK[way]
            wait_for_good(program, program.flows)
            time.sleep(numbers.uniform(0, 2))
            if way == "gone at the start":
                program.stop()
            shell(*gone)
            if way == "gone at the start":
                program.start()
            down = time.time()
            for name in program.flows:  # one more than what opens an incident
                program.wait(lambda name=name, down=down: sum(begun > down for begun, _ in program.runs(name)) > 2,
                             f"runs of {name} where it is {way}")
            shell(*back)
            wait_for_good(program, program.flows)
        program.settle()
        unknown = sum(state == "unknown" for name in program.flows for _, state in program.runs(name))
        failed = sum(state == "failed" for name in program.flows for _, state in program.runs(name))
        wrong = [f"{len(program.incidents('erp'))} incidents: {program.messages('orders') | program.messages('look')}"
                 ] if program.incidents("erp") else []
        if program.mails("orders") + program.mails("look"):
            wrong.append(f"mails {program.mails('orders') + program.mails('look')}")
        times = rounds * len(OWN_NETWORK)
        if failed:
            wrong.append(f"{failed} runs failed: {program.messages('orders') | program.messages('look')}")
        if unknown < 2 * 2 * times:
            wrong.append(f"{unknown} runs were unknown")
        if erp.left("orders"):
            wrong.append(f"{len(erp.left('orders'))} records are left")
        yield "own network", times, f"{unknown} unknown, {failed} failed", wrong
    finally:
        program.close()
        elsewhere.close()
        erp.close()


HANGS_S = 8  # long enough to be asked for twice before it ends


def test_own_network_is_back(rounds, seed):
    """A call hangs while our own network is gone, and ends when it is back: nobody knows whose fault
    that was. One that hangs as long with nothing gone has failed."""
    del seed
    erp, elsewhere, program = Records(), Records("127.0.0.2"), Program()
    wire = Wire(erp.port)
    try:
        program.systems["hung"] = system(f"http://127.0.0.1:{wire.port}", timeout=f"{HANGS_S}s")
        program.flows["hung"] = flow("hung", look("hung"), every="1s", confirm={"runs": 2})
        program.online = [f"http://127.0.0.2:{elsewhere.port}/"]
        program.configure()
        program.start()
        wrong = []
        for number in range(1, rounds + 1):
            for gone in (True, False):
                wait_for_good(program, program.flows)
                wire.fault = Cut("before", "silent")
                program.wait(lambda: wire.fault.struck, "a call that hangs")
                said, bad = program.log().count("network seems to be down"), program.bad_runs("hung")
                if gone:
                    shell(*NO_ROUTE[0])
                    program.wait(lambda said=said: program.log().count("network seems to be down") > said,
                                 "our own network to be missed while the call hangs")
                    shell(*NO_ROUTE[1])
                    if program.bad_runs("hung") != bad:
                        wrong.append("it was missed only when the call had ended")
                wire.fault = None
                program.wait(lambda bad=bad: program.bad_runs("hung") != bad, "the call that hung to end")
                state = program.bad_runs("hung")[-1]
                if state != ("unknown" if gone else "failed"):
                    wrong.append(f"round {number}, our own network {'was gone' if gone else 'was there'}: {state}")
        wait_for_good(program, program.flows)
        program.settle()
        wrong += [f"mails {program.mails('hung')}"] if program.mails("hung") else []
        yield "back again", rounds, f"{len(program.bad_runs('hung'))} hung", wrong
    finally:
        program.close()
        wire.close()
        elsewhere.close()
        erp.close()


INSIDE_PARTS = {"names": test_names, "routes": test_routes, "own": test_own_network,
                "back": test_own_network_is_back}
PARTS = {"outages": test_outages, "twice": test_twice, "hushed": test_hushed,
         **{name: in_namespace(name) for name in INSIDE_PARTS}}


def main():
    if INSIDE in os.environ:
        return run_inside()
    given = form.options(__doc__, rounds=3)
    table = form.Table("what", "how often", "figures".ljust(56), "found", width=14)
    for part in given.names or PARTS:
        try:
            for name, count, figures, wrong in PARTS[part](given.rounds, given.seed):
                table.row(name, count, figures.ljust(56), "; ".join(wrong))
        except Skipped as why:
            print(f"skipped: {why}", flush=True)
    return table.close()


if __name__ == "__main__":
    sys.exit(main())
