#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Prints the figures of the code and fails at the limits: function length and
complexity, parameters, file length; with RELEASE=1 also at too few tests."""
import glob
import json
import os
import re
import subprocess
import sys

FOLDERS = ["base", "config", "probes", "alerts", "monitor"]
problems = []


def limit(broken, text):
    if broken:
        problems.append(text)


def quantile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0


def share(part, whole):
    return 100.0 * part / whole if whole else 0.0


def lines_of(paths):
    return sum(sum(1 for _ in open(p, encoding="utf-8")) for p in paths)


sources = [p for f in FOLDERS for p in sorted(glob.glob(f + "/*.c"))]
headers = [p for f in FOLDERS for p in sorted(glob.glob(f + "/*.h"))]

functions = []
for line in subprocess.run(["pmccabe", *sources], capture_output=True, text=True, check=True).stdout.splitlines():
    fields = line.split("\t")
    functions.append((int(fields[1]), int(fields[4]), fields[5]))
complexity = [f[0] for f in functions]
length = [f[1] for f in functions]
for cc, lines, where in functions:
    limit(lines > 100, f"{where}: {lines} lines, at most 100")
    limit(cc > 20, f"{where}: complexity {cc}, at most 20")

tags = subprocess.run(["ctags", "--c-kinds=f", "--fields=+fSK", "--output-format=json", "-o", "-", *sources],
                      capture_output=True, text=True, check=True).stdout.splitlines()
static, parameters = 0, []
for tag in map(json.loads, tags):
    static += bool(tag.get("file"))
    signature = tag.get("signature", "()")[1:-1].strip()
    depth, count = 0, 0 if signature in ("", "void") else 1
    for character in signature:
        depth += {"(": 1, ")": -1}.get(character, 0)
        count += character == "," and depth == 0
    parameters.append(count)
    limit(count > 7, f"{tag['path']}: {tag['name']} has {count} parameters, at most 7")

for path in sources + headers:
    most = 800 if path.endswith(".c") else 250
    count = lines_of([path])
    limit(count > most, f"{path}: {count} lines, at most {most}")
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        limit(len(line.rstrip("\n")) > 100, f"{path}:{number}: wider than 100 columns")


def comment_share(paths):
    out = json.loads(subprocess.run(["cloc", "--json", "--quiet", *paths], capture_output=True, text=True,
                                    check=True).stdout)["SUM"]
    return share(out["comment"], out["comment"] + out["code"])


code_lines = lines_of(sources + headers)
test_files = [p for p in subprocess.run(["git", "ls-files", "tests"], capture_output=True, text=True,
                                        check=True).stdout.split()
              if not re.match(r"tests/(config|mail|fuzz/seed)/", p) and p.endswith((".c", ".h", ".py", ".sh"))]
test_lines = lines_of(test_files)
too_few_tests = f"tests are {test_lines / code_lines:.2f} of the code; a release needs at least 0.8"
limit(os.environ.get("RELEASE") and test_lines < 0.8 * code_lines, too_few_tests)
c_length = [lines_of([p]) for p in sources]
h_length = [lines_of([p]) for p in headers]

print(f"""figure                         now                 aim
lines of code / of tests       {code_lines} / {test_lines} = {test_lines / code_lines:.2f}   1.0 to 1.5
function length, median / p90  {quantile(length, .5)} / {quantile(length, .9)}             16 / 40
longest function               {max(length)}                  80
functions > 60 lines           {share(sum(v > 60 for v in length), len(length)):.1f} %               3 %
functions <= 25 lines          {share(sum(v <= 25 for v in length), len(length)):.1f} %              75 %
complexity, median / p90 / max {quantile(complexity, .5)} / {quantile(complexity, .9)} / {max(complexity)}          2 / 8 / 15
functions with complexity > 10 {share(sum(v > 10 for v in complexity), len(complexity)):.1f} %               3 %
parameters, p90 / max          {quantile(parameters, .9)} / {max(parameters)}               4 / 6
.c length, median / p90 / max  {quantile(c_length, .5)} / {quantile(c_length, .9)} / {max(c_length)}     120-250 / 450 / 600
.h length, median / max        {quantile(h_length, .5)} / {max(h_length)}            30-60 / 150
static functions               {share(static, len(tags)):.0f} %                55 %
comments, all / headers        {comment_share(sources + headers):.1f} / {comment_share(headers):.1f} %       12-18 / 35-50 %""")
if test_lines < 0.8 * code_lines:
    print(too_few_tests)
for problem in problems:
    print(problem, file=sys.stderr)
sys.exit(1 if problems else 0)
