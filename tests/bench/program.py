#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The whole program on a local server: CPU per call beside the bare loop, many
flows, validate, check beside curl, from a run's end to the mail.

    program.py BUILD [all | percall | agent | validate | check | mail]
"""
import hashlib
import os
import re
import resource
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(sys.argv[1])
PROGRAM = os.path.join(BUILD, "erpwatch")
TICKS = os.sysconf("SC_CLK_TCK")
PINNED = (os.cpu_count() or 1) > 1

HEAD = """
agent: {{store: {folder}/erpwatch.db, parallel: 256}}
mail: {{{mail}, from: "Bench <bench@agency.example>", fallback: agency}}
contacts: {{agency: {{name: Agency, email: ops@agency.example}}}}
systems:
  erp: {{url: "http://127.0.0.1:{port}", timeout: 30s, parallel: {parallel}, act: {{client: agency, erp-partner: agency}}}}
defaults: {{flow: {{system: erp, timeout: 1m, notify: [client], {flow}}}}}
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


def say(name, text):
    print(f"{name:<46} {text}", flush=True)


class Server:
    def __enter__(self):
        command = [os.path.join(HERE, "json_server.py")] + (["--cpu", "1"] if PINNED else [])
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


class Folder:
    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="erpwatch-bench-")
        os.mkdir(self.path + "/mail")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)

    def configure(self, port, count, every="1m", flow=READ, parallel=64, extra="priority: P2", mail=None):
        mail = mail or f"directory: {self.path}/mail"
        with open(self.path + "/erpwatch.yaml", "w", encoding="ascii") as file:
            file.write(HEAD.format(folder=self.path, port=port, mail=mail, flow=extra, parallel=parallel))
            for n in range(count):
                file.write(flow.format(n=n, every=every))

    def start(self):
        pinned = ["taskset", "-c", "0"] if PINNED else []
        log = open(self.path + "/log", "wb")
        return subprocess.Popen(pinned + [PROGRAM, "run", "-c", self.path + "/erpwatch.yaml"], stderr=log,
                                cwd=self.path)

    def rows(self, query, *arguments):
        with sqlite3.connect(f"file:{self.path}/erpwatch.db?mode=ro", uri=True) as database:
            return database.execute(query, arguments).fetchall()


def cpu_s(pid):
    fields = open(f"/proc/{pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{pid}/status", encoding="ascii").read()).group(1)) / 1024


def stop(agent):
    agent.send_signal(signal.SIGTERM)
    agent.wait(60)


def lateness_ms(folder, every_us, since_us):
    late = []
    for flow, started in folder.rows("SELECT f.id, g.started FROM good_run g JOIN flow f ON f.no = g.flow "
                                     "WHERE g.started >= ?", since_us):
        number = int.from_bytes(hashlib.sha256(flow.encode() + b"\0").digest()[:8], "big")
        late.append(((started - number % every_us) % every_us) / 1000)
    return sorted(late)


def window(folder, agent, seconds):
    """Runs, CPU and lateness of a stretch of the steady state."""
    began_us, cpu, began = int(time.time() * 1e6), cpu_s(agent.pid), time.monotonic()
    time.sleep(seconds)
    spent, took = cpu_s(agent.pid) - cpu, time.monotonic() - began
    time.sleep(2)  # what is on its way to the store
    runs, = folder.rows("SELECT (SELECT count(*) FROM good_run WHERE started >= ?1 AND started < ?2) + "
                        "(SELECT count(*) FROM run WHERE started >= ?1 AND started < ?2)",
                        began_us, began_us + int(took * 1e6))[0:1][0]
    return runs, spent, took, began_us


def per_call(server):
    for name, flow, bare in (("kept", READ, []), ("new", WRITE, ["-r"])):
        with Folder() as folder:
            folder.configure(server.port, 1000, every="1s", flow=flow)
            agent = folder.start()
            time.sleep(6)
            runs, spent, took, _ = window(folder, agent, 20)
            stop(agent)
            pinned = ["taskset", "-c", "0"] if PINNED else []
            output = subprocess.run(pinned + [f"{BUILD}/tests/bench/bare_curl", "-n", "30000", *bare,
                                              f"http://127.0.0.1:{server.port}/orders"], capture_output=True,
                                    text=True, check=True).stdout
            base = float(re.search(r"cpu_us=([\d.]+)", output).group(1))
            ours = spent * 1e6 / max(runs * 3, 1)
            say(f"CPU per call, {name} connections", f"{ours:.1f} us, bare libcurl {base:.1f} us, {ours / base:.2f} times "
                f"({runs * 3 / took:.0f} calls a second)")


