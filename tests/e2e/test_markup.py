#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""XML, SOAP and pages in flows: what is sent, what is selected from any encoding,
and hostile bodies, each with its verdict, none with a connection of its own."""
import base64
import socket
import unittest
import xml.etree.ElementTree as ElementTree

from flow_case import FlowCase
from harness import decisive

SOAP = {"1.1": "http://schemas.xmlsoap.org/soap/envelope/", "1.2": "http://www.w3.org/2003/05/soap-envelope"}
ITEM = "urn:erp:item"
SYSTEM = "    namespaces: {s: 'http://schemas.xmlsoap.org/soap/envelope/', i: 'urn:erp:item'}"
ANSWER = ("<?xml version='1.0'?><x:Envelope xmlns:x='{soap}'><x:Body><Created xmlns='urn:erp:item'>"
          "<No>000123</No><Price>12.10</Price><Name>{name}</Name></Created></x:Body></x:Envelope>")
BOMB = ("<!DOCTYPE r [<!ENTITY a 'aaaaaaaaaa'>" +
        "".join(f"<!ENTITY {n} '{10 * f'&{p};'}'>" for p, n in zip("abcdefgh", "bcdefghi")) + "]><r>&i;</r>")
XML = {"Content-Type": "text/xml"}
READ = """
- step: read
  get: /a
  expect: {{xml: {{"{path}": {checks}}}}}
"""


def raw(data, content_type="text/xml"):
    return {"base64": base64.b64encode(data).decode(), "headers": {"Content-Type": content_type}}


class Markup(FlowCase):
    def read_one(self, answer, path="/r", checks="caf\u00e9", code=0):
        self.script({"GET /api/a": answer})
        self.flow(READ.format(path=path, checks=checks), SYSTEM)
        return self.run_flow(code)

    def refused(self, answer, words, path="/r", code=2):
        """The verdict of a body that is not to be read."""
        verdict = decisive(self.read_one(answer, path, "{exists: true}", code))["verdict"]
        self.assertIn(words, verdict["failed_expectation"] or verdict["message"], verdict)
        return verdict

    def soap_flow(self, version, action):
        self.script({"POST /api/ws": {"headers": XML, "body": ANSWER.format(soap=SOAP[version], name="a&amp;b")},
                     "DELETE /api/items/000123": {"status": 204}})
        self.flow(f"""
