#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The whole program on a local server, each figure beside its budget: CPU per call
beside the bare loop, many flows, validate, check beside curl, a large body, from a
run's end to the mail, and instructions, which a busy machine does not change.

    program.py BUILD [all | percall | agent | validate | check | body | patterns | mail | instructions]

Ends with the list of what is over its budget. Seconds of a busy machine are worth
little: the load is printed with them, and the instructions (valgrind counts them)
are the figure to compare one version with another by.
"""
import hashlib
import os
import re
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

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


OVER = []


def say(name, text, budget="", within=None):
    """One row. `within` is None where there is no budget to hold it to."""
    mark = {None: "", True: "within", False: "OVER"}[within]
    print(f"{name:<46} {text:<78} {budget:<26} {mark}".rstrip(), flush=True)
    if within is False:
        OVER.append(f"{name}: {text}; the budget is {budget}")


class Server:
    def __enter__(self):
        command = (["taskset", "-c", "1"] if PINNED else []) + [os.path.join(BUILD, "tests/bench/json_server")]
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


def bare(server, options):
    pinned = ["taskset", "-c", "0"] if PINNED else []
    output = subprocess.run(pinned + [f"{BUILD}/tests/bench/bare_curl", "-n", "20000", *options,
                                      f"http://127.0.0.1:{server.port}/orders"], capture_output=True,
                            text=True, check=True).stdout
    return float(re.search(r"cpu_us=([\d.]+)", output).group(1))


def per_call(server):
    """The bare loop has its turn before and after, under the same load."""
    for name, flow, options, most in (("kept", READ, [], 2.0), ("new", WRITE, ["-r", "-d", '{"x":1}'], 1.3)):
        with Folder() as folder:
            folder.configure(server.port, 1000, every="1s", flow=flow)
            before = bare(server, options)
            agent = folder.start()
            time.sleep(6)
            runs, spent, took, _ = window(folder, agent, 20)
            stop(agent)
            base = (before + bare(server, options)) / 2
            ours = spent * 1e6 / max(runs * 3, 1)
            say(f"CPU per call, {name} connections", f"{ours:.1f} us, bare libcurl {base:.1f} us, {ours / base:.2f} times "
                f"({runs * 3 / took:.0f} calls a second)", f"{most} times", ours / base <= most)
            if runs < took * 1000 * .98:
                say("  of these", f"{runs} of {took * 1000:.0f} runs due: the core had no time for more", "all", False)


BUDGETS = {1000: (32, None, None), 10000: (96, 5, 50)}  # MB, % of a core, ms


def many_flows(server, count):
    memory, share, late_most = BUDGETS[count]
    with Folder() as folder:
        folder.configure(server.port, count)
        agent = folder.start()
        time.sleep(126)  # the first two runs of a flow keep what a good answer looks like
        runs, spent, took, since = window(folder, agent, 60)
        late = lateness_ms(folder, 60_000_000, since)
        resident = resident_mb(agent.pid)
        stop(agent)
    p99 = late[int(len(late) * .99)] if late else float("nan")
    name = f"{count:,} flows of 3 calls, once a minute"
    say(name, f"{resident:.0f} MB resident", f"{memory} MB", resident <= memory)
    say(name, f"{runs} runs in {took:.0f} s", "all", runs >= count * took / 60 * .995)
    say(name, f"{100 * spent / took:.1f} % of a core", f"{share} %" if share else "",
        100 * spent / took <= share if share else None)
    say(name, f"started p50 {statistics.median(late):.0f}, p99 {p99:.0f}, last {late[-1]:.0f} ms late",
        f"p99 {late_most} ms" if late_most else "", p99 <= late_most if late_most else None)


def spend(command, text=b""):
    """Wall and CPU seconds of a command from its start to its exit, its code, its peak in MB."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as stdin:
        stdin.write(text)
        stdin.seek(0)
        process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, use = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return time.monotonic() - began, use.ru_utime + use.ru_stime, process.returncode, use.ru_maxrss / 1024


def validate():
    with Folder() as folder:
        folder.configure(1, 10000)
        wall, cpu, code, peak = spend([PROGRAM, "validate", "-c", folder.path + "/erpwatch.yaml"])
        say("validate of 10,000 flows", f"{cpu:.2f} s of CPU, {wall:.2f} s in all, exit {code}, peak {peak:.0f} MB", "2 s",
            cpu < 2 and code == 0)


