#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Packs for people: the list, one explained, the user's own in place of the
program's, a mistake with its place, and for each the configuration that init writes."""
import json
import os
import unittest

from harness import Case

OWN = """
pack:
  title: Our shop
  says: Reads one item of our shop
  parameters:
    url: {type: url, says: Where it is}
    item: {default: '17', says: Which item}
    owner: {says: Whose it is}
  unverified: [whether items come back]
system: {url: '{{url}}'}
flows:
  read:
    title: Read an item
    steps:
      - {step: make one, post: /items, json: {}, capture: {id: {json: $.id}}, lookup: {get: /items, mark: {json: $.mark},
         capture: {id: {json: $.id}}}, undo: {delete: '/items/{{id}}'}}
      - {step: read, get: '/items/{{item}}', query: {of: '{{owner}}'}}
never:
  - {call: 'POST */orders', says: it is a real order}
"""

MEANINGS = """
  - {call: nothing, says: it is nothing}
envelopes:
  - {at: outcome.trouble, code: kind, message: [detail]}
lexicon:
  - code: Stock_.*
    message: left over
    status: [409, 5xx]
    cause: conflict
    act: client
    says: {en: Too few are left., nl: Er zijn er te weinig., fr: Il en reste trop peu., de: Es sind zu wenige da.}
    next: {en: Order more., nl: Bestel er meer., fr: Commandez-en., de: Bestellen Sie mehr.}
    source: a page
    unverified: true
version: {get: /about, capture: {version: {json: $.version}}}
sweeps:
  items: {for: read, get: /items, items: '$.items[*]', only: {json: {$.mark: {matches: '^{{mark}}'}}}, at: {json: $.made},
          undo: {delete: '/items/{{id}}'}, capture: {id: {json: $.id}}}
"""

