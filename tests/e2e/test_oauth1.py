#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""OAuth 1.0a against a server whose signatures oauthlib verifies."""
import json
import unittest
import urllib.request

from harness import Case, ROOT, decisive

CONFIGURATION = """
mail: {{directory: {folder}/mail, from: "Monitor <alerts@agency.example>", fallback: agency}}
agent: {{store: {folder}/erpwatch.db}}
contacts: {{agency: {{name: Agency, email: ops@agency.example}}}}
systems:
  shop:
    url: http://127.0.0.1:{port}/api
    timeout: 20s
    auth:
      oauth1:
        consumer_key: dpf43f3p2l4k3l03
        consumer_secret: '${{env:CONSUMER_SECRET}}'
        token: '${{env:TOKEN}}'
        token_secret: '${{env:TOKEN_SECRET}}'
        {more}
    act: {{erp-partner: agency, client: agency, integrator: agency, hosting: agency}}
flows:
  orders: {{system: shop, notify: [client], steps: {steps}}}
"""

ALL_KINDS = [
    {"step": "plain", "get": "/orders"},
    {"step": "query", "get": "/orders", "query": {
        "searchCriteria[filter_groups][0][filters][0][value]": "a b+c&d=é", "empty": "", "twice": ["2", "1"]}},
    {"step": "query in the path", "get": "/orders?sort=a%2Cb&plus=1+1&bare"},
    {"step": "path", "get": "/orders/ERPW-1%2F2/a b(1)'é~"},
    {"step": "form", "post": "/orders", "form": {"name": "Jané & søn + 1", "empty": "", "b": ["2", "1"]}},
    {"step": "json", "post": "/orders", "json": {"name": "Jané"}, "expect": {"json": {"$.echo": '{"name":"Jané"}'}}},
    {"step": "put", "put": "/orders/1?x=1", "json": {"a": 1}},
    {"step": "delete", "delete": "/orders/1"},
    {"step": "moved", "get": "/moved", "follow": 2},
    {"step": "moved post", "post": "/moved", "form": {"a": "2"}, "follow": 2},
    {"step": "later", "get": "/later", "until": {"every": "10ms", "for": "20s"}},
]
SECRETS = ("consumer/secret & more", "token+secret=1", "nnch734d00sl2jdk")


class Oauth1(Case):
    def start(self, steps, more="realm: '1234567_SB1'", skew="0"):
        self.shop = self.server("/usr/bin/python3", f"{ROOT}/tests/servers/oauth1.py", skew)
        self.environment.update(CONSUMER_SECRET=SECRETS[0], TOKEN_SECRET=SECRETS[1], TOKEN=SECRETS[2])
        self.write("erpwatch.yaml", CONFIGURATION.format(
            folder=self.folder, port=self.shop.port, more=more, steps=json.dumps(steps, ensure_ascii=False)))

    def log_of_shop(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.shop.port}/_log") as answer:
            return json.load(answer)

    def run_all(self, more):
        self.start(ALL_KINDS, more)
        self.check(code=0)
        log = self.log_of_shop()
        self.assertEqual([entry for entry in log if not entry["ok"]], [])
        self.assertEqual(len({entry["nonce"] for entry in log}), len(log))
        self.assertEqual(len(log), len(ALL_KINDS) + 4)  # two redirects, two repetitions
        self.assertEqual([e["path"] for e in log if "target" in e["path"]], ["/api/target?a=1"] * 2)
        self.assert_no_secret(SECRETS)
        return log

    def test_sha256(self):
        log = self.run_all("realm: '1234567_SB1'")
        for entry in log:
            self.assertTrue(entry["authorization"].startswith('OAuth realm="1234567_SB1", oauth_'))
            self.assertIn('oauth_signature_method="HMAC-SHA256"', entry["authorization"])

    def test_sha1(self):
        log = self.run_all("method: HMAC-SHA1")
        for entry in log:
            self.assertIn('oauth_signature_method="HMAC-SHA1"', entry["authorization"])

    def refused(self, problem):
        step = decisive(self.check(code=2)["flows"][0])
        verdict = step["verdict"]
        self.assertEqual((verdict["class"], verdict["cause"], verdict["code"]), ("error_code", "auth", problem))
        self.assertEqual(step["attempts"], 1)
        self.assertEqual([entry["problem"] for entry in self.log_of_shop()], [problem])
        return verdict["explanation"]

    def test_wrong_secret(self):
        self.start(ALL_KINDS)
        self.environment["TOKEN_SECRET"] = "another secret"
        self.refused("signature_invalid")

    def test_clock_is_wrong(self):
        self.start([{"step": "later", "get": "/later", "until": {"every": "10ms", "for": "20s"}}], skew="3600")
        self.assertIn("clock", self.refused("timestamp_refused"))

    def test_only_a_consumer(self):
        self.start(ALL_KINDS)
        with open(self.path("erpwatch.yaml"), encoding="utf-8") as file:
            lines = file.read().splitlines()
        self.write("erpwatch.yaml", "\n".join(l for l in lines if not l.strip().startswith("token")))
        self.check(code=2)
        self.assertNotIn("oauth_token", self.log_of_shop()[0]["authorization"])

    def test_evidence_shows_no_signature(self):
        self.start([{"step": "orders", "get": "/orders", "expect": {"json": {"$.ok": False}}}])
        self.run_program("check", "--notify")
        text = self.run_program("check", "-v").stdout
        self.assertIn("Authorization: ***", text)
        self.assertNotIn("oauth_signature", text)
        self.assert_no_secret((*SECRETS, "oauth_signature"))


if __name__ == "__main__":
    unittest.main()
