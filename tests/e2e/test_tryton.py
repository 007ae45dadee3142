#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A real ERP: Tryton. Its answers are HTTP 200 whatever happens; sessions; what
can be undone is undone, and the database says so."""
import json
import sqlite3
import sys
import unittest

from harness import Case, ROOT, decisive, wait_for

sys.path.insert(0, f"{ROOT}/tests/servers")
import tryton  # noqa: E402

CONFIG = """
agent: {{store: {folder}/erpwatch.db}}
mail: {{directory: {folder}/mail, from: "Monitor <alerts@agency.example>", fallback: agency}}
contacts:
  agency:  {{name: Agency, email: ops@agency.example}}
  partner: {{name: Partner, email: support@partner.example, style: technical}}
systems:
  tryton:
    url: http://127.0.0.1:{port}/erp/
    timeout: 30s
    headers: {{Content-Type: application/json}}
    act: {{client: agency, erp-partner: partner, integrator: agency, hosting: agency}}
    auth:
      session:
        login:
          post: ''
          json: {{id: 0, method: common.db.login, params: [{user}, {{password: '${{env:TRYTON_PASSWORD}}'}}, en]}}
          expect: {{status: 200, json: {{'$.result[1]': {{type: string}}}}}}
          capture: {{user: {{json: '$.result[0]'}}, session: {{json: '$.result[1]'}}}}
          set: {{credentials: '{user}:{{{{user}}}}:{{{{session}}}}'}}
        headers: {{Authorization: 'Session {{{{credentials | base64}}}}'}}
        expired: {{status: 401}}
        logout: {{post: '', json: {{id: 9, method: common.db.logout, params: []}}}}
flows:
  orders:
    system: tryton
    every: 1h
    timeout: 2m
    priority: P1
    notify: [erp-partner]
    confirm: {{runs: 1}}
    vars: {{company: {company}, term: {term}, product: {product}, unit: {unit}}}
    steps:
      - step: create customer
        post: ''
        json:
          id: 1
          method: model.party.party.create
          params:
            - - {{name: 'erpwatch {{{{mark}}}}', addresses: [[create, [{{street: 1 Probe Street}}]]]}}
            - {{company: '{{{{company}}}}'}}
        expect: {{json: {{'$.result[0]': {{type: integer}}}}}}
        capture: {{party: {{json: '$.result[0]'}}}}
        lookup:
          post: ''
          json: {{id: 2, method: model.party.party.search_read,
                 params: [[[name, '=', 'erpwatch {{{{mark}}}}']], 0, 10, null, [name], {{company: '{{{{company}}}}'}}]}}
          mark: {{json: '$.result[*].name'}}
          capture: {{party: {{json: '$.result[*].id'}}}}
        undo:
          post: ''
          json: {{id: 3, method: model.party.party.delete, params: [['{{{{party}}}}'], {{company: '{{{{company}}}}'}}]}}
          else:
            post: ''
            json: {{id: 4, method: model.party.party.write,
                   params: [['{{{{party}}}}'], {{active: false}}, {{company: '{{{{company}}}}'}}]}}
      - step: read customer
        post: ''
        json: {{id: 5, method: model.party.party.read, params: [['{{{{party}}}}'], [name, addresses], {{company: '{{{{company}}}}'}}]}}
        expect: {{json: {{'$.result[0].name': 'erpwatch {{{{mark}}}}'}}}}
        capture: {{address: {{json: '$.result[0].addresses[0]'}}}}
      - step: create order
        post: ''
        json:
          id: 6
          method: model.sale.sale.create
          params:
            - - party: '{{{{party}}}}'
                invoice_address: '{{{{address}}}}'
                shipment_address: '{{{{address}}}}'
                payment_term: '{{{{term}}}}'
                reference: '{{{{mark}}}}'
                lines: [[create, [{{type: line, product: '{{{{product}}}}', quantity: 2, unit: '{{{{unit}}}}',
                                   unit_price: {{__class__: Decimal, decimal: '{price}'}}, description: A service}}]]]
            - {{company: '{{{{company}}}}'}}
        capture: {{sale: {{json: '$.result[0]'}}}}
        lookup:
          post: ''
          json: {{id: 2, method: model.sale.sale.search_read,
                 params: [[[reference, '=', '{{{{mark}}}}']], 0, 10, null, [reference], {{company: '{{{{company}}}}'}}]}}
          mark: {{json: '$.result[*].reference'}}
          capture: {{sale: {{json: '$.result[*].id'}}}}
        undo:
          post: ''
          json: {{id: 7, method: model.sale.sale.delete, params: [['{{{{sale}}}}'], {{company: '{{{{company}}}}'}}]}}
          else:
            post: ''
            json: {{id: 8, method: model.sale.sale.write, params: [['{{{{sale}}}}'], {{comment: a probe}}, {{company: '{{{{company}}}}'}}]}}
      - step: quote
        post: ''
        json: {{id: 10, method: model.sale.sale.quote, params: [['{{{{sale}}}}'], {{company: '{{{{company}}}}'}}]}}
        undo: {{none: the order is deleted as a whole}}
