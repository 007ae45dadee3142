# SPDX-License-Identifier: MIT
"""CPU per call: base/transfer and the whole program beside the bare libcurl loop, which
has its turn before and after, under the same load."""
import re
import statistics
import subprocess
import time

from rig import BUILD, READ, WRITE, Agent, Folder, Server, bare, pinned
from table import progress, wait

ROUNDS = 5
FLOWS = 1000  # each every second: 3,000 calls a second


def measure(program, url, calls, options):
    command = pinned(0) + [f"{BUILD}/tests/bench/{program}", "-n", str(calls), *options, url]
    output = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(re.search(r"cpu_us=([\d.]+)", output.stdout).group(1))


def transfer(table, server, name, calls, options):
    """base/transfer alone."""
    loop, ours = [], []
    for number in range(ROUNDS):
        progress(f"transfer, {name}: round {number + 1} of {ROUNDS}")
        loop.append(measure("bare_curl", server.url + "/orders", calls, options))
        ours.append(measure("transfer_calls", server.url + "/orders", calls, options))
    one, two = statistics.median(loop), statistics.median(ours)
    table.say(f"CPU of base/transfer, {name} connections", f"{two:.1f} us, bare libcurl {one:.1f} us, {two / one:.2f} times")


def bare_both(server, options):
    """As fast as it goes, and at the rate of the flows: it wakes as often as they do."""
    progress("the bare loop")
    rate = FLOWS * 3
    return (bare(server, "-n", "20000", *options),
            bare(server, "-n", str(rate * 5), "--rate", str(rate), *options))


def program(table, server, name, flow, options, most, seconds):
    with Folder() as folder:
        folder.configure(server.port, FLOWS, every="1s", flow=flow)
        before = bare_both(server, options)
        with Agent(folder) as agent:
            wait(6, f"CPU per call, {name}: until all is in step")
            began_us, cpu, began = int(time.time() * 1e6), agent.cpu_s(), time.monotonic()
            wait(seconds, f"CPU per call, {name}")
            spent, took = agent.cpu_s() - cpu, time.monotonic() - began
            time.sleep(2)  # what is on its way to the store
            runs = sum(folder.count_runs(began_us, began_us + int(took * 1e6)))
        unpaced, paced = [(one + two) / 2 for one, two in zip(before, bare_both(server, options))]
    ours = spent * 1e6 / max(runs * 3, 1)
    table.say(f"CPU per call, {name} connections",
              f"{ours:.1f} us, bare libcurl {unpaced:.1f} us: {ours / unpaced:.2f} times", f"{most} times",
              ours / unpaced <= most)
    table.say(f"the same, bare at that rate, {name} connections",
              f"{ours:.1f} us, bare libcurl at {runs * 3 / took:.0f} calls a second {paced:.1f} us: {ours / paced:.2f} times")
    if runs < took * FLOWS * .98:
        table.say("of these", f"{runs} of {took * FLOWS:.0f} runs due: the core had no time for more", "all", False)


def calls(table, full):
    with Server() as server:
        transfer(table, server, "kept", 20000, [])
        transfer(table, server, "new", 5000, ["-r"])
        seconds = 30 if full else 15
        program(table, server, "kept", READ, [], 2.0, seconds)
        program(table, server, "new", WRITE, ["-r", "-d", '{"x":1}'], 1.3, seconds)


def paced(table, _full):
    """What the bare loop alone takes at the rates of many flows: it wakes for nearly each call."""
    with Server() as server:
        for flows in (1000, 10000, 100000):
            rate = flows * 3 // 60
            progress(f"bare libcurl, {rate} calls a second")
            cost = bare(server, "-n", str(rate * 10), "--rate", str(rate))
            table.say(f"bare libcurl, the calls of {flows:,} flows", f"{cost * rate / 1e4:.1f} % of a core, {cost:.0f} us a call, "
                      f"{rate} calls a second")
