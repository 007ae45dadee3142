#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures `erpwatch explain` on a corpus of labelled responses: class, code,
message and cause right in how many, which class and which cause is taken for which,
and how many successes are called failures. Usage:

    corpus_score.py [--erpwatch PROGRAM] [--every N/M] [-v] [responses.jsonl]

Without a path the corpus is looked for at ../shared/corpus/responses.jsonl
beside the repository. --every 2/3 keeps the cases 2, 5, 8 ... alone (a third that
can be held back), --every -2/3 all others.
"""
import argparse
import collections
import concurrent.futures
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def kind(body):
    text = body.lstrip("\ufeff \r\n\t")
    if not text:
        return "empty"
    if text[0] in "{[":
        return "json"
    if text[0] == "<":
        head = text[:1000].lower()
        html = "<html" in head or "<!doctype html" in head
        return "html" if html else "xml"
    return "text"


def same_text(left, right):
    """Equal but for blanks and the support id that some labels leave off."""
    def plain(text):
        text = re.sub(r"\s+", " ", text or "").strip()
        return re.sub(r"\s*CorrelationId:\s*[\w-]+\.?$", "", text)
    return plain(left) == plain(right)


def fits_template(label, message):
    """A label that keeps %placeholders fits a message that has them filled in."""
    if "%" not in (label or "") or not message:
        return False
    pattern = re.sub(r"%\w+", "(.+)", re.escape(label).replace("\\%", "%"))
    return re.fullmatch(pattern, message, re.S) is not None


def explain(program, case):
    command = [program, "explain"]
    if case.get("http_status"):
        command += ["--status", str(case["http_status"])]
    if case.get("content_type"):
        command += ["--content-type", case["content_type"]]
    done = subprocess.run(command, input=case["body"].encode(), capture_output=True, timeout=60)
    if done.returncode != 0:
        raise SystemExit(f"{case['id']}: explain ended with {done.returncode}: {done.stderr.decode()}")
    return json.loads(done.stdout)


def judge(case, got):
    if case["class"] == "ok":
        right = got["class"] == "ok"
        return {"class": right, "code": right, "message": right, "cause": right}
    return {
        "class": got["class"] == case["class"],
        "code": (got["code"] or None) == (case["code"] or None),
        "message": same_text(got["message"], case["message"])
        or fits_template(case["message"], got["message"]),
        "cause": (got["cause"] or "unknown") == case["cause"],
    }


def report(title, judged):
    print(f"{title}: {len(judged)} cases")
    if not judged:
        return
    for what in ("class", "code", "message", "cause"):
        right = sum(marks[what] for _, _, marks in judged)
        print(f"  {what:8} {right:4} right, {100 * right / len(judged):5.1f} %")
    wrong = sum(1 for case, got, _ in judged if case["class"] == "ok" and got["class"] != "ok")
    missed = sum(1 for case, got, _ in judged if case["class"] != "ok" and got["class"] == "ok")
    print(f"  success called failure {wrong}, failure called success {missed}")
    confusion = collections.Counter((case["class"], got["class"]) for case, got, _ in judged)
    for (label, answer), count in sorted(confusion.items()):
        print(f"    {label:11} -> {answer:11} {count:4}{'' if label == answer else '  <-'}")


def report_causes(judged):
    """Which cause is taken for which: labels down, answers across."""
    pairs = collections.Counter((case["cause"], got["cause"] or "ok") for case, got, _ in judged
                                if case["class"] != "ok" and got["class"] != "ok")
    names = sorted({name for pair in pairs for name in pair})
    width = max(map(len, names), default=0)
    print("causes (down: label, across: answer)")
    print(" " * (width + 2) + " ".join(f"{name[:6]:>6}" for name in names))
    for label in names:
        counts = " ".join(f"{pairs[label, answer] or '.':>6}" for answer in names)
        print(f"  {label:{width}}{counts}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("corpus", nargs="?", type=pathlib.Path,
                        default=ROOT.parent / "shared/corpus/responses.jsonl")
    parser.add_argument("--erpwatch", default=str(ROOT / "build/erpwatch"))
    parser.add_argument("--every")
    parser.add_argument("-v", "--verbose", action="store_true", help="print what is wrong")
    options = parser.parse_args()
    if not options.corpus.exists():
        print(f"corpus_score: there is no corpus at {options.corpus}: nothing measured")
        return 0
    cases = [json.loads(line) for line in options.corpus.read_text().splitlines() if line.strip()]
    if options.every:
        rest, step = map(int, options.every.lstrip("-").split("/"))
        inverted = options.every.startswith("-")
        cases = [c for i, c in enumerate(cases) if (i % step == rest) != inverted]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda case: explain(options.erpwatch, case), cases))
    judged = [(case, got, judge(case, got)) for case, got in zip(cases, answers)]
    if options.verbose:
        for case, got, marks in judged:
            for what in [w for w, good in marks.items() if not good]:
                print(f"{case['id']}: {what}: {case[what]!r} was {got[what]!r}")
    report("JSON, HTML and text", [j for j in judged if kind(j[0]["body"]) != "xml"])
    for name in ("json", "html", "text", "empty", "xml"):
        report(name, [j for j in judged if kind(j[0]["body"]) == name])
    report("all", judged)
    report_causes(judged)
    return 0


if __name__ == "__main__":
    sys.exit(main())
