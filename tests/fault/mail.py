#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A mail server that is gone, hangs at each stage, accepts half the recipients, refuses the login,
takes three connections and thirty mails a minute, or answers 552, while flows fail and recover: hours
and days pass by the test's clock (tests/clock). Each notice arrives, doubles are the same mail, each
thread comes to each recipient in its order, and each start of a flow is made at its time. Five days
without a server end in giving up: status shows it, and the fallback contact is told.

Sizes: ROUNDS of failing and recovering flows."""
import collections
import email
import email.policy
import json
import os
import socket
import subprocess
import sys
import threading
import time

import clock
import form

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../servers"))
from bad_smtp import HANG, BadSmtp, Gone, _Session  # noqa: E402

STAGES = ("greeting", "ehlo", "auth", "mail", "rcpt", "data", "body", "dot")
FLOWS = {"orders": 1200, "payments": 1200, "stock": 1200, "prices": 1200}
HOUR_S = 3600
LONG = 1.001  # hours: each time what is tried hourly is due


class Server(BadSmtp):
    """Can be gone for a while on the same port, and limit connections at once and mails in a minute of the test's
    clock, as it is asked for at each session."""

    def __init__(self, now_us, **options):
        self.now_us, self.at_once, self.a_minute = now_us, 0, 0
        self.serving, self.most, self.refused = 0, 0, collections.Counter()
        self.hanging = 0
        self.lock, self.minutes = threading.Lock(), collections.Counter()
        super().__init__(auth=True, **options)

    def leave(self):
        self.listener.shutdown(socket.SHUT_RDWR)

    def come_back(self):
        self.listener.listen(128)
        threading.Thread(target=self._accept, daemon=True).start()

    def let_go(self):
        """Ends what hangs."""
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _serve(self, connection, script):
        with self.lock:
            self.serving += 1
            self.most = max(self.most, self.serving)
            full = self.at_once and self.serving > self.at_once
        if full:
            self.refused["connection"] += 1
            script = {**script, "greeting": "421 4.7.0 too many connections"}
        session = Limited(self, connection, script)
        try:
            try:
                session.run()
            except (Gone, OSError, ValueError):  # the client is gone, or was let go
                pass
            connection.close()
        finally:
            with self.lock:
                self.serving -= not session.has_quit


class Limited(_Session):
    def hang(self):
        with self.server.lock:
            self.server.hanging += 1
        try:
            super().hang()
        finally:
            with self.server.lock:
                self.server.hanging -= 1

    def on_mail(self, text):
        minute = self.server.now_us() // clock.MINUTE
        with self.server.lock:
            self.server.minutes[minute] += 1
            over = self.server.a_minute and self.server.minutes[minute] > self.server.a_minute
        if over:
            self.server.refused["mail"] += 1
            self.recipients = []
            self.say("451 4.7.1 too many mails a minute")
        else:
            super().on_mail(text)

    def on_data(self, text):
        dot = self.script.get("dot")
        if callable(dot):  # decides by the message
            self.script = {**self.script, "dot": None}
            self.judge = dot
        super().on_data(text)

    judge, has_quit = None, False

    def on_quit(self, text):
        """Who has the answer may come again before this thread has ended."""
        with self.server.lock:
            self.server.serving -= not self.has_quit
            self.has_quit = True
        super().on_quit(text)

    def act(self, stage, good, told=None):
        if stage == "dot" and self.judge:
            told = self.judge(self.server.messages[-1][1])
        return super().act(stage, good, told)


class Mailing(clock.Watched):
    """Flows that fail and recover, and what a mail server received of it."""

    def __init__(self, script=None, flows=None, login=False):
        self.login = login
        self.smtp = Server(lambda: self.clock.wall_us, script=script)
        super().__init__("Europe/Brussels", clock.at("Europe/Brussels", 2027, 6, 9, 0, 2), flows or FLOWS)

    def mail(self):
        user = {"username": "alerts", "password": "S3cret-of-the-mail!"} if self.login else {}
        return {"server": f"127.0.0.1:{self.smtp.port}", "security": "none", "limit": 100000, **user}

    def close(self):
        super().close()
        self.smtp.close()

    def is_delivering(self):
        with open(f"/proc/{self.agent.pid}/task/{self.agent.pid}/children", encoding="ascii") as file:
            return bool(file.read().split())

    def outlast_delivery(self, ticks):
        """What is due at a tick is on its way, and has ended."""
        for _ in range(ticks):
            self.tick()
            self.wait(lambda: not self.is_delivering(), "the end of deliver")

    def go_on(self, hours, part=1 / 6, waits=True):
        """Hours pass in parts, each start at its time; deliver is waited for, or is left to itself."""
        for _ in range(round(hours / part)):
            self.walk(part - (2.2 / HOUR_S if waits else 0))
            if waits:
                self.outlast_delivery(1 if part > 1 else 2)

    def rounds(self, count, waits=True):
        """All flows fail for forty minutes, and work for as long; each starts a bit of it."""
        for _ in range(count):
            self.erp.broken.update(self.flows)
            self.go_on(2 / 3, waits=waits)
            self.erp.broken.clear()
            self.go_on(2 / 3, waits=waits)

    def outbox(self, where="1"):
        return self.rows("SELECT n.notice, n.incident, r.address, r.state, r.attempts, n.kind, r.code FROM outbox_notice n"
                         f" JOIN outbox_recipient r USING (sequence) WHERE {where} ORDER BY n.sequence, r.position")

    def deliver_all(self, hours=30):
        """Until nothing waits any more."""
        for _ in range(hours):
            self.go_on(LONG, part=LONG)
            if not self.outbox("r.state IN ('waiting', 'sending', 'held')"):
                return

    def status(self):
        done = subprocess.run([clock.PROGRAM, "status", "--format", "json"], cwd=self.folder, capture_output=True,
                              env={**os.environ, **self.clock.environment}, text=True, check=False)
        return done.returncode, json.loads(done.stdout)

    def judge_mail(self, given_up=0, notices=1):
        """What is wrong, as sentences."""
        rows = self.outbox()
        if len({row[0] for row in rows}) < notices:
            yield f"only {len({row[0] for row in rows})} notices"
        states = collections.Counter(row[3] for row in rows)
        if states["given_up"] != given_up or states["accepted"] != len(rows) - given_up:
            yield f"the outbox says {dict(states)}, {given_up} were to be given up"
        arrived, bodies = collections.defaultdict(list), collections.defaultdict(set)
        for recipients, content in self.smtp.messages:
            parsed = email.message_from_bytes(content, policy=email.policy.default)
            notice = parsed["Message-ID"].split("@")[0].lstrip("<")
            bodies[notice].add(content)
            for address in recipients:
                arrived[address].append(notice)
        for notice in (notice for notice, contents in bodies.items() if len(contents) > 1):
            yield f"the doubles of {notice} differ"
        for address in {row[2] for row in rows}:
            yield from self.judge_order(address, rows, arrived[address])

    def judge_order(self, address, rows, arrived):
        threads = collections.defaultdict(list)
        for notice, incident, to, state, *_ in rows:
            if to == address and state == "accepted":
                threads[incident].append(notice)
        first = list(dict.fromkeys(arrived))
        for incident, notices in threads.items():
            got = [notice for notice in first if notice in notices]
            if len(got) < len(notices):
                yield f"{len(notices) - len(got)} of incident {incident} did not arrive at {address}"
            elif got != notices:
                yield f"the thread of {incident} came to {address} out of order"

    def facts(self):
        rows = self.outbox()
        return (len({row[0] for row in rows}), len(self.smtp.messages), max((row[4] for row in rows), default=0),
                self.counts["run"])


# --- what ails the server

def gone(rounds):
    mailing = Mailing()
    yield mailing
    mailing.rounds(1)
    mailing.smtp.leave()
    mailing.rounds(rounds)
    mailing.smtp.come_back()
    mailing.deliver_all()
    yield list(mailing.judge_mail(notices=8 * rounds))


def hangs(_):
    """At each stage once; meanwhile hours pass, and only then is the hanging session let go."""
    mailing, wrong = Mailing(login=True), []
    yield mailing
    for stage in STAGES:
        mailing.smtp.script = {stage: [HANG]}
        if stage == "body":
            mailing.smtp.script = {"data": [None], "body": [HANG]}
        mailing.erp.broken.symmetric_difference_update(mailing.flows)
        for _ in range(40):  # the server may be left alone for a while, for the stage before
            mailing.go_on(1 / 6, waits=False)
            mailing.tick()
            mailing.wait(lambda: mailing.smtp.hanging or not mailing.is_delivering(), "the end of deliver, or a session")
            if mailing.smtp.hanging:
                break
        mailing.go_on(1 / 3, waits=False)
        wrong += [] if mailing.smtp.hanging else [f"no session hangs at {stage}"]
        mailing.smtp.let_go()
        mailing.go_on(1 / 6)
    mailing.erp.broken.clear()
    mailing.deliver_all()
    yield wrong + list(mailing.judge_mail(notices=8))


def half(rounds):
    """One of each two recipients is put off for hours, then accepted; meanwhile the other gets its mails."""
    mailing = Mailing({"rcpt": {"sales@shop.example": "450 4.2.1 come back later"}})
    yield mailing
    mailing.rounds(rounds)
    wrong = [f"{row[2]} has {row[3]}" for row in mailing.outbox("r.address LIKE 'it@%'") if row[3] != "accepted"]
    mailing.smtp.script = {}
    mailing.deliver_all()
    yield wrong + list(mailing.judge_mail(notices=8 * rounds))


def login(rounds):
    mailing = Mailing({"auth": "535 5.7.8 no such login"}, login=True)
    yield mailing
    mailing.rounds(rounds)
    code, status = mailing.status()
    wrong = [] if "535" in json.dumps(status) else ["status does not say that the login is refused"]
    wrong += [] if not mailing.smtp.messages else ["mails went out without a login"]
    mailing.smtp.script = {}
    mailing.deliver_all()
    yield wrong + list(mailing.judge_mail(notices=8 * rounds))


def limits(rounds):
    flows = {f"flow-{i}": "0,30 * * * *" for i in range(40 * rounds)}
    mailing = Mailing(flows=flows)
    yield mailing
    mailing.smtp.at_once, mailing.smtp.a_minute = 3, 30
    mailing.erp.broken.update(flows)
    mailing.go_on(1)
    mailing.erp.broken.clear()
    mailing.go_on(1)
    mailing.deliver_all()
    wrong = list(mailing.judge_mail(notices=2 * len(flows)))
    wrong += [] if mailing.smtp.refused["mail"] else ["the server had nothing to refuse"]
    if mailing.smtp.refused["connection"]:
        wrong.append(f"{mailing.smtp.most} connections at once")
    yield wrong


def too_large(rounds):
    """552 to what has attachments, at MAIL (by SIZE) or behind the message: it goes without them."""
    mailing = Mailing({"dot": lambda content: "552 5.3.4 too large" if b"exchange.har" in content else None})
    yield mailing
    mailing.rounds(rounds)
    mailing.deliver_all()
    wrong = list(mailing.judge_mail(notices=8 * rounds))
    if any(b"exchange.har" in content for _, content in mailing.smtp.messages):
        wrong.append("a mail with attachments was accepted")
    yield wrong


def five_days(_):
    mailing = Mailing(flows={"orders": 6 * HOUR_S})
    yield mailing
    mailing.smtp.leave()
    mailing.erp.broken.update(mailing.flows)
    for _ in range(6 * 24):
        mailing.go_on(LONG, part=LONG)
        if mailing.outbox("r.state = 'given_up'"):
            break
    wrong = [f"given up after {row[4]} attempts" for row in mailing.outbox("r.state = 'given_up'") if row[4] != 120]
    mailing.beat()
    code, status = mailing.status()
    if code != 2 or "given_up" not in json.dumps(status):
        wrong.append(f"status exits {code} and shows {json.dumps(status)[:500]}")
    days = (mailing.clock.wall_us - mailing.clock.began_us) / 86400 / 10**6
    if not 4.5 < days < 5.5:
        wrong.append(f"given up after {days:.1f} days")
    mailing.smtp.come_back()
    mailing.deliver_all(hours=3)
    wrong += list(mailing.judge_mail(given_up=2))
    told = [content for recipients, content in mailing.smtp.messages if recipients == ["ops@agency.example"]]
    if len(told) != 1 or b"Nobody could be told" not in told[0]:
        wrong.append(f"{len(told)} mails to the fallback")
    yield wrong


AILMENTS = {"gone for hours": gone, "hangs": hangs, "half accepted": half, "login refused": login, "limits": limits,
            "552": too_large, "five days gone": five_days}


def run(name, rounds):
    """Notices, mails, most attempts, runs; and what is wrong."""
    steps = AILMENTS[name](rounds)
    mailing = next(steps)
    mailing.clock.began_us = mailing.clock.wall_us
    try:
        wrong = next(steps)
        return mailing.facts(), wrong + mailing.judge()
    finally:
        mailing.close()


def main():
    given = form.options(__doc__, rounds=3)
    table = form.Table("server", "notices", "mails", "attempts", "runs", "seconds", "found")
    for name in given.names or AILMENTS:
        began = time.monotonic()
        try:
            facts, wrong = run(name, given.rounds)
        except AssertionError as error:
            facts, wrong = ("",) * 4, [str(error)]
        table.row(name, *facts, round(time.monotonic() - began), "; ".join(wrong[:5]))
    return table.close()


if __name__ == "__main__":
    sys.exit(main())
