#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Days of schedule in seconds, by the test's clock (tests/clock): both turns of daylight saving in
three zones, a machine that sleeps, a clock that is set back and forth, also while nobody runs, and
zones that change on a reload. What is due is computed here, by Python's zoneinfo; each start has to
be a run, as an ERP and the store saw it, or is counted as missed there; none is made twice.

Sizes: HOURS of schedule around each turn and jump."""
import collections
import datetime
import hashlib
import http.server
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import zoneinfo

import form

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../clock"))
from made_clock import PROGRAM, MadeClock  # noqa: E402

PATIENCE_S = 180
LATE = 50000  # what begins that many µs after it is due is in time
UTC = datetime.timezone.utc
MINUTE, HOUR = 60 * 10**6, 3600 * 10**6  # as all times here: µs
SPREAD = MINUTE + 3 * 10**6  # what is overdue runs within a minute from the tick that sees it
CORRECTION = 3 * HOUR  # a clock set back by more was wrong before: docs/failure-semantics.md 32

# Name: every (seconds) or cron. The names "fails…" are answered with a 500: each run has an id.
FLOWS = {
    "half-hours": "*/30 * * * *", "fails-each-hour": "15 * * * *", "every-hour": 3600, "fails-every-40-min": 2400,
    "in-the-night": "30 2 * * *", "at-one": "30 1 * * *", "at-midnight": "10 0 * * *", "at-three": "0 3 * * *",
    "often-at-night": "*/20 1-3 * * *", "fails-in-the-night": "45 0-3 * * *", "office": "0 9-17/2 * * 1-5",
    "by-name": "5,50 7,10,13,22 * * sun,mon,wed",
}
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def us_of(moment):
    return round(moment.timestamp()) * 10**6


def us_of_text(text):
    return round(datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp() * 1000) * 1000


def text_of(us):
    return datetime.datetime.fromtimestamp(us / 10**6, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


# --- what is due, without a line of the program

def field(text, least, most):
    allowed = set()
    for part in text.split(","):
        part, _, step = part.partition("/")
        first, _, last = part.partition("-")
        if part == "*":
            first, last = least, most
        first = DAYS.index(first) if first in DAYS else int(first)
        last = first if last == "" else DAYS.index(last) if last in DAYS else int(last)
        allowed.update(range(first, last + 1, int(step or 1)))
    return allowed


class Cron:
    def __init__(self, text):
        minute, hour, _, _, weekday = text.split()
        self.minutes, self.hours, self.weekdays = field(minute, 0, 59), field(hour, 0, 23), field(weekday, 0, 6)
        self.fixed = not hour.startswith("*")

    def matches(self, local):
        return local.minute in self.minutes and local.hour in self.hours and local.isoweekday() % 7 in self.weekdays


def local_of(us, zone):
    return datetime.datetime.fromtimestamp(us // 10**6, zone).replace(tzinfo=None, fold=0)


def minutes(after, until):
    first = after // MINUTE * MINUTE + MINUTE
    return range(first, until + 1, MINUTE)


def instant_of(local, zone):
    """Of a local time: the first of two, the end of the gap for none."""
    at = us_of(local.replace(tzinfo=zone))
    if local_of(at, zone) == local:
        return at
    early, late = at - 4 * HOUR, at + 4 * HOUR
    return next(us for us in minutes(early, late) if local_of(us, zone) > local)


def due(name, rule, zone, after, until):
    """Instant -> the local times that it stands for (the instant itself for what has no fixed hours)."""
    found = collections.defaultdict(set)
    if isinstance(rule, int):
        every = rule * 10**6
        offset = int.from_bytes(hashlib.sha256(name.encode() + b"\0").digest()[:8], "big") % every
        for k in range((after - offset) // every, (until - offset) // every + 2):
            if after < offset + k * every <= until:
                found[offset + k * every].add(offset + k * every)
        return found
    cron = Cron(rule)
    if not cron.fixed:
        for us in minutes(after, until):
            if cron.matches(local_of(us, zone)):
                found[us].add(us)
        return found
    local, last = local_of(after, zone) - datetime.timedelta(days=1), local_of(until, zone) + datetime.timedelta(days=1)
    local = local.replace(second=0, microsecond=0)
    while local <= last:
        if cron.matches(local):
            us = instant_of(local, zone)
            if after < us <= until:
                found[us].add(local)
        local += datetime.timedelta(minutes=1)
    return found


# --- the ERP

class Erp(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # more at once than there is room for would come a second late

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen = collections.defaultdict(list)  # flow -> what its runs were due for
        self.broken = set()  # flows that are answered with a 500, too
        self.answers = threading.Event()
        self.answers.set()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        flow = url.path.split("/")[-1]
        self.server.seen[flow].append(urllib.parse.parse_qs(url.query)["due"][0])
        self.server.answers.wait(PATIENCE_S)
        broken = flow.startswith("fails") or flow in self.server.broken
        body = b'{"error":{"code":"Broken","message":"It is broken."}}' if broken else b"{}"
        self.send_response(500 if broken else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


# --- an agent and what it should do

class Watched:
    """An agent whose time a scenario makes. `expected` is what its ERP should have seen: of each flow, between
    which moments (of the clock on the wall) each run began."""

    def __init__(self, zone, begin, flows=None):
        self.folder = tempfile.mkdtemp(prefix="erpwatch-clock-")
        self.store, self.logged = os.path.join(self.folder, "erpwatch.db"), os.path.join(self.folder, "log")
        self.erp, self.flows = Erp(), flows or FLOWS
        self.clock = MadeClock(os.path.join(self.folder, "clock"), begin)
        self.zone = zoneinfo.ZoneInfo(zone)
        self.expected = {name: [] for name in self.flows}
        self.made = {name: set() for name in self.flows}  # local times of fixed hours: not again
        self.counts = collections.Counter()
        self.missed = collections.Counter()
        self.start()

    def close(self):
        self.kill()
        self.erp.shutdown()
        self.erp.server_close()
        shutil.rmtree(self.folder)

    def mail(self):
        return {"directory": os.path.join(self.folder, "mail")}

    def configure(self):
        def flow(name, rule):
            when = {"every": f"{rule}s"} if isinstance(rule, int) else {"cron": rule}
            return {"system": "erp", "timeout": "240h", "notify": ["shop"], "confirm": {"runs": 1, "after": "0s"},
                    "priority": "P1", "group": "0s",
                    "steps": [{"step": "look", "get": f"/{name}", "query": {"due": "{{run.due}}"}}], **when}
        settings = {
            "agent": {"store": self.store, "timezone": self.zone.key},
            "mail": {"from": "alerts@agency.example", "fallback": "agency", **self.mail()},
            "contacts": {"agency": {"name": "Agency", "email": "ops@agency.example"},
                         "shop": {"name": "Shop", "email": ["it@shop.example", "sales@shop.example"]}},
            "systems": {"erp": {"url": f"http://127.0.0.1:{self.erp.server_port}/api", "timeout": "90s", "parallel": 100,
                                "act": {"erp-partner": "agency"}}},
            "flows": {name: flow(name, rule) for name, rule in self.flows.items()},
        }
        path = os.path.join(self.folder, "erpwatch.yaml")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(settings, file)
        os.chmod(path, 0o600)

    def start(self):
        self.configure()
        os.makedirs(os.path.join(self.folder, "mail"), exist_ok=True)

        def begin():
            with open(self.logged, "a", encoding="utf-8") as log:
                self.agent = subprocess.Popen([PROGRAM, "run"], cwd=self.folder, stdout=log, stderr=log,
                                              env={**os.environ, **self.clock.environment}, start_new_session=True)
        self.agent = None
        self.until_logged("watches", begin)

    def kill(self):
        os.killpg(self.agent.pid, signal.SIGKILL)
        self.agent.wait()

    def log(self):
        with open(self.logged, "a+", encoding="utf-8", errors="replace") as file:
            file.seek(0)
            return file.read()

    def until_logged(self, words, act):
        before = self.log().count(words)
        act()
        self.wait(lambda: self.log().count(words) > before, f"'{words}' in the log")

    def rows(self, sql):
        with sqlite3.connect(f"file:{self.store}?mode=ro", uri=True, timeout=30) as database:
            return database.execute(sql).fetchall()

    def wait(self, ready, what):
        end = time.monotonic() + PATIENCE_S
        while not ready():
            if time.monotonic() > end or self.agent.poll() is not None:
                raise AssertionError(f"{what}: not within {PATIENCE_S} s; it is {text_of(self.clock.wall_us)}\n"
                                     f"{self.log()[-3000:]}")
            time.sleep(0.005)

    # time

    def pass_time(self, seconds):
        """What the agent was doing before is done, and what is due behind it has begun."""
        self.clock.jump(seconds)
        self.wait(self.clock.is_seen, "a look at the clock")

    def tick(self):
        self.pass_time(1.1)

    def beat(self):
        """A sign of life of now is in the store: each five ticks, unless the last one is still on its way."""
        since = self.clock.wall_us
        for number in range(5 * PATIENCE_S):
            if self.rows(f"SELECT 1 FROM meta WHERE key = 'heartbeat' AND CAST(value AS INTEGER) > {since}"):
                return
            self.tick()
            time.sleep(0 if number < 5 else 0.2)
        raise AssertionError(f"no sign of life\n{self.log()[-3000:]}")

    # what is due, and what is made of it

    def is_fixed(self, name):
        return isinstance(self.flows[name], str) and Cron(self.flows[name]).fixed

    def find_due(self, after, until):
        """(instant, flow, local times) in their order; fixed hours that were made are not due again."""
        found = []
        for name, rule in self.flows.items():
            for us, times in due(name, rule, self.zone, after, until).items():
                if times - self.made[name]:
                    found.append((us, name, times))
        return sorted(found, key=lambda start: start[:2])

    def note(self, name, times, earliest, latest):
        """A run of `name` begins between these moments, for these local times."""
        if self.is_fixed(name):
            self.made[name] |= times
        self.expected[name].append((earliest, latest))
        self.counts["run"] += 1

    def settle(self):
        """What began is stored: the next start finds nothing in flight."""
        for name, began in self.expected.items():
            self.wait(lambda: len(self.erp.seen[name]) >= len(began), f"run {len(began)} of {name}")
        total = sum(map(len, self.expected.values()))
        self.wait(lambda: sum(map(sum, self.rows("SELECT (SELECT count(*) FROM good_run), (SELECT count(*) FROM run)")))
                  >= total, f"{total} runs in the store")
        self.wait(self.nothing_runs, "the end of all runs")
        self.pass_time(0)

    def nothing_runs(self):
        with open(f"{self.store}.locks/flows", "rb") as file:  # who runs what: base/claims.c
            return not any(memoryview(file.read()).cast("Q"))

    def walk(self, hours, late_us=LATE):
        """Hours pass; time stands a bit behind each start until that has been run."""
        until = self.clock.wall_us + round(hours * HOUR)
        starts = self.find_due(self.clock.wall_us, until)
        self.counts["due"] += len(starts)
        for us in sorted({us for us, *_ in starts}):
            self.clock.jump((us + late_us - self.clock.wall_us) / 10**6)
            for _, name, times in (start for start in starts if start[0] == us):
                self.note(name, times, us, us + late_us)
            self.settle()
        # seen, too: of a clock that is set next, what lies behind the last look is made up for
        self.pass_time(max(0, until - self.clock.wall_us) / 10**6)

    def late(self, hours):
        """For hours the ERP answers nobody: the first run of each flow goes on for so long, what comes behind it is
        missed."""
        begin = self.clock.wall_us
        seconds = round(hours * 3600)
        while not self.is_quiet(begin + seconds * 10**6, 3 * MINUTE):
            seconds += 60
        starts = self.find_due(begin, begin + seconds * 10**6)
        self.counts["due"] += len(starts)
        self.erp.answers.clear()
        for us in sorted({us for us, *_ in starts}):
            self.clock.jump((us + LATE - self.clock.wall_us) / 10**6)
            for _, name, times in (start for start in starts if start[0] == us):
                begun = self.expected[name] and self.expected[name][-1][0] > begin
                if self.is_fixed(name):
                    self.made[name] |= times
                if begun:
                    self.missed[name] += 1
                else:
                    self.note(name, times, us, us + LATE)
                    self.wait(lambda: len(self.erp.seen[name]) >= len(self.expected[name]), f"a request of {name}")
        self.clock.jump((begin + seconds * 10**6 - self.clock.wall_us) / 10**6)
        self.erp.answers.set()
        self.settle()

    def is_quiet(self, us, span):
        return not self.find_due(us, us + span)

    def leap(self, change, words, seconds):
        """Nobody could run for a while: the machine sleeps, or the clock is set on. What was due runs once, within
        a minute; the rest is missed. The while ends where nothing is due for the next two minutes."""
        begin = self.clock.wall_us
        while not self.is_quiet(begin + round(seconds * 10**6), 2 * MINUTE):
            seconds += 60
        after = begin + round(seconds * 10**6)
        starts = self.find_due(begin, after)
        self.until_logged(words, lambda: (change(seconds), self.pass_time(1.5)))
        self.counts["due"] += len(starts)
        for name in self.flows:
            mine = [times for _, other, times in starts if other == name]
            if mine:
                self.note(name, set().union(*mine), after, after + SPREAD)
                self.missed[name] += len(mine) - 1
                self.counts["made up"] += 1
        self.clock.jump((after + SPREAD - self.clock.wall_us) / 10**6)
        self.settle()

    def sleep(self, seconds):
        self.leap(self.clock.suspend, "was asleep", seconds)

    def set_on(self, seconds):
        self.leap(self.clock.set, "computed anew", seconds)

    def forget_what_lies_ahead(self, seconds):
        """A clock that was wrong by far: its fixed hours come again."""
        now = local_of(self.clock.wall_us, self.zone)
        if seconds * 10**6 > CORRECTION:
            for made in self.made.values():
                made -= {local for local in made if local > now}

    def set_back(self, seconds, hours):
        while not self.is_quiet(self.clock.wall_us - round(seconds * 10**6), 10**7):
            seconds += 60
        self.until_logged("computed anew", lambda: (self.clock.set(-seconds), self.pass_time(1.5)))
        self.forget_what_lies_ahead(seconds)
        self.walk(hours, late_us=(2 + self.counts["set back"]) * LATE)
        self.counts["set back"] += 1

    def restart(self, set_back, hours):
        """The clock is set back while nobody runs."""
        self.beat()
        self.kill()
        self.clock.set(-set_back)
        self.forget_what_lies_ahead(set_back)
        self.start()
        self.walk(hours, late_us=(3 + self.counts["set back"]) * LATE)
        self.counts["set back"] += 1

    def change_zone(self, zone):
        """Fixed hours are of another zone from now on; one that was before the last that was made is past."""
        for name in filter(self.is_fixed, self.flows):
            cron, last = Cron(self.flows[name]), max(self.made[name], default=None)
            for back in range(0, 2880 if last else 0):
                local = last - datetime.timedelta(minutes=back)
                if cron.matches(local):
                    self.made[name].add(local)
        self.zone = zoneinfo.ZoneInfo(zone)
        self.configure()
        self.until_logged("was read again", lambda: self.agent.send_signal(signal.SIGHUP))

    # at the end

    def judge(self):
        """What is wrong, as sentences."""
        missed = {name: count for name, count in self.missed.items() if count}

        def counted():
            return dict(self.rows("SELECT flow, sum(starts) FROM missed GROUP BY flow"))
        self.until_logged("was read again", lambda: self.agent.send_signal(signal.SIGHUP))
        self.beat()
        self.beat()  # behind what was missed until the first
        wrong = [] if counted() == missed else [f"missed were {missed}, counted {counted()}"]
        stored = collections.defaultdict(list)
        for name, began in self.rows("SELECT id, r.started FROM (SELECT flow, started FROM good_run UNION ALL"
                                     " SELECT flow, started FROM run) r JOIN flow ON flow = no"):
            stored[name].append(began)
        for name in self.flows:
            wrong += self.judge_flow(name, self.expected[name], stored[name])
        if self.rows("PRAGMA integrity_check") != [("ok",)]:
            wrong.append("the store is damaged")
        return wrong

    def judge_flow(self, name, expected, stored):
        seen = self.erp.seen[name]
        if not len(seen) == len(stored) == len(expected):
            yield f"{name}: {len(expected)} runs were due, the ERP saw {len(seen)}, {len(stored)} are stored"
        for told in {told for told in seen if seen.count(told) > 1}:
            yield f"{name}: the start of {told} was made twice"
        for (earliest, latest), told in zip(expected, seen):
            if not earliest - 1000 <= us_of_text(told) <= latest:
                yield f"{name}: due {text_of(earliest)}, made for {told}"
        for (earliest, latest), began in zip(sorted(expected), sorted(stored)):
            if not earliest <= began <= latest:
                yield f"{name}: due {text_of(earliest)}, stored as {text_of(began)}"


# --- scenarios

def at(zone, *local):
    return datetime.datetime(*local, tzinfo=zoneinfo.ZoneInfo(zone))


TURNS = {"Brussels on": ("Europe/Brussels", 2027, 3, 28), "Brussels back": ("Europe/Brussels", 2027, 10, 31),
         "Lord Howe on": ("Australia/Lord_Howe", 2027, 10, 3), "Lord Howe back": ("Australia/Lord_Howe", 2027, 4, 4),
         "Havana on": ("America/Havana", 2027, 3, 14), "Havana back": ("America/Havana", 2027, 11, 7)}


def turn(place):
    def scenario(hours):
        zone, *day = TURNS[place]
        begin = at(zone, *day) - datetime.timedelta(hours=min(2, hours / 3), minutes=7)
        watched = Watched(zone, begin)
        yield watched
        watched.walk(hours)
    return scenario


def asleep(hours):
    watched = Watched("Europe/Brussels", at("Europe/Brussels", 2027, 6, 9, 7, 2))
    yield watched
    watched.walk(hours / 6)
    watched.sleep(3600)
    watched.walk(hours / 6)
    watched.clock.suspend(1)  # a second is no sleep
    watched.walk(hours / 6)
    watched.sleep(9 * 3600)
    watched.walk(hours / 6)


def asleep_at_the_turn(hours):
    watched = Watched("Europe/Brussels", at("Europe/Brussels", 2027, 3, 28, 0, 12))
    yield watched
    watched.walk(1)
    watched.sleep(2.5 * 3600)
    watched.walk(hours / 6)


def clock_set(hours):
    watched = Watched("Europe/Brussels", at("Europe/Brussels", 2027, 6, 8, 22, 2))
    yield watched
    watched.walk(hours / 4)
    watched.set_back(3600, hours / 6)
    watched.set_on(3600)
    watched.walk(hours / 6)
    watched.set_back(1800, 1)
    watched.set_back(12 * 3600, hours / 4)  # rows of a day ahead become hourly counts: less than that


def set_while_down(hours):
    watched = Watched("Europe/Brussels", at("Europe/Brussels", 2027, 6, 9, 0, 7))
    yield watched
    watched.walk(hours / 4)
    watched.restart(3600, 2)
    watched.restart(0, 2)
    watched.restart(5 * 3600, hours / 4)


def zones(hours):
    watched = Watched("Europe/Brussels", at("Europe/Brussels", 2027, 6, 9, 0, 7))
    yield watched
    watched.walk(hours / 4)
    for zone in ("Europe/Lisbon", "America/New_York", "Asia/Kolkata", "Europe/Brussels"):
        watched.change_zone(zone)
        watched.walk(hours / 6)


def long_runs(hours):
    """Starts for which a run that takes too long leaves no time."""
    watched = Watched("Europe/Brussels", at("Europe/Brussels", 2027, 6, 9, 0, 7))
    yield watched
    for _ in range(2):
        watched.walk(hours / 4)
        watched.late(hours / 4)


SCENARIOS = {**{place: turn(place) for place in TURNS}, "asleep": asleep,
             "asleep at the turn": asleep_at_the_turn, "long runs": long_runs, "clock set": clock_set,
             "set while down": set_while_down, "zones": zones}


def run(name, hours):
    """Counts, and what is wrong."""
    scenario = SCENARIOS[name](hours)
    watched = next(scenario)
    try:
        next(scenario, None)
        return watched.counts, sum(watched.missed.values()), watched.judge()
    finally:
        watched.close()


def main():
    given = form.options(__doc__, hours=24)
    names = given.names or SCENARIOS
    table = form.Table("scenario", "due", "run", "made up", "missed", "seconds", "found")
    for name in names:
        began = time.monotonic()
        try:
            counts, missed, wrong = run(name, given.hours)
        except AssertionError as error:
            counts, missed, wrong = {}, "", [str(error)]
        table.row(name, *(counts.get(key, 0) for key in ("due", "run", "made up")), missed,
                  round(time.monotonic() - began), "; ".join(wrong[:5]))
    return table.close()


if __name__ == "__main__":
    sys.exit(main())
