# SPDX-License-Identifier: MIT
"""What the parts of the bench measure with: the local server and what it saw, a folder
with configuration and store, the agent on a core of its own, CPU and memory."""
import hashlib
import json
import os
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request

BUILD = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")
PROGRAM = os.path.join(BUILD, "erpwatch")
TICKS = os.sysconf("SC_CLK_TCK")
PINNED = (os.cpu_count() or 1) > 1

HEAD = """
agent: {{store: {folder}/erpwatch.db, parallel: {at_once}}}
mail: {{{mail}, from: "Bench <bench@agency.example>", fallback: agency}}
contacts: {{agency: {{name: Agency, email: ops@agency.example}}}}
systems:
"""
SYSTEM = """  {name}: {{url: "http://127.0.0.1:{port}", timeout: {timeout}, parallel: {parallel}, act: {{client: agency, erp-partner: agency}}}}
"""
DEFAULTS = """defaults: {{flow: {{system: erp, timeout: 1m, notify: [client], {extra}}}}}
flows:
"""
READ = """  flow-{n}:
    every: {every}
    steps:
      - {{step: one, get: /orders/{n}, expect: {{status: 200, json: {{$.status: Draft}}}}, capture: {{id: {{json: $.id}}}}}}
      - {{step: two, get: '/orders/{{{{id}}}}', expect: {{status: 200, json: {{'$.lines[0].quantity': 3}}}}}}
      - {{step: three, get: '/orders/{{{{id}}}}/lines', expect: {{json: {{$.totalAmountIncludingTax: {{above: 10}}}}}}}}
"""
WRITE = READ.replace("get: /orders/{n}", "post: /orders, json: {{x: 1}}, undo: {{none: none}}") \
    .replace("get: '/orders/{{{{id}}}}'", "post: '/orders/{{{{id}}}}', json: {{x: 1}}, undo: {{none: none}}") \
    .replace("get: '/orders/{{{{id}}}}/lines'", "post: '/orders/{{{{id}}}}/l', json: {{x: 1}}, undo: {{none: none}}")


def go_first(nice):
    """On a machine that others use, too: before them, also where the kernel shares by session."""
    os.nice(nice)
    if os.path.exists("/proc/self/autogroup"):
        with open("/proc/self/autogroup", "w", encoding="ascii") as file:
            file.write(str(nice))


def pinned(core):
    return ["taskset", "-c", str(core)] if PINNED else []


def descriptors():
    """How many the agent and the server may have open, each."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


class Server:
    """The local server; with `log` it notes the arrival of every request."""

    def __init__(self, log=False):
        self.log = tempfile.NamedTemporaryFile(prefix="erpwatch-bench-") if log else None

    def __enter__(self):
        command = pinned(1) + [os.path.join(BUILD, "tests/bench/json_server")]
        self.process = subprocess.Popen(command + (["-l", self.log.name] if self.log else []),
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        if self.log:
            self.log.close()

    def counts(self):
        with urllib.request.urlopen(self.url + "/counts", timeout=60) as answer:
            return json.load(answer)

    def arrivals(self, pattern, since_us=0):
        """[(what the pattern's group matched, microseconds of the wall clock)]"""
        self.counts()  # writes what it still holds
        wanted = re.compile(rf"(\d+) {pattern}")
        with open(self.log.name, encoding="ascii") as file:
            found = (wanted.fullmatch(line.rstrip("\n")) for line in file)
            return [(match.group(2), int(match.group(1))) for match in found
                    if match and int(match.group(1)) >= since_us]


class Folder:
    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="erpwatch-bench-")
        self.config = self.path + "/erpwatch.yaml"
        os.mkdir(self.path + "/mail")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)

    def write(self, systems, flows, extra="priority: P2", mail=None, at_once=256):
        """`systems`: dicts of what SYSTEM takes besides its defaults; `flows`: texts."""
        mail = mail or f"directory: {self.path}/mail"
        with open(self.config, "w", encoding="ascii") as file:
            file.write(HEAD.format(folder=self.path, mail=mail, at_once=at_once))
            for system in systems:
                file.write(SYSTEM.format(**{"name": "erp", "timeout": "30s", "parallel": 64, **system}))
            file.write(DEFAULTS.format(extra=extra))
            file.writelines(flows)

    def configure(self, port, count, every="1m", flow=READ, **rest):
        self.write([{"port": port}], (flow.format(n=n, every=every) for n in range(count)), **rest)

    def rows(self, query, *arguments):
        with sqlite3.connect(f"file:{self.path}/erpwatch.db?mode=ro", uri=True) as database:
            return database.execute(query, arguments).fetchall()

    def count_runs(self, from_us, to_us):
        """Runs in the store, of those that were good and of the others."""
        return self.rows("SELECT (SELECT count(*) FROM good_run WHERE started >= ?1 AND started < ?2), "
                         "(SELECT count(*) FROM run WHERE started >= ?1 AND started < ?2)", from_us, to_us)[0]


class Agent:
    def __init__(self, folder):
        self.log = folder.path + "/log"
        with open(self.log, "wb") as log:
            self.began = time.monotonic()
            self.process = subprocess.Popen(pinned(0) + [PROGRAM, "run", "-c", folder.config], stderr=log,
                                            cwd=folder.path)

    def __enter__(self):
        self.wait_for(" watches ")
        self.ready_us = int(time.time() * 1e6)
        self.started_in_s = time.monotonic() - self.began
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def says(self):
        with open(self.log, encoding="utf-8") as file:
            return file.read()

    def wait_for(self, text, seconds=300):
        end = time.monotonic() + seconds
        while text not in self.says():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the agent does not say {text!r}:\n{self.says()}")
            time.sleep(0.005)

    def reload(self):
        """Reads the configuration again; returns how many seconds that took."""
        before, began = self.says().count("was read again"), time.monotonic()
        self.process.send_signal(signal.SIGHUP)
        while self.says().count("was read again") == before:
            time.sleep(0.005)
        return time.monotonic() - began

    def cpu_s(self):
        return cpu_s(self.process.pid)

    def resident_mb(self):
        return resident_mb(self.process.pid)


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024


def late_ms(flow, at_us, every_us):
    """How late this start is: failure-semantics 31 says when each is due."""
    offset = int.from_bytes(hashlib.sha256(flow.encode() + b"\0").digest()[:8], "big")
    return ((at_us - offset % every_us) % every_us) / 1000


def due_starts(flow, every_us, from_us, to_us):
    offset = int.from_bytes(hashlib.sha256(flow.encode() + b"\0").digest()[:8], "big") % every_us
    return (to_us - 1 - offset) // every_us - (from_us - 1 - offset) // every_us


def percentile(values, share):
    return sorted(values)[min(int(len(values) * share), len(values) - 1)] if values else float("nan")


def bare(server, *options):
    """CPU of a call of the bare loop, in microseconds."""
    done = subprocess.run(pinned(0) + [f"{BUILD}/tests/bench/bare_curl", *options, server.url + "/orders"],
                          capture_output=True, text=True, check=True)
    return float(re.search(r"cpu_us=([\d.]+)", done.stdout).group(1))


def spend(command, text=b""):
    """Wall and CPU seconds of a command from its start to its exit, its code, its peak in MB."""
    with tempfile.TemporaryFile() as stdin:
        stdin.write(text)
        stdin.seek(0)
        began = time.monotonic()
        process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, use = os.wait4(process.pid, 0)
        took = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    return took, use.ru_utime + use.ru_stime, process.returncode, use.ru_maxrss / 1024
