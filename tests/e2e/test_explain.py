#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`erpwatch explain` as a user meets it: from a file, from stdin, with and
without a status; and what the scorer says where there is no corpus."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.abspath(os.path.join(os.environ.get("ERPWATCH_BUILD", "build"), "erpwatch"))
ERROR = b'{"error":{"code":"Internal_RecordNotFound","message":"The Item does not exist."}}'


def run(*arguments, body=b""):
    return subprocess.run([PROGRAM, "explain", *arguments], input=body, capture_output=True,
                          timeout=120)


def verdict(*arguments, body=b""):
    done = run(*arguments, body=body)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Explain(unittest.TestCase):
    def test_from_stdin(self):
        got = verdict("--status", "404", body=ERROR)
        self.assertEqual(got["class"], "error_code")
        self.assertEqual(got["code"], "Internal_RecordNotFound")
        self.assertEqual(got["message"], "The Item does not exist.")
        self.assertEqual(got["cause"], "not_found")
        self.assertEqual(list(got), ["class", "phase", "cause", "code", "message", "explanation",
                                     "act", "failed_expectation", "correlation"])

    def test_from_a_file(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(ERROR)
            file.flush()
            self.assertEqual(verdict(file.name), verdict("-", body=ERROR))

    def test_the_shape_decides_without_a_status(self):
        self.assertEqual(verdict(body=ERROR)["class"], "error_code")
        self.assertEqual(verdict(body=b'{"value":[]}')["class"], "ok")
        self.assertEqual(verdict(body=b"<html><title>Sign in</title></html>")["class"], "cryptic")

    def test_success(self):
        got = verdict("--status", "200", body=b'{"errors":[],"ErrorCode":0}')
        self.assertEqual(got["class"], "ok")
        self.assertIsNone(got["cause"])
        self.assertIsNone(got["explanation"])

    def test_content_type(self):
        arguments = ("--status", "200", "--content-type", "application/json")
        self.assertEqual(verdict(*arguments, body=b"false")["class"], "ok")
        self.assertEqual(verdict(*arguments, body=b'{"a":')["class"], "cryptic")
        self.assertEqual(verdict(*arguments)["class"], "cryptic")

    def test_heads_before_the_body(self):
        """What `curl -i` prints, also behind a proxy or a redirect."""
        heads = (b"HTTP/1.1 200 Connection established\r\n\r\n"
                 b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nrequest-id: 0a1b-77\r\n\r\n")
        got = verdict(body=heads + ERROR)
        self.assertEqual(got, verdict("-s", "503", "-t", "application/json", "-H", "request-id: 0a1b-77", body=ERROR))
        self.assertEqual(got["correlation"], {"request-id": "0a1b-77"})
        self.assertEqual(verdict("-s", "404", body=heads + ERROR), verdict("-s", "404", "-H", "request-id: 0a1b-77", body=ERROR))
        self.assertEqual(verdict(body=b'HTTP/2 201 \ncontent-type: application/json\n\n{"id":1}')["class"], "ok")
        self.assertEqual(verdict(body=b"HTTP/2 401 \r\n\r\n")["cause"], "auth")
        self.assertEqual(verdict(body=b"HTTP/1.1 429"), verdict("-s", "429"))
        for body in (b"HTTP/", b"HTTP/1.1", b"HTTP/1.1 \n", b"HTTP/1.1 20\n\n", b"HTTP/1.1 200\n\0: x\n:\n\n"):
            self.assertEqual(run(body=body).returncode, 0)

    def test_usage(self):
        for arguments in (["--status", "7"], ["/nonexistent/file"], ["a", "b"], ["--no-such"]):
            done = run(*arguments)
            self.assertEqual(done.returncode, 3, arguments)
            self.assertTrue(done.stderr)
            self.assertFalse(done.stdout)

    def test_scorer_without_a_corpus(self):
        done = subprocess.run([sys.executable, os.path.join(HERE, "..", "corpus_score.py"),
                               "/nonexistent/responses.jsonl"], capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(done.returncode, 0)
        self.assertIn("there is no corpus at /nonexistent/responses.jsonl", done.stdout)


if __name__ == "__main__":
    unittest.main()
