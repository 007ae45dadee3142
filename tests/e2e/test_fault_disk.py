#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The short form of tests/fault/disk.py, which `make fault` runs at length: a few stores damaged
at random places."""
import os
import random
import sys
import unittest

from harness import ROOT

sys.path.insert(0, os.path.join(ROOT, "tests/fault"))
import disk  # noqa: E402


class TheStoreGoesWrong(unittest.TestCase):
    def run_part(self, name, rounds):
        seed = random.randrange(10**6)
        _, wrong = disk.run_part(name, rounds, seed)
        self.assertEqual(wrong, [], f"seed {seed}")

    def test_damage(self):
        self.run_part("damage", 4)

    def test_log(self):
        self.run_part("log", 3)

    def test_schema(self):
        self.run_part("schema", 1)

    def test_map(self):
        self.run_part("map", 1)


if __name__ == "__main__":
    unittest.main()
