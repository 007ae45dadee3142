#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The JSON Schema that `erpwatch schema` prints, held by a real validator against
the examples, and against bad files whose mistake is one of structure; and the
commands init, validate and schema as a user meets them."""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import jsonschema
import yaml

PROGRAM = os.path.join(os.environ.get("ERPWATCH_BUILD", "build"), "erpwatch")
PROGRAM = os.path.abspath(PROGRAM)


def run(*arguments, cwd=None):
    return subprocess.run([PROGRAM, *arguments], cwd=cwd, text=True, capture_output=True,
                          timeout=120)


class Loader(yaml.SafeLoader):
    """YAML 1.2 as the program has it: no dates, no yes and no."""


RESOLVERS = (("bool", r"^(true|True|TRUE|false|False|FALSE)$", list("tTfF")),
             ("null", r"^(~|null|Null|NULL|)$", list("~nN") + [""]),
             ("int", r"^-?(0|[1-9][0-9]*)$", list("-0123456789")),
             ("float", r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$", list("-0123456789")),
             ("merge", "^<<$", ["<"]))
Loader.yaml_implicit_resolvers = {}
for kind, pattern, first in RESOLVERS:
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{kind}", re.compile(pattern), first)


def load(path):
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, Loader)


class Schema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        printed = run("schema")
        assert printed.returncode == 0, printed.stderr
        cls.schema = json.loads(printed.stdout)
        jsonschema.Draft7Validator.check_schema(cls.schema)
        cls.validator = jsonschema.Draft7Validator(cls.schema)

    def test_examples_fit(self):
        paths = glob.glob("config/examples/**/*.yaml", recursive=True)
        self.assertGreaterEqual(len(paths), 4)
        for path in paths:
            errors = [e.message for e in self.validator.iter_errors(load(path))]
            self.assertEqual(errors, [], path)

    def test_structural_mistakes_are_found(self):
        # Mistakes of keys and types are the schema's to find, but for what is only
        # known across places: a key that a template may fill in, a file's bytes.
        known_across = {"key-missing-url", "key-missing-system", "key-missing-steps",
                        "type-capture-nothing", "type-two-selectors", "type-status",
                        "type-status-class", "type-time-bare", "type-time-number",
                        "type-size-number", "type-header-list", "type-one-of-empty",
                        "type-expect-empty", "type-alias-missing-map", "type-duration-zero",
                        "type-certificate", "key-missing-client-secret",
                        "key-missing-refresh-token"}
        found = missed = 0
        bad = glob.glob("tests/config/bad/key-*.yaml") + glob.glob("tests/config/bad/type-*.yaml")
        for path in sorted(bad):
            name = os.path.basename(path)[:-5]
            if name in known_across:
                continue
            try:
                document = load(path)
            except yaml.YAMLError:
                continue
            if self.validator.is_valid(document):
                missed += 1
                print("the schema lets pass:", name)
            found += 1
        self.assertGreaterEqual(found, 40)
        self.assertEqual(missed, 0)

    def test_warned_of_files_fit(self):
        paths = glob.glob("tests/config/bad/warn-*.yaml")
        self.assertGreaterEqual(len(paths), 5)
        for path in paths:
            errors = [e.message for e in self.validator.iter_errors(load(path))]
            self.assertEqual(errors, [], path)

    def test_unknown_format(self):
        refused = run("schema", "--format", "xml")
        self.assertEqual(refused.returncode, 3)
        self.assertIn("json or markdown", refused.stderr)


class Commands(unittest.TestCase):
    def test_init_then_validate(self):
        with tempfile.TemporaryDirectory() as folder:
            first = run("init", cwd=folder)
            self.assertEqual(first.returncode, 0, first.stderr)
            self.assertIn("fill in", first.stdout)
            self.assertRegex(first.stdout, r"line \d+: ")
            with open(os.path.join(folder, "erpwatch.yaml"), encoding="utf-8") as file:
                text = file.read()
            again = run("init", cwd=folder)
            self.assertEqual(again.returncode, 3)
            self.assertIn("already", again.stderr)
            with open(os.path.join(folder, "erpwatch.yaml"), encoding="utf-8") as file:
                self.assertEqual(file.read(), text)
            valid = run("validate", cwd=folder)
            self.assertEqual(valid.returncode, 0, valid.stderr)
            self.assertEqual(valid.stdout, "OK: 1 system, 1 flow\n")
            other = run("init", "-o", "other.yaml", cwd=folder)
            self.assertEqual(other.returncode, 0)
            printed = run("init", "-o", "-", cwd=folder)
            self.assertEqual(printed.stdout, text)

    def test_validate_refuses(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "bad.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write("contact: {}\n")
            refused = run("validate", "-c", path)
            self.assertEqual(refused.returncode, 3)
            self.assertIn(f'{path}:1:1: error: unknown key "contact": did you mean "contacts"?',
                          refused.stderr)
            self.assertEqual(refused.stdout, "")
            missing = run("validate", "-c", os.path.join(folder, "none.yaml"))
            self.assertEqual(missing.returncode, 3)
            self.assertIn("none.yaml", missing.stderr)

    def test_validate_lists_secrets(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write("systems: {erp: {url: https://erp.example, auth: {basic: "
                           "{username: shop, password: hunter22}}}}\n")
            listed = run("validate", "-v", "-c", path)
            self.assertEqual(listed.returncode, 0, listed.stderr)
            self.assertIn("secret: the literal text of the password of the system erp",
                          listed.stdout)
            self.assertNotIn("hunter22", listed.stdout + listed.stderr)
            self.assertIn("warning: a secret stands here as it is", listed.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
