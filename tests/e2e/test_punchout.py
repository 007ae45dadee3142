#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Punchout against a shop that speaks cXML and OCI: whole sessions that are good,
and each way in which shops misbehave, with the verdict that it gets. Whatever
happens, no form is sent, a StartPage is opened once, no payloadID comes twice and
nothing is ordered; what is sent is valid cXML."""
import collections
import json
import os
import re
import subprocess
import unittest
import urllib.request

from harness import Case, ROOT, SECRETS, decisive

CONFIGURATION = """
agent: {{store: {folder}/erpwatch.db}}
mail: {{directory: {folder}/mail, from: "Monitor <alerts@agency.example>", fallback: agency}}
contacts: {{agency: {{name: Agency, email: ops@agency.example}}}}
systems:
  cxml:
    pack: punchout-cxml
    timeout: 30s
    act: {{erp-partner: agency, client: agency, integrator: agency, hosting: agency}}
    with:
      url: http://127.0.0.1:{port}/cxml
      from_identity: '{identity}'
      to_identity: '987654321'
      shared_secret: '${{env:SHOP_SECRET}}'
      item: 1896-S
      quantity: 2
      marker: catalog-menu
      browser_form_post: http://127.0.0.1:{port}/hook
      transfer: '{transfer}'
      extrinsics: {{UserEmail: 'a&b@buyer.example', CostCenter: '0012'}}
{cxml}
  oci:
    pack: punchout-oci
    timeout: 30s
    act: {{erp-partner: agency, client: agency, integrator: agency, hosting: agency}}
    with:
      url: http://127.0.0.1:{port}/oci
      username: shop
      password: '${{env:SHOP_SECRET}}'
      item: 1896-S
      hook_url: http://127.0.0.1:{port}/hook?a=1&b=2
      marker: catalog-menu
      detail: Bolt M8
      search: bolt
      hits: 3
      extra: {{~TARGET: _top}}
{oci}
flows:
  setup: {{use: setup, system: cxml}}
  cart: {{use: cart, system: cxml}}
  inspect: {{use: inspect, system: cxml}}
  profile: {{use: profile, system: cxml}}
  health: {{use: health, system: cxml}}
  oci-health: {{use: health, system: oci}}
  oci-login: {{use: login, system: oci}}
  oci-validate: {{use: validate, system: oci}}
  oci-detail: {{use: detail, system: oci}}
  oci-search: {{use: search, system: oci}}
