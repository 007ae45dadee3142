#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Killed at any moment, nothing is lost and nothing happens twice: flows fail and recover, mails go
out, and agents, checks and delivers are killed (-9) at random moments all the while.

    tests/fault/kills.py [--kills N] [--stage N] [--seed S] [PEER...]

KILLS (1000) are of each kind: of `deliver`, and of all others together.

In each round the ERP breaks and is mended. After each one, whoever still lives: exactly one incident
for each cause has opened and closed, and nobody was told twice of either; no run failed while the ERP
was well, none ran beside another of its flow; a mail that came twice is the same to the byte, and none
came before an earlier one of its incident; no account is locked, no refresh token lost, no record of
others gone; the store is sound, and a replay of its events gives the same incidents.

After each STAGE (5) rounds one agent is let live: it pays, sweeps and delivers. Then, besides, each
notice has arrived at each recipient, no record of ours is left, and no more was swept than undos that
could not find theirs."""
import email.parser
import itertools
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict

import form
from peers import CONTACTS, PEERS, TOLD, end_group

COLUMNS = ("agents", "checks", "notifies", "delivers", "in session", "rounds", "incidents", "mails", "doubles",
           "created", "paid", "uncertain", "swept", "seconds")
KILLS_OF_A_PHASE = 80  # more than these in a row, and what has to come about never does
ROUNDS_OF_A_STAGE = 5
COMMANDS = {"agents": ["run"], "checks": ["check"], "notifies": ["check", "--notify"]}


CALLS_OF_AN_AGENT, CALLS_OF_A_DELIVER = 3000, 300  # that write, send or sync, as kill_at.c counts them


LOGIN_HOLDS = 10  # seconds in which a login that failed answers for others, each flow once


def problem_of_login(problem):
    return (problem or "").startswith(("log in:", "get a token:"))


def moment_of(random_numbers, calls):
    """Half of the processes are killed at a time, half at a call: 0, or which one."""
    return round(calls ** random_numbers.random()) * (random_numbers.random() < 0.5)


def end_by(process, seconds):
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        pass


def kill(process, random_numbers):
    """With what it started, or alone, so that this lives on; whether it was killed."""
    alive = process.poll() is None
    if alive and random_numbers.random() < 0.25:
        process.kill()
        process.wait()
    elif alive or random_numbers.random() < 0.75:
        end_group(process)
    return process.wait() == -signal.SIGKILL


class DeliverKiller(threading.Thread):
    """Starts `erpwatch deliver` whenever something is due, and kills it; the agents' own ones die with them."""

    def __init__(self, peer, random_numbers):
        super().__init__(daemon=True)
        self.peer, self.random = peer, random_numbers
        self.over = threading.Event()
        self.kills = self.in_session = 0
        self.problem = None
        self.start()

    def run(self):
        try:
            while not self.over.is_set():
                if self.peer.is_mail_due():
                    self.kill_one()
                else:
                    self.over.wait(0.05)
                if self.random.random() < 0.01:
                    self.peer.pass_time_for_mails()
        except Exception as problem:  # told by stop: in a thread nobody hears of it
            self.problem = problem

    def kill_one(self):
        kill_at = moment_of(self.random, CALLS_OF_A_DELIVER)
        process = self.peer.launch("deliver", kill_at=kill_at)
        end_by(process, 2 if kill_at else self.random.uniform(0.01, 0.9))
        in_session = self.peer.smtp.sessions > 0
        killed = kill(process, self.random)
        self.kills += killed
        self.in_session += killed and in_session

    def stop(self):
        self.over.set()
        self.join()
        if self.problem:
            raise self.problem


