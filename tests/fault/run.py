#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs the tests of faults at length, one after the other, and sums up: tests/fault/run.py
[NAME...]. Each is tests/fault/NAME.py with a first line of #!; without it a file is a module that
they share. One that exits other than 0 failed; its lines that begin with "skipped:" are said
again at the end. Sizes are variables of the environment (form.py), which each test names."""
import glob
import os
import subprocess
import sys
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))


def tests():
    for path in sorted(glob.glob(os.path.join(FOLDER, "*.py"))):
        with open(path, encoding="utf-8") as file:
            if file.read(2) == "#!" and not os.path.samefile(path, __file__):
                yield os.path.basename(path)[:-3], path


def run(path):
    """Whether it passed, and what it skipped; what it prints is shown as it comes."""
    skipped = []
    with subprocess.Popen(["/usr/bin/python3", "-u", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace") as process:
        for line in process.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            if line.lstrip().startswith("skipped:"):
                skipped.append(line.strip())
    return process.returncode == 0, skipped


def main():
    names = sys.argv[1:]
    known = dict(tests())
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"no test of faults is named {unknown[0]}: {', '.join(known)}", file=sys.stderr)
        return 3
    results = []
    for name in names or known:
        print(f"== {name}", flush=True)
        began = time.monotonic()
        passed, skipped = run(known[name])
        results.append((name, passed, time.monotonic() - began, skipped))
        print(flush=True)
    width = max(len(name) for name, *_ in results)
    for name, passed, seconds, skipped in results:
        print(f"{'ok    ' if passed else 'FAILED'}  {name.ljust(width)}  {seconds:6.0f} s" +
              "".join("  " + line for line in skipped))
    failed = sum(not passed for _, passed, *_ in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
