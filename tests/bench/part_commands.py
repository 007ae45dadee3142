# SPDX-License-Identifier: MIT
"""Single commands: check beside curl, large bodies, the lexicons, and instructions, which
a busy machine does not change (valgrind counts them)."""
import os
import re
import shutil
import statistics
import subprocess
import tempfile

from rig import BUILD, PROGRAM, Folder, Server, pinned, spend
from table import progress


def check(table, full):
    with Server() as server, Folder() as folder:
        folder.configure(server.port, 1)
        url = server.url + "/orders"
        commands = {"check": [PROGRAM, "check", "-c", folder.config],
                    "check --no-store": [PROGRAM, "check", "--no-store", "-c", folder.config],
                    "curl": ["curl", "-s", "-o", "/dev/null", url, "-o", "/dev/null", url, "-o", "/dev/null", url]}
        spent = {name: [] for name in commands}
        for number in range(41 if full else 21):  # in turns, so that all are under one load
            progress(f"check beside curl: {number}")
            for name, command in commands.items():
                spent[name].append(spend(pinned(0) + command))
    for what, of in (("start to exit", 0), ("CPU", 1)):
        times = {name: statistics.median(each[of] for each in runs) * 1000 for name, runs in spent.items()}
        table.say(f"one flow of 3 calls once, {what}", ", ".join(f"{name} {ms:.1f} ms" for name, ms in times.items()),
                  "" if of else "curl and 25 ms", None if of else times["check"] - times["curl"] <= 25)


def body(table, _full):
    """A hostile body of 4 MiB, less what the program takes for a small one."""
    lines = b'{"id":"5d115c9c","sequence":10000,"itemNumber":"1896-S","errorMessage":"no"},'
    bodies = {"JSON": b'{"lines":[' + lines * (4 * 1024 * 1024 // len(lines) - 1) + b"{}]}",
              "HTML": b"<html><body>" + b"<p>Server Error in '/' Application.</p>" * 107000,
              "XML": b"<r>" + b"<line><item>1896-S</item></line>" * 130000 + b"</r>"}
    command = [PROGRAM, "explain", "--status", "500"]
    small = min(spend(command, b"{}")[1] for _ in range(7))
    for name, text in bodies.items():
        took = max(min(spend(command, text)[1] for _ in range(7)) - small, 0) * 1000
        table.say(f"a body of 4 MiB classified, {name}", f"{took:.0f} ms of CPU", "100 ms", took < 100)


def patterns(table, _full):
    """What the lexicons cost at most: every pattern asked of a long text."""
    done = subprocess.run([os.path.join(BUILD, "tests/bench/lexicon_patterns")], capture_output=True, text=True, check=False)
    figures = dict(pair.split("=") for pair in done.stdout.split())
    again = float(figures["again_ms"])
    table.say("1,000 patterns over 64 KiB", f"{again:.2f} ms of CPU, {figures['first_ms']} ms the first time, "
              f"{figures['plain_ms']} ms without the sieve, {figures['words_ms']} ms over words that all fit", "5 ms",
              again < 5 and done.returncode == 0)


def count_instructions(command):
    """Of all that a command does outside the kernel."""
    progress("instructions of " + " ".join(command)[-60:])
    with tempfile.NamedTemporaryFile() as out:
        done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}", *command],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        raise RuntimeError(done.stderr)
    return int(found.group(1))


def instructions(table, _full):
    if not shutil.which("valgrind"):
        table.say("instructions", "not counted: there is no valgrind here")
        return
    with Server() as server, Folder() as folder:
        loop = [f"{BUILD}/tests/bench/bare_curl", server.url + "/orders", "-n"]
        base = (count_instructions(loop + ["2500"]) - count_instructions(loop + ["500"])) / 2000
        counts, loaded = {}, {}
        for count in (1, 101, 501):
            folder.configure(server.port, count)
            counts[count] = count_instructions([PROGRAM, "check", "--no-store", "-c", folder.config])
            loaded[count] = count_instructions([PROGRAM, "validate", "-c", folder.config])
    reading = (loaded[501] - loaded[101]) / 400
    each = ((counts[501] - counts[101]) / 400 - reading) / 3
    table.say("instructions per call, check --no-store", f"{each / 1000:.0f} thousand, bare libcurl {base / 1000:.0f} thousand, "
              f"{each / base:.2f} times")
    table.say("instructions to read and check one flow", f"{reading / 1000:.0f} thousand")
    table.say("instructions of check with one flow", f"{counts[1] / 1e6:.1f} million, curl --version "
              f"{count_instructions(['curl', '--version']) / 1e6:.1f} million")
