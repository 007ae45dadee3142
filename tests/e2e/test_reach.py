#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Where a request may go: whole addresses and redirects, at the system's own server,
at one that `allow_hosts` lists and at one that it does not; and who gets which
credentials on the way."""
import socket
import threading
import unittest

from across_case import AcrossCase, Server
from harness import decisive

SECRETS = ("shop-secret-7", "key-in-a-header")


class Listener:
    """A port that must see no connection."""

    def __init__(self, case):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(8)
        self.port = self.socket.getsockname()[1]
        self.connections = 0
        case.addCleanup(self.socket.close)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                self.socket.accept()[0].close()
                self.connections += 1
        except OSError:
            pass


class ReachCase(AcrossCase):
    """The shop is the system; `other` is allowed, `third` is not."""

    def setUp(self):
        super().setUp()
        self.other, self.third = self.erp_server, Server(self)
        self.systems = {"shop": {**self.systems["shop"], "allow_hosts": f"127.0.0.1:{self.other.port}"}}

    def go(self, code, *steps, **answers):
        self.configure(*steps)
        self.shop.script(**answers)
        return self.run_flow(code)

    def redirect(self, url, status=302, **headers):
        return {"status": status, "headers": {"Location": url, **headers}}


class WholeAddresses(ReachCase):
    def capture_and_call(self, code, address, **more):
        return self.go(code, {"step": "setup", "get": "/setup",
                              "capture": {"start": {"json": "$.url", "as": "url"}}},
                       {"step": "start page", "get": "{{start}}", **more}, GET_setup={"body": {"url": address}},
                       GET_page={})

    def refused(self, address, *words):
        step = decisive(self.capture_and_call(2, address))
        self.assertEqual((step["step"], step["system"]), ("start page", "shop"))
        for word in ("was not called", *words):
            self.assertIn(word, step["verdict"]["message"])
        self.assertIsNone(step["request"])
        self.assertEqual(self.shop.lines(), ["GET /setup"])

    def test_the_own_server_gets_credentials(self):
        for address in (f"{self.shop.url}/page", "/page", "page", f"//127.0.0.1:{self.shop.port}/page"):
            self.capture_and_call(0, address)
            self.assertEqual(self.shop.headers("GET /page")["authorization"], "Bearer shop-secret-7")

    def test_an_allowed_host_gets_the_steps_headers_alone(self):
        self.other.script(GET_page={})
        self.capture_and_call(0, f"{self.other.url}/page", headers={"X-Own": "mine"})
        sent = self.other.headers("GET /page")
        self.assertEqual(sent["x-own"], "mine")
        self.assertNotIn("authorization", sent)
        self.assertNotIn("x-shop", sent)

    def test_an_allowed_host_that_refuses_is_not_the_systems_login(self):
        self.systems["shop"]["auth"] = {"session": {"login": {"post": "/login"}, "cookies": ["s"]}}
        self.other.script(GET_page={"status": 401})
        self.go(2, {"step": "page", "get": f"{self.other.url}/page"}, POST_login={})
        self.assertEqual(self.shop.lines(), [])  # no login for it, and none after its 401
        self.assertEqual(self.other.lines(), ["GET /page"])

    def test_a_port_that_listens_sees_nothing(self):
        listener = Listener(self)
        self.refused(f"http://127.0.0.1:{listener.port}", f"http://127.0.0.1:{listener.port}",
                     "not at the system's own")
        self.assertEqual(listener.connections, 0)

    def test_what_is_not_allowed(self):
        port = self.shop.port
        for address in (f"http://localhost:{port}/", f"http://127.1:{port}/", f"http://0x7f.1:{port}/",
                        f"http://2130706433:{port}/", f"http://[::ffff:127.0.0.1]:{port}/",
                        f"https://127.0.0.1:{port}/", "http://127.0.0.1:22/", self.third.url,
                        f"http://127.0.0.1:{port}@{self.third.url[7:]}/", f"http://u:p@127.0.0.1:{port}/"):
            self.refused(address)
        self.assertEqual(self.third.lines(), [])

    def test_other_schemes(self):
        for address in ("file:///etc/passwd", "gopher://127.0.0.1:70/_x", "ftp://127.0.0.1/x",
                        "javascript:alert(1)", "mailto:a@b.example", "data:text/plain,x"):
            self.refused(address, "begins with http:// or https://")

    def test_a_refused_address_is_not_even_logged_in_for(self):
        self.systems["shop"]["auth"] = {"session": {"login": {"post": "/login"}, "cookies": ["s"]}}
        self.configure({"step": "page", "get": "{{where}}"}, vars={"where": self.third.url})
        self.shop.script(POST_login={})
        self.run_flow(2)
        self.assertEqual(self.shop.lines(), [])

    def test_validate_knows_what_can_never_be(self):
        self.systems["shop"]["allow_hosts"] = ["ok.example", "ftp://x.example", "*"]
        self.configure({"step": "a", "get": "http://elsewhere.example/x"})
        done = self.run_program("validate")
        self.assertEqual(done.returncode, 3)
        for words in ("\"ftp://x.example\" cannot be allowed", "\"*\" cannot be allowed",
                      "http://elsewhere.example/x cannot be called as the system shop"):
            self.assertIn(words, done.stdout + done.stderr)


class Redirects(ReachCase):
    STEP = {"step": "go", "get": "/a", "follow": 5, "headers": {"X-Api-Key": "key-in-a-header",
                                                               "Accept-Language": "nl"}}

    def follow(self, code, step=None, **answers):
        self.other.script(**{"*": {"body": {"from": "other"}}})
        self.third.script(**{"*": {}})
        return self.go(code, step or self.STEP, **answers)["steps"][0]

    def message(self, step):
        self.assertEqual(step["verdict"]["class"], "unexpected")
        return step["verdict"]["message"]

    def test_within_the_system(self):
        step = self.follow(0, GET_a=self.redirect("b?x=1#there"), GET_b={})
        self.assertEqual(self.shop.lines(), ["GET /a", "GET /b?x=1"])
        sent = self.shop.headers("GET /b?x=1")
        self.assertEqual((sent["authorization"], sent["x-api-key"], sent["x-shop"]),
                         ("Bearer shop-secret-7", "key-in-a-header", "one"))
        self.assertEqual(step["redirects"], [{"status": 302, "method": "GET",
                                              "url": f"{self.shop.url}/b?x=1"}])

    def test_to_an_allowed_host_without_anything_secret(self):
        self.follow(0, GET_a=self.redirect(f"{self.other.url}/b"))
        sent = self.other.headers("GET /b")
        self.assertEqual(sent["accept-language"], "nl")
        for name in ("authorization", "x-api-key", "x-shop", "referer"):
            self.assertNotIn(name, sent)

    def test_and_back_again_with_them(self):
        self.configure(self.STEP)
        self.shop.script(GET_a=self.redirect(f"{self.other.url}/b"), GET_c={})
        self.other.script(GET_b=self.redirect(f"{self.shop.url}/c", 307))
        self.run_flow(0)
        sent = self.shop.headers("GET /c")
        self.assertEqual((sent["authorization"], sent["x-api-key"]),
                         ("Bearer shop-secret-7", "key-in-a-header"))

    def test_what_began_elsewhere_gets_none(self):
        self.configure({"step": "go", "get": f"{self.other.url}/b", "follow": 3,
                        "headers": {"X-Api-Key": "key-in-a-header"}})
        self.shop.script(GET_c={})
        self.other.script(GET_b=self.redirect(f"{self.shop.url}/c"))
        self.run_flow(0)
        self.assertEqual(self.other.headers("GET /b")["x-api-key"], "key-in-a-header")
        sent = self.shop.headers("GET /c")
        for name in ("authorization", "x-api-key", "x-shop"):
            self.assertNotIn(name, sent)

    def test_to_a_host_that_is_not_allowed(self):
        step = self.follow(2, GET_a=self.redirect(f"{self.third.url}/b"))
        self.assertIn(f"302 leads elsewhere: {self.third.url} was not called", self.message(step))
        self.assertEqual((step["status"], self.third.lines()), (302, []))

    def test_odd_locations(self):
        listener = Listener(self)
        for location, words in ((f"http://127.0.0.1:{listener.port}/", "was not called"),
                                ("file:///etc/passwd", "begins with http:// or https://"),
                                ("gopher://127.0.0.1/", "begins with http:// or https://"),
                                (f"http://u:p@127.0.0.1:{self.shop.port}/", "carries a user name"),
                                ("http://[", "no address"), ("", "has no Location")):
            step = self.follow(2, GET_a=self.redirect(location))
            self.assertIn(words, self.message(step), location)
            self.assertEqual(self.shop.lines(), ["GET /a"])
        self.assertEqual(listener.connections, 0)

    def test_two_locations(self):
        step = self.follow(2, GET_a={"status": 302, "headers": [["Location", "/b"], ["Location", "/c"]]})
        self.assertIn("two different addresses", self.message(step))
        self.follow(0, GET_a={"status": 302, "headers": [["Location", "/b"], ["Location", "/b"]]}, GET_b={})

    def test_locations_with_what_must_not_stand_there(self):
        answer = {"status": 302, "headers": {"Location": "/p/a b/caf\u00e9?q=\"x\""}}
        self.follow(0, GET_a=answer, **{"GET_p/a%20b/caf%E9": {}, "*": {}})
        self.assertEqual(self.shop.lines()[1], "GET /p/a%20b/caf%E9?q=%22x%22")

    def test_circles_end(self):
        step = self.follow(2, GET_a=self.redirect("/b"), GET_b=self.redirect("/a"))
        self.assertIn("go in a circle", self.message(step))
        self.assertEqual(self.shop.lines(), ["GET /a", "GET /b"])

    def test_the_same_address_with_a_cookie_is_no_circle(self):
        self.follow(0, GET_a=[self.redirect("/a", **{"Set-Cookie": "seen=1"}), {}])
        self.assertEqual(self.shop.lines(), ["GET /a", "GET /a"])

    def test_long_chains(self):
        chain = {f"GET_h{i}": self.redirect(f"/h{i + 1}") for i in range(9)}
        step = self.follow(2, {**self.STEP, "get": "/h0"}, **chain)
        self.assertIn("5 redirects were followed", self.message(step))
        self.assertEqual(len(self.shop.lines()), 6)
        self.follow(0, {**self.STEP, "get": "/h4"}, **chain, GET_h9={})

    def test_methods(self):
        for status, method, body in ((301, "GET", ""), (302, "GET", ""), (303, "GET", ""),
                                     (307, "POST", "{\"a\":1}"), (308, "POST", "{\"a\":1}")):
            step = {"step": "go", "post": "/a", "json": {"a": 1}, "follow": 1}
            self.follow(0, step, POST_a=self.redirect("/b", status), GET_b={}, POST_b={})
            last = self.shop.seen()[-1]
            self.assertEqual((last["method"], last["body"].replace(" ", "")), (method, body), status)
            names = [name.lower() for name, _ in last["headers"]]
            self.assertEqual("content-type" in names, method == "POST")

    def test_a_post_that_became_a_get_is_told(self):
        step = self.follow(2, {"step": "go", "post": "/a", "json": {}, "follow": 1, "expect": {"status": 201}},
                           POST_a=self.redirect("/b"), GET_b={})
        self.assertIn("turned the POST into a GET", step["verdict"]["message"] or "")

    def test_a_body_that_holds_a_secret_stays(self):
        step = self.follow(2, {"step": "go", "post": "/a", "json": {"key": "${env:SHOP_KEY}"}, "follow": 1},
                           POST_a=self.redirect(f"{self.other.url}/b", 307))
        self.assertIn("it holds a secret", self.message(step))
        self.assertEqual(self.other.lines(), [])
        self.follow(0, {"step": "go", "post": "/a", "json": {"key": "public"}, "follow": 1},
                    POST_a=self.redirect(f"{self.other.url}/b", 307))
        self.assertEqual(self.other.lines(), ["POST /b"])

    def test_the_body_of_a_login_stays_whatever_it_holds(self):
        login = {"post": "/login", "json": {"u": "x", "p": "plain"}, "follow": 1}
        self.systems["shop"]["auth"] = {"session": {"login": login, "cookies": ["s"]}}
        step = self.follow(2, POST_login=self.redirect(f"{self.other.url}/b", 307))
        self.assertIn("it holds a secret", self.message(step))
        self.assertEqual(self.other.lines(), [])

    def test_a_redirect_that_is_expected(self):
        self.follow(0, {"step": "go", "get": "/a", "expect": {"status": 302}}, GET_a=self.redirect("/b"))
        self.follow(0, {"step": "go", "get": "/a", "follow": 3, "expect": {"status": 302}},
                    GET_a=self.redirect(f"{self.third.url}/b"))
        self.assertEqual(self.third.lines(), [])

    def test_only_the_header_leads_on(self):
        page = {"headers": {"Refresh": "0; url=/b", "Content-Type": "text/html"},
                "body": "<meta http-equiv=refresh content='0; url=/b'>"}
        self.follow(0, GET_a=page)
        self.assertEqual(self.shop.lines(), ["GET /a"])

    def test_session_cookies_stay_at_home(self):
        self.systems["shop"]["auth"] = {"session": {"login": {"post": "/login"}, "cookies": ["sid"]}}
        self.configure(self.STEP)
        self.shop.script(POST_login={"headers": {"Set-Cookie": "sid=session-cookie-9; Path=/"}},
                         GET_a=self.redirect(f"{self.other.url}/b"), GET_c={})
        self.other.script(GET_b=self.redirect(f"{self.shop.url}/c"))
        self.run_flow(0)
        self.assertNotIn("cookie", self.other.headers("GET /b"))
        for line in ("GET /a", "GET /c"):
            self.assertIn("sid=session-cookie-9", self.shop.headers(line)["cookie"])

    def test_each_hop_is_evidence(self):
        self.configure(self.STEP)
        self.shop.script(GET_a=self.redirect(f"{self.other.url}/b"))
        self.other.script(GET_b={"status": 500, "body": "broken"})
        self.check("--notify", code=2)
        with open(self.mail_files()[0], "rb") as file:
            text = file.read().decode()
        self.assertIn("exchange.har", text)
        table = self.run_program("check", "-v").stdout
        self.assertIn(f"> GET {self.shop.url}/a", table)
        self.assertIn(f"> GET {self.other.url}/b", table)
        self.assertIn("1 redirect", table)
        self.assert_no_secret(SECRETS[:1])


if __name__ == "__main__":
    unittest.main()