"""
CONFIRM = """
      - step: confirm
        post: ''
        json: {id: 11, method: model.sale.sale.confirm, params: [['{{sale}}'], {company: '{{company}}'}]}
        undo: {none: "a confirmed order stays: its invoice is cancelled"}
      - step: the order is processed
        post: ''
        json: {id: 12, method: model.sale.sale.read, params: [['{{sale}}'], [state, invoices, total_amount], {company: '{{company}}'}]}
        until: {every: 200ms, for: 20s}
        expect: {json: {'$.result[0].state': processing, '$.result[0].total_amount.decimal': 60}}
        capture: {invoice: {json: '$.result[0].invoices[0]'}}
        undo:
          post: ''
          json: {id: 13, method: model.account.invoice.cancel, params: [['{{invoice}}'], {company: '{{company}}'}]}
      - step: read the invoice's state
        post: ''
        json: {id: 14, method: model.account.invoice.read, params: [['{{invoice}}'], [state, total_amount], {company: '{{company}}'}]}
        expect: {json: {'$.result[0].state': {one_of: [draft, posted, paid]}}}
        undo: {none: a read}
"""


class Tryton(Case):
    @classmethod
    def setUpClass(cls):
        cls.ids = tryton.prepare()

    def start(self, **options):
        self.trytond, self.port = tryton.start(self.folder, **options)
        self.processes.append(self.trytond)

    def configure(self, confirm=False, user="flow", price="30.00", password=tryton.PASSWORD):
        self.environment["TRYTON_PASSWORD"] = password
        text = CONFIG.format(folder=self.folder, port=self.port, user=user, price=price, **self.ids)
        self.write("erpwatch.yaml", text + (CONFIRM if confirm else ""))

    def rows(self, query):
        with sqlite3.connect(self.path("erp.sqlite")) as database:
            return database.execute(query).fetchall()

    def probe_records(self):
        parties = self.rows("SELECT name, active FROM party_party WHERE name LIKE 'erpwatch %'")
        return parties, self.rows("SELECT state FROM sale_sale")

    def test_an_order_up_to_the_quotation_leaves_nothing(self):
        self.start()
        self.configure()
        flow = self.check(code=0)["flows"][0]
        self.assertEqual([s["state"] for s in flow["steps"]], ["ok"] * 4)
        self.assertEqual([u["state"] for u in flow["undo"]], ["paid", "paid"])
        self.assertEqual(self.probe_records(), ([], []))
        self.assert_no_secret([tryton.PASSWORD])

    def test_a_confirmed_order_is_undone_as_far_as_can_be(self):
        self.start()
        self.configure(confirm=True)
        flow = self.check(code=0)["flows"][0]
        self.assertEqual([s["state"] for s in flow["steps"]], ["ok"] * 7)
        self.assertEqual({u["state"] for u in flow["undo"]}, {"paid"})
        parties, _ = self.probe_records()
        self.assertEqual([active for _, active in parties], [0], "in use, so deactivated")
        self.assertEqual(self.rows("SELECT state FROM account_invoice"), [("cancelled",)])

    def test_a_wrong_password_is_the_logins_failure(self):
        self.start()
        self.configure(password="not-the-password")
        flow = self.check("--notify", code=2)["flows"][0]
        self.assertEqual(flow["steps"][0]["step"], "log in")
        verdict = flow["steps"][0]["verdict"]
        self.assertEqual(verdict["cause"], "auth")
        self.assertEqual({s["state"] for s in flow["steps"][1:]}, {"skipped"})
        mail, = self.read_mails()
        self.assertEqual(mail["To"], "Partner <support@partner.example>")
        self.assert_no_secret(["not-the-password"])

    def test_validation_is_told_in_the_erps_words(self):
        self.start()
        self.configure(price="1.123456789")
        flow = self.check(code=2)["flows"][0]
        verdict = decisive(flow)["verdict"]
        self.assertEqual((verdict["class"], verdict["cause"], verdict["code"]),
                         ("error_code", "validation", "UserError"))
        self.assertIn("exceeds the limit", verdict["message"])
        self.assertEqual(self.probe_records(), ([], []))

    def test_access_denied(self):
        self.start()
        self.configure(user="nobody")
        verdict = decisive(self.check(code=2)["flows"][0])["verdict"]
        self.assertEqual((verdict["class"], verdict["cause"]), ("error_code", "permission"))
        self.assertIn("not allowed", verdict["message"])

    def test_an_expired_session_is_asked_for_again(self):
        """The session ends behind our back; the step logs in again, once, and goes on."""
        self.start()
        self.configure()
        text = self.log("erpwatch.yaml")
        end = """
      - step: somebody ends the session
        post: ''
        json: {id: 20, method: common.db.logout, params: []}
        undo: {none: a logout}
      - step: the order is still there
        post: ''
        json: {id: 21, method: model.sale.sale.read, params: [['{{sale}}'], [state], {company: '{{company}}'}]}
        expect: {json: {'$.result[0].state': quotation}}
        undo: {none: a read}
