# SPDX-License-Identifier: MIT
"""The table of a bench: each row as it comes, what is over its budget at the end, and
all of it with the machine's description as RESULTS.md."""
import datetime
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time

TITLES = ("what", "measured", "budget", "")
HEAD = """# How fast erpwatch is

Written by `make bench`; the budgets are those of [design.md](../../docs/design.md), section 9. Where a
row compares with something else, that ran in the same minutes against the same local server. Each
part says when it was measured, and how busy the machine was: above the number of cores, it was
taken from a machine that had other things to do.

"""


class Table:
    def __init__(self):
        self.rows = []   # (what, measured, budget, mark)
        self.parts = {}  # title: its rows, the load before each, when it began

    def part(self, title):
        self.parts[title] = [], [os.getloadavg()[0]], datetime.datetime.now(datetime.timezone.utc)
        print(f"\n{title} (load {os.getloadavg()[0]:.1f})", flush=True)

    def say(self, what, measured, budget="", within=None):
        """One row. `within` is None where there is no budget to hold it to."""
        clear_progress()
        mark = {None: "", True: "within", False: "**over**"}[within]
        rows, load, _ = list(self.parts.values())[-1]
        rows.append((what, measured, budget, mark))
        load.append(os.getloadavg()[0])
        self.rows.append(rows[-1])
        print(f"{what:<46} {measured:<82} {budget:<22} {mark.strip('*')}".rstrip(), flush=True)

    def over(self):
        return [row for row in self.rows if row[-1] == "**over**"]

    def end(self):
        load = [value for _, loads, _ in self.parts.values() for value in loads]
        busy = max(load) > (os.cpu_count() or 1)
        print(f"\nload {min(load):.1f} to {max(load):.1f} on {os.cpu_count()} cores" +
              (": busy, so take no time above at its word" if busy else ""))
        for what, measured, budget, _ in self.over():
            print(f"over budget: {what}: {measured}; the budget is {budget}")
        if not self.over():
            print("nothing is over its budget")

    def write(self, path, program, titles):
        """RESULTS.md, which the README quotes; parts that were not measured now stay as they are."""
        parts = {}
        for title, text in re.findall(r"^## ([^\n]*)\n(.*?)(?=^## |\Z)", read(path), re.M | re.S):
            if title in titles:
                parts[title] = text
        for title in self.parts:
            parts[title] = self.text_of(title)
        with open(path, "w", encoding="utf-8") as file:
            file.write(HEAD + "".join(f"- {line}\n" for line in machine(program)))
            file.writelines(f"\n## {title}\n\n{text.strip()}\n" for title, text in
                            sorted(parts.items(), key=lambda part: titles.index(part[0])))

    def text_of(self, title):
        rows, load, when = self.parts[title]
        return (f"{when:%Y-%m-%d %H:%M} UTC, load {min(load):.1f} to {max(load):.1f}\n\n| {' | '.join(TITLES)} |\n"
                "|---|---|---|---|\n" + "".join(map(line_of, rows)))

    def quote(self, path):
        """Brings the rows that a document quotes up to date."""
        text = read(path)
        for row in self.rows:
            text = re.sub(rf"^\| {re.escape(row[0])} \|.*\n", lambda _, row=row: line_of(row), text, flags=re.M)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def read(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as file:
        return file.read()


def line_of(row):
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n"


def machine(program):
    """What the figures were taken on, a line each."""
    cpu = re.search(r"^model name\s*: (.*)", open("/proc/cpuinfo", encoding="utf-8").read(), re.M)
    memory = int(re.search(r"MemTotal:\s+(\d+)", open("/proc/meminfo", encoding="ascii").read()).group(1))
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    return [f"erpwatch {version}, {system}, {platform.system()} {platform.release()}",
            f"{os.cpu_count()} cores, {cpu.group(1) if cpu else platform.machine()}, "
            f"{memory / 1024 / 1024:.0f} GB of memory" +
            (f"; others used it, too, and the bench ran at nice {os.environ['BENCH_NICE']}" if os.environ.get("BENCH_NICE") else ""),
            disk()]


def disk():
    """How long the disk that the stores are on takes to keep a page for good."""
    kind = subprocess.run(["stat", "-f", "-c", "%T", tempfile.gettempdir()], capture_output=True,
                          text=True, check=True).stdout.strip()
    took = []
    with tempfile.NamedTemporaryFile() as file:
        for _ in range(200):
            os.write(file.fileno(), b"x" * 4096)
            began = time.monotonic()
            os.fdatasync(file.fileno())
            took.append((time.monotonic() - began) * 1000)
    took.sort()
    return (f"stores on {kind}: 4 KB and fdatasync take {statistics.median(took):.2f} ms, "
            f"p99 {took[-2]:.2f} ms")


def progress(text):
    """What goes on, on a terminal; the next row takes its place."""
    if sys.stderr.isatty():
        print(f"\r\033[K... {text}", end="", file=sys.stderr, flush=True)


def clear_progress():
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def wait(seconds, what):
    """Sleeps, and says on a terminal how long there is still to wait."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        progress(f"{what}, {left:.0f} s")
        time.sleep(min(left, 1))
