#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The short form of tests/fault/clock.py, which `make fault` runs at length: a few hours around each
turn of daylight saving, suspend, set clock and changed zone. They mostly wait: all at once."""
import concurrent.futures
import os
import sys
import unittest

from harness import ROOT

sys.path.insert(0, os.path.join(ROOT, "tests/fault"))
import clock  # noqa: E402

HOURS = 3


class EachStartIsAccountedFor(unittest.TestCase):
    def test_scenarios(self):
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            results = {name: pool.submit(clock.run, name, HOURS) for name in clock.SCENARIOS}
        for name, result in results.items():
            with self.subTest(name):
                counts, _, wrong = result.result()
                self.assertEqual(wrong, [])
                self.assertGreater(counts["run"], 5)


if __name__ == "__main__":
    unittest.main()
