#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Parses composed mails with Python's email package, a library that we did not write.

Usage: test_mail_format.py [COMPOSE_FACTS]
COMPOSE_FACTS ($ERPWATCH_BUILD/tests/e2e/compose_facts): facts on stdin, mail on stdout. Exit 0
where every mail is as it should be; else each fault is a line on stderr, exit 1.
"""
import copy
import email
import email.policy
import html.parser
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
FACTS = json.load(open(os.path.join(HERE, "..", "mails", "opened.json"), encoding="utf-8"))
MARK = "MARKED-BY-THE-ERP"
HOSTILE = {
    "header": f"{MARK}\r\nBcc: evil@attacker.example\r\nSubject: other\r\n\r\nbody",
    "controls": f"{MARK}\x01\x02\x1b[31m\x7f",
    "html": f"</td></pre><script>{MARK}</script><img src=x onerror=y><a href='http://x'>",
    "direction": f"\u202e{MARK}\u2066\u061c\u200f",
    "surrogate": f"{MARK} \U0001f9fe é ß \u0130",
    "dots": f"{MARK}\r\n.\r\n..\r\nFrom here\r\n",
    "long": MARK + "A" * (1024 * 1024),
    "template": MARK + "{flow}{call} %s%n $(id) `id`",
}
OURS = {"notice", "kind", "at", "email", "domain", "root", "mode", "style", "language", "from",
        "state", "opened", "ended", "environment", "evidence", "class", "phase", "cause",
        "started", "first_failed", "last_failed", "last_good", "timezone"}
HEADERS = ["from", "to", "subject", "date", "message-id", "auto-submitted",
           "x-auto-response-suppress", "x-erpwatch-incident", "x-erpwatch-flow",
           "x-erpwatch-priority", "mime-version", "content-type"]
# Words of each language that its mails have, of which each is in a mail of another kind or style.
LANGUAGES = {
    "en": ("Who can act", "Does not work", "works again after"),
    "nl": ("Wie kan ingrijpen", "Werkt niet", "werkt weer na"),
    "fr": ("Qui peut agir", "Conséquence", "fonctionne de nouveau après"),
    "de": ("Wer handeln kann", "Wie es weitergeht", "funktioniert wieder nach"),
}
WIDTH = 76
VOID = {"meta", "br", "img", "link", "input", "hr"}
faults = []


def fault(name, text):
    faults.append(f"{name}: {text}")


def expect(name, holds, text):
    if not holds:
        fault(name, text)


class Page(html.parser.HTMLParser):
    """Which tags and addresses a page has, its text, and whether its tags are paired."""

    def __init__(self):
        super().__init__()
        self.tags, self.text, self.open, self.attributes, self.unpaired = set(), [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(tag, k, v or "") for k, v in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.unpaired.append(tag)

    def handle_data(self, data):
        self.text.append(data)


def compose(program, facts, *options):
    run = subprocess.run([program, *options], input=json.dumps(facts).encode(),
                         capture_output=True, check=False)
    if run.returncode != 0:
        raise SystemExit(f"compose_facts: {run.stderr.decode()}")
    return run.stdout


def check_bytes(name, raw):
    expect(name, len(raw) <= 1024 * 1024, f"{len(raw)} bytes")
    expect(name, b"\x00" not in raw, "a NUL")
    expect(name, not re.search(rb"(?<!\r)\n|\r(?!\n)", raw), "a bare CR or LF")
    expect(name, all(len(line) <= 998 for line in raw.split(b"\r\n")), "a line over 998")
    expect(name, all(byte < 128 for byte in raw), "an 8-bit byte")


def check_headers(name, mail, facts):
    names = [key.lower() for key in mail.keys()]
    for header in HEADERS:
        expect(name, names.count(header) == 1, f"{names.count(header)} times {header}")
    allowed = set(HEADERS) | {"importance", "in-reply-to", "references"}
    expect(name, set(names) <= allowed, f"headers {set(names) - allowed}")
    expect(name, mail["Auto-Submitted"] == "auto-generated", "Auto-Submitted")
    expect(name, mail["X-Erpwatch-Priority"] == "P1" and mail["Importance"] == "high", "priority")
    expect(name, mail["Message-ID"] == f"<{facts['notice']}@{facts['domain']}>", "Message-ID")
    expect(name, "\n" not in mail["Subject"] and len(mail["Subject"]) <= 310, "the subject")
    expect(name, [a.addr_spec for a in mail["To"].addresses] == facts["contact"]["email"], "To")
    expect(name, mail["Date"].datetime.isoformat()[:19] == facts["at"][:19], "Date")
    root = facts["thread"]["root"]
    if root.split("@")[0] == facts["notice"]:
        expect(name, "in-reply-to" not in names, "an opening that answers a mail")
    else:
        expect(name, mail["In-Reply-To"] == f"<{root}>" == mail["References"], "the thread")


def check_page(name, text, marked):
    page = Page()
    page.feed(text)
    page.close()
    shown = "".join(page.text)
    bad = page.tags & {"script", "img", "a", "link", "iframe", "form", "object", "svg", "base"}
    expect(name, not bad, f"tags {bad}")
    expect(name, not page.unpaired and not page.open, f"unpaired {page.unpaired} {page.open}")
    for tag, key, value in page.attributes:
        outside = key in ("src", "href", "background") or key.startswith("on") or "url(" in value
        expect(name, not outside, f"{tag} {key}={value}")
    expect(name, "@import" not in text and "url(" not in text, "an external resource")
    expect(name, not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]", text), "a mark")
    expect(name, len(text) < 102 * 1024, f"{len(text)} bytes of HTML: mail programs cut it")
    if marked:
        expect(name, MARK in shown, "the ERP's text is not shown")


def check_har(name, data):
    log = json.loads(data.decode("utf-8"))["log"]
    expect(name, log["version"] == "1.2" and log["creator"]["name"] == "erpwatch", "HAR head")
    expect(name, len(log["entries"]) > 0, "an empty HAR")
    for entry in log["entries"]:
        request, response, timings = entry["request"], entry["response"], entry["timings"]
        expect(name, isinstance(response["status"], int), "HAR status")
        expect(name, all(timings[k] >= 0 for k in ("send", "wait", "receive")), "HAR timings")
        parts = [timings[k] for k in ("blocked", "dns", "connect", "send", "wait", "receive")]
        expect(name, abs(entry["time"] - sum(p for p in parts if p >= 0)) < 0.01, "HAR time")
        for key in ("cookies", "headers", "queryString"):
            expect(name, isinstance(request[key], list), f"HAR request.{key}")
        for body in (request.get("postData", {}), response["content"]):
            expect(name, len(body.get("text", "").encode()) <= 64 * 1024, "a long body in the HAR")


def check(name, raw, facts, marked=False, har=True):
    check_bytes(name, raw)
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    for part in mail.walk():
        expect(name, not part.defects, f"defects {part.defects} in {part.get_content_type()}")
    check_headers(name, mail, facts)
    shape = [part.get_content_type() for part in mail.walk()]
    parts = ["multipart/mixed", "multipart/alternative", "text/plain", "text/html"]
    expect(name, shape == parts + (["application/json"] if har else []), f"parts {shape}")
    check_page(name, mail.get_body(("html",)).get_content(), marked)
    if marked:
        expect(name, MARK in mail.get_body(("plain",)).get_content(), "the text lacks the ERP's")
    for part in mail.iter_attachments():
        expect(name, part.get_filename() == "exchange.har", f"file {part.get_filename()}")
        check_har(name, part.get_content())


def spoil(tree, text):
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
        if key in OURS:
            continue
        if isinstance(tree[key], str):
            tree[key] = text
        elif isinstance(tree[key], (dict, list)):
            spoil(tree[key], text)


def check_language(name, raw, language, words):
    """The words are the language's, the page says so, and prose stays within the width."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    text, page = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    expect(name, words in text + mail["Subject"], f"no \"{words}\"")
    expect(name, f'<html lang="{language}">' in page, "the page's language")
    expect(name, b"\nSubject:" in raw and mail["Subject"].startswith("[P1] Acme"), "the subject")
    for line in text.splitlines():
        literal = "{" in line or "http" in line or "Document Type" in line
        expect(name, len(line) <= WIDTH or literal, f"a wide line: {line}")
    if language != "en":
        for other in LANGUAGES["en"]:
            expect(name, other not in text, f"English: {other}")


