# SPDX-License-Identifier: MIT
"""PRONTO Xi's web API: a login by headers that gives a token in XML, RPCs in XML, and a Code that is
not OK within a 200 where something failed."""
from erp import Session, xml

BASE = "/pronto/rest/U01_test"
AUTH = [Session(f"POST {BASE}/login", lambda q: (q.headers.get("X-Pronto-Username"), q.headers.get("X-Pronto-Password")) ==
                ("probe", "pronto-secret-1"),
                lambda session, q: (200, f'<?xml version="1.0"?><ProntoLogin><token>{session}</token></ProntoLogin>'),
                lambda q: q.headers.get("X-Pronto-Token"))]
FAILURES = {
    "credentials": (401, "401", "Invalid username or password"),
    "expired": (401, "401", "Invalid token"),
    "missing": (200, "ERROR", "Sales order is not on file"),
    "denied": (200, "ERROR", "Operator is not authorised to use this service"),
    "uninstalled": (200, "ERROR", "The service SalesOrderGetSalesOrders is not installed in this profile"),
    "held": (200, "ERROR", "Record is locked by another session"),
    "field": (200, "ERROR", "Field SOOrderNumber is not recognised"),
    "token": (200, "ERROR", "Invalid token"),
}
UNKNOWN = ("404", "No such service")
SEED = {"orders": [{"key": "1", "SOOrderNo": "100001", "SOBOSuffix": ""}], "items": [{"key": "1", "ItemCode": "SKU-1"}],
        "customers": [{"key": "1", "Accountcode": "C1"}]}


def fail(status, code, text):
    return f'<?xml version="1.0"?><Response><APIResponseStatus><Code>{code}</Code><Message>{text}</Message></APIResponseStatus></Response>'


def service(name, rows, row, field):
    def answer(records, request):
        asked = request.fields.get("Like")
        found = [r for r in records if asked in (None, r[field])]
        if not found:
            return 200, fail(*FAILURES["missing"])
        return 200, (f'<?xml version="1.0"?><{name}Response><APIResponseStatus><Code>OK</Code></APIResponseStatus><{rows}>' +
                     "".join(f"<{row}>{xml(r, field)}</{row}>" for r in found) + f"</{rows}></{name}Response>")
    return f"POST {BASE}/api/{name} {name}Request", "some", rows, answer


def named(request):
    return request.fields["Reference"]


key = named
DONE = '<?xml version="1.0"?><Response><APIResponseStatus><Code>OK</Code></APIResponseStatus></Response>'
CALLS = [(f"POST {BASE}/api/SOMakeOrder SOMakeOrderRequest", "make", "tests", lambda r, q: (200, DONE)),
         (f"POST {BASE}/api/SODropOrder SODropOrderRequest", "drop", "tests", lambda r, q: (200, DONE)),
         service("SalesOrderGetSalesOrders", "SalesOrders", "SalesOrder", "SOOrderNo"),
         service("CusGetCustomers", "Customers", "Customer", "Accountcode")]
SEED = {"SalesOrders": SEED["orders"], "Customers": SEED["customers"]}

GIVEN = {"url": "{erp}" + BASE, "username": "probe", "password": "pronto-secret-1", "order_no": "100001",
         "customer_no": "C1"}
WRONG = {"give": {"password": "not-the-secret"}, "step": "log in", "code": "401"}
INVALID = {"give": {"order_no": "999999"}, "code": "ERROR", "message": "not on file"}
EXPIRES_AFTER = 0
RUNGS = [("the web server answers", None, "maintenance"), ("PRONTO reads an order", "SalesOrderGetSalesOrders", "denied")]


def told(cause, act, **more):
    return "order", "SalesOrderGetSalesOrders", {"class": "error_code", "cause": cause, "act": act, "code": "ERROR", **more}


FAMILIES = {
    "missing": told("not_found", "client", message="not on file"), "denied": told("permission", "erp-partner"),
    "uninstalled": told("contract", "erp-partner"), "held": told("locked", "erp-partner"), "field": told("contract", "integrator"),
    "token": told("auth", "integrator"),
}
