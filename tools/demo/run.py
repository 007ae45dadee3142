#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The main job in a minute: a small ERP, the agent, a flow that fails after the
ERP's update, the mails to both sides, the recovery. Usage: run.py PROGRAM."""
import email
import email.policy
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE_S = 50
terminal = sys.stdout.isatty()


def bold(text):
    return f"\033[1m{text}\033[0m" if terminal else text


def say(text):
    print(f"\n{bold('==> ' + text)}", flush=True)


class Demo:
    def __init__(self, program):
        self.program = os.path.abspath(program)
        self.folder = tempfile.mkdtemp(prefix="erpwatch-demo-")
        os.mkdir(f"{self.folder}/mail")
        self.configuration = f"{self.folder}/erpwatch.yaml"
        shutil.copy(f"{HERE}/erpwatch.yaml", self.configuration)
        self.processes = []
        self.shown = set()
        self.environment = dict(os.environ, DEMO_FOLDER=self.folder, DEMO_PASSWORD="demo-secret-1")

    def start_erp(self):
        erp = subprocess.Popen(["/usr/bin/python3", f"{HERE}/erp.py"], stdout=subprocess.PIPE, text=True)
        self.processes.append(erp)
        self.environment["DEMO_PORT"] = erp.stdout.readline().strip()
        return erp

    def erpwatch(self, *arguments):
        return subprocess.run([self.program, *arguments], env=self.environment, cwd=self.folder,
                              capture_output=True, text=True)

    def start_agent(self):
        log = open(f"{self.folder}/agent.log", "w")
        agent = subprocess.Popen([self.program, "run"], env=self.environment, cwd=self.folder, stderr=log)
        self.processes.append(agent)
        return agent

    def wait_for(self, what, ready):
        began = time.monotonic()
        while True:
            if ready():
                if terminal:
                    print("\r" + " " * 70 + "\r", end="", flush=True)
                return
            spent = time.monotonic() - began
            if spent > PATIENCE_S or self.processes[-1].poll() is not None:
                raise SystemExit(f"demo: {what} did not happen\n{open(self.folder + '/agent.log').read()}")
            if terminal:
                print(f"\r    waiting: {what} … {spent:.0f} s", end="", flush=True)
            time.sleep(0.2)

    def states(self):
        done = self.erpwatch("status", "--format", "json")
        try:
            return {f["flow"]: f["state"] for f in json.loads(done.stdout)["flows"]}
        except (ValueError, KeyError):
            return {}

    def new_mails(self):
        paths = [p for p in sorted(glob.glob(f"{self.folder}/mail/*.eml")) if p not in self.shown]
        mails = [(p, email.message_from_binary_file(open(p, "rb"), policy=email.policy.default)) for p in paths]
        return sorted(mails, key=lambda pair: pair[1]["To"])

    def show_mails(self):
        for path, mail in self.new_mails():
            self.shown.add(path)
            say(f"the mail to {mail['To']}")
            for name in ("From", "To", "Subject", "Date", "X-Erpwatch-Priority"):
                print(f"    {bold(name)}: {mail[name]}")
            print()
            text = mail.get_body(("plain",)).get_content()
            print("\n".join("    " + line for line in text.splitlines()))
            names = [part.get_filename() for part in mail.iter_attachments()]
            print(f"\n    (with an HTML part{' and ' + ', '.join(names) if names else ''})", flush=True)

    def records(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.environment['DEMO_PORT']}/records") as answer:
            return json.load(answer)

    def end(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(30)
        shutil.rmtree(self.folder)


def play(demo):
    say("a small ERP starts, and the agent with three flows")
    erp = demo.start_erp()
    print(demo.erpwatch("validate").stdout, end="")
    agent = demo.start_agent()
    wanted = {"customer-creation", "order-submission", "payment-status"}
    demo.wait_for("all flows ran", lambda: {f for f, s in demo.states().items() if s == "ok"} == wanted)
    print(demo.erpwatch("status").stdout, end="")

    say("the ERP gets an update: order numbers may have at most 10 characters now")
    erp.send_signal(signal.SIGUSR1)
    demo.wait_for("two runs fail and the mails go out", lambda: len(demo.new_mails()) >= 2)
    print(demo.erpwatch("status").stdout, end="")
    demo.show_mails()

    say("the ERP partner mends it")
    erp.send_signal(signal.SIGUSR2)
    demo.wait_for("a run is good and the recovery goes out", lambda: len(demo.new_mails()) >= 2)
    demo.show_mails()
    print(demo.erpwatch("status").stdout, end="")

    agent.send_signal(signal.SIGTERM)
    if agent.wait(30) != 0:
        raise SystemExit(f"demo: the agent ended with {agent.returncode}")
    left = demo.records()
    if left["customers"] or left["salesOrders"]:
        raise SystemExit(f"demo: test records are left in the ERP: {left}")
    say("done: the agent has ended, and none of its test records is left in the ERP")


def main():
    demo = Demo(sys.argv[1])
    try:
        play(demo)
    finally:
        demo.end()


main()