def check_languages(program):
    cases = (("opened", "technical"), ("opened", "business"), ("recovered", "business"))
    for language, texts in LANGUAGES.items():
        for (kind, style), words in zip(cases, texts):
            raw = compose(program, variant(kind, language, style))
            check_language(f"{kind} {language} {style}", raw, language, words)


def variant(kind="opened", language="en", style="technical"):
    facts = copy.deepcopy(FACTS)
    facts["kind"], facts["by"] = kind, "Jan Peeters"
    facts["contact"].update(language=language, style=style)
    if kind != "opened":
        facts["notice"] = "0" * 26
    return facts


def check_all(program):
    failing = ("opened", "changed", "test")
    for language in LANGUAGES:
        for style in ("technical", "business"):
            for kind in (*failing, "acknowledged", "recovered", "withdrawn"):
                facts = variant(kind, language, style)
                raw = compose(program, facts)
                check(f"{kind} {language} {style}", raw, facts, har=kind in failing)
                expect(kind, raw == compose(program, facts), "not the same bytes again")
            for name, text in HOSTILE.items():
                facts = variant("opened", language, style)
                spoil(facts, text)
                check(f"hostile {name} {language} {style}", compose(program, facts), facts, True)
                bare = compose(program, facts, "--bare")
                check(f"bare {name} {language} {style}", bare, facts, True, har=False)


def main():
    build = os.environ.get("ERPWATCH_BUILD", "build")
    program = sys.argv[1] if len(sys.argv) > 1 else f"{build}/tests/e2e/compose_facts"
    check_all(program)
    check_languages(program)
    for line in faults:
        print(line, file=sys.stderr)
    return 1 if faults else 0


sys.exit(main())
