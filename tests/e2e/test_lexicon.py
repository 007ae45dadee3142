#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A pack of the user's own that knows what its system's answers mean: in check, the
mail, incident and explain; and its mistakes, with their places."""
import json
import unittest

from flow_case import FlowCase
from harness import decisive, wait_for

PACK = """pack: {title: Our ERP}
flows:
  order:
    title: Submit an order
    steps: [{step: submit, post: /orders, json: {mark: '{{mark}}'}, expect: {status: 200}, undo: {none: it is refused}}]
envelopes:
  - at: outcome.trouble
    when: {level: error}
    failure: true
    code: [kind/number]
    message: [detail]
    ids: {ticket: 'ticket ([0-9]+)'}
    noise: ['^Error: ', ' [(]ticket [0-9]+[)]']
lexicon:
  - message: used up
    cause: locked
    act: hosting
    says: {en: Wrong., nl: Fout., fr: Faux., de: Falsch.}
    next: {en: Wrong., nl: Fout., fr: Faux., de: Falsch.}
    source: nowhere
  - code: Series/.*
    message: used up|aufgebraucht
    cause: validation
    act: erp-partner
    says: {en: The number series of the orders is used up., nl: De nummerreeks van de orders is op., fr: La souche est pleine., de: Die Nummernserie ist voll.}
    next: {en: Add a line to the series ORD., nl: Voeg een regel toe aan de reeks ORD., fr: Ajoutez une ligne., de: Neue Zeile anlegen.}
    source: the manual, page 12
"""
REFUSED = {"outcome": {"trouble": {"level": "Error", "kind": "Series", "number": 7,
                                   "detail": "Error: ORD is used up (ticket 4711)"}}}
CONFIG = """
agent: {{store: {folder}/erpwatch.db}}
mail: {{directory: {folder}/mail, from: "Monitor <alerts@agency.example>", fallback: agency}}
contacts:
  agency: {{name: Agency, email: ops@agency.example, language: nl}}
systems:
  erp: {{pack: ours, url: 'http://127.0.0.1:{port}/api', act: {{erp-partner: agency, client: agency, integrator: agency, hosting: agency}}}}
flows:
  orders: {{use: order, system: erp, every: 2s, priority: P1, notify: [client], confirm: {{runs: 1}}, group: 0s}}
"""


class Lexicon(FlowCase):
    def setUp(self):
        super().setUp()
        self.write("packs/ours.yaml", PACK)
        self.write("erpwatch.yaml", CONFIG.format(folder=self.folder, port=self.http.port))
        self.script({"POST /api/orders": {"status": 200, "body": REFUSED}})

    def test_check(self):
        verdict = decisive(self.run_flow(2))["verdict"]
        self.assertEqual([verdict[k] for k in ("class", "cause", "code", "message", "act", "source", "pack")],
                         ["error_code", "validation", "Series/7", "ORD is used up", "erp-partner", "the manual, page 12", "ours"])
        self.assertEqual(verdict["explanation"], "The number series of the orders is used up.")
        self.assertEqual(verdict["next"], "Add a line to the series ORD.")
        self.assertEqual(verdict["languages"]["de"], {"explanation": "Die Nummernserie ist voll.", "next": "Neue Zeile anlegen."})
        self.assertEqual(verdict["correlation"]["ticket"], "4711")
        text = self.run_program("check").stdout
        self.assertIn("The number series of the orders is used up.", text)
        self.assertIn("what to do: Add a line to the series ORD.", text)

    def test_mail_and_incident(self):
        agent = self.start_program("run")
        wait_for(self.mail_files, "a mail")
        self.stop(agent)
        mail = self.read_mails()[0]
        for kind in ("plain", "html"):
            body = " ".join(mail.get_body((kind,)).get_content().split())
            self.assertIn("De nummerreeks van de orders is op.", body)
            self.assertIn("Wat te doen", body)
            self.assertIn("Voeg een regel toe aan de reeks ORD.", body)
            self.assertNotIn("Add a line", body)
        incident = self.statuses()["incidents"][0]["incident"]
        self.assertIn("what to do: Add a line to the series ORD.", self.run_program("incident", incident).stdout)
        kept = json.loads(self.run_program("incident", incident, "--format", "json").stdout)
        self.assertEqual(decisive(kept["evidence"])["verdict"]["languages"]["fr"]["next"], "Ajoutez une ligne.")

    def explain(self, *arguments, body=REFUSED):
        done = self.run_program("explain", *arguments, input=json.dumps(body))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(done.stdout)

    def test_explain(self):
        known = self.explain("--status", "200", "--pack", "ours")
        self.assertEqual((known["code"], known["pack"]), ("Series/7", "ours"))
        self.assertEqual(self.explain("--status", "200")["class"], "ok")
        done = self.run_program("explain", "--pack", "our", input="{}")
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertIn("there is no pack our: did you mean ours?", done.stderr)

    def test_explain_headers(self):
        header = 'WWW-Authenticate: Bearer error="invalid_token", error_description="The token expired"'
        verdict = self.explain("--status", "401", "--header", header, "--header", "x-request-id: 77", body={})
        self.assertEqual((verdict["code"], verdict["message"]), ("invalid_token", "The token expired"))
        self.assertEqual(verdict["correlation"]["x-request-id"], "77")
        done = self.run_program("explain", "--header", "nothing", input="{}")
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertIn("--header wants a name and a value", done.stderr)

    def test_good_answers_stay_good(self):
        self.script({"POST /api/orders": {"status": 200, "body": {"text": "ORD is used up", "outcome": {}}}})
        self.assertEqual(self.run_flow(0)["state"], "ok")

    def test_mistakes(self):
        for wrong, right, problem in (("code: Series/.*", "code: Series/(", '21:11: error: "code": the pattern is wrong'),
                                      ("cause: validation", "cause: validaton", '23:12: error: "cause" has to be one of'),
                                      ("act: erp-partner", "act: partner", '24:10: error: "act" has to be one of'),
                                      ("says: {en: The", "says: {english: The", '25:12: error: unknown key "english"'),
                                      ("  - message: used up", "  - mesage: used up", '15:5: error: unknown key "mesage": did you mean "message"?')):
            self.write("packs/ours.yaml", PACK.replace(wrong, right, 1))
            done = self.run_program("validate")
            self.assertEqual(done.returncode, 3, done.stdout)
            self.assertIn("packs/ours.yaml:" + problem, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
