# SPDX-License-Identifier: MIT
"""SAP Business One's Service Layer: a login with two cookies; v1 (OData V3) has numbers for codes and the
text in message.value, v2 (OData V4) has texts for both. A real order can only be cancelled; a draft can be
deleted. The ping is at the root, without login."""
import json

from erp import Session



class Layer(Session):
    """One session for both versions, each with its own shape of failures."""

    version = "v1"

    def log_in(self, erp, request):
        Layer.version = "v2" if request.path.startswith("/b1s/v2/") else "v1"
        request.path = request.path.replace("/b1s/v2/", "/b1s/v1/")
        return super().log_in(erp, request)


OPEN = "/ping/.*"
AUTH = [Layer("POST /b1s/v1/Login", lambda q: q.json == {"CompanyDB": "SBODEMOUS", "UserName": "probe", "Password": "b1-secret-1"},
                lambda session, q: (200, {"SessionId": session, "Version": "1000340", "SessionTimeout": 30},
                                    [("Set-Cookie", f"B1SESSION={session};HttpOnly;"),
                                     ("Set-Cookie", "ROUTEID=.node1; path=/b1s")]),
                lambda q: dict(c.strip().partition("=")[::2] for c in (q.headers.get("Cookie") or "").split(";")
                               if "ROUTEID=.node1" in q.headers.get("Cookie")).get("B1SESSION"),
                logout="POST /b1s/v1/Logout")]
FAILURES = {
    "credentials": (401, -304, "Fail to NONE-SSO login from SLD"),
    "expired": (401, 301, "Invalid session or session already timeout."),
    "missing": (404, -2028, "Entity with value('%s') does not exist"),
    "invalid": (400, -5002, "Item number is missing; specify an item number [DocumentLines.ItemCode][line: 1], '%s'"),
    "locked": (400, -2039, "Another user or another operation modified data; to continue, open the window again"),
}
UNKNOWN = (-2028, "No matching records found")
KNOWN = {"ItemCode": "A00001"}
SEED = {"invoices": [{"key": "1", "DocEntry": 1, "DocNum": 17, "DocumentStatus": "bost_Close", "DocTotal": 12.10,
                      "PaidToDate": 12.10}],
        "partners": [{"key": "C20000", "CardCode": "C20000", "Valid": "tYES", "Frozen": "tNO"}]}


def fail(status, code, text):
    if Layer.version == "v2":
        return {"error": {"code": str(code), "details": [{"code": "", "message": ""}], "message": text}}
    return {"error": {"code": code, "message": {"lang": "en-us", "value": text}}}


def named(request):
    return request.json.get("CardCode") if "CardType" in request.json else None


def document(record):
    return {**record, "DocEntry": int(record["number"]), "DocNum": int(record["number"]), "Cancelled": "tNO"}


def listed(records, request):
    return 200, json.dumps({"value": [document(r) if "DocDueDate" in r else r for r in records]})


CALLS = [
    ("GET /ping/load-balancer", "say", None,
     lambda r, q: (200, {"message": "pong", "sender": "load balancer", "timestamp": "1555998785.080"})),
    ("POST /b1s/v1/CompanyService_GetCompanyInfo", "say", None, lambda r, q: (200, {"CompanyName": "OEC", "Version": 1000340})),
    ("POST /b1s/v1/BusinessPartners", "make", "partners", lambda r, q: (201, r)),
    ("GET /b1s/v1/BusinessPartners", "some", "partners", listed),
    (r"GET /b1s/v1/BusinessPartners\('(?P<key>.+)'\)", "read", "partners", lambda r, q: (200, r)),
    (r"DELETE /b1s/v1/BusinessPartners\('(?P<key>.+)'\)", "drop", "partners", lambda r, q: (204, None)),
    ("POST /b1s/v1/Drafts", "make", "drafts", lambda r, q: (201, document(r))),
    ("GET /b1s/v1/Drafts", "some", "drafts", listed),
    (r"GET /b1s/v1/Drafts\((?P<key>.+)\)", "read", "drafts", lambda r, q: (200, document(r))),
    (r"DELETE /b1s/v1/Drafts\((?P<key>.+)\)", "drop", "drafts", lambda r, q: (204, None)),
    ("POST /b1s/v1/Orders", "make", "orders", lambda r, q: (201, document(r))),
    ("GET /b1s/v1/Orders", "some", "orders", listed),
    (r"GET /b1s/v1/Orders\((?P<key>.+)\)", "read", "orders", lambda r, q: (200, document(r))),
    # a cancelled order stays for ever; for the tests it is away
    (r"POST /b1s/v1/Orders\((?P<key>.+)\)/Cancel", "drop", "orders", lambda r, q: (204, None)),
    ("GET /b1s/v1/Invoices", "some", "invoices", listed),
]

