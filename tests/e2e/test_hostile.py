#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Answers that mean harm, or that nobody meant to send: each gets its verdict in
bounded time and memory, and none reaches a mail's headers or its HTML."""
import email.utils
import json
import os
import subprocess
import time
import unittest
import urllib.request

from harness import Case, PATIENCE_S, PROGRAM, ROOT, decisive

MEMORY_KB = 100 * 1024
SANITIZED = "asan" in os.path.dirname(PROGRAM)  # its memory and time are other matters

TOO_LARGE = ("cryptic", None, "contract", "larger than 4194304 bytes")
BROKEN = ("cryptic", None, "server_fault")
LATE = ("timeout", "transfer", "network", "not complete within 5s")
NOT_FOLLOWED = ("unexpected", None, "contract")

# path -> class, phase, cause, words of the message
ANSWERS = {
    "/ok": ("ok", None, None),
    "/wrong-type": ("ok", None, None),
    "/html": ("cryptic", None, "contract", "Service Unavailable"),
    "/error-inside": ("error_code", None, "validation", "Item 1 is blocked."),
    "/latin1": ("error_code", None, "validation", "Größe überschritten"),
    "/no-content": ("unexpected", None, "contract"),
    "/close": ("unreachable", "first_byte", "network", "closed without an answer"),
    "/reset": ("unreachable", "first_byte", "network", "reset"),
    "/reset-body": (*BROKEN, "in the middle of the answer"),
    "/short": (*BROKEN, "cut short after 8 bytes"),
    "/cut-head": (*BROKEN, "in the middle of the headers"),
    "/cut-chunk": (*BROKEN, "cut short"),
    "/bad-chunk": (*BROKEN, "in the middle of the answer"),
    "/bad-zip": (*BROKEN, "cannot be decoded"),
    "/garbage": (*BROKEN, "is not HTTP"),
    "/bad-status": (*BROKEN, "is not HTTP"),
    "/many-headers?count=20000": (*BROKEN, "Too large response headers"),
    "/huge": TOO_LARGE,
    "/endless": TOO_LARGE,
    "/bomb": TOO_LARGE,
    "/bomb?levels=3": TOO_LARGE,
    "/hang": ("timeout", "first_byte", "network", "no answer"),
    "/half-status": LATE,
    "/slow-headers": LATE,
    "/slow-body": LATE,
    "/stalled-body": LATE,
    "/redirect-loop": NOT_FOLLOWED,
    "/redirect?to=/ok": ("ok", None, None),
    "/redirect?to=//evil.example/": NOT_FOLLOWED,
    "/redirect?to=file:///etc/passwd": NOT_FOLLOWED,
}
HEADERS = {"date", "from", "subject", "to", "message-id", "auto-submitted", "x-auto-response-suppress",
           "x-erpwatch-incident", "x-erpwatch-flow", "x-erpwatch-priority", "importance",
           "mime-version", "content-type"}
BREAK = "Bad\r\nBcc: evil@evil.example\r\nX-Evil: 1\r\n\r\n<script>alert(1)</script><img src=x onerror=alert(2)>"


