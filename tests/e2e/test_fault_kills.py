#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The short form of tests/fault/kills.py, which `make fault` runs at length: a few kills at random
moments while a flow fails and recovers, and nothing is lost, doubled or left behind."""
import os
import random
import subprocess
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor

from harness import PROGRAM, ROOT, wait_for

sys.path.insert(0, os.path.join(ROOT, "tests/fault"))
import kills  # noqa: E402
from peers import PEERS, TrytonPeer  # noqa: E402


class QuickTryton(TrytonPeer):
    """Not stopped and started in a round, which takes it long."""

    def breaks(self):
        return {"refused": super().breaks()["refused"]}


class NothingIsLost(unittest.TestCase):
    def test_one_round_each(self):
        """Side by side: most of the time they wait."""
        seed = random.randrange(10**6)
        kills.PEERS["tryton"] = QuickTryton
        with ThreadPoolExecutor() as pool:
            tests = {name: pool.submit(kills.test_peer, name, 1, seed, 1) for name in PEERS}
        for name, test in tests.items():
            with self.subTest(name):
                _, wrong = test.result()
                self.assertEqual(wrong, [], f"seed {seed}")


class TrytonSweeps(unittest.TestCase):
    def test_drafts_of_a_killed_run_are_swept(self):
        """A check is killed while it waits for its order; no agent pays, only the sweep deletes."""
        class Waiting(TrytonPeer):
            def flows(self):
                flow = super().flows()["orders"]
                look = self.call("model.sale.sale.read", ["{{sale}}"], ["state"])
                wait = {"step": "wait", **look, "until": {"every": "1s", "for": "50s"}, "undo": {"none": "a read"},
                        "expect": {"json": {"$.result[0].state": "done"}}}
                return {"orders": {"steps": [*flow["steps"], wait]}}
        peer = Waiting(random.Random())
        self.addCleanup(peer.close)
        peer.configure(flows_run=True)
        peer.start("check", "orders")
        wait_for(lambda: peer.erp_rows("SELECT id FROM sale_sale WHERE state = 'quotation'"), "the quotation")
        peer.kill()
        self.assertEqual(len(peer.left()), 2)

        def swept():
            subprocess.run([PROGRAM, "sweep"], cwd=peer.folder, env=peer.environment, capture_output=True, check=False)
            return not peer.left()
        wait_for(swept, "the order and its customer are old enough and swept")
        self.assertEqual(peer.owed(), 2, "the debts are the next agent's: it finds the records gone")
        peer.settle()
        self.assertEqual(peer.rows("SELECT DISTINCT state FROM debt"), [("paid",)])


if __name__ == "__main__":
    unittest.main()
