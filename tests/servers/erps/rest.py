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
