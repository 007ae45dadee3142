#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The clock that tests make (tests/clock): hours pass at once for the program that is built with
it, and the program that users install knows nothing of it."""
import datetime
import os
import sys
import unittest

from agent_case import AgentCase, flow, invoice
from harness import PROGRAM, ROOT

sys.path.insert(0, os.path.join(ROOT, "tests/clock"))
import made_clock  # noqa: E402

NOON = datetime.datetime(2027, 2, 3, 12, tzinfo=datetime.timezone.utc)


class TestClock(AgentCase):
    program = made_clock.PROGRAM

    def setUp(self):
        super().setUp()
        self.clock = made_clock.MadeClock(self.path("clock"), NOON)
        self.environment.update(self.clock.environment)
        self.configure({"payments": flow(invoice(), every="1h", timeout="12h")})

    def runs(self):
        return [row["started"] for row in self.rows("SELECT started FROM good_run ORDER BY seq")]

    def test_time_passes_as_the_test_says(self):
        agent = self.start_agent()
        self.wait(lambda: self.count("meta WHERE key = 'heartbeat'"), "the start")
        for hour in range(1, 4):
            self.clock.jump(3600)
            self.wait(lambda: len(self.runs()) == hour, f"run {hour}")
        self.assertEqual({(started - round(NOON.timestamp()) * 10**6) // (3600 * 10**6) for started in self.runs()},
                         {1, 2, 3})
        for hour in range(4, 7):
            self.clock.pass_time(3600, rate=36000)
            self.wait(lambda: len(self.runs()) == hour, f"run {hour}")
        self.wait(lambda: self.clock.now() >= NOON + datetime.timedelta(hours=6), "six hours")
        self.assertEqual(self.clock.now(), NOON + datetime.timedelta(hours=6))
        self.assertEqual(self.gate.count("GET"), 6)
        self.stop(agent)
        self.assertIn("2027-02-03", self.run_program("status").stdout)

    def test_the_installed_program_has_no_such_switch(self):
        with open(PROGRAM, "rb") as file:
            self.assertNotIn(b"ERPWATCH_CLOCK", file.read())
        with open(self.program, "rb") as file:
            self.assertIn(b"ERPWATCH_CLOCK", file.read())


if __name__ == "__main__":
    unittest.main()
