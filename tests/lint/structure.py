#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds the structure: which folder may include which, no include cycle, who may
use which library, each header compiles alone, public functions are explained,
calls that are not used here, the first line of each file."""
import glob
import os
import re
import subprocess
import sys

ORDER = ["base", "config", "probes", "alerts", "monitor"]
OWNERS = {"curl/curl.h": r"base/transfer\w*\.c|base/transfer_\w+\.h|alerts/smtp_curl\w*\.c|alerts/oauth2\w*\.c",
          "sqlite3.h": r"base/db\.c", "libfyaml.h": r"config/config_file\w*\.c",
          "pcre2.h": r"base/regex\.c", "libesmtp.h": r"alerts/smtp_esmtp\w*\.[ch]",
          **{f"libxml/{name}.h": r"base/xml\w*\.c" for name in ("parser", "HTMLparser", "xpath", "xpathInternals", "tree")}}
BANNED = re.compile(r"\b(sprintf|vsprintf|strcpy|strcat|strncpy|strncat|atoi|atol|atof|strtok|sscanf|gets|system|popen)\s*\(")
PURE = ["base/jsonpath", "base/xml_parse", "base/xml_path", "base/xml_check", "base/xml_select", "base/decimal", "base/cron", "probes/selector", "probes/expect", "probes/capture",
        "probes/moment", "probes/classify", "probes/envelope", "probes/verdict", "alerts/route", "alerts/compose",
        "alerts/delivery_plan", "monitor/incident", "monitor/schedule", "config/template"]
IMPURE = re.compile(r"\b(clock_\w+_now|log_(error|warning|info|debug)|time|gettimeofday|g_get_real_time|fopen|open|g_file_get_contents)\s*\(")
problems = []


def say(path, number, text):
    problems.append(f"{path}:{number}: {text}")


files = [p for f in ORDER for p in sorted(glob.glob(f + "/*.[ch]"))]
graph = {}
for path in files:
    folder = path.split("/")[0]
    text = open(path, encoding="utf-8").read()
    lines = text.splitlines()
    if not lines or lines[0] != "// SPDX-License-Identifier: MIT":
        say(path, 1, "the first line is // SPDX-License-Identifier: MIT")
    if len(lines) > 1 and not lines[1].startswith("// "):
        say(path, 2, "the second line says what the file is for")
    module = path[:-2]
    for number, line in enumerate(lines, 1):
        code = re.sub(r'"(\\.|[^"\\])*"', '""', line.split("//")[0])
        if BANNED.search(code):
            say(path, number, f"not used here: {BANNED.search(code).group(1)}")
        if any(module.startswith(p) for p in PURE) and IMPURE.search(code) and path.endswith(".c"):
            say(path, number, f"a pure file: no {IMPURE.search(code).group(1)}")
        found = re.match(r'\s*#include "([^"]+)"', line)
        if found and not found.group(1).endswith((".def", ".inc")):
            target = os.path.normpath(os.path.join(folder, found.group(1)))
            if not os.path.exists(target):
                continue
            to = target.split("/")[0]
            if ORDER.index(to) > ORDER.index(folder):
                say(path, number, f"{folder}/ may not include {to}/")
            if target[:-2] != module:
                graph.setdefault(module, set()).add(target[:-2])
        library = re.match(r"\s*#include <([^>]+)>", line)
        if library and library.group(1) in OWNERS and not re.fullmatch(OWNERS[library.group(1)], path):
            say(path, number, f"<{library.group(1)}> belongs to {OWNERS[library.group(1)]}")

state = {}


def visit(module, trail):
    state[module] = 1
    for target in sorted(graph.get(module, ())):
        if state.get(target) == 1:
            problems.append("include cycle: " + " -> ".join(trail[trail.index(target):] + [target]))
        elif target not in state:
            visit(target, trail + [target])
    state[module] = 2


for module in sorted(graph):
    if module not in state:
        visit(module, [module])

# a function's declaration has a comment in front, or follows one that has, in one block
for path in [p for p in files if p.endswith(".h")]:
    block_explained = False
    inside = 0
    for number, line in enumerate(open(path, encoding="utf-8").read().splitlines(), 1):
        if line.startswith("//"):
            block_explained = True
        elif not line.strip() and not inside:
            block_explained = False
        elif re.match(r"^[a-z].*\b[a-z_0-9]+\(.*", line) and not inside and not line.startswith(("typedef", "extern")) \
                and not block_explained:
            say(path, number, "a public function without a comment")
        inside += line.count("{") - line.count("}")

# a public function that only its own module uses has to be static; what makes and frees a type comes in pairs
words = {path: set(re.findall(r"\w+", open(path, encoding="utf-8").read()))
         for path in files + glob.glob("*/*.def") + glob.glob("tests/*/*.[ch]")}
for path in [p for p in files if p.endswith(".h")]:
    for name in re.findall(r"^[a-z][^\n;{}()]*?\b([a-z_0-9]+)\(", open(path, encoding="utf-8").read(), re.M):
        used = [other for other, found in words.items() if name in found and other[:-2] != path[:-2]]
        if not used and not name.endswith(("_free", "_clear", "_end", "_new")):
            problems.append(f"{path}: {name} is used by its own file alone: make it static")

cflags = subprocess.run(["pkg-config", "--cflags", "libuv", "libcjson", "glib-2.0", "gmime-3.0", "libesmtp-1.0"],
                        capture_output=True, text=True).stdout.split()
for path in [p for p in files if p.endswith(".h")]:
    done = subprocess.run(["gcc", "-std=c17", "-D_GNU_SOURCE", "-fsyntax-only", "-x", "c", *cflags, path],
                          capture_output=True, text=True)
    errors = [l for l in done.stderr.splitlines() if "error" in l]
    if errors:
        problems.append(f"{path}: does not compile alone: {errors[0]}")

for problem in problems:
    print(problem, file=sys.stderr)
print(f"structure: {len(files)} files, {len(problems)} problems")
sys.exit(1 if problems else 0)
