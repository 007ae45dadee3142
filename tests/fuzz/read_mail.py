#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Reads mails with Python's email package, for fuzz_mail: on stdin each one with its length in
four bytes before it; on stdout for each a line, empty where it is as a mail of ours has to be,
else what is wrong."""
import email
import email.policy
import json
import re
import struct
import sys

HEADERS = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress",
           "X-Erpwatch-Incident", "X-Erpwatch-Flow", "X-Erpwatch-Priority", "MIME-Version", "Content-Type"]
ALLOWED = {name.lower() for name in HEADERS} | {
    "in-reply-to", "references", "importance", "content-transfer-encoding", "content-disposition"}
LONGEST = 998
ADDRESS = re.compile(r"[^\s@<>,;:\"\x00-\x20\x7f]+@[A-Za-z0-9.-]+")


def problems(content):
    for line in content.split(b"\r\n"):
        if b"\n" in line or b"\r" in line or b"\0" in line:
            yield "a line end that is not CRLF, or a NUL"
        if len(line) > LONGEST:
            yield f"a line of {len(line)} octets"
    mail = email.message_from_bytes(content, policy=email.policy.SMTP)
    for part in mail.walk():
        for defect in part.defects:
            yield f"a defect of {part.get_content_type()}: {defect!r}"
        for name, value in part.items():
            for defect in getattr(value, "defects", ()):
                yield f"a defect of {name}: {defect!r}"
    yield from headers(mail)
    yield from bodies(mail)


def headers(mail):
    for name in HEADERS:
        count = len(mail.get_all(name, []))
        # of a flow's name that is nothing but control characters nothing is left
        if count > 1 or (count == 0 and name != "X-Erpwatch-Flow"):
            yield f"{name} is there {count} times"
    for name, value in mail.items():
        if name.lower() not in ALLOWED:
            yield f"a header of somebody else: {name}"
        if re.search(r"[\x00-\x1f\x7f]", str(value)):
            yield f"a control character in {name}: {str(value)!r}"
    addresses = [address for name in ("From", "To") for address in mail[name].addresses]
    if len(addresses) < 2 or not all(ADDRESS.fullmatch(address.addr_spec) for address in addresses):
        yield f"addresses {[address.addr_spec for address in addresses]}"
    if mail["Date"].datetime is None:
        yield "a Date that cannot be read"


def bodies(mail):
    kinds = []
    for part in mail.walk():
        kinds.append(part.get_content_type())
        if part.is_multipart():
            continue
        text = part.get_payload(decode=True).decode("utf-8", "strict")
        if part.get_content_type() == "text/plain" and re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text):
            yield f"a control character in the text: {text!r}"
        if "json" in part.get_content_type() or (part.get_filename() or "").endswith(".har"):
            json.loads(text)
    if kinds[:4] != ["multipart/mixed", "multipart/alternative", "text/plain", "text/html"] and \
            kinds[:3] != ["multipart/alternative", "text/plain", "text/html"]:
        yield f"parts are {kinds}"


def judge(content):
    try:
        return "; ".join(list(problems(content))[:5])
    except Exception as error:  # pylint: disable=broad-except
        return f"it cannot be read: {error!r}"


def main():
    while len(head := sys.stdin.buffer.read(4)) == 4:
        length, = struct.unpack("<I", head)
        wrong = judge(sys.stdin.buffer.read(length))
        sys.stdout.write(wrong.encode("ascii", "backslashreplace").decode().replace("\n", " ") + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
