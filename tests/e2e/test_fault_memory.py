#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The short form of tests/fault/memory.py, which `make fault` runs at length."""
import os
import random
import sys
import unittest

from harness import ROOT

sys.path.insert(0, os.path.join(ROOT, "tests/fault"))
import form  # noqa: E402
import memory  # noqa: E402

SANITIZED = "a sanitizer has the allocations for itself"


class TooLittleAndTooMuch(unittest.TestCase):
    def run_part(self, name, **sizes):
        given = memory.Given(random.randrange(10**6), **sizes)
        table = form.Table("what", "how often", "figures", "found")
        memory.run_part(name, given, table)
        self.assertEqual(table.found, 0, f"seed {given.seed}")

    @unittest.skipIf(memory.is_sanitized(), SANITIZED)
    def test_allocations(self):
        self.run_part("allocations", tries=2)

    @unittest.skipIf(memory.is_sanitized(), SANITIZED)
    def test_writes(self):
        self.run_part("writes", tries=3)

    def test_descriptors(self):
        self.run_part("descriptors")

    def test_connections(self):
        self.run_part("connections", connections=300)

    def test_bodies(self):
        self.run_part("bodies")


if __name__ == "__main__":
    unittest.main()
