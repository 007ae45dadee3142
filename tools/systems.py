#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes into the README's table of systems what the packs themselves tell: whether a pack has a ladder
of health, and how many of its statements no source confirms. What each was verified against is written
by hand. `make docs` runs it; tests/lint/documents.py holds the table against the packs."""
import json
import os
import re
import subprocess

README = "README.md"
ROW = re.compile(r"^\| ([a-z0-9-]+) \|(.*)\| ([^|]*) \| (\d+) \|$", re.M)


def unconfirmed(tree):
    """How many entries below say that they are unverified."""
    if isinstance(tree, dict):
        return (tree.get("unverified") is True) + sum(unconfirmed(value) for value in tree.values())
    return sum(unconfirmed(value) for value in tree) if isinstance(tree, list) else 0


def facts():
    """By name of pack: has it health, and how many statements no source confirms."""
    program = os.path.join(os.environ.get("ERPWATCH_BUILD", "build"), "erpwatch")
    packs = json.loads(subprocess.run([program, "packs", "--format", "json"], check=True,
                                      capture_output=True, text=True).stdout)
    return {pack["pack"]: ("yes" if any(flow["flow"] == "health" for flow in pack["flows"]) else "",
                           len(pack["unverified"]) + unconfirmed(pack)) for pack in packs}


def rows(text):
    """By name of pack: what the README says of both."""
    return {name: (health, int(count)) for name, _, health, count in ROW.findall(text)}


def main():
    known = facts()
    with open(README, encoding="utf-8") as file:
        text = file.read()

    def mend(match):
        health, count = known.get(match[1], (match[3], match[4]))
        return f"| {match[1]} |{match[2]}| {health} | {count} |"

    with open(README, "w", encoding="utf-8") as file:
        file.write(ROW.sub(mend, text))


if __name__ == "__main__":
    main()
