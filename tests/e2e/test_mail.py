#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""erpwatch deliver and mail-test against real SMTP servers: one that behaves
(aiosmtpd) and one that does not. Both mail clients pass the same tests."""
import email
import email.policy
import json
import os
import stat
import threading
import unittest
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import wait_for
from mail_case import BUILD, LONG, PASSWORD, SHORT, USER, Authority, MailCase, facts
from bad_smtp import DROP, HANG, INJECT, RESET, STALL, WAIT, BadSmtp
from good_smtp import GoodSmtp

ca = None


def setUpModule():
    global ca
    ca = Authority()


def tearDownModule():
    ca.close()


class Both:
    """The tests that both clients pass."""

    def good(self, **options):
        server = self.serve(GoodSmtp(certificate=ca.good, user=USER, password=PASSWORD, **options))
        self.configure_server(server, "starttls", ca.ca, PASSWORD)
        return server

    def bad(self, script, tls=False, **options):
        server = self.serve(BadSmtp(script, certificate=ca.good if tls else None, **options))
        self.configure_server(server, "starttls" if tls else "none", ca.ca if tls else None,
                              PASSWORD if tls else None)
        return server

    def test_a_mail_arrives_as_it_was_composed(self):
        server = self.good()
        self.queue(facts(to=["one@x.example", "two@x.example"]))
        self.deliver(0)
        self.assertEqual(len(server.messages), 1)
        message = server.messages[0]
        self.assertEqual(message["recipients"], ["one@x.example", "two@x.example"])
        self.assertEqual(message["content"], self.kept_mail())
        self.assertTrue(message["tls"])
        self.assertEqual(message["user"], USER)
        self.assertEqual([good for _, good in server.logins], [True])
        self.assertEqual(server.names, ["localhost"])
        parsed = email.message_from_bytes(message["content"], policy=email.policy.default)
        self.assertEqual(parsed["Message-ID"], "<N1@agency.example>")
        self.assertEqual([p.get_filename() for p in parsed.iter_attachments()], ["exchange.har"])
        self.assertEqual(set(self.states().values()), {"accepted"})
        self.deliver(0)
        self.assertEqual(len(server.messages), 1)
        self.assert_no_secret(PASSWORD)

    def test_each_recipient_has_its_own_fate(self):
        server = self.good()
        self.queue(facts(to=["gone@x.example", "one@x.example", "busy@x.example"]))
        self.deliver(2)
        self.assertEqual(self.states(), {"gone@x.example": "given_up", "one@x.example": "accepted",
                                         "busy@x.example": "waiting"})
        self.assertEqual(self.recipient("gone@x.example")["code"], 550)
        self.assertEqual(self.recipient("busy@x.example")["reply"], "4.7.1 come back later")
        self.assertFalse(self.backs_off())
        self.deliver(1)  # not due yet
        self.make_due()
        self.deliver(1)
        self.assertEqual(self.recipient("busy@x.example")["attempts"], 2)
        self.assertEqual([m["recipients"] for m in server.messages], [["one@x.example"]])

    def test_greylisting_is_waited_out(self):
        server = self.good()
        self.queue(facts(to=["grey@x.example", "one@x.example"]))
        self.deliver(1)
        self.make_due()
        self.deliver(0)
        self.assertEqual([m["recipients"] for m in server.messages],
                         [["one@x.example"], ["grey@x.example"]])
        self.assertEqual(server.messages[0]["content"], server.messages[1]["content"])

    def test_an_answer_at_any_stage_is_understood(self):
        wide = {"greeting", "ehlo", "auth", "starttls"}
        for stage in ("greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "dot"):
            for reply in ("451 4.3.0 not now", "554 5.7.1 not ever"):
                with self.subTest(stage=stage, reply=reply):
                    self.setUp()
                    server = self.bad({stage: reply}, tls=stage in ("starttls", "auth"))
                    self.queue(facts())
                    lost = reply[0] == "5" and stage in ("rcpt", "data", "dot")
                    self.deliver(2 if lost else 1)
                    row = self.recipient()
                    self.assertEqual(row["state"], "given_up" if lost else "waiting")
                    self.assertEqual((row["code"], row["reply"]), (int(reply[:3]), reply[4:]))
                    self.assertEqual(self.backs_off(), stage in wide)
                    self.assertEqual(server.messages, [])
                    # Refused content went once more, without attachments, at once.
                    tries = 2 if lost and stage in ("data", "dot") else 1
                    self.assertEqual(row["attempts"], tries)
                    self.assertEqual(server.connections, tries)

    def test_a_break_at_any_stage_is_tried_again(self):
        for stage in ("greeting", "ehlo", "starttls", "handshake", "auth", "mail", "rcpt", "data",
                      "body", "dot"):
            for told in (DROP, RESET):
                with self.subTest(stage=stage, told=told):
                    self.setUp()
                    tls = stage in ("starttls", "handshake", "auth")
                    server = self.bad({stage: [told]}, tls=tls)
                    self.queue(facts(to=["one@x.example", "two@x.example"]))
                    self.deliver(1)
                    self.assertEqual(set(self.states().values()), {"waiting"})
                    self.make_due()
                    self.deliver(0)
                    self.assertEqual(server.messages[-1][0], ["one@x.example", "two@x.example"])
                    self.assertEqual(server.messages[-1][1], self.kept_mail())

    def test_a_hang_at_any_stage_costs_one_attempt(self):
        def hang(stage):
            case = type(self)("test_a_hang_at_any_stage_costs_one_attempt")
            case.setUp()
            try:
                server = case.bad({stage: [HANG]}, tls=stage in ("starttls", "handshake", "auth"))
                case.queue(facts())
                done = case.erpwatch("deliver", "--timeout", SHORT)
                first = (done.returncode, case.states(), case.recipient()["code"])
                case.make_due()
                again = case.erpwatch("deliver", "--timeout", LONG)
                outcomes[stage] = (*first, again.returncode, len(server.messages))
            finally:
                case.doCleanups()
        outcomes = {}
        stages = ("greeting", "ehlo", "starttls", "handshake", "auth", "mail", "rcpt", "data",
                  "body", "dot")
        threads = [threading.Thread(target=hang, args=(stage,)) for stage in stages]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for stage in stages:
            with self.subTest(stage=stage):
                code, states, reply, again, arrived = outcomes[stage]
                self.assertEqual((code, states, reply), (1, {"one@x.example": "waiting"}, 0))
                self.assertEqual(again, 0)
                self.assertEqual(arrived, 2 if stage == "dot" else 1)

    def test_a_receiver_that_stops_reading_costs_one_attempt(self):
        server = self.bad({"body": [STALL]})
        document = facts()
        step = document["result"]["steps"][1]
        step["exchanges"][0]["response_body"] = "x" * 65000
        step["exchanges"] *= 14  # more than fits into the sockets' buffers
        self.queue(document)
        self.deliver(1, SHORT)
        self.assertEqual((self.recipient()["state"], self.recipient()["code"]), ("waiting", 0))
        self.make_due()
        self.deliver(0)
        self.assertEqual(len(server.messages), 1)
        self.assertEqual(server.messages[0][1], self.kept_mail())

    def test_an_accepted_mail_is_accepted_whatever_quit_does(self):
        for told in (HANG, DROP, "500 5.5.2 what"):
            with self.subTest(told=told):
                self.setUp()
                self.bad({"quit": told})
                self.queue(facts())
                self.deliver(0)

    def test_plain_text_injected_before_tls_is_refused(self):
        server = self.bad({"starttls": INJECT}, tls=True)
        self.queue(facts())
        self.deliver(1)
        self.assertNotIn("MAIL", server.verbs())
        self.assertNotIn("AUTH", server.verbs())
        self.assertEqual(self.recipient()["stage"], "TLS")
        self.assertTrue(self.backs_off())

    def test_a_wrong_certificate_gets_nothing(self):
        for name in ("wrong", "expired"):
            with self.subTest(certificate=name):
                self.setUp()
                server = self.serve(BadSmtp(certificate=getattr(ca, name)))
                self.configure_server(server, "starttls", ca.ca, PASSWORD)
                self.queue(facts())
                self.deliver(1)
                self.assertEqual(set(server.verbs()) - {"EHLO", "STARTTLS", "QUIT"}, set())
                self.assertEqual(self.recipient()["stage"], "TLS")
                self.assertNotEqual(self.recipient()["reply"], "")
        self.setUp()
        server = self.serve(BadSmtp(certificate=ca.good))
        self.configure_server(server, "starttls", None, PASSWORD)  # the system does not trust it
        self.queue(facts())
        self.deliver(1)
        self.assertEqual(set(server.verbs()) - {"EHLO", "STARTTLS", "QUIT"}, set())

    def test_a_certificate_for_an_address_is_good_for_it(self):
        server = self.serve(GoodSmtp(certificate=ca.address, user=USER, password=PASSWORD))
        self.configure_server(server, "starttls", ca.ca, PASSWORD, host="127.0.0.1")
        self.queue(facts())
        self.deliver(0)
        self.assertEqual(server.names, [None])  # an address is no name

    def test_without_starttls_nothing_is_said(self):
        server = self.serve(BadSmtp())
        self.configure_server(server, "starttls", ca.ca, PASSWORD)
        self.queue(facts())
        self.deliver(1)
        self.assertEqual(set(server.verbs()) - {"EHLO", "QUIT", "STARTTLS"}, set())
        self.assertEqual(self.recipient()["stage"], "TLS")

    def test_without_auth_no_mail_begins(self):
        server = self.bad({}, tls=True, auth=False)
        self.queue(facts())
        self.deliver(1)
        self.assertNotIn("MAIL", server.verbs())
        self.assertEqual(self.recipient()["stage"], "AUTH")
        self.assertTrue(self.backs_off())

    def test_a_refused_password_is_tried_once(self):
        server = self.bad({"auth": "535 5.7.8 bad credentials"}, tls=True)
        self.queue(facts(), facts("N2", incident="I2", to=["two@x.example"]))
        self.deliver(1)
        self.assertEqual(server.verbs().count("AUTH"), 1)
        self.assertNotIn("MAIL", server.verbs())
        self.assertEqual(self.recipient()["code"], 535)
        self.assert_no_secret(PASSWORD)

    def test_the_server_is_left_alone_as_a_whole(self):
        server = self.bad({"greeting": ["421 4.3.2 closing", None, None]})
        self.queue(facts(), facts("N2", incident="I2"))
        self.deliver(1)
        self.assertEqual(server.connections, 1)
        self.assertIn("left alone until", self.deliver(1))
        self.assertEqual(server.connections, 1)
        self.make_due()
        self.deliver(0)
        self.assertEqual(len(server.messages), 2)
        self.assertFalse(self.backs_off())

    def test_nobody_listens(self):
        server = self.serve(BadSmtp())
        self.configure_server(server)
        server.close()
        self.queue(facts())
        self.deliver(1)
        self.assertEqual(self.recipient()["stage"], "connect")
        self.assertTrue(self.backs_off())

    def test_refused_attachments_are_left_out(self):
        server = self.good(refuse="Content-Disposition: attachment")
        self.queue(facts())
        self.deliver(0)
        parsed = email.message_from_bytes(server.messages[0]["content"],
                                          policy=email.policy.default)
        self.assertEqual(list(parsed.iter_attachments()), [])
        self.assertEqual(parsed["Message-ID"], "<N1@agency.example>")
        self.assertEqual(self.recipient()["attempts"], 2)

    def test_size_is_honoured(self):
        lighter = len(self.composed_without_attachments())
        server = self.good(size=lighter + 1024)
        self.queue(facts())
        self.deliver(0)
        self.assertNotIn(b"Content-Disposition: attachment", server.messages[0]["content"])

    def composed_without_attachments(self):
        server = GoodSmtp(refuse="Content-Disposition: attachment")
        try:
            self.configure_server(server)
            self.erpwatch("deliver", "--stdin", given=json.dumps(facts()))
            return server.messages[0]["content"]
        finally:
            server.close()

    def test_an_opening_nobody_gets_is_told_to_the_fallback(self):
        server = self.serve(GoodSmtp(refuse="To: ERP Partner <one@x.example>"))
        self.configure_server(server, contacts={"agency": ["ops@agency.example"]},
                              fallback="agency")
        self.queue(facts())
        self.deliver(2)
        self.assertEqual(self.states(), {"one@x.example": "given_up",
                                         "ops@agency.example": "accepted"})
        text = email.message_from_bytes(server.messages[0]["content"],
                                        policy=email.policy.default)
        self.assertIn("one@x.example", text.get_body(("plain",)).get_content())
        self.assertIn("554", text.get_body(("plain",)).get_content())

    def test_order_is_kept_within_an_incident(self):
        server = self.good()
        self.queue(facts("N1", to=["grey@x.example"]),
                   facts("N2", to=["grey@x.example"], kind="recovered"),
                   facts("N3", to=["one@x.example"], incident="I2"))
        self.deliver(1)
        self.assertEqual([m["recipients"] for m in server.messages], [["one@x.example"]])
        self.make_due()
        self.deliver(0)
        order = [email.message_from_bytes(m["content"])["Message-ID"] for m in server.messages]
        self.assertEqual(order, ["<N3@agency.example>", "<N1@agency.example>",
                                 "<N2@agency.example>"])

    def test_killed_with_half_the_recipients_accepted(self):
        """The others get the same bytes; who had it does not get it again."""
        server = self.bad({"rcpt": [{"two@x.example": "451 4.3.0 later"}, None, None],
                           "dot": [None, WAIT, None]})
        self.queue(facts(to=["one@x.example", "two@x.example"]))
        self.deliver(1)
        self.make_due()
        server.got_message.clear()
        child = self.start_deliver()
        self.assertTrue(server.got_message.wait(60))
        child.kill()
        child.wait()
        server.open[-1].settimeout(60)
        self.assertEqual(server.open[-1].recv(1), b"")  # its session has died with it
        self.assertEqual(self.states(), {"one@x.example": "accepted", "two@x.example": "sending"})
        self.assertEqual(self.recipient("two@x.example")["attempts"], 2)
        self.deliver_when_free(0)
        self.assertEqual(set(self.states().values()), {"accepted"})
        to = [recipients for recipients, _ in server.messages]
        self.assertEqual(to.count(["one@x.example"]), 1)
        self.assertGreaterEqual(to.count(["two@x.example"]), 1)
        self.assertEqual({content for _, content in server.messages}, {self.kept_mail()})

    def deliver_when_free(self, expected):
        """The killed one's session may hold the lock until the kernel has ended it too."""
        for _ in range(600):
            done = self.erpwatch("deliver", "--timeout", LONG)
            if "another deliver" not in done.stdout:
                break
        self.assertEqual(done.returncode, expected, done.stdout + done.stderr)

    def test_a_second_deliver_says_so(self):
        server = self.bad({"dot": WAIT})
        self.queue(facts())
        first = self.start_deliver()
        self.assertTrue(server.got_message.wait(60))
        self.assertIn("another deliver", self.deliver(0))
        server.go.set()
        output, _ = first.communicate()
        self.assertEqual(first.returncode, 0, output)
        self.assertEqual(len(server.messages), 1)

    def test_what_a_second_deliver_leaves_is_sent(self):
        """A notice queued after the first has looked for the last time, and before its lock is free."""
        held = os.path.join(self.folder, "held")
        server = self.serve(GoodSmtp())
        self.configure_server(server)
        self.queue()
        first = self.start_deliver(
            LD_PRELOAD=os.path.join(BUILD, "tests/preload/hold_close.so"), HOLD_PATH=".locks/deliver",
            HOLD_FILE=held, ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0")
        wait_for(lambda: os.path.exists(held) or first.poll() is not None, "the first to have looked")
        self.queue(facts())
        self.assertIn("another deliver", self.deliver(0))
        os.remove(held)
        output, _ = first.communicate()
        self.assertEqual(first.returncode, 0, output)
        self.assertEqual(self.states(), {"one@x.example": "accepted"}, output)
        self.assertEqual(len(server.messages), 1)

    def test_a_flood_ends_in_one_summary(self):
        server = self.serve(GoodSmtp())
        self.configure_server(server, limit=2)
        self.queue(*[facts(f"N{i}", incident=f"I{i}") for i in range(6)])
        self.deliver(0)
        self.assertEqual(len(server.messages), 3)
        parsed = email.message_from_bytes(server.messages[2]["content"],
                                          policy=email.policy.default)
        text = parsed.get_body(("plain",)).get_content()
        self.assertEqual(text.count("Submit an order fails"), 4)

    def test_from_stdin_without_a_store(self):
        server = self.good()
        document = facts(to=["one@x.example", "gone@x.example", "busy@x.example"])
        done = self.erpwatch("deliver", "--stdin", given=json.dumps(document))
        self.assertEqual(done.returncode, 2, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["notice"], "N1")
        self.assertEqual({r["recipient"]: (r["state"], r["code"]) for r in report["recipients"]},
                         {"one@x.example": ("accepted", 250), "gone@x.example": ("given_up", 550),
                          "busy@x.example": ("waiting", 450)})
        self.assertFalse(os.path.exists(self.store))
        document["recipients"] = ["two@x.example"]  # what is still owed
        done = self.erpwatch("deliver", "--stdin", given=json.dumps(document))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([m["recipients"] for m in server.messages],
                         [["one@x.example"], ["two@x.example"]])
        self.assertEqual(server.messages[0]["content"], server.messages[1]["content"])

    def test_stdin_that_is_no_notice(self):
        self.good()
        for given in ("", "{", "{}", '{"contact": {"email": []}}'):
            done = self.erpwatch("deliver", "--stdin", given=given)
            self.assertEqual(done.returncode, 3, given)
            self.assertNotEqual(done.stderr, "")

    def test_an_address_is_never_a_command(self):
        server = self.bad({})
        evil = "a@b>\r\nRCPT TO:<evil@x.example"
        done = self.erpwatch("deliver", "--stdin", given=json.dumps(
            dict(facts(), recipients=["one@x.example", evil])))
        self.assertEqual(done.returncode, 2)
        self.assertEqual(server.messages[0][0], ["one@x.example"])
        self.assertNotIn("evil", "".join(server.commands))

    def test_mail_test_reports_each_reply(self):
        server = self.good()
        done = self.erpwatch("mail-test", "acme")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("one@x.example: accepted (message: 250", done.stdout)
        self.assertIn(self.library if self.library != "auto" else "libesmtp", done.stdout)
        self.assertIn(b"[test]", server.messages[0]["content"])
        self.configure_server(server, "starttls", ca.ca, PASSWORD,
                              contacts={"acme": ["one@x.example", "gone@x.example"]})
        done = self.erpwatch("mail-test", "acme")
        self.assertEqual(done.returncode, 2)
        self.assertIn("gone@x.example: not accepted (RCPT: 550", done.stdout)
        self.configure_server(server, "starttls", ca.ca, "wrong-" + PASSWORD)
        done = self.erpwatch("mail-test", "acme")
        self.assertEqual(done.returncode, 2)
        self.assertIn("AUTH: 535", done.stdout)
        self.assertEqual(self.erpwatch("mail-test", "nobody").returncode, 3)
        self.assert_no_secret(PASSWORD)


class Libesmtp(Both, MailCase):
    library = "libesmtp"

    def test_what_it_cannot_do_is_refused(self):
        server = self.serve(GoodSmtp())
        self.queue(facts())
        for settings in ({"security": "tls"}, {"security": "starttls", "password": "p" * 256},
                         {"server": f"[::1]:{server.port}"}):
            security = settings.pop("security", "none")
            self.configure(**{"server": f"localhost:{server.port}", "security": security,
                              "username": USER if "password" in settings else None, **settings})
            done = self.erpwatch("deliver")
            self.assertEqual(done.returncode, 3, done.stdout)
            self.assertIn("library: auto", done.stderr)

    def test_sessions_one_after_the_other_do_not_hang(self):
        """TLS 1.3 session tickets made one in ten hang."""
        server = self.good()
        self.queue(*[facts(f"N{i:02}", incident=f"I{i}", to=[f"r{i}@x.example"], priority=1)
                     for i in range(30)])
        self.deliver(0)
        self.assertEqual(len(server.messages), 30)


class Libcurl(Both, MailCase):
    library = "libcurl"


class TokenServer(ThreadingHTTPServer):
    def __init__(self, status=200, answer=None):
        self.forms = []
        self.status, self.answer = status, answer or {"access_token": "T0ken-" + "x" * 3000}
        super().__init__(("127.0.0.1", 0), TokenHandler)
        self.url = f"http://127.0.0.1:{self.server_port}/token"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()


class TokenHandler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.forms.append(dict(urllib.parse.parse_qsl(body.decode())))
        answer = json.dumps(self.server.answer).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class Auto(MailCase):
    """What libesmtp cannot do goes by libcurl, unasked."""

    def test_implicit_tls(self):
        server = self.serve(GoodSmtp(certificate=ca.good, implicit=True, user=USER,
                                     password=PASSWORD))
        self.configure_server(server, "tls", ca.ca, PASSWORD)
        self.queue(facts())
        self.deliver(0)
        self.assertEqual(server.messages[0]["content"], self.kept_mail())
        self.assertEqual(server.names, ["localhost"])

    def test_implicit_tls_with_a_wrong_certificate(self):
        server = self.serve(GoodSmtp(certificate=ca.wrong, implicit=True, user=USER,
                                     password=PASSWORD))
        self.configure_server(server, "tls", ca.ca, PASSWORD)
        self.queue(facts())
        self.deliver(1)
        self.assertEqual((server.messages, server.logins), ([], []))
        self.assertEqual(self.recipient()["stage"], "TLS")

    def test_a_long_password(self):
        password = "p" * 300
        server = self.serve(GoodSmtp(certificate=ca.good, user=USER, password=password))
        self.configure_server(server, "starttls", ca.ca, password)
        self.queue(facts())
        self.deliver(0)
        self.assertEqual(len(server.messages), 1)

    def oauth(self, tokens, **more):
        server = self.serve(GoodSmtp(certificate=ca.good, user=USER,
                                     token=tokens.answer.get("access_token")))
        self.configure_server(server, "starttls", ca.ca, username=USER, oauth2={
            "token_url": tokens.url, "client_id": "the-client", "client_secret": "cl1ent-secret&",
            "scope": "https://outlook.office365.com/.default", **more})
        self.queue(facts())
        return server

    def test_xoauth2_by_client_credentials(self):
        tokens = self.serve(TokenServer())
        server = self.oauth(tokens)
        self.deliver(0)
        self.assertEqual(server.logins, [("XOAUTH2", True)])
        self.assertEqual(tokens.forms, [{
            "grant_type": "client_credentials", "client_id": "the-client",
            "client_secret": "cl1ent-secret&", "scope": "https://outlook.office365.com/.default"}])
        self.assert_no_secret("cl1ent-secret&", tokens.answer["access_token"])

    def test_xoauth2_by_refresh_token(self):
        tokens = self.serve(TokenServer())
        self.oauth(tokens, refresh_token="r3fresh-token")
        self.deliver(0)
        self.assertEqual(tokens.forms[0]["grant_type"], "refresh_token")
        self.assertEqual(tokens.forms[0]["refresh_token"], "r3fresh-token")
        self.assert_no_secret("r3fresh-token")

    def test_no_token_is_a_failure_of_the_server_as_a_whole(self):
        tokens = self.serve(TokenServer(401, {"error": "invalid_client",
                                              "error_description": "secret expired"}))
        server = self.oauth(tokens)
        self.deliver(1)
        self.assertEqual(server.logins, [])
        self.assertEqual(self.recipient()["stage"], "AUTH")
        self.assertIn("401 invalid_client secret expired", self.recipient()["reply"])
        self.assertTrue(self.backs_off())


class Directory(MailCase):
    def test_a_file_for_each_notice(self):
        spool = os.path.join(self.folder, "spool")
        self.configure(directory=spool)
        self.queue(facts(to=["one@x.example", "two@x.example"]), facts("N2", incident="I2"))
        self.deliver(0)
        names = sorted(os.listdir(spool))
        self.assertEqual(len(names), 2)
        self.assertTrue(all(name.endswith(".eml") for name in names))
        path = os.path.join(spool, names[0])
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        with open(path, "rb") as file:
            content = file.read()
        self.assertEqual(content, self.kept_mail())
        parsed = email.message_from_bytes(content, policy=email.policy.default)
        self.assertEqual([a.addr_spec for a in parsed["To"].addresses],
                         ["one@x.example", "two@x.example"])

    def test_no_notice_takes_anothers_file(self):
        spool = os.path.join(self.folder, "spool")
        contact = "c" * 230
        self.configure(directory=spool)
        self.queue(facts(contact=contact), facts("N2", incident="I2", contact=contact))
        self.deliver(0)
        self.assertEqual(len(os.listdir(spool)), 2)

    def test_a_directory_that_cannot_be_written_is_tried_again(self):
        spool = os.path.join(self.folder, "spool")
        self.configure(directory=spool)
        self.queue(facts())
        with open(spool, "w"):
            pass
        self.deliver(1)
        self.assertIn(spool, self.recipient()["reply"])
        os.remove(spool)
        self.make_due()
        self.deliver(0)
        self.assertEqual(len(os.listdir(spool)), 1)


class Settings(MailCase):
    def test_no_encryption_is_for_loopback_only(self):
        self.configure(server="mail.example:25", security="none")
        done = self.erpwatch("mail-test", "acme")
        self.assertEqual(done.returncode, 3)
        self.assertIn("loopback", done.stderr)

    def test_times_are_read(self):
        self.configure(directory=os.path.join(self.folder, "spool"))
        self.assertEqual(self.erpwatch("deliver", "--timeout", "soon").returncode, 3)
        self.assertEqual(self.erpwatch("mail-test", "--timeout", "5", "acme").returncode, 3)


if __name__ == "__main__":
    unittest.main()
