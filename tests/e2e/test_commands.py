#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a person at the terminal meets: the help of each command, and for each thing
written wrongly one sentence on stderr that says what to write, nothing on stdout
and exit code 3."""
import os
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(os.environ.get("ERPWATCH_BUILD", os.path.join(ROOT, "build")), "erpwatch")

CONFIGURATION = """
agent: {store: erpwatch.db, timezone: UTC}
mail: {directory: mails, from: alerts@agency.example, fallback: agency}
contacts: {agency: {email: ops@agency.example}}
systems: {erp: {url: 'http://127.0.0.1:1/api'}}
flows:
  items: {system: erp, every: 5m, notify: agency, steps: [{step: read, get: /items}]}
  resting: {system: erp, every: 5m, notify: agency, off: moved, steps: [{step: x, get: /y}]}
"""

# Modes hold for root, too, without the capabilities that pass over them.
WITHOUT_POWER = [] if os.geteuid() != 0 else ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]

# what is typed, and words of the sentence that comes
WRONG = [
    ("nonsense", "there is no command nonsense (erpwatch --help"),
    ("chek", "there is no command chek: did you mean check? (erpwatch --help"),
    ("-c erpwatch.yaml check", "the command comes first"),
    ("check --nonsense", "Unknown option --nonsense (erpwatch check --help"),
    ("check --format", "Missing argument for --format"),
    ("check --format yaml", "there is no format yaml: write table, json, junit or nagios"),
    ("check --deadline 5", "--deadline 5 is no duration: write one like 30s"),
    ("check --deadline 0s", "--deadline 0s is no duration"),
    ("check --notify --no-store", "--notify needs the store"),
    ("check nothing", "there is no flow or system nothing (there are: items, resting, erp)"),
    ("check item", "there is no flow or system item: did you mean items?"),
    ("check -c missing.yaml", "missing.yaml: error: there is no file missing.yaml\n"),
    ("validate -c .", ".: error: . is a folder: name a file in it"),
    ("validate extra", "there is an argument too many; usage: erpwatch validate [OPTION]..."),
    ("run extra", "there is an argument too many"),
    ("status --format yaml", "there is no format yaml: write table or json"),
    ("history", "an argument is missing; usage: erpwatch history [OPTION]... FLOW"),
    ("history nothing", "there is no flow or sweep or system nothing (there are: items, "),
    ("history itms", "there is no flow or sweep or system itms: did you mean items?"),
    ("history items", "there is no store"),
    ("history items --limit 0", "--limit is a number from 1"),
    ("history items --limit many", "--limit"),
    ("incidents --limit -1", "--limit is a number from 1"),
    ("incident", "an argument is missing"),
    ("incident NONE", "yet: erpwatch run and erpwatch check make it"),
    ("ack", "an argument is missing"),
    ("ack NONE", "there is no incident NONE (erpwatch incidents lists them)"),
    ("mute", "an argument is missing"),
    ("mute erp", "--for 2h --why TEXT"),
    ("mute erp --for 2h", "--for 2h --why TEXT"),
    ("mute erp --for 2 --why rest", "--for 2 is no duration"),
    ("mute nothing --for 2h --why rest", "there is no flow or system nothing (there are: items"),
    ("mute epr --for 2h --why rest", "there is no flow or system epr: did you mean erp?"),
    ("explain missing.json", "missing.json"),
    ("explain --status many", "--status"),
    ("explain --status 42", "--status is a number from 100 to 999"),
    ("query", "an argument is missing; usage: erpwatch query [OPTION]... json|xml|html|regex"),
    ("query xml //a[ erpwatch.yaml", "the XPath is wrong at character 5"),
    ("query xml //a erpwatch.yaml", "not XML: line 2: "),
    ("query sql a", 'there is no selector "sql": write json, xml, html or regex'),
    ("query json $.a[ erpwatch.yaml", "the JSONPath is wrong at character 5"),
    ("query regex ( erpwatch.yaml", "the pattern is wrong at character 2"),
    ("query json $.a erpwatch.yaml", "not JSON: line 2"),
    ("query json $.a missing.json", "missing.json"),
    ("deliver --timeout 5", "--timeout 5 is no duration"),
    ("deliver --deadline never", "--deadline never is no duration"),
    ("mail-test", "an argument is missing"),
    ("mail-test nobody", "there is no contact nobody (there are: agency)"),
    ("mail-test agenci", "there is no contact agenci: did you mean agency?"),
    ("mail-test agency --timeout 5", "--timeout 5 is no duration"),
    ("route", "an argument is missing"),
    ("route nothing", "there is no flow nothing (there are: items, resting)"),
    ("route resing", "there is no flow resing: did you mean resting?"),
    ("sweep nothing", "there is no sweep or system nothing (there are: erp)"),
    ("explain --pack afs", "there is no pack afs: did you mean afas?"),
    ("route items --class bad", "timeout unreachable error_code"),
    ("route items --cause bad", "auth permission validation"),
    ("schema --format xml", "there is no format xml: write json or markdown"),
    ("init", "erpwatch.yaml is there already: name another file with -o"),
    ("init -o no/such/folder.yaml", "no/such/folder.yaml cannot be written"),
]


def commands():
    with open(os.path.join(ROOT, "monitor", "commands.def"), encoding="utf-8") as file:
        return re.findall(r'^COMMAND\("([^"]+)"', file.read(), re.M)


class Commands(unittest.TestCase):
    def setUp(self):
        held = tempfile.TemporaryDirectory(prefix="erpwatch-commands-")
        self.addCleanup(held.cleanup)
        self.folder = held.name
        with open(self.folder + "/erpwatch.yaml", "w", encoding="utf-8") as file:
            file.write(CONFIGURATION)

    def run_in_folder(self, *arguments, prefix=()):
        return subprocess.run([*prefix, PROGRAM, *arguments], cwd=self.folder, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=60)

    def test_every_command_has_help(self):
        self.assertGreaterEqual(len(commands()), 16)
        for command in commands():
            for word in ("--help", "-h"):
                done = self.run_in_folder(command, word)
                self.assertEqual((done.returncode, done.stderr), (0, ""), command)
                self.assertIn(f"Usage:\n  erpwatch {command} ", done.stdout)
                self.assertIn("-c, --config=FILE", done.stdout)
                self.assertRegex(done.stdout, rf"Example:\n  erpwatch {command}\b")

    def test_usage_and_version(self):
        usage = self.run_in_folder("--help")
        self.assertEqual((usage.returncode, usage.stderr), (0, ""))
        for command in commands():
            self.assertRegex(usage.stdout, rf"(?m)^  {command} +[A-Z]")
        bare = self.run_in_folder()
        self.assertEqual((bare.returncode, bare.stdout, bare.stderr), (3, "", usage.stdout))
        self.assertRegex(self.run_in_folder("--version").stdout, r"^erpwatch \d+\.\d+\.\d+\n$")

    def test_what_is_wrong_is_one_sentence(self):
        for typed, words in WRONG:
            done = self.run_in_folder(*typed.split(" "))
            self.assertEqual((done.returncode, done.stdout), (3, ""), typed)
            self.assertIn(words, done.stderr, typed)
            lines = [l for l in done.stderr.splitlines() if l != "1 error"]
            self.assertEqual(len(lines), 1, (typed, done.stderr))

    def test_without_a_configuration(self):
        os.unlink(self.folder + "/erpwatch.yaml")
        if os.path.exists("/etc/erpwatch/erpwatch.yaml"):
            self.skipTest("this machine has a configuration")
        arguments = {"history": ["x"], "incident": ["x"], "ack": ["x"], "mail-test": ["x"],
                     "route": ["x"], "mute": ["x", "--for", "1h", "--why", "x"]}
        for command in commands():
            if command in ("init", "explain", "query", "packs", "schema"):
                continue
            done = self.run_in_folder(command, *arguments.get(command, []))
            self.assertEqual((done.returncode, done.stdout), (3, ""), command)
            self.assertEqual(done.stderr, f"erpwatch {command}: there is no erpwatch.yaml here and "
                             "no /etc/erpwatch/erpwatch.yaml: erpwatch init writes one, and -c FILE "
                             "names one that is elsewhere\n")

    def test_a_first_session(self):
        os.unlink(self.folder + "/erpwatch.yaml")
        written = self.run_in_folder("init")
        self.assertEqual((written.returncode, written.stderr), (0, ""))
        self.assertIn("your client", written.stdout)
        self.assertEqual(self.run_in_folder("validate").stdout, "OK: 1 system, 1 flow\n")
        status = self.run_in_folder("status")
        self.assertEqual(status.returncode, 3)
        self.assertIn("erpwatch run starts one", status.stdout)
        self.assertEqual(self.run_in_folder("incidents", "--open").stdout, "No incident is open.\n")
        sent = self.run_in_folder("mail-test", "agency")
        self.assertEqual((sent.returncode, sent.stderr), (0, ""))
        self.assertEqual(len(os.listdir(self.folder + "/mails")), 1)
        muted = self.run_in_folder("mute", "erp", "--for", "1h", "--why", "an update")
        self.assertEqual(muted.returncode, 0, muted.stderr)
        self.assertIn("an update", self.run_in_folder("status").stdout)

    def test_the_store_is_another_users(self):
        """What may not be read is not taken for what is not there."""
        self.run_in_folder("check")
        store = self.folder + "/erpwatch.db"
        os.mkdir(self.folder + "/closed")
        os.rename(store, self.folder + "/closed/erpwatch.db")
        with open(self.folder + "/erpwatch.yaml", "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.replace("store: ", "store: closed/"))
        commands = ("check", "run", "status", "incidents", "history items", "deliver", "ack NONE",
                    "mute erp --for 2h --why rest")
        for closed in ("closed/erpwatch.db", "closed"):
            os.chmod(f"{self.folder}/{closed}", 0)
            for typed in commands:
                done = self.run_in_folder(*typed.split(" "), prefix=WITHOUT_POWER)
                self.assertEqual((done.returncode, done.stdout), (3, ""), typed)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                self.assertIn("cannot be read by this user: be the user whose store", done.stderr)
            os.chmod(f"{self.folder}/{closed}", 0o700)

    def test_a_configuration_without_flows(self):
        with open(self.folder + "/erpwatch.yaml", "w", encoding="utf-8") as file:
            file.write("agent: {store: erpwatch.db}\n")
        self.assertIn("nothing is watched", self.run_in_folder("validate").stdout)
        done = self.run_in_folder("check")
        self.assertEqual(done.returncode, 3)
        self.assertIn("there is no flow to run", done.stderr)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=1))
