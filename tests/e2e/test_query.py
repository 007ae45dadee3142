#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The command `query`: what it selects, from a file and from stdin, and what it refuses."""
import json
import os
import subprocess
import tempfile
import unittest

ERPWATCH = os.path.join(os.environ.get("ERPWATCH_BUILD", "build"), "erpwatch")
DOCUMENT = b'{"value":[{"id":9007199254740993,"price":12.10},{"id":2,"price":1}]}'


def query(*arguments, document=DOCUMENT):
    return subprocess.run([ERPWATCH, "query", *arguments], input=document, capture_output=True,
                          timeout=60, check=False)


class Query(unittest.TestCase):
    def selects(self, expected, *arguments, document=DOCUMENT):
        done = query(*arguments, document=document)
        self.assertEqual(done.stdout.decode(), expected + "\n")
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def refuses(self, part, *arguments, document=DOCUMENT):
        done = query(*arguments, document=document)
        self.assertEqual((done.returncode, done.stdout), (3, b""))
        lines = done.stderr.decode().splitlines()
        self.assertEqual(len(lines), 1, lines)
        self.assertTrue(lines[0].startswith("erpwatch query: "), lines)
        self.assertIn(part, lines[0])

    def test_json(self):
        self.selects("[9007199254740993,2]", "json", "$.value[*].id")
        self.selects("[12.10]", "json", "$.value[?@.id==9007199254740993].price")
        self.selects("[]", "json", "$.nothing")
        self.selects("[1]", "json", "$", "-", document=b"1")

    def test_regex(self):
        self.selects('["9007199254740993","2"]', "regex", r'"id":(\d+)')
        self.selects('["12.10"]', "regex", r"\d+\.\d+")
        self.selects("[]", "regex", "nothing")
        self.selects('["\u00e9"]', "regex", "\u00e9", document="caf\u00e9".encode())
        self.selects('["a","b"]', "regex", "[ab]", document=b"a\xe9\0b")

    def test_xml(self):
        document = b"<r xmlns:y='urn:x'><y:i>1</y:i><i>2</i></r>"
        self.selects('["2"]', "xml", "//i", document=document)
        self.selects('["1"]', "xml", "//x:i", "--namespace", "x=urn:x", document=document)
        self.selects('["1","2"]', "xml", "//a:i | //i", "-n", "a=urn:x", "-n", "b=urn:b", document=document)
        self.selects("[2]", "xml", "count(//*[local-name()='i'])", document=document)
        self.selects("[true]", "xml", "//i = 2", document=document)
        self.selects('["x"]', "xml", "name(/*)", document=b"\n\xef\xbb\xbf<x/>")
        latin = "<?xml version='1.0' encoding='iso-8859-1'?><a>é</a>".encode("latin-1")
        self.selects('["é"]', "xml", "/a", document=latin)
        self.selects('["é"]', "xml", "/a", document="<a>é</a>".encode("utf-16"))

    def test_html(self):
        page = b"<form action='/cart'><input name=cxml value='&lt;a&gt;'><br></form>"
        self.selects('["<a>"]', "html", "//form[@action='/cart']//input/@value", document=page)
        self.selects("[]", "html", "//p", document=page)

    def test_file(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(DOCUMENT)
            file.flush()
            self.selects("[2]", "json", "$.value[1].id", file.name, document=b"")
        self.refuses("No such file", "json", "$", file.name)

    def test_output_is_json(self):
        done = query("regex", "(?s).+", document=b'\x01"\\\xff\n')
        self.assertEqual(json.loads(done.stdout), ['\x01"\\', "\n"])  # around what is not UTF-8

    def test_refused(self):
        self.refuses("character 5: a selector", "json", "$.a[")
        self.refuses("begins with $", "json", "value")
        self.refuses("not JSON: line 2, column 1", "json", "$", document=b"\n<html>")
        self.refuses("not JSON: line 1, column 1: it ends", "json", "$", document=b"")
        self.refuses("missing closing parenthesis", "regex", "(a")
        self.refuses("too much work", "regex", "^(a+)+$", document=b"a" * 40 + b"!")
        self.refuses('no selector "yaml"', "yaml", "a")
        self.refuses("not XML: line 2: ", "xml", "//a", document=b"<a>\n</b>")
        self.refuses("entities or elements of its own", "xml", "//a",
                     document=b"<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/hostname'>]><a>&e;</a>")
        self.refuses("not HTML: it holds no tag", "html", "//a")
        self.refuses("write --namespace PREFIX=URI: nothing says what the prefix \"x\"", "xml", "//x:a")
        self.refuses("at character 5: the expression is wrong", "html", "//a[")
        self.refuses("--namespace wants PREFIX=URI", "xml", "//a", "--namespace", "x")


if __name__ == "__main__":
    unittest.main()
