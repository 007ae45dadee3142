# SPDX-License-Identifier: MIT
"""ERPNext (Frappe): a key and a secret that are no Bearer, 417 for validation, and the reason as JSON
within JSON within JSON. Drafts can be deleted."""
import json

from erp import Header

AUTH = [Header(Authorization="token key-1:next-secret-1")]
FAILURES = {
    "credentials": (401, "AuthenticationError", "Authentication failed"),
    "missing": (404, "DoesNotExistError", "Sales Order %s not found"),
    "invalid": (417, "LinkValidationError", "Could not find Row #1: Item Code: %s"),
    "forbidden": (403, "PermissionError", "Insufficient Permission for Sales Order"),
    "locked": (417, "ValidationError", "Document has been locked by another user"),
}
UNKNOWN = ("DoesNotExistError", "DocType not found")
KNOWN = {"item_code": "SKU-1", "customer": "Test Customer"}
SEED = {"invoices": [{"key": "SINV-1", "name": "ACC-SINV-2026-00001", "status": "Paid", "outstanding_amount": 0.0}]}


def fail(status, code, text):
    return {"exc_type": code, "exception": f"frappe.exceptions.{code}: {text}", "exc": '["Traceback (most recent call last): …"]',
            "_server_messages": json.dumps([json.dumps({"message": f"<b>{text}</b>", "title": "Message", "indicator": "red"})])}


def doctype(name, table):
    def shown(record):
        return {**record, "name": record["key"], "docstatus": 0}

    path = f"/api/resource/{name}"
    return [
        (f"POST {path}", "make", table, lambda r, q: (200, {"data": shown(r)})),
        (f"GET {path}", "some", table, lambda r, q: (200, {"data": [shown(x) for x in r]})),
        (f"GET {path}/(?P<key>.+)", "read", table, lambda r, q: (200, {"data": shown(r)})),
        (f"DELETE {path}/(?P<key>.+)", "drop", table, lambda r, q: (202, {"message": "ok"})),
    ]


OPEN = "/api/method/ping"
CALLS = [("GET /api/method/ping", "say", None, lambda r, q: (200, {"message": "pong"})),
         ("GET /api/method/frappe.auth.get_logged_user", "say", None, lambda r, q: (200, {"message": "probe@erp.example"})),
         *doctype("Customer", "customers"), *doctype("Sales Order", "orders"),
         ("GET /api/resource/Sales Invoice", "some", "invoices", lambda r, q: (200, {"data": r}))]

GIVEN = {"url": "{erp}", "api_key": "key-1", "api_secret": "next-secret-1", "company": "Acme", "customer_no": "Test Customer",
         "item": "SKU-1"}
WRONG = {"give": {"api_secret": "not-the-secret"}, "step": "submit order", "code": "AuthenticationError"}
INVALID = {"give": {"item": "GONE"}, "code": "LinkValidationError", "message": "Item Code: GONE"}
HEALTH = {"wrong": "the API key is accepted", "last": "orders can be read", "asked": "GET /api/resource/Sales Order"}
