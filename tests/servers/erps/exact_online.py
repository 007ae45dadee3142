# SPDX-License-Identifier: MIT
"""Exact Online: refresh tokens that work once, tokens of ten minutes, OData V2's d, an error.code that is
mostly empty; a record that is deleted twice is Forbidden."""
import re
import uuid
from datetime import datetime

from erp import OAuth2

DIVISION = "1234567"
BASE = f"/api/v1/{DIVISION}"
AUTH = [OAuth2("/api/oauth2/token",
               {"grant_type": "refresh_token", "client_id": "app-1", "client_secret": "exact-secret-1"},
               (401, {"error": "unauthorized_client", "error_description": "The client is unknown"}),
               refresh="refresh-first", lasts=600)]
ITEM = "0a0b0c0d-0000-4000-8000-000000000009"
FAILURES = {
    "expired": (401, "", "Unauthorized"),
    "missing": (403, "", "Forbidden"),
    "invalid": (400, "", "Item does not exist: %s"),
    "forbidden": (403, "", "Forbidden", [("reason", "NoDivisionAccess")]),
    "user": (403, "", "Forbidden", [("reason", "InactiveUser")]),
    "license": (403, "", "Forbidden", [("reason", "LicenseExpired")]),
    "scope": (403, "", "Forbidden - Application Scope Violated. Cannot create"),
    "edition": (500, "", "Not allow to update in Basic : Warehouse"),
    "stream": (400, "", "Error processing request stream. Error in converting property 'Item' to type 'Guid'"),
    "mandatory": (400, "", "Verplicht: Orderdatum"),
    "own": (500, "", "A problem has occurred. The cause of this issue will be investigated as soon as possible."),
    "locked": (400, "", "Sales order is being edited by another user"),
}
KNOWN = {"Item": ITEM}
SEED = {"invoices": [{"key": "1", "InvoiceNumber": 1, "Status": 50, "AmountDC": 12.1}],
        "open": [{"key": "1", "AccountCode": "1", "Amount": 12.1}]}


def fail(status, code, text):
    return {"error": {"code": code, "message": {"lang": "", "value": text}}}


def named(request):
    return str(uuid.uuid4())


def entity(path, field, table):
    def shown(record):
        made = int(datetime.fromisoformat(record["made"].replace("Z", "+00:00")).timestamp() * 1000)
        return {**record, field: record["key"], "Created": f"/Date({made})/"}

    def listed(rows, request):
        """Those with the id that the filter names, where it names one."""
        named = re.search(r" eq guid'(.+?)'", request.query.get("$filter", ""))
        return 200, {"d": {"results": [shown(r) for r in rows if not named or r["key"] == named[1]]}}

    one = f"{BASE}/{path}\\(guid'(?P<key>.+)'\\)"
    return [(f"POST {BASE}/{path}", "make", table, lambda r, q: (201, {"d": shown(r)})),
            (f"GET {BASE}/{path}", "some", table, listed),
            (f"GET {one}", "read", table, lambda r, q: (200, {"d": shown(r)})),
            (f"DELETE {one}", "drop", table, lambda r, q: (204, None))]


CALLS = [*entity("crm/Accounts", "ID", "accounts"), *entity("salesorder/SalesOrders", "OrderID", "orders"),
         ("GET /api/v1/current/Me", "say", None, lambda r, q: (200, {"d": {"results": [
             {"CurrentDivision": int(DIVISION), "FullName": "Probe"}]}})),
         (f"GET {BASE}/salesinvoice/SalesInvoices", "some", "invoices", lambda rows, q: (200, {"d": {"results": rows}})),
         (f"GET {BASE}/read/financial/ReceivablesList", "some", "open", lambda rows, q: (200, {"d": rows}))]

GIVEN = {"api": "{erp}/api", "division": DIVISION, "client_id": "app-1", "client_secret": "exact-secret-1",
         "refresh_token": "refresh-first", "customer_id": "0a0b0c0d-0000-4000-8000-000000000007", "item": ITEM}
WRONG = {"give": {"refresh_token": "refresh-another"}, "step": "get a token", "code": "invalid_grant"}
INVALID = {"give": {"item": "0a0b0c0d-0000-4000-8000-00000000dead"}, "code": None, "message": "Item does not exist"}
EXPIRES_AFTER = 1
HEALTH = {"wrong": "get a token", "last": "accounts of the division can be read", "asked": f"GET {BASE}/crm/Accounts"}
LEFT = {"accounts": {"Name": "erpwatch ERPW-0123456789ab"}, "orders": {"YourRef": "ERPW-0123456789ab"}}
ORDER = f"POST {BASE}/salesorder/SalesOrders"
FAMILIES = {
    "invalid": ("order", ORDER, {"class": "error_code", "cause": "validation", "act": "client", "says": "does not exist in this division"}),
    "forbidden": ("order", ORDER, {"cause": "permission", "act": "client", "says": "division"}),
    "user": ("order", ORDER, {"cause": "auth", "act": "client", "says": "blocked or inactive"}),
    "license": ("order", ORDER, {"cause": "license", "act": "client"}),
    "scope": ("order", ORDER, {"class": "error_code", "cause": "permission", "act": "client", "says": "scope"}),
    "edition": ("order", ORDER, {"class": "error_code", "cause": "license", "act": "client"}),
    "stream": ("order", ORDER, {"class": "error_code", "cause": "contract", "act": "integrator"}),
    "mandatory": ("order", ORDER, {"class": "error_code", "cause": "validation", "act": "erp-partner"}),
    "own": ("order", ORDER, {"cause": "server_fault", "act": "erp-partner"}),
}
