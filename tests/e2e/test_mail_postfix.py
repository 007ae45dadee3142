#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""erpwatch deliver against a real Postfix: STARTTLS with TLS 1.3, PIPELINING and
CHUNKING, refused recipients, the size limit. Both mail clients."""
import email
import email.policy
import unittest

from mail_case import Authority, MailCase, facts
import postfix

SIZE = 90000
ca = server = None


def setUpModule():
    global ca, server
    if not postfix.is_possible():
        raise unittest.SkipTest("a private Postfix needs root")
    ca = Authority()
    unittest.addModuleCleanup(ca.close)
    server = postfix.Postfix(ca.good, size=SIZE)
    unittest.addModuleCleanup(server.close)


class Both:
    def serve_postfix(self):
        server.forget_mails()
        self.configure_server(server, "starttls", ca.ca)
        return server

    def test_mails_arrive_whole(self):
        server = self.serve_postfix()
        self.queue(*[facts(f"N{i:02}", to=[f"r{i}@x.example"], incident=f"I{i}", priority=1)
                     for i in range(20)])
        self.deliver(0)
        mails = server.wait_for_mails(20)
        self.assertEqual(len(mails), 20)
        kept = {bytes(r["mail"]).replace(b"\r\n", b"\n")
                for r in self.rows("SELECT mail FROM outbox_notice")}
        ids = {m["Message-ID"] for m in map(email.message_from_bytes, mails)}
        self.assertEqual(len(ids), 20)
        for mail in mails:  # behind the lines that Postfix put in front
            self.assertTrue(any(mail.endswith(k) for k in kept))
        self.assertIn("with ESMTPS", mails[0].split(b"\n\n")[0].decode())

    def test_each_recipient_has_its_own_fate(self):
        server = self.serve_postfix()
        self.queue(facts(to=["gone@x.example", "one@x.example", "busy@x.example"]))
        self.deliver(2)
        self.assertEqual(self.states(), {"gone@x.example": "given_up", "one@x.example": "accepted",
                                         "busy@x.example": "waiting"})
        self.make_due()
        self.deliver(1)
        self.assertEqual(len(server.wait_for_mails(1)), 1)

    def test_all_recipients_refused(self):
        self.serve_postfix()
        self.queue(facts(to=["gone@x.example"]), facts("N2", to=["busy@x.example"], incident="I2"),
                   facts("N3", to=["someone@elsewhere.example"], incident="I3"))
        self.deliver(2)
        self.assertEqual(self.states()["gone@x.example"], "given_up")
        self.assertEqual(self.states()["busy@x.example"], "waiting")
        self.assertFalse(self.backs_off())

    def test_the_size_limit_is_honoured(self):
        server = self.serve_postfix()
        document = facts()
        for step in document["result"]["steps"]:
            for exchange in step["exchanges"]:  # a large attachment
                exchange["response_body"] = "x" * SIZE
        self.queue(document)
        self.deliver(0)
        mail = email.message_from_bytes(server.wait_for_mails(1)[0], policy=email.policy.default)
        self.assertEqual(list(mail.iter_attachments()), [])


class Libesmtp(Both, MailCase):
    library = "libesmtp"


class Libcurl(Both, MailCase):
    library = "libcurl"


if __name__ == "__main__":
    unittest.main()