class Hostile(Case):
    def configure(self, port, steps):
        flows = {name: {"system": "erp", "every": "1h", "priority": "P1", "notify": ["it", "boss"],
                        "timeout": "2m", "confirm": {"runs": 1}, "steps": [step]}
                 for name, step in steps.items()}
        basic = {"basic": {"username": "shop", "password": "${env:ERP_PASSWORD}"}}
        self.environment["ERP_PASSWORD"] = "demo-secret-1"
        self.write("erpwatch.yaml", json.dumps({
            "agent": {"store": self.path("erpwatch.db")},
            "mail": {"directory": self.mails, "from": "alerts@agency.example", "fallback": "it"},
            "contacts": {"it": {"name": "IT", "email": "it@acme.example"},
                         "boss": {"name": "Boss", "email": "boss@acme.example", "style": "business"}},
            "systems": {"erp": {"url": f"http://127.0.0.1:{port}", "timeout": "60s", "parallel": 100,
                                "auth": basic, "act": {"client": "it", "erp-partner": "it"}}},
            "flows": flows}))

    def measured_check(self):
        """The document of check, its seconds and its largest memory in KB."""
        began = time.monotonic()
        process = subprocess.Popen([PROGRAM, "check", "--format", "json"], cwd=self.folder,
                                   env=self.environment, stdout=subprocess.PIPE, text=True)
        with process.stdout:
            document = json.load(process.stdout)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return document, time.monotonic() - began, usage.ru_maxrss

    def bad_server(self):
        return self.server("/usr/bin/python3", f"{ROOT}/tests/servers/bad_http.py", "--keep")

    def server(self, *command):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        process.port = int(process.stdout.readline().split()[-1])
        return process

    def test_each_answer_has_its_verdict(self):
        names = {f"flow-{i}": path for i, path in enumerate(ANSWERS)}
        expect = {"status": 200, "json": {"$.ok": True}}
        self.configure(self.bad_server().port, {
            name: {"step": "ask", "get": path, "follow": 5, "expect": expect,
                   **({"timeout": "5s"} if ANSWERS[path][0] == "timeout" else {})}
            for name, path in names.items()})
        document, seconds, memory_kb = self.measured_check()
        for flow in document["flows"]:
            path = names[flow["flow"]]
            kind, phase, cause, *words = ANSWERS[path]
            verdict = flow["steps"][0]["verdict"]
            with self.subTest(path):
                self.assertEqual((verdict["class"], verdict["phase"], verdict["cause"]), (kind, phase, cause))
                for word in words:
                    self.assertIn(word, verdict["message"])
        if not SANITIZED:
            self.assertLess(memory_kb, MEMORY_KB)
        self.assertLess(seconds, PATIENCE_S)  # no answer was waited for longer than it was given

    def test_credentials_go_to_no_other_host(self):
        here, there = self.bad_server(), self.bad_server()
        away = f"/redirect?to=http://127.0.0.1:{there.port}/echo%3Fkey%3Dx"
        self.configure(here.port, {"away": {"step": "ask", "get": away, "follow": 5}})
        verdict = decisive(self.check(code=2)["flows"][0])["verdict"]
        self.assertEqual(verdict["class"], "unexpected")
        with urllib.request.urlopen(f"http://127.0.0.1:{there.port}/log?key=x") as answer:
            self.assertEqual([path for _, path, *_ in json.load(answer) if path != "/log"], [])

    def answer_with(self, text):
        http = self.server("/usr/bin/python3", f"{ROOT}/tests/servers/scripted_http.py")
        answer = {"status": 400, "body": {"error": {"code": text, "message": text}}}
        script = urllib.request.Request(f"http://127.0.0.1:{http.port}/_script", method="PUT",
                                        data=json.dumps({"GET /a": [answer]}).encode())
        urllib.request.urlopen(script).close()
        self.configure(http.port, {"orders": {"step": "ask", "get": "/a"}})

    def test_line_breaks_and_html_stay_text(self):
        self.answer_with(BREAK)
        self.run_program("check", "--notify")
        mails = self.read_mails()
        self.assertEqual(len(mails), 2)
        for mail in mails:
            self.assertLessEqual(set(name.lower() for name in mail.keys()), HEADERS)
            self.assertEqual(len(email.utils.getaddresses(mail.get_all("To"))), 1)
            self.assertNotIn("\n", str(mail["Subject"]))
            self.assertEqual(len(mail.defects), 0)
            html = mail.get_body(("html",)).get_content()
            self.assertNotIn("<script", html)
            self.assertNotIn("<img", html)
            self.assertIn("&lt;script&gt;", html)
            self.assertIn("<script>alert(1)", mail.get_body(("plain",)).get_content())

    def test_terminals_see_no_control_characters(self):
        self.answer_with("red \x1b[31m alert \x07\x9b2J \u202e end")
        shown = [self.run_program("check", "-v", "--notify", "--format", form).stdout
                 for form in ("table", "nagios", "junit")]
        shown += [self.run_program(*words).stdout for words in (["status"], ["incidents"], ["history", "orders"])]
        for output in shown:
            self.assertTrue(output)
            for bad in "\x1b\x07\x9b\u202e":
                self.assertNotIn(bad, output)


if __name__ == "__main__":
    unittest.main()
