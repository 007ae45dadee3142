#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The short form of tests/fault/network.py, which `make fault PART=network` runs at length. Its
parts run side by side: nearly all of their time is spent waiting."""
import concurrent.futures
import os
import random
import sys
import unittest

from harness import ROOT

sys.path.insert(0, os.path.join(ROOT, "tests/fault"))
import network  # noqa: E402


class NetworksThatFail(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.seed = random.randrange(10**6)
        pool = concurrent.futures.ThreadPoolExecutor(len(network.PARTS))
        cls.addClassCleanup(pool.shutdown)
        cls.rows = {name: pool.submit(lambda part=part: list(part(1, cls.seed))) for name, part in network.PARTS.items()}

    def judge(self, part):
        try:
            rows = self.rows[part].result()
        except network.Skipped as why:
            self.skipTest(str(why))
        self.assertTrue(rows)
        for name, _, figures, wrong in rows:
            with self.subTest(name, seed=self.seed):
                self.assertEqual(wrong, [], figures)

    def test_outages(self):
        self.judge("outages")

    def test_what_writes_is_never_sent_twice(self):
        self.judge("twice")

    def test_kept_connections_that_fall_silent(self):
        self.judge("hushed")

    def test_name_servers_that_have_no_answer(self):
        self.judge("names")

    def test_routes_that_are_gone(self):
        self.judge("routes")

    def test_our_own_network_is_gone(self):
        self.judge("own")

    def test_our_own_network_is_back_before_a_call_ends(self):
        self.judge("back")


if __name__ == "__main__":
    unittest.main()
