#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Doing no harm: keys of idempotency."""
import re
import unittest

from flow_case import FlowCase

ORDER = """
- step: submit
  post: /orders
  json: {name: '{{mark}}'}
  follow: 3
  retry: {times: 3, after: 20ms, on: any}
  idempotency: Idempotency-Key
  expect: {status: 201}
  capture: {order: {json: $.id}}
  undo: {delete: '/orders/{{order}}'}
"""
CREATED = {"status": 201, "body": {"id": "o1"}}


class Idempotency(FlowCase):
    def keys(self, name="Idempotency-Key"):
        """[request, its key or None] in the order of sending."""
        return [[f"{r['method']} {r['path']}", next((v for k, v in r["headers"] if k == name), None)]
                for r in self.requests_in_full()]

    def test_one_key_for_all_repetitions_and_another_for_another_run(self):
        self.flow(ORDER.replace("{delete: '/orders/{{order}}'}", "{none: orders expire}"))
        self.script({"POST /api/orders": [{"status": 500}, {"close": True}, CREATED]})
        self.run_flow(0)
        first = self.keys()
        self.assertEqual([request for request, _ in first], ["POST /api/orders"] * 3)
        self.assertEqual(len({key for _, key in first}), 1)
        self.assertRegex(first[0][1], r"^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
        self.script({"POST /api/orders": CREATED})
        self.run_flow(0)
        self.assertNotEqual(self.keys()[0][1], first[0][1])

    def test_each_step_has_its_own_and_polling_keeps_it(self):
        self.flow("""
- step: one
  post: /jobs
  idempotency: X-Job-Key
  until: {every: 20ms, for: 20s}
  expect: {json: {$.state: done}}
  undo: {none: jobs expire}
- step: two
  put: /jobs/1
  idempotency: X-Job-Key
""")
        self.script({"POST /api/jobs": [{"body": {"state": "new"}}, {"status": 503}, {"body": {"state": "done"}}],
                     "PUT /api/jobs/1": {"status": 204}})
        self.run_flow(0)
        keys = [key for _, key in self.keys("X-Job-Key")]
        self.assertEqual(len(keys), 4)
        self.assertEqual(len(set(keys[:3])), 1)
        self.assertNotIn(keys[3], keys[:3] + [None])

    def test_redirects_that_repeat_the_request_keep_it(self):
        self.flow(ORDER)
        for status, kept in ((307, True), (308, True), (303, False)):
            method = "POST" if kept else "GET"
            self.script({"POST /api/orders": {"status": status, "headers": {"Location": "/api/new"}},
                         f"{method} /api/new": CREATED, "DELETE /api/orders/o1": {"status": 204}})
            self.run_flow(0)
            (_, asked), (request, repeated), (_, undo) = self.keys()
            self.assertIsNone(undo, "an undo has none")
            self.assertEqual(request, f"{method} /api/new")
            self.assertEqual(repeated, asked if kept else None, status)

    def test_the_replay_after_a_new_login_keeps_it(self):
        self.flow(ORDER, system="""    auth:
      session:
        login: {post: /login, json: {}, capture: {token: {json: $.token}}}
        headers: {X-Session: '{{token}}'}
""")
        self.script({"POST /api/login": {"body": {"token": "a-token-of-a-session"}},
                     "POST /api/orders": [{"status": 401}, CREATED], "DELETE /api/orders/o1": {"status": 204}})
        self.run_flow(0)
        sent = [key for request, key in self.keys() if request == "POST /api/orders"]
        self.assertEqual(len(sent), 2)
        self.assertEqual(len(set(sent)), 1)
        self.assertEqual([key for request, key in self.keys() if request == "POST /api/login"], [None, None])

    def test_it_is_shown_in_the_evidence(self):
        self.flow(ORDER)
        self.script({"POST /api/orders": {"status": 400, "body": {"error": {"code": "Bad", "message": "Bad"}}}})
        done = self.run_program("check", "-v", "--no-store")
        key = self.keys()[0][1]
        self.assertTrue(re.search(rf"Idempotency-Key: {key}", done.stdout), done.stdout)


if __name__ == "__main__":
    unittest.main()