- step: create
  post: /ws
  namespaces: {{s: '{SOAP[version]}'}}
  soap:
    version: {version}
    action: {action}
    header: <Key xmlns="urn:erp:item">k</Key>
    body: <Create xmlns="urn:erp:item"><Name b="{{{{mark}}}}">{{{{mark}}}} &amp; co</Name></Create>
  expect:
    status: 200
    xml: {{/s:Envelope/s:Body/i:Created/i:Price: 12.1, //i:No: '000123', count(//i:No): 1, //s:Fault: {{exists: false}}}}
  capture: {{no: {{xml: //i:No}}, name: {{xml: //c:Name, namespaces: {{c: '{ITEM}'}}}}}}
  undo: {{delete: '/items/{{{{no}}}}'}}
- step: send back
  post: /ws
  xml: "<Read no='{{{{no}}}}'>{{{{name}}}}</Read>"
  expect: {{from: {{name: {{body: 'a&b'}}}}}}
  undo: {{none: reads}}
""", SYSTEM)
        flow = self.run_flow(0)
        self.assertEqual([u["state"] for u in flow["undo"]], ["paid"])
        return flow, self.requests_in_full()

    def test_soap(self):
        for version, action in (("1.1", "urn:erp:item:Create"), ("1.2", "urn:erp:item:Create")):
            flow, sent = self.soap_flow(version, action)
            headers = {k.lower(): v for k, v in sent[0]["headers"]}
            envelope = ElementTree.fromstring(sent[0]["body"])
            name = envelope.find(f"{{{SOAP[version]}}}Body/{{{ITEM}}}Create/{{{ITEM}}}Name")
            self.assertIsNotNone(envelope.find(f"{{{SOAP[version]}}}Header/{{{ITEM}}}Key"))
            self.assertEqual(name.text, name.get("b") + " & co")
            self.assertIn(flow["run"], name.text)
            old = version == "1.1"
            self.assertEqual(headers.get("soapaction"), f'"{action}"' if old else None)
            self.assertEqual(headers["content-type"], "text/xml; charset=utf-8" if old else
                             f'application/soap+xml; charset=utf-8; action="{action}"')
            again = ElementTree.fromstring(sent[1]["body"])
            self.assertEqual((again.get("no"), again.text), ("000123", "a&b"))
            self.assertEqual({k.lower(): v for k, v in sent[1]["headers"]}["content-type"],
                             "application/xml; charset=utf-8")
            self.assertEqual(sent[2]["path"], "/api/items/000123")

    def test_fault(self):
        fault = ("<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body><s:Fault><faultcode>s:Client"
                 "</faultcode><faultstring>The item 1896-S is blocked.</faultstring></s:Fault></s:Body></s:Envelope>")
        verdict = decisive(self.read_one({"status": 500, "headers": XML, "body": fault}, "//i:No", 1, 2))["verdict"]
        self.assertEqual((verdict["class"], verdict["message"]), ("error_code", "The item 1896-S is blocked."))

    def test_page(self):
        page = ("<html><form action='/cart'><input name=cxml-base64 value='PGE+MTwvYT4='><br>"
                "<a href='next?a=1&amp;b=2'>on</a></form>")
        self.script({"GET /api/a": {"headers": {"Content-Type": "text/html"}, "body": page},
                     "GET /api/next": {"body": {"ok": True}}})
        self.flow("""
- step: page
  get: /a
  expect: {html: {"//form[@action='/cart']//input": {count: 1}}}
  capture:
    cart: {html: "//input[@name='cxml-base64']/@value", decode: base64, then: {xml: /a}}
    next: {html: //a/@href, as: url}
- step: on
  get: '{{next}}'
  expect: {from: {cart: {body: '1'}}}
""")
        self.run_flow(0)
        self.assertEqual(self.requests()[1], "GET /api/next?a=1&b=2")

    def test_a_page_where_xml_was_due(self):
        verdict = self.refused({"headers": {"Content-Type": "text/html"}, "body":
                                "<html><head><title>Down for maintenance</title></head><body><br>Sorry</body></html>"},
                               "it is not XML: line 1: Opening and ending tag mismatch")
        self.assertEqual(verdict["class"], "cryptic")

    def test_a_capture_from_what_is_no_xml(self):
        self.script({"GET /api/a": {"headers": XML, "body": "<r><no>1</no>"}})
        self.flow("\n- step: read\n  get: /a\n  capture: {no: {xml: //no}}\n")
        verdict = decisive(self.run_flow(2))["verdict"]
        self.assertEqual(verdict["class"], "cryptic")
        self.assertIn("capture no: //no selected nothing: it is not XML: line 1: ", verdict["failed_expectation"])

    def test_encodings(self):
        text = "<r>caf\u00e9</r>"
        declared = "<?xml version='1.0' encoding='{}'?>" + text
        for answer in (raw(b"\xef\xbb\xbf" + text.encode()), raw(b"\n\r\n " + declared.format("utf-8").encode()),
                       raw(b"\n\xef\xbb\xbf" + declared.format("utf-8").encode()), raw(text.encode("utf-16")),
                       raw(b"\xfe\xff" + declared.format("utf-16").encode("utf-16-be")),
                       raw(declared.format("iso-8859-1").encode("latin-1")),
                       raw(declared.format("windows-1252").encode("cp1252")),
                       raw(declared.format("utf-16").encode()), raw(declared.format("UTF-16LE").encode()),
                       raw(declared.format("utf-8").encode("latin-1"), "text/xml; charset=iso-8859-1"),
                       raw(declared.format("iso-8859-1").encode(), "text/xml; charset=utf-8"),
                       raw(declared.format("us-ascii").encode()), raw(declared.format("nonsense").encode())):
            with self.subTest(body=base64.b64decode(answer["base64"])):
                self.read_one(answer)

    def test_entities(self):
        with socket.create_server(("127.0.0.1", 0)) as trap:
            port = trap.getsockname()[1]
            own = "declares entities or elements of its own, which are never read"
            for target in ("file:///etc/hostname", f"http://127.0.0.1:{port}/x", f"ftp://127.0.0.1:{port}/x"):
                body = f"<!DOCTYPE r [<!ENTITY e SYSTEM '{target}'>]><r>&e;</r>"
                self.refused({"headers": XML, "body": body}, own)
                self.read_one({"headers": XML, "body": f"<!DOCTYPE r SYSTEM '{target}'><r>caf\u00e9&e;</r>"})
                page = f"<!DOCTYPE html SYSTEM '{target}'><link rel=stylesheet href='{target}'><p>1<iframe src='{target}'>"
                self.script({"GET /api/a": {"body": page, "headers": {"Content-Type": "text/html"}}})
                self.flow("\n- step: read\n  get: /a\n  expect: {html: {//p: '1'}}\n")
                self.run_flow(0)
            parameter = f"<!DOCTYPE r [<!ENTITY % p SYSTEM 'http://127.0.0.1:{port}/'> %p;]><r/>"
            self.refused({"headers": XML, "body": parameter}, own)
            self.refused({"headers": XML, "body": BOMB}, own)
            trap.settimeout(0.2)
            with self.assertRaises(TimeoutError):  # nobody has come
                trap.accept()

    def test_endless(self):
        deep = self.refused({"headers": XML, "body": "<a>" * (4 * 1024 * 1024 // 3)}, "nested more than 256 elements deep")
        self.assertEqual(deep["class"], "cryptic")
        wide = "<r " + " ".join(f"a{n}=''" for n in range(300000)) + "/>"
        self.refused({"headers": XML, "body": wide}, "a tag has more than 1000 attributes")
        many = {"headers": XML, "body": "<r>" + "<x><a>1</a></x>" * 270000 + "</r>"}
        flow = self.read_one(many, "//x/following-sibling::x[1]", "{exists: true}", 3)
        self.assertIn("the XPath takes too much work on this document", flow["steps"][0]["verdict"]["message"])
        self.assertEqual((flow["state"], flow["steps"][0]["state"]), ("unknown", "unknown"))
        self.read_one(many, "count(//a)", "270000")

    def test_values_in_xpaths(self):
        hostile = "x' or '1'='1"
        self.script({"GET /api/a": {"body": {"id": hostile, "plain": "b"}}, "GET /api/b": {"headers": XML, "body":
                     "<r><i id='b'>1</i><i id=\"x' or '1'='1\">2</i></r>"}})
        self.flow("""
- step: ids
  get: /a
  capture: {id: {json: $.id}, plain: {json: $.plain}}
- step: read
  get: /b
  expect:
    xml:
      "//i[@id='{{id}}']": '2'
      '//i[@id={{id}}]': '2'
      "//i[@id='{{plain}}']": '1'
""")
        self.run_flow(0)


if __name__ == "__main__":
    unittest.main()
