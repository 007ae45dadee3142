# SPDX-License-Identifier: MIT
"""What the end-to-end tests share: the built program, a folder of its own for
each test, servers as child processes that print their port, mails read back by
Python's email package. Nothing here sleeps for a fixed time to be right: it
waits for what it needs, up to PATIENCE_S."""
import email
import email.policy
import glob
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PROGRAM = os.path.join(os.environ.get("ERPWATCH_BUILD", os.path.join(ROOT, "build")), "erpwatch")
PATIENCE_S = 180  # no test that passes waits for it
SECRETS = ("demo-secret-1",)


def wait_for(ready, what="it", patience=PATIENCE_S):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        value = ready()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {patience} s")


class Case(unittest.TestCase):
    """A test with a folder, an environment, and processes that are ended."""

    program = PROGRAM

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="erpwatch-test-")
        self.mails = os.path.join(self.folder, "mail")
        os.mkdir(self.mails)
        self.processes = []
        self.environment = dict(os.environ)
        self.addCleanup(self.clean_up)

    def clean_up(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdout, process.stderr):
                if stream:
                    stream.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600)
        return path

    def server(self, *command):
        """Starts a server that prints its port as the first word of a line."""
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        line = process.stdout.readline()
        self.assertTrue(line, f"{command} did not start")
        process.port = int(line.split()[0])
        return process

    def erp(self):
        return self.server("/usr/bin/python3", os.path.join(ROOT, "tools/demo/erp.py"))

    def run_program(self, *arguments, input=None, timeout=PATIENCE_S):
        done = subprocess.run([self.program, *arguments], cwd=self.folder, env=self.environment, input=input,
                              capture_output=True, text=True, timeout=timeout)
        self.assertNotIn("Sanitizer", done.stderr, done.stderr)
        return done

    def start_program(self, *arguments, log="agent.log"):
        with open(self.path(log), "a", encoding="utf-8") as stream:
            process = subprocess.Popen([self.program, *arguments], cwd=self.folder, env=self.environment,
                                       stdout=stream, stderr=stream)
        self.processes.append(process)
        return process

    def log(self, name="agent.log"):
        with open(self.path(name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def check(self, *arguments, code=None):
        """check --format json: the exit code is tested, the document returned."""
        done = self.run_program("check", "--format", "json", *arguments)
        if code is not None:
            self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def stop(self, process, code=0):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE_S), code, self.log())

    def statuses(self):
        done = self.run_program("status", "--format", "json")
        try:
            return json.loads(done.stdout)
        except ValueError:
            return {"flows": [], "incidents": []}

    def flow_states(self):
        return {flow["flow"]: flow["state"] for flow in self.statuses()["flows"]}

    def mail_files(self):
        return sorted(glob.glob(os.path.join(self.mails, "*.eml")))

    def read_mails(self):
        mails = []
        for path in self.mail_files():
            with open(path, "rb") as file:
                mails.append(email.message_from_binary_file(file, policy=email.policy.default))
        return mails

    def assert_no_secret(self, secrets=SECRETS):
        """No secret in any file of the test's folder but the configuration."""
        for base, _, names in os.walk(self.folder):
            for name in names:
                if name.endswith(".yaml"):
                    continue
                with open(os.path.join(base, name), "rb") as file:
                    content = file.read()
                for secret in secrets:
                    self.assertNotIn(secret.encode(), content, f"{secret} is in {name}")


def decisive(flow):
    """The step of a JSON flow that failed."""
    return next(step for step in flow["steps"] if step["state"] == "failed")
