#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The short form of tests/fault/mail.py, which `make fault` runs at length. They mostly wait: all at
once."""
import concurrent.futures
import os
import sys
import unittest

from harness import ROOT

sys.path.insert(0, os.path.join(ROOT, "tests/fault"))
import mail  # noqa: E402


class EachNoticeArrives(unittest.TestCase):
    def test_what_ails_a_server(self):
        with concurrent.futures.ThreadPoolExecutor(len(mail.AILMENTS)) as pool:
            results = {name: pool.submit(mail.run, name, 1) for name in mail.AILMENTS}
        for name, result in results.items():
            with self.subTest(name):
                (notices, mails, *_), wrong = result.result()
                self.assertEqual(wrong, [])
                self.assertGreater(notices, 1)
                self.assertGreater(mails, 0)


if __name__ == "__main__":
    unittest.main()
