#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What is asked for before a call: access tokens, sessions, CSRF tokens, and rows of them. The
misbehaviour of token servers is scripted; a real OAuth2 server is in test_oauth2.py."""
import json
import unittest

from flow_case import FlowCase
from harness import decisive

READ = "- step: one\n  get: /a"
READ_TWO = "- step: one\n  get: /a\n- step: two\n  get: /a"
WRITE = "- step: one\n  post: /a\n  json: {}\n  undo: {none: nothing is made}"
CLIENT = """
    auth:
      oauth2: {{token_url: 'http://127.0.0.1:{port}/token', client_id: me, client_secret: '${{env:CLIENT_SECRET}}',
               scope: all of it{more}}}"""
CSRF = """
    auth: {basic: {username: shop, password: '${env:CLIENT_SECRET}'}, csrf: {get: /service}}"""


def token(number=1, **more):
    return {"body": {"access_token": f"access-{number:06d}", "token_type": "Bearer", "expires_in": 3600} | more}


class TokenCase(FlowCase):
    def setUp(self):
        super().setUp()
        self.environment["CLIENT_SECRET"] = "s3cr+t /value"

    def oauth2(self, steps=READ, more=""):
        self.flow(steps, system=CLIENT.format(port=self.http.port, more=more))

    def headers(self, name):
        """What the calls of the system carried, in order."""
        return [dict(r["headers"]).get(name) for r in self.requests_in_full() if r["path"].startswith("/api")]


class TokenServers(TokenCase):
    def failed_token(self, answer, code=2):
        self.script({"POST /token": answer, "GET /api/a": {"body": {}}})
        self.oauth2()
        flow = self.run_flow(code, "--no-store")
        self.assertEqual([(s["step"], s["state"]) for s in flow["steps"]],
                         [("get a token", "failed" if code == 2 else "unknown"), ("one", "skipped")])
        self.assertNotIn("GET /api/a", self.requests())
        step = flow["steps"][0]
        self.assertIn("/token", step["request"]["url"])
        self.assertIn("identity provider 127.0.0.1", step["means"])
        return step["verdict"]

    def test_a_token_is_asked_for_once_and_sent(self):
        self.script({"POST /token": token(), "GET /api/a": {"body": {}}})
        self.oauth2(READ_TWO)
        self.run_flow(0)
        self.assertEqual(self.requests(), ["POST /token", "GET /api/a", "GET /api/a"])
        self.assertEqual(self.headers("Authorization"), ["Bearer access-000001"] * 2)
        asked = self.requests_in_full()[0]
        self.assertEqual(asked["body"], "grant_type=client_credentials&client_id=me&"
                                        "client_secret=s3cr%2Bt+%2Fvalue&scope=all+of+it")
        self.assert_no_secret(["s3cr+t", "s3cr%2Bt"])

    def test_the_client_in_the_header_is_form_encoded(self):
        self.script({"POST /token": token(token_type="bearer", expires_in="3599"), "GET /api/a": {"body": {}}})
        self.oauth2(more=", client_auth: basic, params: {resource: 'https://erp.example', scope: other}")
        self.run_flow(0)
        asked = self.requests_in_full()[0]
        self.assertEqual(asked["body"], "resource=https%3A%2F%2Ferp.example&scope=other&grant_type=client_credentials")
        import base64
        kind, pair = dict(asked["headers"])["Authorization"].split()
        self.assertEqual((kind, base64.b64decode(pair)), ("Basic", b"me:s3cr%2Bt+%2Fvalue"))

    def test_the_system_s_own_headers_do_not_go_to_the_token_server(self):
        self.script({"POST /token": token(), "GET /api/a": {"body": {}}})
        self.flow(READ, system=CLIENT.format(port=self.http.port, more="").replace(
            "auth:", "headers: {X-Own: yes-it-is}\n    auth:\n      header: {X-Key: '${env:CLIENT_SECRET}'}"))
        self.run_flow(0)
        first, second = [dict(r["headers"]) for r in self.requests_in_full()]
        self.assertFalse({"X-Own", "X-Key", "Authorization", "Cookie"} & set(first))
        self.assertEqual((second["X-Own"], second["X-Key"]), ("yes-it-is", "s3cr+t /value"))

    def test_a_refused_client(self):
        verdict = self.failed_token({"status": 401, "body": {
            "error": "invalid_client", "error_description":
            "AADSTS7000215: Invalid client secret provided. Trace ID: 8d1b1d6b-0000-1111-2222-333344445555"}})
        self.assertEqual((verdict["class"], verdict["cause"]), ("error_code", "auth"))
        self.assertIn("secret", verdict["explanation"])

    def test_an_error_within_a_good_status(self):
        verdict = self.failed_token({"status": 200, "body": {"error": "invalid_scope", "error_description": "no such"}})
        self.assertEqual((verdict["class"], verdict["code"]), ("error_code", "invalid_scope"))

    def test_a_login_page(self):
        verdict = self.failed_token({"status": 200, "headers": {"Content-Type": "text/html"},
                                     "body": "<!doctype html><html><title>Sign in</title><form></form></html>"})
        self.assertEqual(verdict["class"], "cryptic")

    def test_no_token_in_the_answer(self):
        verdict = self.failed_token({"body": {"token_type": "Bearer"}})
        self.assertEqual(verdict["class"], "unexpected")
        self.assertIn("access_token", verdict["failed_expectation"])

    def test_tokens_that_cannot_be_sent(self):
        for fields in ({"access_token": "a b"}, {"access_token": "a\r\nX: y"}, {"token_type": "mac"}):
            verdict = self.failed_token(token(**fields))
            self.assertEqual(verdict["class"], "unexpected", fields)
            self.assertTrue(verdict["message"], fields)

    def test_a_server_that_is_down_or_broken(self):
        self.assertEqual(self.failed_token({"status": 503, "body": "busy"})["cause"], "unavailable")
        self.assertEqual(self.failed_token({"close": True})["class"], "unreachable")

    def test_a_slow_server(self):
        self.script({"POST /token": {"delay": 120, "body": {}}, "GET /api/a": {"body": {}}})
        self.oauth2()
        text = self.log("erpwatch.yaml")
        self.write("erpwatch.yaml", text.replace("timeout: 60s", "timeout: 3s"))
        flow = self.run_flow(2)
        verdict = decisive(flow)["verdict"]
        self.assertEqual((decisive(flow)["step"], verdict["class"], verdict["phase"]),
                         ("get a token", "timeout", "first_byte"))

    def test_one_asks_for_all_flows_and_a_failure_is_told_to_all(self):
        """One probe tells: flows that start together do not each try a wrong secret."""
        self.script({"POST /token": {"delay": 0.3, "status": 401, "body": {"error": "invalid_client"}}})
        self.oauth2()
        text = self.log("erpwatch.yaml")
        flow = text[text.index("  orders:\n"):]
        self.write("erpwatch.yaml", text + "".join(flow.replace("orders", f"orders{n}") for n in range(5)))
        flows = self.check(code=2)["flows"]
        self.assertEqual([f["steps"][0]["step"] for f in flows], ["get a token"] * 6)
        self.assertEqual(self.requests(), ["POST /token"])

    def test_the_failure_has_the_scope_of_a_login(self):
        self.failed_token({"status": 500, "body": {}})
        first = self.check()["flows"][0]
        self.assertTrue(first["steps"][0]["login"])

    def test_a_refused_token_is_replaced_once(self):
        self.script({"POST /token": [token(1), token(2)],
                     "GET /api/a": [{"status": 401, "body": {}}, {"body": {}}]})
        self.oauth2()
        self.run_flow(0)
        self.assertEqual(self.requests(), ["POST /token", "GET /api/a", "POST /token", "GET /api/a"])
        self.assertEqual(self.headers("Authorization"), ["Bearer access-000001", "Bearer access-000002"])

    def test_a_call_is_replayed_once_and_never_twice(self):
        self.script({"POST /token": [token(n) for n in range(1, 9)], "GET /api/a": {"status": 401, "body": {}}})
        self.oauth2(READ_TWO)
        flow = self.run_flow(2)
        self.assertEqual(decisive(flow)["step"], "one")
        self.assertEqual(self.requests(), ["POST /token", "GET /api/a", "POST /token", "GET /api/a"])

    def test_a_token_without_an_end_is_used_until_it_is_refused(self):
        answer = token()
        del answer["body"]["expires_in"]
        self.script({"POST /token": answer, "GET /api/a": {"body": {}}})
        self.oauth2(READ_TWO)
        self.run_flow(0)
        self.assertEqual(self.requests().count("POST /token"), 1)


class CsrfTokens(TokenCase):
    def fetched(self, number=1):
        return {"headers": [["X-CSRF-Token", f"csrf-{number:05d}"], ["Set-Cookie", f"SAP_SESSIONID=sess-{number:05d}; path=/"],
                            ["Set-Cookie", "sap-usercontext=100; path=/"]], "body": {}}

    def test_fetched_for_calls_that_write_alone(self):
        self.script({"GET /api/service": self.fetched(), "POST /api/a": {"body": {}}, "GET /api/a": {"body": {}}})
        self.flow(f"- step: read\n  get: /a\n{WRITE}\n- step: again\n  get: /a", system=CSRF)
        self.run_flow(0)
        self.assertEqual(self.requests(), ["GET /api/a", "GET /api/service", "POST /api/a", "GET /api/a"])
        self.assertEqual(self.headers("X-CSRF-Token"), [None, "Fetch", "csrf-00001", None])
        self.assertEqual(self.headers("Cookie")[2], "SAP_SESSIONID=sess-00001; sap-usercontext=100")
        self.assertTrue(all(h.startswith("Basic ") for h in self.headers("Authorization")))
        self.assert_no_secret(["csrf-00001", "sess-00001"])

    def test_the_run_s_own_cookies_do_not_get_in_the_way(self):
        own = {"headers": {"Set-Cookie": "SAP_SESSIONID=another; path=/"}, "body": {}}
        self.script({"GET /api/service": self.fetched(), "POST /api/a": {"body": {}}, "GET /api/a": own})
        self.flow(f"- step: read\n  get: /a\n{WRITE}", system=CSRF)
        self.run_flow(0)
        self.assertEqual(self.headers("Cookie")[2], "SAP_SESSIONID=sess-00001; sap-usercontext=100")

    def test_a_stale_token_is_fetched_anew_once(self):
        refused = {"status": 403, "headers": {"x-csrf-token": "Required"}, "body": "CSRF token validation failed"}
        self.script({"GET /api/service": [self.fetched(1), self.fetched(2)], "POST /api/a": [refused, {"body": {}}]})
        self.flow(WRITE, system=CSRF)
        self.run_flow(0)
        self.assertEqual(self.headers("X-CSRF-Token"), ["Fetch", "csrf-00001", "Fetch", "csrf-00002"])
        self.assertEqual(self.headers("Cookie")[3], "SAP_SESSIONID=sess-00002; sap-usercontext=100")

    def test_a_token_that_is_always_refused(self):
        refused = {"status": 403, "headers": {"Content-Type": "text/plain"}, "body": "CSRF-Token-Validierung fehlgeschlagen"}
        self.script({"GET /api/service": self.fetched(), "POST /api/a": refused})
        self.flow(WRITE, system=CSRF)
        flow = self.run_flow(2)
        self.assertEqual(self.requests(), ["GET /api/service", "POST /api/a"] * 2)
        self.assertEqual(flow["steps"][-1]["step"], "one")

    def test_a_403_that_says_something_else_is_not_replayed(self):
        self.script({"GET /api/service": self.fetched(), "POST /api/a": {"status": 403, "body": {"message": "no role"}}})
        self.flow(WRITE, system=CSRF)
        self.run_flow(2)
        self.assertEqual(self.requests(), ["GET /api/service", "POST /api/a"])

    def test_a_server_that_gives_none(self):
        self.script({"GET /api/service": {"body": {}}, "POST /api/a": {"body": {}}})
        self.flow(WRITE, system=CSRF)
        flow = self.run_flow(2)
        self.assertEqual([(s["step"], s["state"]) for s in flow["steps"]],
                         [("fetch the CSRF token", "failed"), ("one", "skipped")])
        self.assertIn("X-CSRF-Token", flow["steps"][0]["verdict"]["failed_expectation"])

    def test_by_head_and_another_name(self):
        self.script({"HEAD /api/service": {"headers": {"X-Own": "csrf-00009"}}, "POST /api/a": {"body": {}}})
        self.flow(WRITE, system=CSRF.replace("get: /service", "head: /service, header: X-Own"))
        self.run_flow(0)
        self.assertEqual(self.headers("X-Own"), ["Fetch", "csrf-00009"])


class Sessions(TokenCase):
    """The logins of the ERPs that have one."""

    def session(self, login, rest, steps=READ):
        self.flow(steps, system=f"""
    auth:
      session:
        login: {login}
        {rest}""")

    def test_a_token_that_is_the_whole_body(self):
        """Magento: the body is a JSON string."""
        self.script({"POST /api/V1/integration/admin/token": {"body": json.dumps("adm1n-t0ken-1"),
                                                              "headers": {"Content-Type": "application/json"}},
                     "GET /api/a": {"body": {}}})
        self.session("{post: /V1/integration/admin/token, json: {username: a, password: '${env:CLIENT_SECRET}'},"
                     " capture: {token: {json: $}}}", "headers: {Authorization: 'Bearer {{token}}'}\n        lasts: 4h")
        self.run_flow(0)
        self.assertEqual(self.headers("Authorization")[1], "Bearer adm1n-t0ken-1")
        self.assert_no_secret(["adm1n-t0ken-1", "s3cr+t"])

    def test_a_token_in_xml(self):
        """Pronto Xi: the user in headers, the token in XML."""
        self.script({"POST /api/login": {"body": "<LoginResponse><token>pr0nto-1</token></LoginResponse>",
                                         "headers": {"Content-Type": "application/xml"}},
                     "GET /api/a": {"body": {}}})
        self.session("{post: /login, headers: {X-Pronto-Username: me, X-Pronto-Password: '${env:CLIENT_SECRET}'},"
                     " capture: {token: {xml: //token}}}", "headers: {X-Pronto-Token: '{{token}}'}")
        self.run_flow(0)
        self.assertEqual(self.headers("X-Pronto-Token"), [None, "pr0nto-1"])

    def test_cookies_by_name_even_with_a_bad_end(self):
        """SAP Business One: older servers send the cookie without a path and with a semicolon."""
        self.script({"POST /api/Login": {"headers": [["Set-Cookie", "B1SESSION=b1-s3ss10n;HttpOnly;"],
                                                     ["Set-Cookie", "ROUTEID=.node1; path=/b1s"]], "body": {"SessionTimeout": 30}},
                     "GET /api/a": [{"status": 401, "body": {"error": {"code": 301, "message": {"value": "Invalid session"}}}},
                                    {"body": {}}]})
        self.session("{post: /Login, json: {CompanyDB: DEMO}}", "cookies: [B1SESSION, ROUTEID]\n        idle: 25m")
        self.run_flow(0)
        self.assertEqual(self.requests(), ["POST /api/Login", "GET /api/a"] * 2)
        self.assertEqual(self.headers("Cookie")[1], "B1SESSION=b1-s3ss10n; ROUTEID=.node1")

    def test_a_login_that_fails_with_a_200(self):
        """Odoo: an error object; False for the user; a page in place of data."""
        for body, expect in (({"error": {"code": 200, "message": "Odoo Server Error", "data": {
                                 "name": "odoo.exceptions.AccessDenied", "message": "Access Denied"}}}, ""),
                             ({"result": False}, ", expect: {json: {$.result.uid: {type: number}}}"),
                             ({"result": None}, ", capture: {uid: {json: $.result.uid}}")):
            self.script({"POST /api/web/session/authenticate": {"body": body}, "GET /api/a": {"body": {}}})
            self.session("{post: /web/session/authenticate, json: {params: {db: demo}}" + expect + "}", "lasts: 1h")
            flow = self.run_flow(2, "--no-store")
            self.assertEqual([(s["step"], s["state"]) for s in flow["steps"]], [("log in", "failed"), ("one", "skipped")], body)

    def test_what_the_login_sets_is_known_to_the_flow(self):
        self.script({"POST /api/Login": {"body": {"id": 7, "key": "k-abcdef"}}, "GET /api/a": {"body": {}}})
        self.session("{post: /Login, json: {}, capture: {id: {json: $.id}, key: {json: $.key}}, set: {both: 'user:{{id}}:{{key}}'}}",
                     "headers: {Authorization: 'Session {{both | base64}}'}",
                     READ + "\n  headers: {X-Both: '{{login.both}}'}")
        self.run_flow(0)
        self.assertEqual(self.headers("X-Both")[1], "user:7:k-abcdef")


class Assertions(TokenCase):
    """The client proves itself with a signed statement; openssl verifies it."""

    def sign(self, algorithm, *options):
        import base64
        import subprocess
        key, public = self.path("key.pem"), self.path("public.pem")
        kind = ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"] if algorithm != "ES256" else \
            ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        subprocess.run(["openssl", "genpkey", "-algorithm", *kind, "-out", key], check=True, capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True)
        self.script({"POST /token": token(), "GET /api/a": {"body": {}}})
        self.flow(READ, system=f"""
    auth:
      oauth2:
        token_url: http://127.0.0.1:{self.http.port}/token
        client_id: me
        client_assertion: {{key: key.pem, kid: k-1, algorithm: {algorithm}, claims: {{scope: [rest_webservices]}}}}""")
        self.run_flow(0)
        form = dict(p.split("=", 1) for p in self.requests_in_full()[0]["body"].split("&"))
        self.assertEqual(form["client_assertion_type"], "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer")
        head, claims, signature = form["client_assertion"].split(".")
        read = lambda part: base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))  # noqa: E731
        self.assertEqual(json.loads(read(head)), {"kid": "k-1", "alg": algorithm, "typ": "JWT"})
        claims_read = json.loads(read(claims))
        self.assertEqual((claims_read["iss"], claims_read["aud"], claims_read["scope"]),
                         ("me", f"http://127.0.0.1:{self.http.port}/token", ["rest_webservices"]))
        self.assertLess(claims_read["exp"] - claims_read["iat"], 3600)
        self.assert_no_secret([form["client_assertion"]])
        if algorithm == "ES256":
            return
        self.write("text", f"{head}.{claims}")
        with open(self.path("signature"), "wb") as file:
            file.write(read(signature))
        subprocess.run(["openssl", "dgst", "-sha256", *options, "-verify", public, "-signature", self.path("signature"),
                        self.path("text")], check=True, capture_output=True)

    def test_ps256(self):
        self.sign("PS256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32")

    def test_rs256(self):
        self.sign("RS256")

    def test_es256(self):
        self.sign("ES256")

    def test_a_key_that_is_not_there_is_our_fault(self):
        self.script({"POST /token": token()})
        self.flow(READ, system=f"""
    auth: {{oauth2: {{token_url: 'http://127.0.0.1:{self.http.port}/token', client_id: me, client_assertion: {{key: gone.pem}}}}}}""")
        flow = self.run_flow(3)
        self.assertEqual([(s["step"], s["state"]) for s in flow["steps"]], [("get a token", "unknown"), ("one", "skipped")])
        self.assertIn("gone.pem", flow["steps"][0]["verdict"]["message"])
        self.assertEqual(self.requests(), [])


class Rows(TokenCase):
    def row(self, steps=WRITE):
        self.flow(steps, system=CLIENT.format(port=self.http.port, more="") + """
      session:
        login: {post: /Login, json: {user: probe}, capture: {session: {json: $.session}}}
        headers: {X-Session: '{{session}}'}
        expired: {json: {$.error.code: 100}}
      csrf: {get: /service}""")

    def script_row(self, posts):
        self.script({"POST /token": [token(n) for n in range(1, 5)],
                     "POST /api/Login": [{"body": {"session": f"sess-{n:05d}"}} for n in range(1, 5)],
                     "GET /api/service": [{"headers": {"X-CSRF-Token": f"csrf-{n:05d}"}, "body": {}} for n in range(1, 5)],
                     "POST /api/a": posts})

    def carried(self):
        return [tuple(dict(r["headers"]).get(n, "-")[-1] for n in ("Authorization", "X-Session", "X-CSRF-Token"))
                for r in self.requests_in_full()]

    def test_each_is_asked_for_with_those_before_it(self):
        self.script_row([{"body": {}}])
        self.row()
        self.run_flow(0)
        self.assertEqual(self.requests(), ["POST /token", "POST /api/Login", "GET /api/service", "POST /api/a"])
        self.assertEqual(self.carried(), [("-", "-", "-"), ("1", "-", "-"), ("1", "1", "h"), ("1", "1", "1")])

    def test_those_behind_the_one_that_ended_are_asked_for_anew(self):
        self.script_row([{"status": 401, "body": {}}, {"body": {}}])
        self.row()
        self.run_flow(0)
        self.assertEqual(self.carried()[4:], [("-", "-", "-"), ("2", "-", "-"), ("2", "2", "h"), ("2", "2", "2")])

    def test_a_session_that_expires_within_a_200(self):
        self.script_row([{"body": {"error": {"code": 100, "message": "Odoo Session Expired"}}}, {"body": {}}])
        self.row()
        self.run_flow(0)
        self.assertEqual(self.requests()[4:], ["POST /api/Login", "GET /api/service", "POST /api/a"])

    def test_one_replay_of_a_call_in_all(self):
        csrf = {"status": 403, "headers": {"X-CSRF-Token": "Required"}, "body": ""}
        self.script_row([{"status": 401, "body": {}}, csrf, {"body": {}}])
        self.row()
        self.run_flow(2)
        self.assertEqual(self.requests().count("POST /api/a"), 2)

    def test_the_failing_one_is_named(self):
        self.script_row([{"body": {}}])
        self.script({"POST /token": token(), "POST /api/Login": {"status": 500, "body": {}}})
        self.row()
        flow = self.run_flow(2)
        self.assertEqual([s["step"] for s in flow["steps"]], ["log in", "one"])
        self.script({"POST /token": {"status": 500, "body": {}}})
        self.assertEqual([s["step"] for s in self.run_flow(2, "--no-store")["steps"]], ["get a token", "one"])


if __name__ == "__main__":
    unittest.main()