def check_beside_curl(server):
    with Folder() as folder:
        folder.configure(server.port, 1)
        url = f"http://127.0.0.1:{server.port}/orders"
        commands = {"check": [PROGRAM, "check", "-c", folder.path + "/erpwatch.yaml"],
                    "check --no-store": [PROGRAM, "check", "--no-store", "-c", folder.path + "/erpwatch.yaml"],
                    "curl": ["curl", "-s", "-o", "/dev/null", url, "-o", "/dev/null", url, "-o", "/dev/null", url]}
        spent = {name: [] for name in commands}
        for _ in range(21):  # in turns, so that all are under one load
            for name, command in commands.items():
                spent[name].append(spend(command))
        for what, of in (("start to exit", 0), ("CPU", 1)):
            times = {name: statistics.median(each[of] for each in runs) * 1000 for name, runs in spent.items()}
            say(f"one flow of 3 calls, {what}", ", ".join(f"{name} {ms:.1f} ms" for name, ms in times.items()),
                "curl and 25 ms", times["check"] - times["curl"] <= 25)


def body():
    """A hostile body of 4 MiB, less what the program takes for a small one."""
    lines = b'{"id":"5d115c9c","sequence":10000,"itemNumber":"1896-S","errorMessage":"no"},'
    bodies = {"JSON": b'{"lines":[' + lines * (4 * 1024 * 1024 // len(lines) - 1) + b"{}]}",
              "HTML": b"<html><body>" + b"<p>Server Error in '/' Application.</p>" * 107000,
              "XML": b"<r>" + b"<line><item>1896-S</item></line>" * 130000 + b"</r>"}
    command = [PROGRAM, "explain", "--status", "500"]
    small = min(spend(command, b"{}")[1] for _ in range(7))
    for name, text in bodies.items():
        took = max(min(spend(command, text)[1] for _ in range(7)) - small, 0) * 1000
        say(f"a body of 4 MiB classified, {name}", f"{took:.0f} ms of CPU", "100 ms", took < 100)


def patterns():
    """What the lexicons cost at most: every pattern asked of a long text."""
    done = subprocess.run([os.path.join(BUILD, "tests/bench/lexicon_patterns")], capture_output=True, text=True)
    figures = dict(pair.split("=") for pair in done.stdout.split())
    again = float(figures["again_ms"])
    say("1,000 patterns over 64 KiB", f"{again:.2f} ms of CPU, {figures['first_ms']} ms the first time, "
        f"{figures['plain_ms']} ms without the sieve, {figures['words_ms']} ms over words that all fit", "5 ms", again < 5 and done.returncode == 0)


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
    say("from a run's end to the mail accepted", f"median {statistics.median(spans):.0f} ms, slowest {spans[-1]:.0f} ms "
        f"of {count}", "p99 1 s", spans[-1] < 1000)


def count_instructions(command):
    """Of all that a command does outside the kernel."""
    with tempfile.NamedTemporaryFile() as out:
        done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}", *command],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        raise RuntimeError(done.stderr)
    return int(found.group(1))


def instructions(server):
    if not shutil.which("valgrind"):
        say("instructions", "not counted: there is no valgrind here")
        return
    url = f"http://127.0.0.1:{server.port}/orders"
    loop = [f"{BUILD}/tests/bench/bare_curl", url, "-n"]
    base = (count_instructions(loop + ["2500"]) - count_instructions(loop + ["500"])) / 2000
    with Folder() as folder:
        counts = {}
        for count in (1, 101, 501):
            folder.configure(server.port, count)
            command = [PROGRAM, "check", "--no-store", "-c", folder.path + "/erpwatch.yaml"]
            counts[count] = count_instructions(command)
        loaded = [count_instructions([PROGRAM, "validate", "-c", folder.path + "/erpwatch.yaml"])]
        folder.configure(server.port, 101)
        loaded.append(count_instructions([PROGRAM, "validate", "-c", folder.path + "/erpwatch.yaml"]))
    reading = (loaded[0] - loaded[1]) / 400
    each = ((counts[501] - counts[101]) / 400 - reading) / 3
    say("instructions per call, check --no-store", f"{each / 1000:.0f} thousand, bare libcurl {base / 1000:.0f} thousand, "
        f"{each / base:.2f} times")
    say("instructions to read and check one flow", f"{reading / 1000:.0f} thousand")
    say("instructions of check with one flow", f"{counts[1] / 1e6:.1f} million, curl --version "
        f"{count_instructions(['curl', '--version']) / 1e6:.1f} million")


def main():
    part = sys.argv[2] if len(sys.argv) > 2 else "all"
    say("what", "measured", "budget")
    with Server() as server:
        parts = {"instructions": lambda: instructions(server), "percall": lambda: per_call(server),
                 "check": lambda: check_beside_curl(server), "validate": validate, "body": body, "patterns": patterns,
                 "mail": lambda: mail(server), "agent": lambda: [many_flows(server, n) for n in (1000, 10000)]}
        for name, function in parts.items():
            if part in ("all", name):
                function()
    print(f"\nload {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores" +
          (": busy, so take no time above at its word" if os.getloadavg()[0] > os.cpu_count() else ""))
    print("\n".join(["over budget:"] + ["  " + row for row in OVER]) if OVER else "nothing is over its budget")


main()
