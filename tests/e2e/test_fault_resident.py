#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The short form of tests/fault/resident.py, which `make fault` runs at length: no run leaves
anything in memory."""
import os
import sys
import unittest

from harness import ROOT

sys.path.insert(0, os.path.join(ROOT, "tests/fault"))
import form  # noqa: E402
import memory  # noqa: E402
import resident  # noqa: E402


class Resident(unittest.TestCase):
    @unittest.skipIf(memory.is_sanitized(), "a sanitizer has the allocations for itself")
    def test_runs(self):
        table = form.Table("what", "how often", "figures", "found")
        resident.run_runs(resident.Given(4000), table)
        self.assertEqual(table.found, 0)


if __name__ == "__main__":
    unittest.main()
