#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes erpwatch.yaml(5): the frame docs/erpwatch.yaml.5.in, with the keys of
docs/reference.md, which the program prints from its own table, and the first
example. Usage: manual.py >docs/erpwatch.yaml.5; the lint says when it is stale."""
import re
import textwrap


def escaped(text):
    text = text.replace("\\", "\\e").replace("~", "\\(ti").replace("^", "\\(ha")
    return re.sub(r"^([.'])", r"\\&\1", text)


def plain(markdown):
    """A Markdown sentence as roff text: links by their words, code in quotes."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", markdown)
    return re.sub(r"`([^`]*)`", r"\\(oq\1\\(cq", escaped(text).replace("\\&`", "`"))


def sentence_lines(text):
    for sentence in re.split(r"(?<=[.:;]) +(?=[A-Z\\])", text):
        yield from textwrap.wrap(sentence, 78, break_long_words=False, break_on_hyphens=False)


def key_entry(row):
    name, value, default, sentence = re.match(
        r"\| `(.*?)` \| (.*) \| (.*?) \| (.*) \|$", row).groups()
    yield f".It Ic {escaped(name)}"
    kind = plain(value)
    if default == "needed":
        kind += "; required"
    elif default.strip():
        kind += f"; default {plain(default)}"
    yield from textwrap.wrap(f"({kind})", 78, break_long_words=False, break_on_hyphens=False)
    yield ".br"
    yield from sentence_lines(plain(sentence))


def keys(reference):
    for part in reference.split("\n## ")[1:]:
        title, *lines = part.splitlines()
        rows = [l for l in lines if l.startswith("| `")]
        if not rows:
            continue
        yield f".Ss {escaped(title)}"
        yield from sentence_lines(plain(" ".join(l for l in lines if l and l[0] != "|")))
        yield ".Bl -tag -width Ds"
        for row in rows:
            yield from key_entry(row)
        yield ".El"


def filters(reference):
    part = reference.split("\nFilters, behind a `|`:")[1].split(".\n")[0]
    names = re.findall(r"`([^`]+)`", part)
    return "\n.Ql " + " ,\n.Ql ".join(names[:-1]) + "\nand\n.Ql " + names[-1] + " "


def main():
    with open("docs/reference.md", encoding="utf-8") as file:
        reference = file.read()
    with open("config/examples/first.yaml", encoding="utf-8") as file:
        example = "\n".join(escaped(l) for l in file.read().rstrip("\n").split("\n"))
    with open("docs/erpwatch.yaml.5.in", encoding="utf-8") as file:
        page = file.read()
    page = page.replace("@KEYS@", "\n".join(keys(reference))).replace("@EXAMPLE@", example)
    print(page.replace(" @FILTERS@.", filters(reference) + "."), end="")


if __name__ == "__main__":
    main()