class Rounds:
    """The rounds against one peer, and what was found wrong."""

    def __init__(self, name, kills, seed, rounds=ROUNDS_OF_A_STAGE):
        self.random = random.Random(f"{seed} {name}")
        self.peer = PEERS[name](self.random)
        self.kills, self.rounds, self.counts = kills, rounds, Counter()
        self.phases = []  # of (flows, from, until, when for sure): where the ERP was broken, in seconds
        self.wrong = []
        self.company = None  # an agent that lives beside those that are killed

    # kills

    def kill_one(self, longest):
        """An agent, or a check; at times a check beside an agent that is killed later."""
        self.change_company()
        kind = self.random.choices(("agents", "notifies", "checks"), (0 if self.company else 6, 3, 1))[0]
        kill_at = moment_of(self.random, CALLS_OF_AN_AGENT)
        process = self.peer.launch(*COMMANDS[kind], kill_at=kill_at)
        end_by(process, self.random.uniform(0.03, longest))
        before = self.random.random()
        if kind == "agents" and before < 0.2 and process.poll() is None:  # while it stops, or reads its configuration
            process.send_signal(signal.SIGTERM if before < 0.1 else signal.SIGHUP)
            end_by(process, self.random.uniform(0, 0.3))
        self.counts[kind] += kill(process, self.random)

    def change_company(self):
        if not self.company and self.random.random() < 0.15:
            self.company = self.peer.launch("run")
        elif self.company and self.random.random() < 0.4:
            self.end_company()

    def end_company(self):
        if self.company:
            self.counts["agents"] += kill(self.company, self.random)
        self.company = None

    def kill_until(self, is_reached, what):
        """At least some, whatever comes about; they live the longer the more it takes."""
        some = self.random.randint(1, self.rounds)
        for number in range(KILLS_OF_A_PHASE):
            self.kill_one(self.peer.longest * (1 + number / 5))
            if number + 1 >= some and is_reached():
                return
        raise AssertionError(f"{what}: not within {KILLS_OF_A_PHASE} kills\n{self.peer.log()}")

    # rounds

    def failing(self):
        return {flow for flow, in self.peer.rows("SELECT flow FROM flow_state WHERE incident IS NOT NULL")}

    def suspect(self):
        return self.peer.rows("SELECT 1 FROM flow_state WHERE state = 'suspect'")

    def incidents(self):
        return self.peer.rows("SELECT id, opened, closed FROM incident ORDER BY open_seq")

    def one_round(self):
        what = self.random.choice(sorted(self.peer.breaks()))
        flows, expected = self.peer.breaks()[what]
        former = len(self.incidents())
        began = time.time()
        self.peer.break_it(what)
        broken = time.time()
        self.kill_until(lambda: self.failing() >= flows, f"{what} fails")
        mending = time.time()  # which may take a while
        self.peer.mend()
        self.phases.append((flows, began, time.time(), (broken, mending)))
        self.kill_until(lambda: not self.failing(), f"{what} works again")
        found = self.incidents()[former:]
        if len(found) != expected or not all(closed for _, _, closed in found):
            self.wrong.append(f"{what}: {len(found)} incidents in place of {expected}: {found}")
        self.counts["rounds"] += 1

    def failures_alone(self):
        """A failure that the next run does not confirm is no incident."""
        former, began = self.incidents(), time.time()
        flows = self.peer.fail_once()
        self.phases.append((flows, began, float("inf"), None))
        self.kill_until(lambda: self.peer.has_failed_once() and not self.suspect(), "single failures pass by")
        self.phases[-1] = (flows, began, time.time(), None)
        if self.incidents() != former:
            self.wrong.append(f"single failures made incidents: {self.incidents()[len(former):]}")

    def judge_now(self):
        """What holds at any moment, whoever is at work."""
        return (self.judge_runs() + self.judge_turns() + self.judge_incidents() + self.judge_mails(have_come=False) +
                self.peer.judge_now())

    def stage(self):
        """Some rounds under fire, each of them judged; then one agent is let live, and all is judged."""
        self.peer.configure(flows_run=True)
        if not self.counts["rounds"]:
            self.peer.be_born()
        killer = DeliverKiller(self.peer, random.Random(self.random.random()))
        try:
            for _ in range(self.rounds):
                self.one_round()
                if self.peer.can_fail_once:
                    self.failures_alone()
                self.wrong += self.judge_now()
                if self.wrong or self.is_enough(killer):
                    break
        finally:
            killer.stop()
            self.end_company()
        self.counts["delivers"] += killer.kills
        self.counts["in session"] += killer.in_session
        if self.wrong:
            return
        self.peer.settle()
        self.wrong += (self.peer.judge() + self.judge_runs() + self.judge_turns() + self.judge_incidents() +
                       self.judge_mails())

    def is_enough(self, killer):
        delivers = self.counts["delivers"] + killer.kills
        return delivers >= self.kills and sum(self.counts[kind] for kind in COMMANDS) >= self.kills

    # what the ERP did, against what the store says of it

    def was_broken(self, flow, begin, end):
        return any(flow in flows and begin <= until and end >= since for flows, since, until, _ in self.phases)

    def judge_runs(self):
        """No run failed while the ERP was well, none was well that ran while it was broken."""
        wrong = []
        for run, flow, started, duration, state, problem in self.peer.rows(
                "SELECT r.id, f.id, r.started / 1e6, r.duration_us / 1e6, r.state, r.summary"
                " FROM run r JOIN flow f ON f.no = r.flow"):
            begin = started - LOGIN_HOLDS * problem_of_login(problem)
            broken = self.was_broken(flow, begin, started + duration)
            if state == "failed" and any(text in problem for text in self.peer.excused):
                continue
            if state == "failed" and not broken or state == "unknown":
                wrong.append(f"run {run} of {flow} is {state} though the ERP was well: {problem}")
        for flow, started, duration in self.peer.rows(
                "SELECT f.id, r.started / 1e6, r.duration_us / 1e6 FROM good_run r JOIN flow f ON f.no = r.flow"):
            if any(flow in flows and surely and surely[0] < started and started + duration < surely[1]
                   for flows, _, _, surely in self.phases):
                wrong.append(f"a run of {flow} is good though the ERP was broken")
        return wrong

    def judge_turns(self):
        """A flow runs once at a time, whoever runs it."""
        runs = self.peer.rows("SELECT f.id, r.started, r.started + r.duration_us FROM (SELECT flow, started,"
                              " duration_us FROM run UNION ALL SELECT flow, started, duration_us FROM good_run) r"
                              " JOIN flow f ON f.no = r.flow ORDER BY 1, 2")
        return [f"two runs of {flow} at once, begun at {began} and {next_began}" for (flow, began, ended),
                (next_flow, next_began, _) in itertools.pairwise(runs) if flow == next_flow and next_began < ended]

    def judge_incidents(self):
        """Each lies where the ERP was broken; its members count the failing runs, each once."""
        wrong = []
        for incident, flow, failing, first, last, failed in self.peer.rows(
                "SELECT incident, flow, failing, first_failed, last_failed, runs_failed FROM incident_flow"):
            stored, = self.peer.rows("SELECT count(*) FROM run r JOIN flow f ON f.no = r.flow WHERE f.id = ? AND"
                                     " r.state = 'failed' AND r.counted AND r.started BETWEEN ? AND ?",
                                     flow, first, last)
            if failing or stored[0] != failed:
                wrong.append(f"{flow} in {incident}: {failed} failing runs, {stored[0]} are stored")
            if not self.was_broken(flow, first / 1e6, last / 1e6):
                wrong.append(f"{flow} is in {incident} though the ERP was well")
        return wrong

    # mails

    def judge_mails(self, have_come=True):
        wrong, arrived, contents = [], defaultdict(list), defaultdict(set)
        for message in list(self.peer.smtp.messages):  # before the notices: each is one of those
            name = email.parser.BytesHeaderParser().parsebytes(message["content"])["Message-ID"]
            contents[name].add(message["content"])
            for address in message["recipients"]:
                arrived[address].append(message["content"])
        wrong += [f"{name} came in {len(kept)} forms" for name, kept in contents.items() if len(kept) > 1]
        notices = self.peer.rows("SELECT sequence, incident, contact, kind, mail FROM outbox_notice ORDER BY sequence")
        for sequence, incident, contact, kind, mail in notices:
            for address in CONTACTS[contact]:
                if have_come and mail not in arrived[address]:
                    wrong.append(f"notice {sequence} ({kind} of {incident}) has not arrived at {address}")
        known = {mail for *_, mail in notices}
        wrong += [f"{name} came and is no notice" for name, kept in contents.items() if not kept <= known]
        self.counts["mails"] = len(contents)
        self.counts["doubles"] = sum(len(came) - len(set(came)) for came in arrived.values())
        return wrong + self.judge_threads(notices, have_come) + self.judge_order(notices, arrived)

    def judge_threads(self, notices, have_come):
        """Each contact is told of each incident's beginning and end, once."""
        told = Counter((incident, contact, kind) for _, incident, contact, kind, _ in notices)
        return [f"{contact} is told {told[incident, contact, kind]} times that {incident} {kind}"
                for incident, _, _ in self.incidents() for contact in TOLD for kind in ("opened", "recovered")
                if told[incident, contact, kind] > 1 or (have_come and not told[incident, contact, kind])]

    @staticmethod
    def judge_order(notices, arrived):
        """Of one incident, nobody hears the later before the earlier."""
        wrong, threads = [], defaultdict(list)
        for _, incident, contact, _, mail in notices:
            if incident:
                threads[incident, contact].append(mail)
        for (incident, contact), mails in threads.items():
            for address in CONTACTS[contact]:
                places = [arrived[address].index(mail) for mail in mails if mail in arrived[address]]
                if places != sorted(places):
                    wrong.append(f"{address} got the mails of {incident} in the order {places}")
        return wrong

    def facts(self):
        return {**self.peer.facts(), **self.counts, "incidents": len(self.incidents())}


def test_peer(name, kills, seed, *rounds_of_a_stage):
    """The facts of all rounds, and what is wrong at their end."""
    began = time.monotonic()
    rounds = Rounds(name, kills, seed, *rounds_of_a_stage)
    try:
        while True:
            rounds.stage()
            kinds = sum(rounds.counts[kind] for kind in COMMANDS)
            if rounds.wrong or (kinds >= kills and rounds.counts["delivers"] >= kills):
                break
            print(f"  {name}: {kinds} and {rounds.counts['delivers']} kills", file=sys.stderr, flush=True)
        return {**rounds.facts(), "seconds": round(time.monotonic() - began)}, rounds.wrong
    except AssertionError as error:
        raise AssertionError(f"{error}\n{rounds.peer.log()}") from None
    finally:
        rounds.peer.close()


def main():
    given = form.options(__doc__, kills=1000, stage=ROUNDS_OF_A_STAGE)
    table = form.Table("peer", *COLUMNS, "found", width=9)
    for name in given.names or PEERS:
        facts, wrong = test_peer(name, given.kills, given.seed, given.stage)
        table.row(name, *(facts.get(column, 0) for column in COLUMNS), "; ".join(wrong))
    return table.close()


if __name__ == "__main__":
    sys.exit(main())
