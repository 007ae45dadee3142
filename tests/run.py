#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs unit test programs and end-to-end test files, two for each core at a time,
and counts. Usage: tests/run.py BUILD [NAME...]; a NAME picks the tests whose name
contains it. What a test prints is shown where it fails, or with V=1."""
import concurrent.futures
import glob
import os
import subprocess
import sys
import time

TIMEOUT_S = 900


def tests(build):
    unit = [p for p in sorted(glob.glob(f"{build}/tests/unit/test_*")) if os.access(p, os.X_OK)
            and not p.endswith((".d", ".o"))]
    sources = {os.path.basename(p)[:-2] for p in glob.glob("tests/unit/test_*.c")}
    for path in unit:
        if os.path.basename(path) in sources:
            yield "unit/" + os.path.basename(path), [path]
    for path in sorted(glob.glob("tests/e2e/test_*.py")):
        yield "e2e/" + os.path.basename(path)[:-3], ["/usr/bin/python3", path]


def run(command, environment):
    try:
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, timeout=TIMEOUT_S,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode == 0, done.stdout
    except subprocess.TimeoutExpired as late:
        return False, (late.stdout or b"") + f"\nended after {TIMEOUT_S} s\n".encode()


def report(name, good, output, seconds):
    print(f"{'ok    ' if good else 'FAILED'} {name}  {seconds:.1f} s", flush=True)
    if not good or os.environ.get("V"):
        sys.stdout.write(output.decode("utf-8", "replace"))


def main():
    build, names = sys.argv[1], sys.argv[2:]
    environment = dict(os.environ, ERPWATCH_BUILD=os.path.abspath(build), G_SLICE="always-malloc",
                       UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1",
                       ASAN_OPTIONS="detect_leaks=1:abort_on_error=0")
    environment.setdefault("LSAN_OPTIONS", f"suppressions={os.path.abspath('tests/lsan.supp')}")

    def one(test):
        began = time.monotonic()
        good, output = run(test[1], environment)
        report(test[0], good, output, time.monotonic() - began)
        return test[0], good

    chosen = [test for test in tests(build) if not names or any(n in test[0] for n in names)]
    # most of their time is spent waiting; each has its own folder and ports
    with concurrent.futures.ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        results = list(pool.map(one, chosen))
    if not chosen:
        print(f"no test has {' or '.join(names)} in its name")
    failed = [name for name, good in results if not good]
    for name in failed:
        print(f"FAILED {name}")
    print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or not results else 0


sys.exit(main())
