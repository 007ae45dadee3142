# SPDX-License-Identifier: MIT
"""A JSON API of the usual kind: a bearer token, records in data, failures as RFC 9457 with a list of fields."""
from erp import Header

AUTH = [Header(Authorization="Bearer rest-secret-1")]
OPEN = "/api/ping"
FAILURES = {
    "credentials": (401, "about:blank", "The access token is not valid."),
    "forbidden": (403, "about:blank", "The token does not have the scope customers:read."),
    "missing": (404, "about:blank", "There is no customer with the id %s."),
    "invalid": (422, "https://api.example/problems/validation", "The group %s is unknown."),
    "locked": (423, "about:blank", "The record is locked by another process."),
}
UNKNOWN = ("about:blank", "There is no such path.")
KNOWN = {"group": "retail"}
SEED = {"customers": [{"key": "1", "id": 1, "name": "A customer", "createdAt": "2026-01-01T00:00:00Z"}]}
TITLES = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 422: "Unprocessable Content", 423: "Locked"}


def fail(status, code, text):
    return {"type": code, "title": TITLES[status], "status": status, "detail": text}


def shown(record):
    return {**{k: v for k, v in record.items() if k not in ("key", "number")}, "id": int(record["key"])}


CUSTOMER = r"/api/customers/(?P<key>\d+)"
CALLS = [
    ("GET /api/ping", "say", None, lambda r, q: (200, {"status": "up"})),
    ("GET /api/version", "say", None, lambda r, q: (200, {"version": "2.4.1"})),
    ("GET /api/customers", "some", "customers", lambda r, q: (200, {"data": [shown(x) for x in r]})),
    ("POST /api/customers", "make", "customers", lambda r, q: (201, {"data": shown(r)})),
    (f"GET {CUSTOMER}", "read", "customers", lambda r, q: (200, {"data": shown(r)})),
    (f"DELETE {CUSTOMER}", "drop", "customers", lambda r, q: (204, None)),
]

LOGIN = {"bearer": {"token": "rest-secret-1"}}
GIVEN = {"url": "{erp}/api", "path": "customers", "list": "$.data[*]", "record": "$.data", "ping": "ping",
         "version_path": "version", "body": {"name": "{{mark}}", "group": "retail"}}
RUNGS = [("the server answers", "GET /api/ping"), ("the list can be read", "GET /api/customers$")]
POSTED = "POST /api/customers"
CASES = [
    ("create", POSTED, (422, {"type": "about:blank", "title": "Unprocessable Content", "status": 422, "errors": [
        {"field": "group", "code": "required", "message": "The field group is required."}]}),
     "error_code", "validation", None, "group is required", "integrator"),
    ("create", POSTED, (409, {"type": "about:blank", "title": "Conflict", "status": 409, "detail": "A customer with this name exists."}),
     "error_code", "conflict", None, "this name exists", "integrator"),
    ("create", POSTED, (403, {"error": "insufficient_scope", "error_description": "The token lacks customers:write."}),
     "error_code", "permission", None, "customers:write", "client"),
    ("read", r"GET /api/customers/\d", (404, {"title": "Not Found", "status": 404, "detail": "There is no customer with this id."}),
     "error_code", "not_found", None, "no customer", "client"),
    ("create", POSTED, (429, {"title": "Too Many Requests", "status": 429, "detail": "Only 60 calls a minute."}),
     "error_code", "rate_limit", None, "60 calls", "integrator"),
    ("create", POSTED, (415, {"title": "Unsupported Media Type", "status": 415, "detail": "Send application/json."}),
     "error_code", "contract", None, "application/json", "integrator"),
]
SWEPT = [("customers", {"key": "71", "id": 71, "name": "ERPW-0LEFT0000001", "createdAt": "2026-01-02T03:04:05Z"})]
VERSION = "2.4.1"
