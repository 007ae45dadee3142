#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The short form of tests/fault/processes.py: all commands on one store for some seconds, and
the replay of the event table gives the same rows."""
import os
import random
import sys
import unittest

from harness import ROOT

sys.path.insert(0, os.path.join(ROOT, "tests/fault"))
import processes  # noqa: E402

SECONDS = 8


class AllAtOnce(unittest.TestCase):
    def test_the_store_says_the_same_as_its_events(self):
        seed = random.randrange(10**6)
        facts, wrong = processes.test_processes(SECONDS, seed)
        self.assertEqual(wrong, [], f"seed {seed}")
        self.assertGreater(facts["runs"], 0)
        self.assertGreater(facts["check"], 0)


if __name__ == "__main__":
    unittest.main()