"""
EXPECTED = "      currency: EUR\n      price: 12.50\n      unit: {unit}\n"


class Punchout(Case):
    def setUp(self):
        super().setUp()
        self.shop = self.server("/usr/bin/python3", f"{ROOT}/tests/servers/punchout_shop.py")
        self.environment["SHOP_SECRET"] = SECRETS[0]
        self.configure()

    def tearDown(self):
        self.assert_harmless()
        self.assert_no_secret()

    def configure(self, **options):
        values = {"folder": self.folder, "port": self.shop.port, "identity": "123456789", "cxml": EXPECTED.format(unit="EA"),
                  "oci": EXPECTED.format(unit="PCE"), "transfer": f"http://127.0.0.1:{self.shop.port}/transfer", **options}
        self.write("erpwatch.yaml", CONFIGURATION.format(**values))

    def ask(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.shop.port}{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request) as answer:
            return answer.read()

    def behave(self, **how):
        self.ask("PUT", "/_shop", how)

    def requests(self):
        return json.loads(self.ask("GET", "/_log"))

    def assert_harmless(self):
        requests = self.requests()
        self.assertFalse([r for r in requests if r["path"] == "/hook"], "the form was sent")
        self.assertFalse([r for r in requests if "OrderRequest" in r["body"]])
        started = collections.Counter(r["query"] for r in requests if r["path"] == "/start" and "key=1&" not in r["query"])
        self.assertFalse([query for query, times in started.items() if times > 1], "a StartPage was opened twice")
        ids = [re.search('payloadID="([^"]+)"', r["body"]).group(1) for r in requests if "payloadID" in r["body"]]
        self.assertEqual(len(ids), len(set(ids)))

    def flow(self, name, code=0):
        return self.check(name, code=code)["flows"][0]

    def judge(self, flow, step, state, cause, words):
        """The verdict of a flow that fails in `step`: class, cause, and words of its sentence."""
        failed = decisive(self.flow(flow, code=2))
        verdict = failed["verdict"]
        said = " ".join(str(verdict[key]) for key in ("message", "failed_expectation") if verdict[key])
        self.assertEqual((failed["step"], verdict["class"], verdict["cause"]), (step, state, cause), verdict)
        self.assertRegex(said, words)
        self.assertNotIn(SECRETS[0], json.dumps(failed))
        return verdict

    # Health

    def test_health(self):
        for name, paths in (("health", ["/cxml", "/cxml"]), ("oci-health", ["/oci"])):
            before = len(self.requests())
            self.flow(name)
            self.assertEqual([r["path"] for r in self.requests()[before:]], paths)
            self.behave(down=502)
            self.judge(name, "the address answers", "cryptic", "unavailable", "below 500: was 502")
            self.behave()
        self.behave(setup="status:450:Not Implemented")
        verdict = self.judge("health", "ask for the profile", "error_code", "contract", "The shop says why")
        self.assertEqual(verdict["code"], "450")
        self.configure(cxml="      profile: false\n")
        self.flow("health")

    # Whole punchouts

    def test_cxml(self):
        for name, operation, paths in (("setup", "create", ["/cxml", "/start", "/catalog"]),
                                       ("inspect", "inspect", ["/cxml", "/start", "/catalog"]),
                                       ("cart", "edit", ["/cxml", "/start", "/catalog", "/transfer"]),
                                       ("profile", None, ["/cxml"])):
            before = len(self.requests())
            flow = self.flow(name)
            self.assertEqual([step["state"] for step in flow["steps"]], ["ok"] * len(flow["steps"]))
            requests = self.requests()[before:]
            self.assertEqual([r["path"] for r in requests], paths)
            self.assertEqual(requests[0]["headers"]["Content-Type"], "text/xml; charset=UTF-8")
            self.assertNotIn("Cookie", requests[0]["headers"])
            body = requests[0]["body"]
            self.assert_valid(body)
            if operation:
                self.assertIn(f'<PunchOutSetupRequest operation="{operation}">', body)
                self.assertRegex(body, r'payloadID="\d{14}\.\w{12}\.\w{8}@\S+" timestamp="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d"')
                self.assertRegex(body, r"<BuyerCookie>\w{32}</BuyerCookie>")
                self.assertIn('<Extrinsic name="UserEmail">a&amp;b@buyer.example</Extrinsic>'
                              '<Extrinsic name="CostCenter">0012</Extrinsic>', body)
                self.assertEqual(body.count('<ItemOut quantity="2"><ItemID><SupplierPartID>1896-S</SupplierPartID></ItemID>'),
                                 0 if operation == "create" else 1)
            for request in requests[1:]:
                self.assertIn("text/html", request["headers"]["Accept"])
                self.assertIn("Mozilla", request["headers"]["User-Agent"])

    def assert_valid(self, body):
        """libxml2's own validation, against the content models of cXML."""
        path = self.write("request.xml", body)
        done = subprocess.run(["xmllint", "--nonet", "--noout", "--dtdvalid", f"{ROOT}/tests/servers/cXML-1.2.dtd", path],
                              capture_output=True, text=True, check=False)
        os.unlink(path)
        self.assertEqual(done.returncode, 0, done.stderr + body)

    def test_credential_mac(self):
        """A shop that wants a CredentialMac gets that, and the secret itself stays at home."""
        self.behave(mac=True)
        self.judge("setup", "open a session", "error_code", "auth", "CredentialMac is due")
        self.configure(cxml=EXPECTED.format(unit="EA") + "      credential_mac: true\n")
        for name in ("setup", "cart", "profile"):
            self.flow(name)
        for request in [r for r in self.requests() if "credential" in r["body"].lower()][1:]:
            self.assert_valid(request["body"])
            self.assertNotIn(SECRETS[0], request["body"])
        self.environment["SHOP_SECRET"] = "demo-secret-2"
        self.judge("setup", "open a session", "error_code", "auth", "CredentialMac is wrong")

    def test_dtd_refuses(self):
        """The DTD is worth something: what is known to be invalid is refused."""
        self.flow("setup")
        body = self.requests()[0]["body"]
        for pattern, other in ((r"<UserAgent>.*</UserAgent>", ""), (r"<BuyerCookie>.*</BuyerCookie>", ""),
                               (r' operation="create"', ""), (r' timestamp="[^"]*"', ""),
                               (r"(<Extrinsic.*</Extrinsic>)(\s*)(<BrowserFormPost>.*</BrowserFormPost>)", r"\3\2\1")):
            changed = re.sub(pattern, other, body)
            self.assertNotEqual(changed, body)
            with self.assertRaises(AssertionError):
                self.assert_valid(changed)

    def test_oci(self):
        for method in ("POST", "GET"):
            self.configure(oci=EXPECTED.format(unit="PCE") + f"      method: {method}\n      price_unit: 1\n")
            for name in ("oci-login", "oci-validate", "oci-detail", "oci-search"):
                before = len(self.requests())
                flow = self.flow(name)
                states = {step["state"] for step in flow["steps"]}
                self.assertEqual(states, {"ok", "skipped"})
                first = self.requests()[before]
                self.assertEqual((first["method"], first["path"]), (method, "/oci"))
                sent = first["body"] if method == "POST" else first["query"]
                self.assertIn("TARGET=_top", sent)
                self.assertIn("HOOK_URL=http", sent)
                self.assertNotIn("_top", first["query"] if method == "POST" else first["body"])

    def test_secret_in_url(self):
        """By GET the password is a part of the URL: nothing shows it, not even on failure."""
        self.behave(oci="expired")
        self.configure(oci="      method: GET\n")
        for arguments in (("check", "oci-login", "-v"), ("check", "oci-login", "--format", "json"),
                          ("check", "oci-login", "--notify"), ("check", "oci-login", "--notify"),
                          ("check", "oci-login", "--format", "junit"), ("incidents",), ("history", "oci-login")):
            done = self.run_program(*arguments)
            self.assertNotIn(SECRETS[0], done.stdout + done.stderr)
        self.assertTrue(self.mail_files())
        self.assertIn(SECRETS[0], self.requests()[0]["query"])

    def test_oci_meanings(self):
        """What shops write where something is wrong, in the languages of buyers."""
        for status, text, cause, act in (
                ("500", "FUNCTION parameter is wrong: SOURCING", "contract", "integrator"),
                ("403", "Login failed: unknown user", "auth", "client"),
                ("403", "Anmeldung fehlgeschlagen", "auth", "client"), ("403", "Mot de passe incorrect", "auth", "client"),
                ("403", "Inloggen mislukt: wachtwoord onjuist", "auth", "client"), ("403", "Contraseña incorrecta", "auth", "client"),
                ("403", "Ihre Sitzung ist abgelaufen", "auth", "client"), ("400", "The HOOK_URL is not allowed", "contract", "integrator"),
                ("400", "Article 4711 not found", "not_found", "client"), ("400", "Artikel 4711 nicht gefunden", "not_found", "client")):
            done = self.run_program("explain", "--pack", "punchout-oci", "--status", status, input=text)
            verdict = json.loads(done.stdout)
            self.assertEqual((verdict["cause"], verdict["act"], verdict["pack"]), (cause, act, "punchout-oci"), text)

    # cXML: the setup

    def test_setup_refused(self):
        self.environment["SHOP_SECRET"] = "another-secret"
        verdict = self.judge("setup", "open a session", "error_code", "auth", "shared secret is wrong")
        self.assertEqual(verdict["code"], "401")
        self.environment["SHOP_SECRET"] = SECRETS[0]
        self.configure(identity="000000000")
        verdict = self.judge("setup", "open a session", "error_code", "auth", "Login name is not available")
        self.assertEqual(verdict["code"], "401")

    def test_setup_status(self):
        for code, text, cause in (("400", "Bad Request", "validation"), ("403", "Forbidden", "permission"),
                                  ("406", "Not Acceptable", "contract"), ("450", "Not Implemented", None),
                                  ("500", "Internal Server Error", "server_fault"),
                                  ("550", "Unable to reach cXML server", None), ("560", "Temporary server error", "unavailable")):
            self.behave(setup=f"status:{code}:{text}")
            failed = decisive(self.flow("setup", code=2))
            verdict = failed["verdict"]
            self.assertEqual((failed["step"], failed["status"], verdict["class"], verdict["code"]),
                             ("open a session", 200, "error_code", code), verdict)
            self.assertIn("The shop says why", verdict["message"])
            if cause:
                self.assertEqual(verdict["cause"], cause, verdict)

    def test_setup_meanings(self):
        """What the codes and the shops' own words mean, and who can mend it."""
        for answer, cause, act, says in (
                ("401:Unauthorized:Identity unknown", "auth", "client", "does not recognise who calls"),
                ("400:Bad Request:Unknown user in UserEmail", "auth", "client", "the user or customer"),
                ("403:Forbidden:Punchout is not enabled", "permission", "client", "not enabled"),
                ("406:Not Acceptable:Could not parse cXML document", "contract", "integrator", "cannot read the request"),
                ("500:Internal Server Error:PO 12 has already been processed", "conflict", "integrator", "had this document|has had"),
                ("417:Expectation Failed:Invalid document reference", "not_found", "client", "does not have"),
                ("450:Not Implemented:operation edit", "contract", "integrator", "does not implement"),
                ("475:Signature Required:", "auth", "integrator", "digital signature"),
                ("551:Unable to forward request:", "unavailable", "erp-partner", "hub"),
                ("560:Temporary server error:", "unavailable", "erp-partner", "out of service"),
                ("500:Internal Server Error:The session has expired", "not_found", "integrator", "has ended at the shop")):
            with self.subTest(answer):
                self.behave(setup="status:" + answer)
                verdict = decisive(self.flow("setup", code=2))["verdict"]
                self.assertEqual((verdict["class"], verdict["code"]), ("error_code", answer[:3]), verdict)
                self.assertEqual((verdict["cause"], verdict["act"]), (cause, act), verdict)
                self.assertRegex(verdict["explanation"], says)
                self.assertEqual(verdict["pack"], "punchout-cxml")
                self.assertEqual(set(verdict["languages"]), {"nl", "fr", "de"})

    def test_setup_answers(self):
        """What is no answer of cXML, or lacks what it has to have."""
        status, start = r"Status/@code equals", r"StartPage/URL matches"
        for mode, state, cause, words in (
                ("http:502", "cryptic", "unavailable", "Bad Gateway"),
                ("html", "cryptic", "contract", status),
                ("login", "cryptic", "auth", status),
                ("no status", "cryptic", "contract", status + r".*selected nothing"),
                ("other root", None, None, "nothing here"),
                ("no start", "unexpected", "contract", start + r".*selected nothing"),
                ("no url", "unexpected", "contract", start),
                ("relative", "unexpected", "contract", start + r".*was /start"),
                ("javascript", "unexpected", "contract", start + r".*was javascript:"),
                ("file", "unexpected", "contract", start + r".*was file:"),
                ("gopher", "unexpected", "contract", start + r".*was gopher:"),
                ("broken", None, None, "not XML|XML"),
                ("subset", None, None, "XML|DOCTYPE|subset"),
                ("redirect", "unexpected", "contract", "status equals 200: was 301|status is 2xx: was 301")):
            with self.subTest(mode):
                self.behave(setup=mode)
                if state:
                    self.judge("setup", "open a session", state, cause, words)
                else:
                    failed = decisive(self.flow("setup", code=2))
                    said = json.dumps(failed["verdict"])
                    self.assertEqual(failed["step"], "open a session")
                    self.assertRegex(said, words)

    def test_setup_survived(self):
        """Encodings that shops send and buyers take."""
        for mode in ("bom", "newline", "no declaration", "latin1"):
            with self.subTest(mode):
                self.behave(setup=mode)
                self.flow("setup")

    def test_setup_slow(self):
        self.behave(setup="slow:120")
        self.configure(cxml="", transfer="")
        text = self.configuration().replace("timeout: 30s", "timeout: 3s")
        self.write("erpwatch.yaml", text)
        verdict = self.judge("setup", "open a session", "timeout", "network", "within 3 ?s")
        self.assertEqual(verdict["phase"], "first_byte")

    def configuration(self):
        with open(self.path("erpwatch.yaml"), encoding="utf-8") as file:
            return file.read()

    # cXML: the catalog

    def test_start_elsewhere(self):
        """No request goes to a host that the configuration does not name."""
        for mode, words in (("elsewhere", "shop.elsewhere.example"), ("port 22", "127.0.0.1:22")):
            self.behave(setup=mode)
            before = len(self.requests())
            failed = decisive(self.flow("setup", code=2))
            self.assertEqual(failed["step"], "open the catalog")
            self.assertIn(words, failed["verdict"]["message"])
            self.assertEqual([r["path"] for r in self.requests()[before:]], ["/cxml"])

    def test_start_at_allowed_host(self):
        """A catalog at another host that the system allows is opened there."""
        self.behave(setup="other host")
        failed = decisive(self.flow("setup", code=2))
        self.assertEqual(failed["step"], "open the catalog")
        self.assertIn("localhost", failed["verdict"]["message"])
        self.configure(cxml=f"    allow_hosts: localhost:{self.shop.port}\n")
        self.flow("cart", code=2)  # its cookies belong to that host: the cart is elsewhere
        self.configure(cxml=f"    allow_hosts: localhost:{self.shop.port}\n",
                       transfer=f"http://localhost:{self.shop.port}/transfer")
        self.flow("cart")

    def test_start_page(self):
        for mode, state, cause, words in (
                ("expired", "unexpected", "contract", "was session has expired"),
                ("login", "cryptic", "auth", 'type="password'),
                ("error", "unexpected", "contract", "was Something went wrong"),
                ("other page", "unexpected", "contract", "contains catalog-menu"),
                ("empty page", None, None, "contains catalog-menu|body"),
                ("500", "cryptic", "unavailable", "status equals 200: was 500")):
            with self.subTest(mode):
                self.behave(start=mode)
                if state:
                    self.judge("setup", "open the catalog", state, cause, words)
                else:
                    failed = decisive(self.flow("setup", code=2))
                    self.assertEqual(failed["step"], "open the catalog")
                    self.assertRegex(json.dumps(failed["verdict"]), words)

    def test_start_redirect_away(self):
        self.behave(start="redirect away")
        failed = decisive(self.flow("setup", code=2))
        self.assertEqual(failed["step"], "open the catalog")
        self.assertIn("302", json.dumps(failed["verdict"]) + str(failed["status"]))

    def test_second_session(self):
        """A browser that has a session is refused, so each run has cookies of its own."""
        for _ in range(2):
            self.flow("cart")
        for request in self.requests():
            if request["path"] == "/start":
                self.assertNotIn("Cookie", request["headers"])

    # cXML: the cart

    def test_cart_good(self):
        for mode in ("base64", "base64 case", "urlencoded case", "percent", "base64 latin1"):
            with self.subTest(mode):
                self.behave(cart=mode)
                self.flow("cart")

    def test_cart_at_once(self):
        """A shop whose StartPage itself returns the cart."""
        self.behave(start="cart")
        self.configure(transfer="")
        states = [step["state"] for step in self.flow("cart")["steps"]]
        self.assertEqual(states, ["ok", "skipped", "ok"])
        self.assertEqual([r["path"] for r in self.requests()], ["/cxml", "/start", "/transfer"])

    def test_no_orders(self):
        """A flow that would order is refused before anything is sent."""
        text = self.configuration()
        self.write("erpwatch.yaml", text + """  order:
    system: cxml
    steps: [{step: order, post: '', text: '<cXML><OrderRequest/></cXML>', undo: {none: there is none}}]
""")
        done = self.run_program("check", "order")
        self.assertEqual(done.returncode, 3)
        self.assertIn("the pack punchout-cxml never makes this call: an OrderRequest is a real order", done.stderr)

    def test_cart_bad(self):
        for mode, words in (
                ("other session", r"BuyerCookie from cart equals \w{32}: was cookie-of-yesterday"),
                ("empty cart", r"//ItemIn from cart count at_least 1: selected 0"),
                ("other item", r"SupplierPartID from cart any 1896-S: was 9999-X"),
                ("currency", r"Money/@currency from cart equals EUR: was USD"),
                ("price text", r"UnitPrice/Money from cart above 0: was ten"),
                ("price comma", r"UnitPrice/Money from cart above 0: was 12,50"),
                ("price zero", r"UnitPrice/Money from cart above 0: was \"?0.00"),
                ("price other", r"UnitPrice/Money from cart equals 12.50: was \"?13.75"),
                ("no unit", r"UnitOfMeasure\)\)\]/ItemID/SupplierPartID from cart exists false: was 1896-S"),
                ("unit other", r"UnitOfMeasure from cart equals EA: was BX"),
                ("unspsc", r"UNSPSC'\] from cart matches \^\[0-9\]\{8\}\$: was \"?3116"),
                ("no unspsc", r"UNSPSC'\] from cart matches .*: selected nothing"),
                ("leak", r"//SharedSecret from cart exists false: was "),
                ("total", r"Total/Money.* from cart exists false: was \"?99.00"),
                ("action", r"@action equals http://127\.0\.0\.1:\d+/hook: was https://other\.example/return"),
                ("no form", r"@action equals http://127\.0\.0\.1:\d+/hook: selected nothing"),
                ("double", r"from cart .*XML"),
                ("not escaped", r"from cart .*XML"),
                ("base64 broken", r"cxml-base64.*@value matches .*: was &&& not base64 &&&")):
            with self.subTest(mode):
                self.behave(cart=mode)
                self.judge("cart", "get the cart back", "unexpected", "contract", words)

    def test_cart_without_expectations(self):
        """What is not given is not expected."""
        self.configure(cxml="      classified: false\n")
        for mode in ("price other", "unit other", "no unspsc"):
            self.behave(cart=mode)
            if mode == "price other":
                continue  # the total no longer is that of its article
            self.flow("cart")

    # OCI

    def test_oci_bad(self):
        price, step = r"NEW_ITEM-PRICE\[.*", "ask for the price"
        for mode, words in (
                ("price comma", price + "above 0: was 12,50"), ("price text", price + "above 0: was on request"),
                ("price zero", price + 'above 0: was "?0'), ("price other", price + 'equals 12.50: was "?13.75'),
                ("currency", r"CURRENCY\[.* equals EUR: was USD"), ("no unit", r"UNIT\[.* selected nothing"),
                ("unit other", r"UNIT\[.* equals PCE: was ST"), ("other item", r"VENDORMAT\[.* any 1896-S: was 9999-X"),
                ("priceunit", r'PRICEUNIT\[.* equals 1: was "?100'), ("quantity", r'QUANTITY\[.* above 0: was "?0'),
                ("no description", r"DESCRIPTION\[.* empty false: was"),
                ("action", r"@action equals .*/hook\?a=1&b=2: was https://other\.example/return"),
                ("empty cart", r"selected nothing"), ("no functions", r"selected nothing")):
            with self.subTest(mode):
                self.configure(oci=EXPECTED.format(unit="PCE") + "      price_unit: 1\n")
                self.behave(oci=mode)
                self.judge("oci-validate", step, "unexpected", "contract", words)

    def test_oci_pages(self):
        for mode, state, cause, words in (("expired", "unexpected", "contract", "was session has expired"),
                                          ("login", "cryptic", "auth", 'type="password'),
                                          ("error", "unexpected", "contract", "was Something went wrong"),
                                          ("other page", "unexpected", "contract", "contains catalog-menu"),
                                          ("500", "cryptic", "unavailable", "status equals 200: was 500")):
            with self.subTest(mode):
                self.behave(oci=mode)
                self.judge("oci-login", "log in", state, cause, words)
        self.behave(oci="no hits")
        self.judge("oci-search", "search", "unexpected", "contract", r'count at_least "?3"?: selected 0')
        self.behave(oci="no product")
        self.judge("oci-detail", "open the article", "unexpected", "contract", "contains Bolt M8")
        self.behave(oci="from zero")
        self.flow("oci-validate")
        self.behave()
        self.environment["SHOP_SECRET"] = "another-secret"
        self.judge("oci-login", "log in", "unexpected", "contract", "was Login failed")


if __name__ == "__main__":
    unittest.main()
