# SPDX-License-Identifier: MIT
"""What the flows must not feel: ten thousand calls in flight, the commits of the ledger;
and from a run's end to the mail."""
import subprocess
import time

from rig import Agent, Folder, Server, descriptors, due_starts, late_ms, percentile
from table import progress, wait
import rig

SLOW = """  slow-{n}:
    every: 12s
    system: {system}
    steps: [{{step: slow, get: /wait/10000/{n}, expect: {{status: 200}}}}]
"""


def in_flight(table, full):
    """1,000 calls a second to a server that takes 10 s, beside 100 runs a second of others."""
    count = min(12300, int((descriptors() - 1500) / 10 * 12.3))
    others, seconds = 1000, 60 if full else 30
    with Server(log=True) as slow, Server(log=True) as server, Folder() as folder:
        folder.write([{"port": server.port}] + [{"name": f"slow-erp-{n}", "port": slow.port, "parallel": 10000} for n in (0, 1)],
                     [SLOW.format(n=n, system=f"slow-erp-{n % 2}") for n in range(count)] +
                     [rig.READ.format(n=n, every="10s") for n in range(others)], at_once=30000)
        with Agent(folder) as agent:
            wait(26, "slow calls: until as many as there will be are in flight")
            began_us, cpu = int(time.time() * 1e6), agent.cpu_s()
            fewest = descriptors()
            for second in range(seconds):
                fewest = min(fewest, slow.counts()["waiting"])
                wait(1, f"{fewest} slow calls in flight, {seconds - second} s")
            to_us = int(time.time() * 1e6)
            spent = agent.cpu_s() - cpu
            late = {name: [late_ms(f"{name}-{number}", at, every) for number, at in
                           which.arrivals(pattern, began_us) if at < to_us]
                    for name, which, pattern, every in (("flow", server, r"GET /orders/(\d+)", 10_000_000),
                                                        ("slow", slow, r"GET /wait/10000/(\d+)", 12_000_000))}
            due = sum(due_starts(f"flow-{n}", 10_000_000, began_us, to_us) for n in range(others))
            resident = agent.resident_mb()
        failed = sum(count for count, in folder.rows("SELECT count(*) FROM run WHERE state NOT IN ('ok', 'slow')"))
    table.say("calls in flight to a server that takes 10 s", f"{fewest} at least, {failed} failed, {resident:.0f} MB resident, "
              f"{100 * spent / seconds:.0f} % of a core", "10,000", fewest >= 10000 and failed == 0)
    p99 = percentile(late["flow"], .99)
    table.say("the other flows meanwhile", f"{len(late['flow'])} of {due} starts, p50 {percentile(late['flow'], .5):.0f}, "
              f"p99 {p99:.0f}, last {max(late['flow'], default=0):.0f} ms late", "all, p99 50 ms",
              len(late["flow"]) >= due * .998 and p99 <= 50)
    table.say("the slow flows themselves", f"{len(late['slow'])} starts, p50 {percentile(late['slow'], .5):.0f}, "
              f"p99 {percentile(late['slow'], .99):.0f} ms late")


CREATE = """  {name}-{n}:
    every: 1s
    steps:
      - step: create
        post: /{name}/{n}
        json: {{x: 1}}
        expect: {{status: 200}}
        capture: {{id: {{json: $.id}}}}
        undo: {undo}
"""
UNDOS = {"owed": (1000, "{delete: '/made/{{id}}'}"), "plain": (200, "{none: none}")}  # creating steps a second of each


def ledger(table, full):
    """Creating steps that are owed, and some beside them that are not: how late each comes to the server."""
    seconds = 40 if full else 15
    with Server(log=True) as server, Folder() as folder:
        folder.write([{"port": server.port}], [CREATE.format(name=name, n=n, undo=undo)
                                               for name, (count, undo) in UNDOS.items() for n in range(count)])
        with Agent(folder) as agent:
            wait(8, "ledger: until all is in step")
            began_us, cpu = int(time.time() * 1e6), agent.cpu_s()
            wait(seconds, "ledger: 1,000 owed steps a second")
            to_us, spent = int(time.time() * 1e6), agent.cpu_s() - cpu
            late = {name: [late_ms(f"{name}-{number}", at, 1_000_000) for number, at in
                           server.arrivals(rf"POST /{name}/(\d+)", began_us) if at < to_us] for name in UNDOS}
        counts, debts = server.counts(), dict(folder.rows("SELECT state, count(*) FROM debt GROUP BY state"))
        made = len(server.arrivals(r"POST /owed/(\d+)"))
    for name, (count, _) in UNDOS.items():
        due = sum(due_starts(f"{name}-{n}", 1_000_000, began_us, to_us) for n in range(count))
        table.say(f"{count:,} steps a second, {name}", f"{len(late[name])} of {due}, at the server p50 {percentile(late[name], .5):.1f}, "
                  f"p99 {percentile(late[name], .99):.1f}, last {max(late[name], default=0):.0f} ms after they were due",
                  "all", len(late[name]) >= due * .995)
    added = percentile(late["owed"], .99) - percentile(late["plain"], .99)
    table.say("latency that the ledger adds", f"p50 {percentile(late['owed'], .5) - percentile(late['plain'], .5):.1f}, p99 {added:.1f} ms; "
              f"{made} made, {counts['delete']} removed; debts {debts}; {100 * spent / seconds:.0f} % of a core", "p99 20 ms",
              added < 20 and made == counts["delete"] and set(debts) <= {"paid"})


SMTP = """
import socket, sys, time
from aiosmtpd.controller import Controller
class Handler:
    async def handle_DATA(self, server, session, envelope):
        flow = next(l.split(b":")[1].strip() for l in envelope.content.splitlines() if l.startswith(b"X-Erpwatch-Flow:"))
        print(flow.decode(), int(time.time() * 1e6), flush=True)
        return "250 ok"
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


def mail(table, full):
    count, every_s = (200, 60) if full else (50, 20)
    smtp = subprocess.Popen(["/usr/bin/python3", "-c", SMTP], stdout=subprocess.PIPE, text=True)
    port = int(smtp.stdout.readline())
    try:
        with Server() as server, Folder() as folder:
            folder.configure(server.port, count, every=f"{every_s}s", flow=FAILING,
                             extra="priority: P1, group: 0s, confirm: {runs: 1}",
                             mail=f"server: '127.0.0.1:{port}', security: none, limit: 1000")
            with Agent(folder):
                accepted = {}
                while len(accepted) < count:
                    progress(f"mail: {len(accepted)} of {count}")
                    flow, at = smtp.stdout.readline().split()
                    accepted.setdefault(flow, int(at))
                ends = dict(folder.rows("SELECT f.id, min(r.started + r.duration_us) FROM run r JOIN flow f ON f.no = r.flow "
                                        "GROUP BY f.id"))
    finally:
        smtp.kill()
        smtp.wait()
    spans = [(accepted[flow] - ends[flow]) / 1000 for flow in accepted]
    p99 = percentile(spans, .99)
    table.say("from a run's end to the mail accepted", f"p50 {percentile(spans, .5):.0f}, p99 {p99:.0f}, slowest {max(spans):.0f} ms "
              f"of {count}, {count / every_s:.1f} a second", "p99 1 s", p99 < 1000)
