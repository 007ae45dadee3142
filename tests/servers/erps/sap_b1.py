# SPDX-License-Identifier: MIT
"""SAP Business One's Service Layer (OData V3): a login with two cookies, numbers for codes, the text
in message.value. A real order can only be cancelled; a draft can be deleted."""
import json

from erp import Session

AUTH = [Session("POST /b1s/v1/Login", lambda q: q.json == {"CompanyDB": "SBODEMOUS", "UserName": "probe", "Password": "b1-secret-1"},
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
                      "PaidToDate": 12.10}]}


def fail(status, code, text):
    return {"error": {"code": code, "message": {"lang": "en-us", "value": text}}}


def named(request):
    return request.json.get("CardCode") if "CardType" in request.json else None


def document(record):
    return {**record, "DocEntry": int(record["number"]), "DocNum": int(record["number"]), "Cancelled": "tNO"}


def listed(records, request):
    return 200, json.dumps({"value": [document(r) if "DocDueDate" in r else r for r in records]})


CALLS = [
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

GIVEN = {"url": "{erp}/b1s/v1", "company": "SBODEMOUS", "username": "probe", "password": "b1-secret-1",
         "customer_no": "C20000", "item": "A00001"}
WRONG = {"give": {"password": "not-the-secret"}, "step": "log in", "code": "-304"}
INVALID = {"give": {"item": "GONE"}, "code": "-5002", "message": "Item number is missing"}
EXPIRES_AFTER = 1