GIVEN = {"url": "{erp}", "company": "SBODEMOUS", "username": "probe", "password": "b1-secret-1",
         "customer_no": "C20000", "item": "A00001"}
WRONG = {"give": {"password": "not-the-secret"}, "step": "log in", "code": "-304"}
INVALID = {"give": {"item": "GONE"}, "code": "-5002", "message": "Item number is missing"}
EXPIRES_AFTER = 1
RUNGS = [("the server answers", "GET /ping/"), ("the company answers", "GET /b1s/v1/BusinessPartners$"),
         ("the customer for test orders is there", r"GET /b1s/v1/BusinessPartners\("), ("orders can be read", "GET /b1s/v1/Orders")]


def both(status, code, text):
    return status, {"error": {"code": code, "message": {"lang": "en-us", "value": text}}}


DRAFT, PARTNER = "POST /b1s/v1/Drafts", "POST /b1s/v1/BusinessPartners"
# (flow, what is answered otherwise, the answer, class, cause, code, words of the message, who acts)
CASES = [
    ("customer", PARTNER, both(400, -10, "1320000140 - Business partner code 'X1' already assigned to a business partner"),
     "error_code", "conflict", "-10", "already assigned", "integrator", {"message number": "1320000140"}),
    ("order", DRAFT, both(404, -2028, "No existen registros coincidentes (ODBC -2028)"),
     "error_code", "not_found", "-2028", "coincidentes", "erp-partner", {"ODBC": "-2028"}),
    ("order", DRAFT, (404, {"error": {"code": "-2028", "details": [{"code": "", "message": ""}],
                                      "message": "Entity with value('7') does not exist"}}),
     "error_code", "not_found", "-2028", "does not exist", "integrator"),
    ("order", DRAFT, both(400, -1116, "(1000) Projekt fehlt"), "error_code", "validation", "-1116", "Projekt fehlt", "erp-partner"),
    ("order", DRAFT, both(400, -4013, "Posting period locked; specify another date [ORDR.DocDate]"),
     "error_code", "validation", "-4013", "locked", "client"),
    ("order", DRAFT, both(400, -5002, "Menge führt zu negativem Bestand [RDR1.ItemCode][line: 1]"),
     "error_code", "validation", "-5002", "negativem", "client"),
    ("order", DRAFT, both(400, -5002, "Indique una sucursal activa [ORDR.BPLId]"),
     "error_code", "validation", "-5002", "sucursal", "erp-partner"),
    ("order", DRAFT, both(400, -2039, "Another user or another operation modified data (ODBC -2039)"),
     "error_code", "conflict", "-2039", "modified data", "integrator"),
    ("order", DRAFT, both(403, 804, "Forbidden operation"), "error_code", "permission", "804", "Forbidden", "client"),
    ("order", DRAFT, both(500, 305, "Switch company error: -1102"), "error_code", "unavailable", "305", "-1102", "hosting"),
    ("order", DRAFT, both(500, 407, "Table definition not found for '@X'."), "error_code", "server_fault", "407", "@X", "hosting"),
    ("order", DRAFT, both(400, -1000, "Property 'Foo' of 'Document' is invalid"), "error_code", "contract", "-1000", "Foo", "integrator"),
    ("order", DRAFT, both(400, -8010, "No valid license is present"), "error_code", "license", "-8010", "license", "client"),
]
SWEPT = [("drafts", {"key": "71", "number": "71", "DocDueDate": "2026-01-09", "NumAtCard": "ERPW-0LEFT0000001", "CreationDate": "2026-01-02"}),
         ("partners", {"key": "EW71", "CardCode": "EW71", "CardName": "erpwatch ERPW-0LEFT0000001", "CreateDate": "2026-01-02"}),
         ("orders", {"key": "72", "number": "72", "DocDueDate": "2026-01-09", "NumAtCard": "ERPW-0LEFT0000001", "Cancelled": "tNO",
                     "DocumentStatus": "bost_Open", "CreationDate": "2026-01-02"})]
VERSION = "1000340"
