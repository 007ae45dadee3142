#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Too little memory, descriptors or disk, and too much of what comes: the program ends its work in
words or goes on, crashes nowhere, loses nothing that was committed, and grows by nothing.

    tests/fault/memory.py [--tries N] [--runs N] [--open N] [--seed S] [PART...]

Parts: `allocations` and `writes`, one in each library, and each write of the store, fails, alone or
with all after it, TRIES times each; `descriptors`, 64 of them; `connections`, OPEN of them to a
server that takes its time; `bodies` of 4 GiB, declared, chunked and compressed; `leaks`, a thousand
runs under valgrind and, where build-asan holds the program, LeakSanitizer."""
import collections
import errno
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import zlib

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
for folder in ("tests/servers", "tests/e2e", "tests/fault"):
    sys.path.insert(0, os.path.join(ROOT, folder))
import form  # noqa: E402
from harness import PROGRAM, wait_for  # noqa: E402
from records import Records  # noqa: E402

FAULTS = os.path.join(os.path.dirname(PROGRAM), "tests/preload/faults.so")
SERVER = os.path.join(os.path.dirname(PROGRAM), "tests/bench/json_server")
# GLib ends a process that is out of memory, by design; the program makes it end by 3.
# cJSON and libuv take theirs by way of GLib.
LIBRARIES = ("libsqlite3", "libcurl", "libcrypto", "libxml2", "libfyaml", "libc.so", "libglib")
GIB = 1 << 30
CONNECTION_KIB = 40  # that a call in flight may take, with its flow


class Place:
    """A folder with a configuration, a store and a mail directory."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="erpwatch-memory-")
        self.store = self.path("erpwatch.db")
        self.process = None
        os.mkdir(self.path("mail"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def configure(self, port, flows, agent=None, path="", **system):
        defaults = {"system": "erp", "timeout": "90s", "priority": "P1", "notify": ["client"], "group": "0s",
                    "confirm": {"runs": 1}}
        document = {
            "agent": {"store": self.store, **(agent or {})},
            "mail": {"directory": self.path("mail"), "from": "Monitor <m@agency.example>", "fallback": "ops",
                     "limit": 100000},
            "contacts": {"ops": {"email": "ops@agency.example"}},
            "systems": {"erp": {"url": f"http://127.0.0.1:{port}{path}", "timeout": "60s",
                                "act": {"client": "ops", "integrator": "ops", "erp-partner": "ops", "hosting": "ops"},
                                **system}},
            "flows": {name: {**defaults, **flow} for name, flow in flows.items()},
        }
        with open(self.path("erpwatch.yaml"), "w", encoding="utf-8") as file:
            json.dump(document, file)
        os.chmod(self.path("erpwatch.yaml"), 0o600)

    def add_system(self, name, port):
        """Another one like the first."""
        with open(self.path("erpwatch.yaml"), encoding="utf-8") as file:
            document = json.load(file)
        document["systems"][name] = {**document["systems"]["erp"], "url": f"http://127.0.0.1:{port}"}
        with open(self.path("erpwatch.yaml"), "w", encoding="utf-8") as file:
            json.dump(document, file)

    def start(self, *command, program=(PROGRAM,), **options):
        with open(self.path("log"), "a", encoding="utf-8") as log:
            self.process = subprocess.Popen([*program, *command], cwd=self.folder, stdout=log, stderr=log, **options)
        return self.process

    def run(self, *command, environment=None):
        """The exit code ("hangs" after a time that none of its waits takes), the output and what was said."""
        try:
            done = subprocess.run([PROGRAM, *command], cwd=self.folder, env={**os.environ, **(environment or {})},
                                  capture_output=True, text=True, timeout=180, check=False)
        except subprocess.TimeoutExpired as late:
            return "hangs", str(late.stdout), str(late.stderr)
        return done.returncode, done.stdout, done.stderr

    def stop(self):
        """The agent's exit code, in its own time."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(180)

    def log(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def rows(self, sql):
        with sqlite3.connect(f"file:{self.store}?mode=ro", uri=True, timeout=10) as store:
            return store.execute(sql).fetchall()

    def count(self, what):
        """0 also where there is no store yet."""
        try:
            return self.rows(f"SELECT count(*) FROM {what}")[0][0]
        except sqlite3.OperationalError:
            return 0

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def resident_kb(pid):
    """0 of a process that has ended."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        found = re.search(r"VmRSS:\s+(\d+)", file.read())
    return int(found.group(1)) if found else 0


# Allocations and writes that fail


def flow_that_writes():
    mark = "erpwatch {{mark}}"
    return {"orders": {"every": "1h", "steps": [
        {"step": "create", "post": "/customers", "json": {"name": mark}, "capture": {"id": {"json": "$.id"}},
         "lookup": {"get": "/customers", "mark": {"json": "$.value[*].name"},
                    "capture": {"id": {"json": "$.value[*].id"}}},
         "undo": {"delete": "/customers/{{id}}"}},
        {"step": "look", "get": "/customers"}]}}


def pay_at_once(place):
    with sqlite3.connect(place.store, timeout=10) as store:
        store.execute("UPDATE debt SET sent_at = sent_at - 300000000, due = 0 WHERE state = 'owed'")


def ends_by_design(faults, code, said):
    """GLib aborts where it cannot make a lock, and overflows the stack where the C library has no
    memory at all for the message that says so; libfyaml follows a null pointer where the C library
    has none three times in a row."""
    return (code == -signal.SIGABRT and "GLib (" in said) or (
        code == -signal.SIGSEGV and faults.get("FAULT_LIB") == "libc.so" and faults["FAULT_FOR"] != "1")


class Failing:
    """check --notify against an ERP with records, of which some call fails; then one that works."""

    def __init__(self, numbers):
        self.numbers = numbers
        self.erp = Records()
        self.erp.commits_after = self.erp.answers_after = lambda: 0
        self.erp.create = self.create
        self.place = Place()
        self.place.configure(self.erp.port, flow_that_writes(), path="/api", timeout="20s")
        self.ends = collections.Counter()
        self.incidents = 0
        self.wrong = []

    def close(self):
        self.place.close()
        self.erp.close()

    def create(self, table, record):
        """What comes is owed already: the ledger is committed before the first byte goes out."""
        run = record["name"].rpartition("-")[2]
        if not self.place.count(f"debt WHERE run = '{run}'"):
            self.wrong.append(f"{run} was sent, and its undo is not owed")
        return Records.create(self.erp, table, record)

    def count(self, faults):
        """How many calls of that kind a good check makes."""
        report = self.place.path("report")
        if os.path.exists(report):
            os.unlink(report)
        code, _, said = self.place.run("check", "--notify", environment={
            "LD_PRELOAD": FAULTS, "FAULT_REPORT": report, **faults})
        if code != 0:
            raise AssertionError(f"a check that nothing fails: {code} {said}")
        with open(report, encoding="ascii") as file:
            return max(int(line) for line in file)

    def try_once(self, faults, at):
        more = {**faults, "FAULT_AT": str(at), "FAULT_FOR": self.numbers.choice(("1", "1", "3", "-1"))}
        code, output, said = self.place.run("check", "--notify", environment={"LD_PRELOAD": FAULTS, **more})
        self.ends[code if code in (0, 1, 2, 3) else "abort()"] += 1
        where = f"{more}: "
        if code == 2:
            self.wrong.append(f"{where}an ERP that works is blamed: {output[-300:]} {said[-300:]}")
        elif code not in (0, 1, 3) and not ends_by_design(more, code, said):
            self.wrong.append(f"{where}ended by {code} {said[-300:]}")
        elif code == 3 and not said.strip() and "unknown" not in output:
            self.wrong.append(f"{where}3, and no word")
        self.settle(where)

    def settle(self, where):
        """The next check works, and all records are gone or owed no more."""
        for attempt in range(6):
            code, output, said = self.place.run("check", "--notify")
            if code == 0 and not self.erp.left("customers", "name"):
                break
            pay_at_once(self.place)
            time.sleep(0.05 * attempt)
        if code != 0:
            self.wrong.append(f"{where}the next check ends by {code}: {output[-500:]} {said[-500:]}")
        left = self.erp.left("customers", "name")
        if left:
            self.wrong.append(f"{where}{len(left)} records are left")
            self.erp.tables["customers"].clear()
        if self.place.rows("PRAGMA integrity_check") != [("ok",)]:
            self.wrong.append(f"{where}the store is not sound")
        incidents = self.place.count("incident")
        if incidents > self.incidents:
            self.wrong.append(f"{where}an incident of an ERP that works")
        self.incidents = incidents

    def run(self, faults, tries):
        self.ends, self.wrong = collections.Counter(), []
        self.settle("at first: ")
        calls = self.count(faults)
        for _ in range(min(tries, calls)):
            self.try_once(faults, self.numbers.randrange(1, calls + 1))
        return calls, self.ends, self.wrong


def run_failing(kinds, given, numbers, table):
    failing = Failing(numbers)
    try:
        for what, faults in kinds:
            calls, ends, wrong = failing.run(faults, given.tries)
            said = ", ".join(f"{count} ended by {code}" for code, count in sorted(ends.items(), key=str))
            table.row(what, sum(ends.values()), f"{calls} calls: {said}", "; ".join(wrong))
    finally:
        failing.close()


def run_allocations(given, numbers, table):
    names = numbers.sample(LIBRARIES, 3) if given.tries < 5 else LIBRARIES
    run_failing([(name, {"FAULT_LIB": name}) for name in names], given, numbers, table)


def run_writes(given, numbers, table):
    prefix = os.path.join(tempfile.gettempdir(), "erpwatch-memory-")
    run_failing([("write: " + name, {"FAULT_WRITE": prefix, "FAULT_ERRNO": str(getattr(errno, name))})
                 for name in (("ENOSPC", "EIO", "EDQUOT") if given.tries >= 5 else ("ENOSPC",))], given, numbers, table)


# Few descriptors, many connections


class JsonServer:
    """tests/bench/json_server, which waits below /wait/MS/ and counts."""

    def __init__(self):
        self.process = subprocess.Popen([SERVER], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[0])

    def counts(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/counts", timeout=60) as answer:
            return json.load(answer)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def get(path, **more):
    return {"steps": [{"step": "get", "get": path}], **more}


BLAMED = "incident_flow WHERE flow <> 'broken'"


def judge_agent(place, server, wrong):
    """The agent is alive, blames no system that works, and ends in words."""
    if place.process.poll() is not None:
        wrong.append(f"the agent ended by {place.process.returncode}: {place.log()[-500:]}")
        return
    code = place.stop()
    if code != 0:
        wrong.append(f"the agent ended by {code}: {place.log()[-500:]}")
    if place.count(BLAMED):
        wrong.append(f"incidents of {place.count(BLAMED)} flows of a system that works")
    if place.rows("PRAGMA integrity_check") != [("ok",)]:
        wrong.append("the store is not sound")


def run_descriptors(given, numbers, table):
    server, place, wrong = JsonServer(), Place(), []
    try:
        flows = {f"slow-{n}": get("/wait/1500/x", every="4s") for n in range(100)}
        flows["broken"] = get("/x", system="gone", every="1s")
        place.configure(server.port, flows, agent={"parallel": 200, "stop": "5s"}, parallel=200)
        place.add_system("gone", 1)
        place.start("run", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
        lacked = "run WHERE state = 'unknown'"
        wait_for(lambda: place.process.poll() is not None or place.count(BLAMED) or (
            place.count(lacked) >= 5 and os.listdir(place.path("mail"))),
            "the lack of descriptors, and a mail all the same")
        unknown = place.count(lacked)
        good = place.count("good_run")
        mails = len(os.listdir(place.path("mail")))
        judge_agent(place, server, wrong)
        table.row("64 descriptors", unknown + good, f"{unknown} unknown, {good} good, {mails} mails", "; ".join(wrong))
    finally:
        place.close()
        server.close()


def is_sanitized():
    """A sanitizer has the allocations for itself, and keeps what is freed."""
    with open(PROGRAM, "rb") as file:
        program = file.read()
    return b"__asan_init" in program or b"__tsan_init" in program


def run_connections(given, numbers, table):
    """As many calls in flight as OPEN, each for so long that the next round meets the last."""
    wanted = given.open
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and wanted > hard - 500:
        print(f"skipped: {wanted} connections, as a process may have {hard} descriptors; {hard - 500} instead")
        wanted = hard - 500
    server, place, wrong = JsonServer(), Place(), []
    seconds = 10 if wanted > 2000 else 2
    try:
        more = wanted * 21 // 20  # some are always between two runs; a system takes 10000 at a time
        flows = {f"slow-{n}": get(f"/wait/{seconds * 1000}/x", every=f"{seconds}s", system=("erp", "second")[n % 2])
                 for n in range(more)}
        flows.update({f"quick-{n}": get("/x", system="other", every="1s") for n in range(20)})
        place.configure(server.port, flows, agent={"parallel": more + 100, "stop": "5s"}, parallel=10000)
        place.add_system("other", server.port)
        place.add_system("second", server.port)
        place.start("run", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard)))
        most, grown = 0, 0
        end = time.monotonic() + 180
        while time.monotonic() < end and most < wanted and place.process.poll() is None:
            most = max(most, server.counts()["waiting"])
            grown = max(grown, resident_kb(place.process.pid))
            time.sleep(0.2)
        quick = place.count("good_run r JOIN flow f ON r.flow = f.no WHERE f.id LIKE 'quick%'")
        if most < wanted:
            wrong.append(f"only {most} of {wanted} calls are in flight at once")
        if grown > (CONNECTION_KIB * wanted + (64 << 10)) and not is_sanitized():
            wrong.append(f"{grown // 1024} MB are too much for {wanted} calls")
        judge_agent(place, server, wrong)
        table.row("connections", most, f"{grown // 1024} MB, {quick} quick runs meanwhile", "; ".join(wrong))
    finally:
        place.close()
        server.close()


# Bodies without an end


class Endless:
    """Answers with 4 GiB: declared, chunked, or packed so that they come out of little."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sent = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            with connection:
                request = connection.recv(65536).decode()
                self.answer(connection, request.split()[1].rsplit("/", 1)[1])
        except OSError:
            pass  # whoever asked has enough

    def answer(self, connection, kind):
        head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        block = b"1234567," * 131072
        if kind == "declared":
            parts, head = (block for _ in range(4 * GIB // len(block))), head + f"Content-Length: {4 * GIB}\r\n"
        elif kind == "chunked":
            parts, head = (b"%x\r\n%s\r\n" % (len(block), block) for _ in range(4 * GIB // len(block))), \
                head + "Transfer-Encoding: chunked\r\n"
        elif kind == "header":
            parts, head = (b"X-%d: %s\r\n" % (n, block[:8000]) for n in range(1 << 19)), head.rstrip()
        else:
            parts, head = self.packed(kind), head + f"Content-Encoding: {kind}\r\nConnection: close\r\n"
        connection.sendall((head + "\r\n").encode())
        self.sent = 0
        for part in parts:
            connection.sendall(part)
            self.sent += len(part)

    @staticmethod
    def packed(kind):
        """Blocks that each stand for a MiB of zeros, after one that begins a list."""
        packer = zlib.compressobj(9, zlib.DEFLATED, 31 if kind == "gzip" else 15)
        yield packer.compress(b"[") + packer.flush(zlib.Z_FULL_FLUSH)
        once = packer.compress(b" " * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
        for _ in range(4096):
            yield once

    def close(self):
        self.listener.close()


def run_bodies(given, numbers, table):
    server = Endless()
    for kind in ("declared", "chunked", "gzip", "deflate", "header"):
        place, wrong = Place(), []
        try:
            place.configure(server.port, {"big": {"every": "1h", "timeout": "100s", "steps": [
                {"step": "get", "get": f"/{kind}", "expect": {"json": {"$[0]": 1}}}]}}, timeout="90s")
            began = time.monotonic()
            process = place.start("check", "--notify")
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode not in (2, 3):
                wrong.append(f"ended by {process.returncode}: {place.log()[-500:]}")
            if used.ru_maxrss > 300 * 1024:
                wrong.append("it took the memory of the body")
            table.row(f"4 GiB {kind}", 1, f"{used.ru_maxrss // 1024} MB, {server.sent >> 20} MiB sent, "
                      f"{time.monotonic() - began:.1f} s", "; ".join(wrong))
        finally:
            place.close()
    server.close()


# Leaks, and what stays


def mixed_flows(count, failing=True):
    """Good ones that write and undo, and two that fail."""
    flows = {f"good-{n}": {"every": "1s", "steps": [
        {"step": "one", "get": f"/orders/{n}", "expect": {"json": {"$.status": "Draft"}}, "capture": {
            "id": {"json": "$.id"}}},
        {"step": "two", "post": "/orders/{{id}}", "json": {"mark": "{{mark}}"}, "capture": {"made": {"json": "$.id"}},
         "undo": {"delete": "/orders/{{made}}"}}]} for n in range(count - 2)}
    if not failing:
        return flows
    flows["wrong"] = {"every": "1s", "steps": [{"step": "one", "get": "/x", "expect": {"json": {"$.status": "Paid"}}}]}
    flows["broken"] = get("/x", system="gone", every="1s")
    return flows


def run_until(place, server, requests):
    wait_for(lambda: place.process.poll() is not None or sum(
        server.counts()[name] for name in ("get", "post", "delete")) >= requests, f"{requests} requests", 900)


def run_leaks(given, numbers, table):
    runs = min(given.runs, 1000)
    asan = os.path.join(ROOT, "build-asan/erpwatch")
    checkers = {"valgrind": ("valgrind", "--quiet", "--leak-check=full", "--errors-for-leak-kinds=definite,indirect",
                             # what PCRE2 compiles looks beyond what was set, by design
                             "--undef-value-errors=no", "--error-exitcode=9", "--child-silent-after-fork=yes", PROGRAM)}
    if os.path.exists(asan):
        checkers["LeakSanitizer"] = (asan,)
    else:
        print("skipped: LeakSanitizer, as build-asan (make asan) holds no program")
    for name, program in checkers.items():
        server, place, wrong = JsonServer(), Place(), []
        try:
            # valgrind cannot start a program by /proc/self/exe, as deliver is
            flows = mixed_flows(20, failing=name != "valgrind")
            place.configure(server.port, flows, agent={"stop": "60s"}, parallel=50, timeout="60s")
            place.add_system("gone", 1)
            environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=1", G_SLICE="always-malloc",
                               LSAN_OPTIONS=f"suppressions={ROOT}/tests/lsan.supp")
            place.start("run", program=program, env=environment)
            run_until(place, server, runs * 3)  # a good run is three of them
            code = place.stop()
            if code != 0 or re.search("Sanitizer|definitely lost|Invalid (read|write)", place.log()):
                wrong.append(f"ended by {code}: {place.log()[-1500:]}")
            table.row(name, runs, f"{os.path.getsize(place.path('log'))} bytes of log", "; ".join(wrong))
        finally:
            place.close()
            server.close()


PARTS = {"allocations": run_allocations, "writes": run_writes, "descriptors": run_descriptors,
         "connections": run_connections, "bodies": run_bodies, "leaks": run_leaks}


class Given:
    """Sizes for the short form."""

    def __init__(self, seed, tries=0, runs=0, connections=0):
        self.seed, self.tries, self.runs, self.open = seed, tries, runs, connections


def run_part(name, given, table):
    PARTS[name](given, random.Random(f"{given.seed} {name}"), table)


def main():
    given = form.options(__doc__, tries=100, runs=1000, open=10000)
    table = form.Table("what", "how often", "figures", "found", width=34)
    for name in given.names or PARTS:
        run_part(name, given, table)
    return table.close()


if __name__ == "__main__":
    sys.exit(main())
