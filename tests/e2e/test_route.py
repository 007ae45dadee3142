#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`erpwatch route`: who would be told of a failure, in which words, and exit codes."""
import os
import subprocess
import tempfile
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PROGRAM = os.path.join(os.environ.get("ERPWATCH_BUILD", os.path.join(ROOT, "build")), "erpwatch")
EXAMPLE = os.path.join(ROOT, "config", "examples", "orders.yaml")
NOBODY = """
contacts: {}
systems: {erp: {url: 'http://127.0.0.1:1'}}
flows: {ping: {system: erp, every: 5m, steps: [{step: ping, get: /}]}}
"""


def route(*arguments, config=EXAMPLE):
    return subprocess.run([PROGRAM, "route", "-c", config, *arguments], capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, check=False)


class Route(unittest.TestCase):
    def test_names_each_contact_with_its_subject(self):
        run = route("order-submission", "--cause", "validation")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertIn("acme-it <it@acme.example, sales@acme.example> (nl, business)\n"
                      "    [P1] Acme: Submit an order werkt niet: POST /salesOrders antwoordde 400",
                      run.stdout)
        self.assertIn("bc-partner <support@partner.example> (en, technical)\n"
                      "    [P1] Acme: Submit an order fails: POST /salesOrders answered 400",
                      run.stdout)
        self.assertIn("Nothing was sent", run.stdout)

    def test_words_follow_the_class(self):
        self.assertIn("did not answer in time", route("order-submission", "--class",
                                                      "timeout").stdout)
        self.assertIn("takes no connection", route("order-submission", "--class",
                                                   "unreachable").stdout)

    def test_refuses_what_there_is_not(self):
        for arguments, words in ((["nothing"], "there is no flow nothing"),
                                 (["order-submission", "--class", "bad"], "timeout unreachable"),
                                 (["order-submission", "--class", "ok"], "is no class"),
                                 (["order-submission", "--cause", "bad"], "auth permission"),
                                 ([], "usage")):
            run = route(*arguments)
            self.assertEqual((run.returncode, run.stdout), (3, ""), arguments)
            self.assertIn(words, run.stderr)

    def test_says_where_nobody_would_be_told(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "erpwatch.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(NOBODY)
            run = route("ping", config=path)
        self.assertEqual(run.returncode, 2, run.stderr)
        self.assertIn("Nobody would be told", run.stdout)


unittest.main()