"""
        self.write("erpwatch.yaml", text + end)
        flow = self.check("-v", code=0)["flows"][0]
        last = flow["steps"][-1]
        self.assertEqual([e["status"] for e in last["exchanges"]], [401, 200])
        self.assertEqual(self.probe_records(), ([], []))

    def test_the_server_is_stopped(self):
        self.start()
        self.configure()
        self.trytond.terminate()
        self.trytond.wait()
        flow = self.check(code=2)["flows"][0]
        verdict = flow["steps"][0]["verdict"]
        self.assertEqual((verdict["class"], verdict["phase"]), ("unreachable", "connect"))

    def test_a_killed_server_owes_nothing_that_can_be_found(self):
        """The ERP dies between a created order and its undo; once it is back the debt is paid."""
        self.start()
        self.configure()
        text = self.log("erpwatch.yaml")
        slow = text.replace("every: 1h", "every: 1h\n    off: driven by the test")
        self.write("erpwatch.yaml", slow)
        process = self.start_program("check", "orders", "--format", "json", log="check.log")
        wait_for(lambda: self.rows("SELECT id FROM party_party WHERE name LIKE 'erpwatch %'"), "the customer")
        self.trytond.kill()
        self.trytond.wait()
        self.assertIn(process.wait(90), (1, 2))
        undo = json.loads(self.log("check.log").splitlines()[-1])["flows"][0]["undo"]
        self.assertIn("owed", [u["state"] for u in undo])


if __name__ == "__main__":
    unittest.main()
