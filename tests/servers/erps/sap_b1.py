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
