#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""CPU per call of base/transfer beside the bare libcurl loop, on one local server.

    calls.py BUILD [CALLS]

The two take turns, so that whatever else the machine does touches both; the
figures are medians. Client and server have a core each where there are two.
"""
import os
import re
import statistics
import subprocess
import sys

ROUNDS = 5


def pinned(cpu):
    return ["taskset", "-c", str(cpu)] if (os.cpu_count() or 1) > 1 else []


def measure(build, program, url, calls, options):
    command = pinned(0) + [os.path.join(build, "tests/bench", program), "-n", str(calls)]
    output = subprocess.run(command + options + [url], check=True, capture_output=True, text=True)
    return float(re.search(r"cpu_us=([\d.]+)", output.stdout).group(1))


def compare(build, url, name, calls, options):
    bare, ours = [], []
    for _ in range(ROUNDS):
        bare.append(measure(build, "bare_curl", url, calls, options))
        ours.append(measure(build, "transfer_calls", url, calls, options))
    one, two = statistics.median(bare), statistics.median(ours)
    print("%-34s bare libcurl %6.1f us, transfer %6.1f us, %.2f times" % (name, one, two, two / one),
          flush=True)


def main():
    build = sys.argv[1]
    calls = int(sys.argv[2]) if len(sys.argv) > 2 else 50000
    command = pinned(1) + [os.path.join(build, "tests/bench/json_server")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            url = "http://127.0.0.1:%d/orders" % int(server.stdout.readline())
            compare(build, url, "CPU per call, kept connections", calls, [])
            compare(build, url, "CPU per call, new connections", calls // 5, ["-r"])
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
