#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds the documents to the program: its commands, options, keys, words and exit
codes stand in the manuals, and nothing else does; what is generated is fresh; what
the README names exists; the texts speak of the project alone; examples validate."""
import codecs
import glob
import os
import re
import subprocess
import sys
import tempfile

BUILD = os.environ.get("ERPWATCH_BUILD", "build")
PROGRAM = os.path.abspath(f"{BUILD}/erpwatch")
problems = []


def say(place, text):
    problems.append(f"{place}: {text}")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def compare(place, what, given, due):
    for one in sorted(due - given):
        say(place, f"{what} {one} is missing")
    for one in sorted(given - due):
        say(place, f"{what} {one}: the program has none such")


# Commands and their options: commands.def and --help against erpwatch(1).

def table_of_commands():
    rows = re.findall(r'COMMAND\("([^"]+)", \w+, "([^"]*)", "([^"]+)",\s+"([^"]+)"\)',
                      read("monitor/commands.def"))
    return {name: rest for name, *rest in rows}


def options_of_help(text):
    """{'--output=', '-o'} of a --help: the long ones with = where they take a value."""
    found = set()
    for short, long, value in re.findall(r"^  (?:(-\w), )?(--[\w-]+)(=?)", text, re.M):
        found |= {long + value} | ({short} if short else set())
    return found


def options_of_manual(lines):
    found = set()
    for line in lines:
        if not line.startswith(".It Fl "):
            continue
        for long, name, value in re.findall(r"Fl (-?)([\w-]+)((?: Ns = Ns Ar)?)", line):
            found.add("-" + long + name + ("=" if value else "") if long else "-" + name)
    return found


def manual_commands(page):
    """What stands in the manual of each command: {name: lines}, "" what is of all."""
    part = page.split("\n.Sh COMMANDS\n")[1].split("\n.Sh ")[0]
    blocks, name = {"": []}, ""
    for line in part.split("\n"):
        found = re.match(r"\.It Cm (\S+)", line)
        name = found.group(1) if found else name
        blocks.setdefault(name, []).append(line)
    return blocks


def check_commands():
    commands = table_of_commands()
    blocks = manual_commands(read("docs/erpwatch.1"))
    common = options_of_manual(blocks.pop(""))
    compare("docs/erpwatch.1", "command", set(blocks), set(commands))
    usage = run(PROGRAM, "--help").stdout
    for name, (arguments, sentence, example) in commands.items():
        if not re.search(rf"^  {name} +{re.escape(sentence)}$", usage, re.M):
            say("erpwatch --help", f"{name}: its sentence is missing")
        shown = run(PROGRAM, name, "--help")
        if shown.returncode or arguments not in shown.stdout or sentence not in shown.stdout:
            say(f"erpwatch {name} --help", "does not say what commands.def does")
        given = options_of_help(shown.stdout)
        for option in re.findall(r" (--?[a-z][\w-]*)", re.sub(r"'[^']*'", "", example)):
            if option not in given and option + "=" not in given:
                say(f"erpwatch {name} --help", f"its example has an option {option}")
        compare(f"docs/erpwatch.1: {name}", "option",
                options_of_manual(blocks.get(name, [])) | common, given)
    return commands


# Words of closed lists: verdict.def and the exit codes.

def check_words():
    page = read("docs/erpwatch.1")
    for kind, word in re.findall(r'^VERDICT_(\w+)\(\w+, "(\w+)"', read("probes/verdict.def"), re.M):
        if not re.search(rf"^\.(It )?Cm {word}\b", page, re.M):
            say("docs/erpwatch.1", f"the {kind.lower()} {word} is missing")
    table = read("monitor/command.h").split("enum command_exit {")[1].split("}")[0]
    codes = set(re.findall(r"COMMAND_\w+ = (\d+),", table))
    status = page.split("\n.Sh EXIT STATUS\n")[1].split("\n.Sh ")[0]
    compare("docs/erpwatch.1", "exit code", set(re.findall(r"^\.It (\d+)$", status, re.M)), codes)
    named = re.search(r"Exit codes are [^.]*\.", read("README.md"))
    compare("README.md", "exit code", set(re.findall(r"\b\d\b", named.group(0) if named else "")), codes)
    for variable in set(re.findall(r'getenv\("(\w+)"\)', "".join(map(read, glob.glob("*/*.c"))))):
        if not re.search(rf"\.It Ev (.* , )?{variable}\b", page):
            say("docs/erpwatch.1", f"the environment's {variable} is missing")


# Keys: config_keys.def against the reference and erpwatch.yaml(5).

def keys_by_map():
    maps, titles, title = {}, {}, None
    for line in read("config/config_keys.def").split("\n"):
        for kind, name, second in re.findall(r'^(MAP|KEY|INHERIT)\("?(\w+)"?(?:, "?([^",]*)"?)?', line):
            if kind == "MAP":
                title, titles[name] = second, second
                maps[title] = set()
            elif kind == "INHERIT":
                maps[title] |= maps[titles[name]]
            else:
                maps[title].add(name)
    return maps


def check_keys():
    if run(PROGRAM, "schema", "--format", "markdown").stdout != read("docs/reference.md"):
        say("docs/reference.md", "is not what the program writes: make docs")
    if run(sys.executable, "tools/manual.py").stdout != read("docs/erpwatch.yaml.5"):
        say("docs/erpwatch.yaml.5", "is not what tools/manual.py writes: make docs")
    reference = dict(part.split("\n", 1) for part in read("docs/reference.md").split("\n## ")[1:])
    manual = dict(part.split("\n", 1) for part in read("docs/erpwatch.yaml.5").split("\n.Ss ")[1:])
    for title, keys in keys_by_map().items():
        compare(f"docs/reference.md: {title}", "key",
                set(re.findall(r"^\| `(\w+)` ", reference.get(title, ""), re.M)), keys)
        compare(f"docs/erpwatch.yaml.5: {title}", "key",
                set(re.findall(r"^\.It Ic (\w+)$", manual.get(title, ""), re.M)), keys)


# Manuals, links, commands and files that documents name.

def check_manuals():
    for page in ("docs/erpwatch.1", "docs/erpwatch.yaml.5"):
        for line in run("mandoc", "-T", "lint", page).stdout.split("\n"):
            if line and "referenced manual not found: Xr erpwatch" not in line:
                say(page, line)


def check_links():
    for page in ("README.md", "CONTRIBUTING.md", "docs/reference.md"):
        text = read(page)
        anchors = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-")
                   for h in re.findall(r"^#+ (.*)$", text, re.M)}
        for target in re.findall(r"\]\(([^)]+)\)", text):
            if target.startswith("#"):
                if target[1:] not in anchors:
                    say(page, f"the link {target} leads nowhere")
            elif not os.path.exists(os.path.join(os.path.dirname(page), target)):
                say(page, f"the link {target} leads nowhere")


def check_named(commands):
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.M))
    shared = {"--help", "-c", "--version"}
    for page in ("README.md", "CONTRIBUTING.md"):
        text = read(page)
        code = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.S) + re.findall(r"`([^`\n]+)`", text))
        for line in re.findall(r"(?:^|&& )make ([a-z -]+)", code, re.M):
            for word in line.split():
                if word not in targets:
                    say(page, f"make {word}: there is no such target")
        for name, rest in re.findall(r"(?<![\w./-])erpwatch ([a-z-]+)\b([^\n#]*)", code):
            if name == "erpwatch" or name not in commands:
                continue
            there = options_of_help(run(PROGRAM, name, "--help").stdout)
            for option in re.findall(r" (--?[a-z][\w-]*)", rest):
                if option not in there | shared and option + "=" not in there:
                    say(page, f"erpwatch {name} has no option {option}")
        for path in re.findall(r"`((?:tests|docs|tools|config|data|monitor|probes|alerts|base)/[\w./-]+)`", text):
            if not os.path.exists(path):
                say(page, f"there is no {path}")
    excerpt = re.search(r"```yaml\n(.*?)```", read("README.md"), re.S).group(1)
    if excerpt not in read("config/examples/first.yaml"):
        say("README.md", "its configuration is not that of config/examples/first.yaml")


# The figures of the README are those that the bench wrote.

def check_figures():
    section = re.search(r"\n## How fast it is\n(.*?)\n## ", read("README.md"), re.S)
    known = read("tests/bench/RESULTS.md").split("\n")
    rows = re.findall(r"^\| .*\|$", section.group(1) if section else "", re.M)
    if not rows:
        say("README.md", "it has no figures of speed")
    for row in rows:
        if row not in known:
            say("README.md", f"tests/bench/RESULTS.md has no such row: {row}")


# The table of systems: every pack has its row, and the counts are about right.

NEAR = 5  # entries that may come or go before `make docs` has to be run


def check_systems():
    sys.path.insert(0, "tools")
    import systems  # pylint: disable=import-outside-toplevel
    text, known = read("README.md"), systems.facts()
    given = systems.rows(text)
    compare("README.md", "the pack", set(given), set(known))
    for name in set(given) & set(known):
        (health, count), (has_health, due) = given[name], known[name]
        if health != has_health or abs(count - due) > NEAR or (count == 0) != (due == 0):
            say("README.md", f"the row of {name} is out of date: make docs")
    if "None of the cloud ERPs was reached by the tests" not in text:
        say("README.md", "it does not say that no cloud ERP was reached")


# Texts speak of the project alone, and of no machine.

PATHS = re.compile(r"(?<![\w.}])/(work|root|home/(?!\.\.\.)\w+|tmp/(?!erpwatch|example|x\b))(?=[/\s'\"]|$)")
HOSTS = re.compile(r"(deb|security|snapshot|ftp)\.debian\.org|pypi\.org|registry\.npmjs|proxy\.golang|crates\.io")
# Words on how texts come about, turned by 13 letters so that they do not stand here.
WORDS = re.compile(codecs.decode(
    r"\o(pynhqr|naguebcvp|bcranv|punatcg|tcg-?\q|pbcvybg|yyz|NV nffvfgnag|ynathntr zbqry|fhontrag)\o",
    "rot13"), re.I)


def check_texts():
    for path in run("git", "ls-files").stdout.split() or glob.glob("**/*", recursive=True):
        try:
            text = read(path)
        except (UnicodeDecodeError, IsADirectoryError, FileNotFoundError):
            continue
        for pattern, what in ((PATHS, "a path of a machine"), (HOSTS, "a host of packages"), (WORDS, "a word")):
            for found in pattern.finditer(text):
                if path != "tests/lint/documents.py":
                    say(f"{path}:{text.count(chr(10), 0, found.start()) + 1}",
                        f"{what} that does not belong here: {found.group(0)}")


SUBJECT = re.compile(r"(README|[a-z0-9_./*-]+)(, [a-z0-9_./*-]+)*: \S.*[^.\s]")
NOT_IMPERATIVE = re.compile(r": (added|adds|adding|fixed|fixes|fixing|changed|changes|removed|removes|updated|updates|made|makes)\b")


def check_commits():
    if not os.path.isdir(".git") and not os.path.isfile(".git"):
        return
    for line in run("git", "log", "--format=%h %s%x00%b%x01").stdout.split("\x01"):
        subject, _, body = line.strip().partition("\x00")
        number, _, subject = subject.partition(" ")
        if not subject:
            continue
        if len(subject) > 72:
            say(number, f"the subject is longer than 72 characters: {subject}")
        wrong = not SUBJECT.fullmatch(subject) or NOT_IMPERATIVE.search(subject)
        if wrong:
            say(number, f"the subject is not 'component: imperative': {subject}")
        if WORDS.search(subject + body) or PATHS.search(subject + body):
            say(number, f"the message speaks of more than the project: {subject}")


# Examples and the unit.

def check_examples():
    environment = dict(os.environ, DEMO_FOLDER="demo", DEMO_PORT="8080", DEMO_PASSWORD="not-a-secret")
    for path in sorted(glob.glob("config/examples/*.yaml")) + ["tools/demo/erpwatch.yaml"]:
        done = run(PROGRAM, "validate", "-c", path, env=environment)
        if done.returncode or "warning" in done.stderr:
            say(path, f"does not validate: {done.stderr.strip()}")


def check_unit():
    if run("sh", "-c", "command -v systemd-analyze").returncode:
        return
    with tempfile.TemporaryDirectory(prefix="erpwatch-unit-") as folder:
        text = read("data/erpwatch.service.in").replace("@PREFIX@/bin/erpwatch", PROGRAM)
        with open(f"{folder}/erpwatch.service", "w", encoding="utf-8") as unit:
            unit.write(text)
        done = run("systemd-analyze", "verify", "--man=no", f"{folder}/erpwatch.service")
        for line in done.stderr.split("\n"):
            if "erpwatch" in line:
                say("data/erpwatch.service.in", line)


def main():
    os.chdir(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    if not os.access(PROGRAM, os.X_OK):
        sys.exit(f"documents: {PROGRAM} is not built: make")
    commands = check_commands()
    for check in (check_words, check_keys, check_manuals, check_links, check_texts, check_commits,
                  check_examples, check_unit, check_figures, check_systems):
        check()
    check_named(commands)
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"documents: {len(commands)} commands, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
