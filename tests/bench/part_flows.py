# SPDX-License-Identifier: MIT
"""Many flows of three calls, each once a minute: memory, CPU and lateness; how the first
runs are spread after a start; starting and reading the configuration again."""
import os
import time

from rig import PROGRAM, READ, Agent, Folder, Server, late_ms, percentile, spend
from table import progress, wait

MINUTE_US = 60_000_000
WINDOW_S = int(os.environ.get("BENCH_WINDOW", "120"))
BUDGETS = {1000: (32, None, None), 10000: (96, 5, 50), 100000: (640, 40, 250)}  # MB, % of a core, ms


def late_starts(server, since_us, to_us):
    """How late each run's first call came to the server, in milliseconds, by the flow's number."""
    return [(late_ms(f"flow-{number}", at, MINUTE_US), int(number), at)
            for number, at in server.arrivals(r"GET /orders/(\d+)", since_us) if at < to_us]


def first_runs(table, server, agent, count):
    """Each flow's first call after the start, and how they are spread over the tenths."""
    first = {}
    for number, at in server.arrivals(r"GET /orders/(\d+)"):
        first.setdefault(number, (at - agent.ready_us) / 1e6)
    tenths = [0] * 10
    for after_s in first.values():
        tenths[max(0, min(int(after_s / 6), 9))] += 1
    last = max(first.values(), default=float("nan"))
    table.say(f"{count:,} flows: first runs after the start",
              f"{len(first)} flows, the last after {last:.1f} s; in a tenth of the minute {min(tenths)} to {max(tenths)}",
              "1 interval, spread", len(first) == count and last <= 60 + .25 and max(tenths) < count / 10 * 1.3)


def steady_state(table, server, folder, agent, count, seconds):
    """Returns the share of a core that it takes."""
    memory, share, late_most = BUDGETS[count]
    name = f"{count:,} flows of 3 calls a minute"
    began_us, cpu, began = int(time.time() * 1e6), agent.cpu_s(), time.monotonic()
    wait(seconds, name)
    spent, took = agent.cpu_s() - cpu, time.monotonic() - began
    to_us = began_us + int(took * 1e6)
    progress(f"{name}: what the server saw")
    late = [ms for ms, _, _ in late_starts(server, began_us, to_us)]
    time.sleep(2)  # what is on its way to the store
    good, other = folder.count_runs(began_us, to_us)
    resident, due = agent.resident_mb(), count * took / 60
    table.say(name + ": memory", f"{resident:.0f} MB resident", f"{memory} MB", resident <= memory)
    table.say(name + ": runs", f"{good + other} runs in the store of {due:.0f} due, {other} of them not good", "all",
              good >= due * .995)
    table.say(name + ": CPU", f"{100 * spent / took:.1f} % of a core, {spent * 1e6 / max(len(late) * 3, 1):.0f} us a call",
              f"{share} %" if share else "", 100 * spent / took <= share if share else None)
    p99 = percentile(late, .99)
    table.say(name + ": lateness", f"started p50 {percentile(late, .5):.0f}, p99 {p99:.0f}, last {max(late, default=0):.0f} ms late",
              f"p99 {late_most} ms" if late_most else "", p99 <= late_most if late_most else None)
    return spent / took


def read_again(table, server, folder, agent, count, share):
    """SIGHUP with another configuration: what it takes beside the flows, which go on and take
    `share` of a core, and what these feel of it."""
    folder.configure(server.port, count, extra="priority: P3")
    began_us, cpu = int(time.time() * 1e6), agent.cpu_s()
    progress("reload")
    took = agent.reload()
    spent = agent.cpu_s() - cpu
    wait(15, "reload: what the others felt of it")
    late = [ms for ms, _, _ in late_starts(server, began_us, int(time.time() * 1e6))]
    table.say(f"{count:,} flows: reload", f"{took:.2f} s, {max(spent - share * took, 0):.2f} s of CPU beside the flows; starts meanwhile p99 "
              f"{percentile(late, .99):.0f}, last {max(late, default=0):.0f} ms late; {agent.resident_mb():.0f} MB resident after it")


def many(table, count, full):
    with Server(log=True) as server, Folder() as folder:
        folder.configure(server.port, count)
        progress(f"{count:,} flows: start")
        with Agent(folder) as agent:
            table.say(f"{count:,} flows: start-up", f"{agent.started_in_s:.2f} s, {agent.cpu_s():.2f} s of CPU, "
                      f"{agent.resident_mb():.0f} MB resident")
            wait(63, f"{count:,} flows: first runs")
            first_runs(table, server, agent, count)
            # the first two runs of a flow keep what a good answer looks like
            wait(63 if full else 5, f"{count:,} flows: until all is in step")
            share = steady_state(table, server, folder, agent, count, WINDOW_S if full else 60)
            read_again(table, server, folder, agent, count, share)


def flows(table, full):
    """BENCH_FLOWS="1000 10000" chooses how many, BENCH_WINDOW=60 how many seconds of a full run are looked at."""
    for count in os.environ.get("BENCH_FLOWS", "1000 10000 100000").split():
        many(table, int(count), full)
    at_night(table)


def at_night(table):
    """Flows by cron: the calendar is walked for each, at the start, on reload, at each jump of the clock."""
    with Folder() as folder:
        folder.configure(1, 10000, flow=READ.replace("every: {every}", "cron: '7 3 * * *'"))
        progress("flows by cron: start")
        with Agent(folder) as agent:
            table.say("10,000 flows by cron: start-up", f"{agent.started_in_s:.2f} s, {agent.cpu_s():.2f} s of CPU")


def validate(table, _full):
    for count, most in ((10000, 2), (100000, None)):
        with Folder() as folder:
            folder.configure(1, count)
            progress(f"validate of {count:,} flows")
            wall, cpu, code, peak = spend([PROGRAM, "validate", "-c", folder.config])
            table.say(f"validate of {count:,} flows",
                      f"{cpu:.2f} s of CPU, {wall:.2f} s in all, exit {code}, peak {peak:.0f} MB",
                      f"{most} s" if most else "", (cpu < most and code == 0) if most else None)