class Packs(Case):
    def packs(self, *arguments):
        done = self.run_program("packs", *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_list(self):
        self.assertRegex(self.packs(), r"\npunchout-oci +Punchout by OCI +login, .*\n")
        self.assertLessEqual(max(map(len, self.packs().splitlines())), 100, "it fits a terminal")
        self.write("packs/ours.yaml", OWN)
        self.assertRegex(self.packs(), r"\nours +Our shop \(\./packs/ours\.yaml\) +read\n")
        names = [pack["pack"] for pack in json.loads(self.packs("--format", "json"))]
        self.assertEqual(names, sorted(names))
        self.assertIn("ours", names)

    def test_one(self):
        self.write("packs/ours.yaml", OWN)
        text = self.packs("ours")
        for words in ("ours: Our shop, from ./packs/ours.yaml", "url (url, needed)", "item (text, default 17)", "owner (text, needed for read)",
                      "Which item", "1. make one: POST /items", "undone by DELETE /items/{{id}}",
                      "POST */orders: it is a real order", "- whether items come back", "init --pack ours"):
            self.assertIn(words, text)
        pack = json.loads(self.packs("ours", "-f", "json"))
        self.assertEqual(pack["parameters"][1], {"name": "item", "type": "text", "needed": False, "default": "17",
                                                 "says": "Which item"})
        self.assertEqual(pack["parameters"][2], {"name": "owner", "type": "text", "needed": False, "default": None,
                                                 "says": "Whose it is", "needed_for": "read"})
        self.assertEqual(pack["flows"][0]["steps"][0], {"step": "make one", "call": "POST /items",
                                                        "undo": "undone by DELETE /items/{{id}}"})
        self.assertEqual(pack["file"], "./packs/ours.yaml")
        self.assertEqual(self.packs("ours", "-f", "yaml"), OWN)
        for name in [pack["pack"] for pack in json.loads(self.packs("--format", "json"))]:
            for line in self.packs(name).split("\n"):
                if " " in line.strip():  # no address, which is not broken
                    self.assertLessEqual(len(line), 100, line)

    def test_meanings(self):
        self.write("packs/ours.yaml", OWN + MEANINGS)
        text = self.packs("ours")
        for words in ("- outcome.trouble: code in kind text in detail", "- Stock_.* with left over (status 409, 500 to 599)",
                      "conflict, for the client: Too few are left.", "> Order more.", "NOT VERIFIED; a page",
                      "- items: GET /items, of read", "GET /about"):
            self.assertIn(words, text)
        self.environment["LANGUAGE"] = "de"
        self.environment["LC_ALL"] = "C.UTF-8"
        self.assertIn("Es sind zu wenige da.", self.packs("ours"))
        pack = json.loads(self.packs("ours", "-f", "json"))
        self.assertEqual(pack["lexicon"][0]["says"]["nl"], "Er zijn er te weinig.")
        self.assertEqual(pack["lexicon"][0]["status"], ["409", "5xx"])
        self.assertEqual((pack["sweeps"][0]["for"], pack["version"]), (["read"], "GET /about"))

    def test_no_version(self):
        self.write("packs/ours.yaml", OWN + "version: {off: it tells nobody}\n")
        self.assertIn("Where its version stands\n  nowhere: it tells nobody\n", self.packs("ours"))
        self.assertIsNone(json.loads(self.packs("ours", "-f", "json"))["version"])

    def test_own_comes_first(self):
        self.write("packs/punchout-oci.yaml", OWN)
        self.assertIn("Our shop", self.packs("punchout-oci"))

    def test_mistake(self):
        self.write("packs/ours.yaml", OWN.replace("says: Which item", "sais: Which item"))
        done = self.run_program("packs", "ours")
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertIn('./packs/ours.yaml:7:27: error: unknown key "sais": did you mean "says"?', done.stderr)

    def test_what_is_no_pack_tells_only_that(self):
        """A configuration that uses it is not blamed for what nobody could read."""
        system = {"pack": "ours", "with": {"url": "http://127.0.0.1:9", "owner": "we"}, "act": {"erp-partner": "a"}}
        os.makedirs(self.path("packs"), exist_ok=True)
        self.write("c.yaml", json.dumps({
            "mail": {"from": "a@a.example", "fallback": "a", "directory": "mails"}, "contacts": {"a": {"email": "a@a.example"}},
            "systems": {"erp": system, "other": system}, "flows": {"read": {"use": "read", "system": "erp", "notify": ["a"]}}}))
        path = self.path("packs/ours.yaml")
        for make, words in ((lambda: self.write("packs/ours.yaml", "pack: [\n"), ":2:1: error: a bracket is not closed"),
                            (lambda: self.write("packs/ours.yaml", "- a\n"), ":1:1: error: \"a pack file\" has to be a map"),
                            (lambda: self.write("packs/ours.yaml", ""), ":1:1: error: \"pack\" is missing"),
                            (lambda: self.write_bytes(path, b"pack: {title: K\xf6ln}\n"),
                             ":1:15: error: a letter here is not in UTF-8: save the file as UTF-8"),
                            (lambda: os.symlink("nowhere", path), "Failed to open file"),
                            (lambda: os.mkfifo(path), "error: this is no file: write the pack into a file of this name")):
            make()
            for arguments in (("validate", "-c", "c.yaml"), ("packs", "ours")):
                done = self.run_program(*arguments)
                self.assertEqual((done.returncode, done.stdout), (3, ""))
                self.assertIn("./packs/ours.yaml", done.stderr)
                self.assertIn(words, done.stderr)
                self.assertEqual(done.stderr.count("error: "), 1, done.stderr)
                self.assertNotIn("CRITICAL", done.stderr)
            os.unlink(path)

    @staticmethod
    def write_bytes(path, body):
        with open(path, "wb") as file:
            file.write(body)

    def test_wrong(self):
        for arguments, words in ((("packs", "nothing"), "there is no pack nothing (there are: "),
                                 (("packs", "--format", "xml"), "there is no format xml: write text or json"),
                                 (("packs", "--format", "yaml"), "there is no format yaml: write text or json"),
                                 (("packs", "../erpwatch"), "there is no pack ../erpwatch"),
                                 (("init", "--pack", "nothing"), "there is no pack nothing (there are: ")):
            done = self.run_program(*arguments)
            self.assertEqual((done.returncode, done.stdout), (3, ""))
            self.assertIn(words, done.stderr)

    def test_init(self):
        self.write("packs/ours.yaml", OWN)
        for pack in json.loads(self.packs("--format", "json")):
            name = pack["pack"] + ".yaml"
            done = self.run_program("init", "--pack", pack["pack"], "-o", name)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for parameter in pack["parameters"]:
                if parameter["needed"] or pack["flows"][0]["flow"] in (parameter.get("needed_for") or "").split(", "):
                    self.assertIn(f"{parameter['name']}: {parameter['says']}", done.stdout)
            done = self.run_program("validate", "-c", name)
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)


if __name__ == "__main__":
    unittest.main()