def many_flows(server, count):
    with Folder() as folder:
        folder.configure(server.port, count)
        agent = folder.start()
        time.sleep(66)
        runs, spent, took, since = window(folder, agent, 60)
        late = lateness_ms(folder, 60_000_000, since)
        resident = resident_mb(agent.pid)
        stop(agent)
        p99 = late[int(len(late) * .99)] if late else float("nan")
        say(f"{count:,} flows of 3 calls, each once a minute",
            f"{runs} runs in {took:.0f} s, {100 * spent / took:.1f} % of a core, started p99 {p99:.0f} ms late, "
            f"{resident:.0f} MB resident")


def validate():
    with Folder() as folder:
        folder.configure(1, 10000)
        began = time.monotonic()
        done = subprocess.run([PROGRAM, "validate", "-c", folder.path + "/erpwatch.yaml"], capture_output=True, text=True)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        say("validate of 10,000 flows", f"{time.monotonic() - began:.2f} s, exit {done.returncode}, peak {peak:.0f} MB")


def check_beside_curl(server):
    with Folder() as folder:
        folder.configure(server.port, 1)
        url = f"http://127.0.0.1:{server.port}/orders"
        commands = {"check": [PROGRAM, "check", "-c", folder.path + "/erpwatch.yaml"],
                    "check --no-store": [PROGRAM, "check", "--no-store", "-c", folder.path + "/erpwatch.yaml"],
                    "curl": ["curl", "-s", "-o", "/dev/null", url, "-o", "/dev/null", url, "-o", "/dev/null", url]}
        times = {name: [] for name in commands}
        for _ in range(21):
            for name, command in commands.items():
                began = time.monotonic()
                subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
                times[name].append((time.monotonic() - began) * 1000)
        say("one flow of 3 calls, start to exit", ", ".join(f"{n} {statistics.median(t):.1f} ms" for n, t in times.items()))


SMTP = """
import sys, time
from aiosmtpd.controller import Controller
class Handler:
    async def handle_DATA(self, server, session, envelope):
        flow = next(l.split(b":")[1].strip() for l in envelope.content.splitlines() if l.startswith(b"X-Erpwatch-Flow:"))
        print(flow.decode(), int(time.time() * 1e6), flush=True)
        return "250 ok"
import socket
probe = socket.socket(); probe.bind(("127.0.0.1", 0)); port = probe.getsockname()[1]; probe.close()
controller = Controller(Handler(), hostname="127.0.0.1", port=port)
controller.start(); print(port, flush=True)
time.sleep(3600)
"""
FAILING = """  flow-{n}:
    every: {every}
    steps:
      - {{step: one, get: /orders/{n}, expect: {{json: {{$.status: 'State {n}'}}}}}}
"""


def mail(server):
    smtp = subprocess.Popen(["/usr/bin/python3", "-c", SMTP], stdout=subprocess.PIPE, text=True)
    port, count = int(smtp.stdout.readline()), 30
    with Folder() as folder:
        folder.configure(server.port, count, every="20s", flow=FAILING,
                         extra="priority: P1, group: 0s, confirm: {runs: 1}",
                         mail=f"server: '127.0.0.1:{port}', security: none, limit: 1000")
        agent = folder.start()
        accepted = dict(smtp.stdout.readline().split() for _ in range(count))
        ends = dict(folder.rows("SELECT f.id, min(r.started + r.duration_us) FROM run r JOIN flow f ON f.no = r.flow "
                                "GROUP BY f.id"))
        stop(agent)
    smtp.kill()
    smtp.wait()
    spans = sorted((int(accepted[flow]) - ends[flow]) / 1000 for flow in accepted)
    say("from a run's end to the mail accepted", f"median {statistics.median(spans):.0f} ms, p99 {spans[-1]:.0f} ms "
        f"({count} incidents)")


def main():
    part = sys.argv[2] if len(sys.argv) > 2 else "all"
    with Server() as server:
        parts = {"percall": lambda: per_call(server), "check": lambda: check_beside_curl(server), "validate": validate,
                 "mail": lambda: mail(server), "agent": lambda: [many_flows(server, n) for n in (1000, 10000)]}
        for name, function in parts.items():
            if part in ("all", name):
                function()


main()
