# SPDX-License-Identifier: MIT
"""The clock of the test build (tests/clock/clock.c, built as build/tests/clock/erpwatch): a file
that all its processes read the time from.

    clock = MadeClock(path, datetime(2026, 3, 29, tzinfo=timezone.utc))
    environment.update(clock.environment)
    clock.run(3600)                    from now on an hour passes in a second; clock.stand() ends it
    clock.pass_time(600, rate=3600)    ten minutes pass at that rate, then time stands still
    clock.jump(600)                    they pass at once
    clock.set(-3600)                   somebody sets the wall clock back
    clock.suspend(3600)                the machine sleeps: boot and wall time pass, monotonic does not
    clock.is_seen()                    whether the program's loop has done what is due by now

Time stands still at first. Transport timeouts are real; every deadline and `timeout` of a flow is
not, so that a flow of such a test gets a long one. A fast clock is as fast for the program's own
work: where a test wants to be sure that nothing comes late, it lets time jump in parts and waits for
what is due in each."""
import datetime
import mmap
import os
import struct
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PROGRAM = os.path.join(os.environ.get("ERPWATCH_BUILD", os.path.join(ROOT, "build")), "tests/clock/erpwatch")
PAGE = struct.Struct("=qqqqqd")  # behind the turn
SEEN = 8 + PAGE.size
ENDLESS_US = 2**60
BOOTED_US = 1000 * 10**6


class MadeClock:
    def __init__(self, path, now):
        self.path = path
        self.environment = {"ERPWATCH_CLOCK": path}
        with open(path, "wb") as file:
            file.write(bytes(4096))
        with open(path, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), 4096)
        self.turn = 0
        self.write(BOOTED_US, BOOTED_US, round(now.timestamp() * 10**6), 0, 0.0)

    def write(self, mono, boot, wall, span, rate):
        self.turn += 1
        struct.pack_into("=Q", self.page, 0, self.turn)
        PAGE.pack_into(self.page, 8, time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000, mono, boot, wall, span,
                       float(rate))
        self.turn += 1
        struct.pack_into("=Q", self.page, 0, self.turn)

    def is_seen(self):
        """Since time was changed last, the loop has called all timers that were due, and has ended what it was
        doing then. Of one process at a time that has a loop."""
        return struct.unpack_from("=Q", self.page, SEEN)[0] >= self.turn

    def read(self):
        """Monotonic, boot and wall time now, and what is left of the time that may pass, in µs."""
        real, mono, boot, wall, span, rate = PAGE.unpack_from(self.page, 8)
        passed = (time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000 - real) * rate
        passed = int(max(0, min(passed, span)))
        return mono + passed, boot + passed, wall + passed, span - passed

    @property
    def wall_us(self):
        return self.read()[2]

    def now(self):
        return datetime.datetime.fromtimestamp(self.wall_us / 10**6, datetime.timezone.utc)

    def run(self, rate):
        self.write(*self.read()[:3], ENDLESS_US, rate)

    def stand(self):
        self.write(*self.read()[:3], 0, 0.0)

    def pass_time(self, seconds, rate):
        """From where the last time ended, also where it has not passed yet."""
        mono, boot, wall, left = self.read()
        self.write(mono, boot, wall, left + round(seconds * 10**6), rate)

    def jump(self, seconds):
        mono, boot, wall, _ = self.read()
        by = round(seconds * 10**6)
        self.write(mono + by, boot + by, wall + by, 0, 0.0)

    def set(self, seconds):
        mono, boot, wall, left = self.read()
        self.write(mono, boot, wall + round(seconds * 10**6), left, self.rate)

    def suspend(self, seconds):
        mono, boot, wall, left = self.read()
        by = round(seconds * 10**6)
        self.write(mono, boot + by, wall + by, left, self.rate)

    @property
    def rate(self):
        return PAGE.unpack_from(self.page, 8)[5]
