#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The bench: each figure beside its budget, and beside what it is compared with, taken
in the same run from the same local server.

    program.py BUILD [all | PART]

`all` takes half an hour, writes tests/bench/RESULTS.md and brings the README's rows up
to date; one part is shorter and writes nothing, or with KEEP=1 as long, and takes the
part's place there. Ends with the list of what is over its budget. Seconds of a busy
machine are worth little: the load is printed with them, and the instructions are the
figure to compare one version with another by. BENCH_NICE=-10 is for a machine that
others use, too.
"""
import os
import signal
import sys

import part_calls
import part_commands
import part_flows
import part_load
import part_peers
import rig
from table import Table, machine

PARTS = {
    "calls": ("CPU per call", part_calls.calls),
    "flows": ("Many flows", part_flows.flows),
    "paced": ("The bare loop at their rates", part_calls.paced),
    "validate": ("Reading a configuration", part_flows.validate),
    "inflight": ("Ten thousand slow calls", part_load.in_flight),
    "ledger": ("The ledger of undos", part_load.ledger),
    "mail": ("To the mail", part_load.mail),
    "hanging": ("Hanging targets", part_peers.hanging),
    "probes": ("Beside others", part_peers.probes),
    "check": ("One flow once", part_commands.check),
    "body": ("Large bodies", part_commands.body),
    "patterns": ("Lexicons", part_commands.patterns),
    "instructions": ("Instructions", part_commands.instructions),
}


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # with what was started
    part = sys.argv[2] if len(sys.argv) > 2 else "all"
    if part != "all" and part not in PARTS:
        sys.exit(f"BENCH is all or one of {', '.join(PARTS)}")
    keep = part == "all" or os.environ.get("KEEP") == "1"
    rig.go_first(int(os.environ.get("BENCH_NICE", "0")))
    table = Table()
    print("\n".join(machine(rig.PROGRAM)))
    for name, (title, function) in PARTS.items():
        if part in ("all", name):
            table.part(title)
            function(table, keep)
    table.end()
    if keep:
        here = os.path.dirname(os.path.abspath(__file__))
        table.write(here + "/RESULTS.md", rig.PROGRAM, [title for title, _ in PARTS.values()])
        table.quote(here + "/../../README.md")


main()
