#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The short form of tests/fault/network.py, which `make fault PART=network` runs at length."""
import os
import random
import sys
import unittest

from harness import ROOT

sys.path.insert(0, os.path.join(ROOT, "tests/fault"))
import network  # noqa: E402


class NetworksThatFail(unittest.TestCase):
    def judge(self, part):
        seed = random.randrange(10**6)
        for name, _, figures, wrong in network.PARTS[part](1, seed):
            with self.subTest(name, seed=seed):
                self.assertEqual(wrong, [], figures)

    def test_outages(self):
        self.judge("outages")

    def test_what_writes_is_never_sent_twice(self):
        self.judge("twice")


if __name__ == "__main__":
    unittest.main()
