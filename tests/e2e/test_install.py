#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make install into a folder of its own: all is there, the program runs from an
empty folder and names nothing of the source tree; uninstall removes all."""
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("ERPWATCH_BUILD", os.path.join(ROOT, "build"))
PREFIX = "/opt/erpwatch"
INSTALLED = """
bin/erpwatch lib/systemd/system/erpwatch.service lib/sysusers.d/erpwatch.conf
share/bash-completion/completions/erpwatch share/man/man1/erpwatch.1
share/man/man5/erpwatch.yaml.5 share/doc/erpwatch/LICENSE share/doc/erpwatch/README.md
share/doc/erpwatch/CHANGELOG.md share/doc/erpwatch/CONTRIBUTING.md
share/doc/erpwatch/docs/reference.md share/doc/erpwatch/docs/mail.png
share/doc/erpwatch/examples/first.yaml share/doc/erpwatch/examples/orders.d/payments.yaml
""".split()


def files_below(folder):
    return {os.path.relpath(os.path.join(top, name), folder)
            for top, _, names in os.walk(folder) for name in names}


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.held = tempfile.TemporaryDirectory(prefix="erpwatch-install-")
        cls.stage = cls.held.name + "/stage"
        cls.make("install")
        cls.tree = cls.stage + PREFIX
        cls.program = cls.tree + "/bin/erpwatch"

    @classmethod
    def tearDownClass(cls):
        cls.held.cleanup()

    @classmethod
    def make(cls, target):
        # what is built stays as it is: its flags may be those of a sanitizer
        done = subprocess.run(["make", "-C", ROOT, target, "-o", "all", f"BUILD={BUILD}",
                               f"PREFIX={PREFIX}", f"DESTDIR={cls.stage}"],
                              capture_output=True, text=True)
        if done.returncode:
            raise AssertionError(done.stdout + done.stderr)

    def run_installed(self, *arguments):
        with tempfile.TemporaryDirectory(prefix="erpwatch-empty-") as folder:
            return subprocess.run([self.program, *arguments], cwd=folder, text=True,
                                  capture_output=True)

    def test_1_everything_is_there(self):
        self.assertLessEqual(set(INSTALLED), files_below(self.tree))

    def test_2_the_program_runs_without_the_source(self):
        self.assertRegex(self.run_installed("--version").stdout, r"^erpwatch \d+\.\d+\.\d+\n$")
        starter = self.run_installed("init", "-o", "-")
        self.assertEqual(starter.returncode, 0)
        self.assertIn("FILL IN", starter.stdout)
        example = self.tree + "/share/doc/erpwatch/examples/orders.yaml"
        validated = self.run_installed("validate", "-c", example)
        self.assertEqual(validated.returncode, 0, validated.stderr)

    def test_3_nothing_points_to_the_source_or_the_stage(self):
        for name in files_below(self.tree) - {"bin/erpwatch"}:
            with open(os.path.join(self.tree, name), "rb") as file:
                text = file.read()
            self.assertNotIn(ROOT.encode() + b"/", text, name)
            self.assertNotIn(self.stage.encode(), text, name)
            self.assertNotIn(b"@PREFIX@", text, name)
        with open(self.tree + "/lib/systemd/system/erpwatch.service") as file:
            unit = file.read()
        self.assertIn(f"ExecStart={PREFIX}/bin/erpwatch run ", unit)
        # a disk that was full for an hour is no reason to stay down
        self.assertRegex(unit, r"(?m)^StartLimitIntervalSec=0$")
        self.assertRegex(unit, r"(?m)^Restart=on-failure$")

    def test_4_everybody_can_read_it(self):
        for name in files_below(self.tree):
            mode = os.stat(os.path.join(self.tree, name)).st_mode & 0o777
            self.assertEqual(mode, 0o755 if name == "bin/erpwatch" else 0o644, name)

    def test_5_uninstall_removes_all(self):
        self.make("uninstall")
        self.assertEqual(files_below(self.stage), set())


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=1))
