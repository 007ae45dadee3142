#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A supplier's shop that is punched out to, by cXML and by OCI, and that misbehaves
as real ones do. PUT /_shop {"setup": …, "start": …, "cart": …, "oci": …, "down": status} chooses how;
GET /_log gives every request that came. The port is the first word on stdout.

It knows one buyer (DUNS 123456789, secret demo-secret-1; OCI user shop, password
demo-secret-1) and one article, 1896-S. A StartPage works once, and a browser that
still has a session of an earlier punchout is refused."""
import base64
import hmac
import html
import http.server
import json
import time
import urllib.parse
import xml.etree.ElementTree as tree

SECRET = "demo-secret-1"
UNKNOWN = "Login name is not available"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
DOCTYPE = '<!DOCTYPE cXML SYSTEM "http://xml.cxml.org/schemas/cXML/1.2.014/cXML.dtd">\n'
PAGE = "<!DOCTYPE html><html><head><title>{title}</title></head><body>{body}</body></html>"
CATALOG = PAGE.format(title="Shop", body='<ul id="catalog-menu"><li>Bolts &amp; nuts</li></ul><p>No errors here</p>')
LOGIN = PAGE.format(title="Log in", body='<form action="/login" method="post"><input name="user">'
                                         '<input type="password" name="password"></form>')
PAGES = {
    "login": LOGIN,
    "expired": PAGE.format(title="Shop", body="<p>Your session has expired.</p>"),
    "error": PAGE.format(title="Shop", body="<h1>Something went wrong</h1><p>Try again later</p>"),
    "empty page": "",
    "other page": PAGE.format(title="Welcome", body="<p>Buy our bolts</p>"),
}

log, how, sessions = [], {}, {}


def cxml(body, head=DECLARATION + DOCTYPE, lang=' xml:lang="en-US"'):
    stamp = f"{time.time():.6f}.1@shop.example"
    return (f'{head}<cXML payloadID="{stamp}" timestamp="2026-11-21T10:00:00+01:00"{lang}>{body}</cXML>')


def status(code, text, words=""):
    return f'<Response><Status code="{code}" text="{html.escape(text)}">{html.escape(words)}</Status></Response>'


def started(url):
    return (f'<Response><Status code="200" text="OK"/><PunchOutSetupResponse><StartPage><URL>{html.escape(url)}'
            '</URL></StartPage></PunchOutSetupResponse></Response>')


def text_of(element, path, default=""):
    found = element.find(path)
    return (found.text or "").strip() if found is not None else default


def item_in(session, mode):
    price = {"price text": "ten", "price comma": "12,50", "price zero": "0.00", "price other": "13.75"}.get(mode, "12.50")
    currency = "USD" if mode == "currency" else "EUR"
    unit = "" if mode == "no unit" else f"<UnitOfMeasure>{'BX' if mode == 'unit other' else 'EA'}</UnitOfMeasure>"
    unspsc = {"unspsc": "3116", "no unspsc": ""}.get(mode, "31161500")
    part = "9999-X" if mode == "other item" else session["item"]
    classification = f'<Classification domain="UNSPSC">{unspsc}</Classification>' if unspsc else ""
    return (f'<ItemIn quantity="{session["quantity"]}"><ItemID><SupplierPartID>{part}</SupplierPartID>'
            "<SupplierPartAuxiliaryID>cart-1</SupplierPartAuxiliaryID></ItemID><ItemDetail><UnitPrice>"
            f'<Money currency="{currency}">{price}</Money></UnitPrice><Description xml:lang="en">Bolt "M8" &amp; nut'
            f"</Description>{unit}{classification}</ItemDetail></ItemIn>")


def cart_message(session, mode):
    """The PunchOutOrderMessage of a session."""
    cookie = "cookie-of-yesterday" if mode == "other session" else session["cookie"]
    items = "" if mode == "empty cart" else item_in(session, mode)
    total = "99.00" if mode == "total" else f"{float(session['quantity']) * 12.5:.2f}"
    secret = f"<SharedSecret>{SECRET}</SharedSecret>" if mode == "leak" else ""
    credential = '<Credential domain="DUNS"><Identity>987654321</Identity>{}</Credential>'
    return cxml(f"<Header><From>{credential.format('')}</From><To>{credential.format('')}</To><Sender>"
                f"{credential.format(secret)}<UserAgent>Shop 1</UserAgent></Sender></Header><Message>"
                f'<PunchOutOrderMessage><BuyerCookie>{html.escape(cookie)}</BuyerCookie><PunchOutOrderMessageHeader'
                f' operationAllowed="create"><Total><Money currency="EUR">{total}</Money></Total>'
                f"</PunchOutOrderMessageHeader>{items}</PunchOutOrderMessage></Message>")


def cart_form(session, mode):
    """The page whose form a browser would send to the buyer."""
    message = cart_message(session, mode)
    action = "https://other.example/return" if mode == "action" else session["return"]
    name, value = "cxml-urlencoded", html.escape(message)
    if mode in ("base64", "base64 case"):
        name = "cxml-base64" if mode == "base64" else "cXML-base64"
        value = base64.b64encode(message.encode()).decode()
    elif mode == "base64 broken":
        name, value = "cxml-base64", "&&& not base64 &&&"
    elif mode == "base64 latin1":
        latin = message.replace("UTF-8", "ISO-8859-1").replace("Bolt", "Bölt").encode("latin-1")
        name, value = "cxml-base64", base64.b64encode(latin).decode()
    elif mode == "urlencoded case":
        name = "cXML-urlencoded"
    elif mode == "percent":
        value = html.escape(urllib.parse.quote(message))
    elif mode == "double":
        value = html.escape(value)
    elif mode == "not escaped":
        value = message.replace('"', "&quot;").replace("&amp;", "&").replace("<", "&lt;").replace("nut", "&amp; nut")
    if mode == "no form":
        return PAGE.format(title="Cart", body="<p>Your cart</p>")
    return PAGE.format(title="Cart", body=f'<form method="POST" action="{html.escape(action)}"><input type="hidden" '
                                          f'name="{name}" value="{value}"><input type="submit"></form>')


OCI_ITEM = {"DESCRIPTION": 'Bolt "M8" & nut', "VENDORMAT": "1896-S", "QUANTITY": "1", "UNIT": "PCE", "PRICE": "12.50",
            "CURRENCY": "EUR", "PRICEUNIT": "1", "MATGROUP": "31161500"}
OCI_CHANGES = {"price comma": {"PRICE": "12,50"}, "price text": {"PRICE": "on request"}, "price zero": {"PRICE": "0"},
               "price other": {"PRICE": "13.75"}, "currency": {"CURRENCY": "USD"}, "no unit": {"UNIT": None},
               "unit other": {"UNIT": "ST"}, "other item": {"VENDORMAT": "9999-X"}, "priceunit": {"PRICEUNIT": "100"},
               "quantity": {"QUANTITY": "0"}, "no description": {"DESCRIPTION": ""}}


def oci_form(action, items, first):
    fields = "".join(f'<input type="hidden" name="NEW_ITEM-{key}[{first + n}]" value="{html.escape(value)}">'
                     for n, item in enumerate(items) for key, value in item.items() if value is not None)
    return PAGE.format(title="Back", body=f'<form method="post" action="{html.escape(action)}" name="oci">{fields}'
                                          "</form><script>document.oci.submit()</script>")


class Shop(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    @property
    def base(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, body, code=200, kind="text/html; charset=utf-8", **headers):
        data = body if isinstance(body, bytes) else body.encode()
        self.send_response(code)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def answer_cxml(self, body, **options):
        self.answer(cxml(body, **options), kind="text/xml; charset=UTF-8")

    def session(self):
        """The session that this browser has, or None."""
        cookies = dict(c.strip().split("=", 1) for c in self.headers.get("Cookie", "").split(";") if "=" in c)
        return sessions.get(cookies.get("session"))

    # cXML

    def refuse(self, document):
        """What is wrong with who asks, as an answer; None where nothing is."""
        sender = document.find("Header/Sender/Credential")
        identity, secret = text_of(sender, "Identity"), text_of(sender, "SharedSecret")
        if identity != "123456789":
            return status(401, "Unauthorized", UNKNOWN)
        if how.get("mac"):
            return self.refuse_mac(document, sender)
        if secret != SECRET:
            return status(401, "Unauthorized", "The shared secret is wrong")
        return None

    @staticmethod
    def refuse_mac(document, sender):
        """Likewise for a shop that takes no shared secret."""
        mac = sender.find("CredentialMac")
        if mac is None:
            return status(401, "Unauthorized", "A CredentialMac is due")
        buyer = document.find("Header/From/Credential")
        names = [part.lower() for one in (buyer, sender) for part in (one.get("domain"), text_of(one, "Identity"))]
        signed = b"".join(text.encode() + b"\0" for text in names + [mac.get("creationDate"), mac.get("expirationDate")])
        good = base64.b64encode(hmac.digest(SECRET.encode(), signed, "sha1")[:12]).decode()
        return None if mac.text == good else status(401, "Unauthorized", "The CredentialMac is wrong")

    def open_session(self, setup):
        key = f"{time.time_ns()}"
        item = setup.find("ItemOut")
        sessions[key] = {"cookie": text_of(setup, "BuyerCookie"), "return": text_of(setup, "BrowserFormPost/URL"),
                         "operation": setup.get("operation"), "used": False,
                         "item": text_of(item, "ItemID/SupplierPartID") if item is not None else "1896-S",
                         "quantity": item.get("quantity") if item is not None else "1"}
        return f"{self.base}/start?key={key}&lang=en"

    def take_setup(self, body):
        mode = how.get("setup", "")
        try:
            document = tree.fromstring(body)
        except tree.ParseError:
            return self.answer_cxml(status(406, "Not Acceptable", "the document cannot be parsed"))
        if document.find("Request/ProfileRequest") is not None:
            if mode.startswith("status:"):
                return self.misbehave(mode, "")
            return self.answer_cxml('<Response><Status code="200" text="OK"/><ProfileResponse effectiveDate='
                                    '"2026-01-01T00:00:00+00:00"><Transaction requestName="PunchOutSetupRequest">'
                                    f"<URL>{self.base}/cxml</URL></Transaction></ProfileResponse></Response>")
        setup = document.find("Request/PunchOutSetupRequest")
        if setup is None:
            return self.answer_cxml(status(450, "Not Implemented"))
        refusal = self.refuse(document)
        if refusal:
            return self.answer_cxml(refusal)
        return self.misbehave(mode, self.open_session(setup))

    def misbehave(self, mode, url):
        kind, _, rest = mode.partition(":")
        urls = {"relative": "/start?key=1", "javascript": "javascript:alert(1)", "file": "file:///etc/passwd",
                "gopher": "gopher://127.0.0.1:70/x", "elsewhere": "https://shop.elsewhere.example/start?key=1",
                "port 22": "http://127.0.0.1:22/", "no url": "",
                "other host": url.replace("127.0.0.1", "localhost")}
        heads = {"bom": "\ufeff" + DECLARATION, "newline": "\n" + DECLARATION, "no declaration": "",
                 "subset": DECLARATION + '<!DOCTYPE cXML [<!ENTITY x "boom">]>\n'}
        if kind == "status":
            code, text, *words = rest.split(":")
            self.answer_cxml(status(code, text, words[0] if words else "The shop says why"))
        elif kind == "http":
            self.answer("<html><body><h1>Bad Gateway</h1></body></html>", int(rest))
        elif kind == "html":
            self.answer(CATALOG)
        elif kind == "login":
            self.answer(LOGIN)
        elif kind == "no status":
            self.answer_cxml("<Response/>")
        elif kind == "other root":
            self.answer("<error>nothing here</error>", kind="text/xml")
        elif kind == "no start":
            self.answer_cxml(status(200, "OK"))
        elif kind == "broken":
            self.answer(cxml(started(url))[:-30], kind="text/xml")
        elif kind == "latin1":
            body = cxml(started(url).replace("/>", ">Ça va</Status>", 1), head=DECLARATION.replace("UTF-8", "ISO-8859-1"))
            self.answer(body.encode("latin-1"), kind="text/xml")
        elif kind == "redirect":
            self.answer("", 301, Location=f"{self.base}/cxml/")
        elif kind == "slow":
            time.sleep(float(rest))
            self.answer_cxml(started(url))
        elif kind in heads:
            self.answer(cxml(started(url), head=heads[kind]), kind="text/xml; charset=UTF-8")
        else:
            self.answer_cxml(started(urls.get(kind, url)))

    def start(self, query):
        mode, key = how.get("start", ""), query.get("key", [""])[0]
        session = sessions.get(key)
        if mode in PAGES:
            return self.answer(PAGES[mode])
        if mode == "500":
            return self.answer(PAGES["error"], 500)
        if self.session():
            return self.answer(PAGE.format(title="Shop", body="<p>Another session is open in this browser</p>"))
        if not session or session["used"]:
            return self.answer(PAGES["expired"])
        if "text/html" not in self.headers.get("Accept", "") or "Mozilla" not in self.headers.get("User-Agent", ""):
            return self.answer(PAGE.format(title="Shop", body="<p>Robots are not welcome</p>"), 403)
        session["used"] = True
        target = {"redirect away": "http://127.0.0.1:22/", "cart": "/transfer"}.get(mode, "/catalog")
        return self.answer("", 302, Location=target, Set_Cookie=f"session={key}; Path=/; HttpOnly")

    # OCI

    def oci(self, given):
        given = {name.upper(): values[0] for name, values in given.items()}
        mode, hook = how.get("oci", ""), given.get("HOOK_URL", "")
        if (given.get("USERNAME"), given.get("PASSWORD")) != ("shop", SECRET):
            return self.answer(PAGE.format(title="Shop", body="<p>Login failed</p>"))
        if mode in PAGES:
            return self.answer(PAGES[mode])
        if mode == "500":
            return self.answer(PAGES["error"], 500)
        if mode == "no functions" or "FUNCTION" not in given:
            key = f"{time.time_ns()}"
            sessions[key] = {}
            return self.answer("", 302, Location="/catalog", Set_Cookie=f"session={key}; Path=/")
        return self.oci_function(given, mode, hook)

    def oci_function(self, given, mode, hook):
        item = {**OCI_ITEM, **OCI_CHANGES.get(mode, {})}
        function, first = given["FUNCTION"].upper(), 0 if mode == "from zero" else 1
        action = "https://other.example/return" if mode == "action" else hook
        if function == "DETAIL":
            found = given.get("PRODUCTID") == "1896-S" and mode != "no product"
            self.answer(PAGE.format(title="Shop", body=f"<h1>{'Bolt M8' if found else 'Not found'}</h1>"))
        elif function == "VALIDATE":
            item["QUANTITY"] = item["QUANTITY"] if mode == "quantity" else given.get("QUANTITY", "1")
            self.answer(oci_form(action, [] if mode == "empty cart" else [item], first))
        elif function == "BACKGROUND_SEARCH":
            hits = 0 if mode == "no hits" or given.get("SEARCHSTRING") != "bolt" else 3
            self.answer(oci_form(action, [item] * hits, first))
        else:
            self.answer(CATALOG)

    # Every request

    def handle_one(self):
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query, keep_blank_values=True)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if url.path == "/_log":
            return self.answer(json.dumps(log), kind="application/json")
        if url.path == "/_shop":
            how.clear()
            how.update(json.loads(body))
            return self.answer("")
        log.append({"method": self.command, "path": url.path, "query": url.query, "headers": dict(self.headers.items()),
                    "body": body.decode("utf-8", "replace")})
        if "down" in how:
            return self.answer(PAGES["error"], how["down"])
        if url.path == "/cxml" and self.command == "POST":
            return self.take_setup(body)
        if url.path == "/start":
            return self.start(query)
        if url.path == "/catalog":
            return self.answer(CATALOG if self.session() is not None else LOGIN)
        if url.path == "/transfer":
            session = self.session()
            return self.answer(cart_form(session, how.get("cart", "")) if session else LOGIN)
        if url.path == "/oci":
            return self.oci(urllib.parse.parse_qs(body.decode(), keep_blank_values=True) if body else query)
        return self.answer(PAGES["other page"], 200 if url.path == "/hook" else 404)

    do_GET = do_POST = do_PUT = do_HEAD = handle_one


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
