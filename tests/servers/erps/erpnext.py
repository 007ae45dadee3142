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
    "mandatory": (417, "MandatoryError", "Error: Value missing for Sales Order: Delivery Date"),
    "duplicate": (409, "DuplicateEntryError", "Customer Test already exists"),
    "stale": (417, "TimestampMismatchError", "Document has been modified after you have opened it"),
    "linked": (417, "LinkExistsError", "Cannot delete or cancel because Customer Test is linked with Sales Order SO-1"),
    "submitted": (417, "UpdateAfterSubmitError", "Not allowed to change Items after submission"),
    "year": (417, "FiscalYearError", "Date 01-01-2027 is not in any active Fiscal Year"),
    "disabled": (417, "ValidationError", "Item SKU-1 is disabled"),
    "credit": (417, "ValidationError", "Credit limit has been crossed for customer Test (1200/1000)"),
    "option": (417, "ValidationError", 'Order Type cannot be "Web". It should be one of "Sales", "Maintenance"'),
    "migrate": (503, "SessionStopped", "Updating"),
    "database": (500, "OperationalError", "(1205, 'Lock wait timeout exceeded; try restarting transaction')"),
    "code": (500, "AttributeError", "'NoneType' object has no attribute 'name'"),
    "often": (429, "RateLimitExceededError", "You hit the rate limit because of too many requests"),
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
        return {**record, "name": record["key"], "docstatus": 0, "creation": record["made"].replace("T", " ").rstrip("Z") + ".000000"}

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
         ("GET /api/method/frappe.utils.change_log.get_versions", "say", None, lambda r, q: (200, {"message": {
             "frappe": {"title": "Frappe Framework", "version": "15.40.0"}, "erpnext": {"title": "ERPNext", "version": "15.38.1"}}})),
         *doctype("Customer", "customers"), *doctype("Sales Order", "orders"),
         ("GET /api/resource/Sales Invoice", "some", "invoices", lambda r, q: (200, {"data": r}))]

GIVEN = {"url": "{erp}", "api_key": "key-1", "api_secret": "next-secret-1", "company": "Acme", "customer_no": "Test Customer",
         "item": "SKU-1"}
WRONG = {"give": {"api_secret": "not-the-secret"}, "step": "submit order", "code": "AuthenticationError"}
INVALID = {"give": {"item": "GONE"}, "code": "LinkValidationError", "message": "Item Code: GONE"}
HEALTH = {"wrong": "the API key is accepted", "last": "orders can be read", "asked": "GET /api/resource/Sales Order"}
LEFT = {"customers": {"customer_name": "erpwatch ERPW-0123456789ab"}, "orders": {"po_no": "ERPW-0123456789ab"}}
VERSION = "15.38.1"
ORDER = "POST /api/resource/Sales Order"
FAMILIES = {
    "mandatory": ("order", ORDER, {"class": "error_code", "cause": "validation", "act": "erp-partner", "code": "MandatoryError",
                                   "message": "Value missing for Sales Order: Delivery Date", "says": "requires is empty"}),
    "invalid": ("order", ORDER, {"class": "error_code", "cause": "validation", "act": "client", "code": "LinkValidationError"}),
    "forbidden": ("order", ORDER, {"class": "error_code", "cause": "permission", "act": "client"}),
    "duplicate": ("order", ORDER, {"class": "error_code", "cause": "conflict", "act": "client"}),
    "stale": ("order", ORDER, {"class": "error_code", "cause": "conflict", "act": "integrator"}),
    "linked": ("order", ORDER, {"class": "error_code", "cause": "validation", "act": "integrator"}),
    "submitted": ("order", ORDER, {"class": "error_code", "cause": "conflict", "act": "integrator"}),
    "year": ("order", ORDER, {"class": "error_code", "cause": "validation", "act": "erp-partner"}),
    "disabled": ("order", ORDER, {"class": "error_code", "cause": "validation", "act": "client", "says": "disabled, frozen"}),
    "credit": ("order", ORDER, {"class": "error_code", "cause": "validation", "act": "client", "says": "credit limit"}),
    "option": ("order", ORDER, {"class": "error_code", "cause": "validation", "act": "integrator"}),
    "migrate": ("order", ORDER, {"cause": "unavailable", "act": "hosting", "says": "updated"}),
    "database": ("order", ORDER, {"cause": "locked", "act": "erp-partner"}),
    "code": ("order", ORDER, {"cause": "server_fault", "act": "erp-partner"}),
    "often": ("order", ORDER, {"cause": "rate_limit", "act": "hosting"}),
    "locked": ("order", ORDER, {"class": "error_code", "cause": "locked", "act": "erp-partner"}),
}
