# SPDX-License-Identifier: MIT
"""NetSuite's REST records: a token for a statement that is signed (PS256, verified by PyJWT), 204 and a
Location for what is made, problem+json with o:errorDetails."""
import os
import tempfile

import jwt
from cryptography.hazmat.primitives import serialization as s11n
from cryptography.hazmat.primitives.asymmetric import rsa

from erp import OAuth2

R = "/services/rest/record/v1"
TOKENS = "/services/rest/auth/oauth2/v1/token"
PRIVATE = rsa.generate_private_key(65537, 2048)
FOLDER = tempfile.TemporaryDirectory(prefix="erpwatch-netsuite-")
KEY = os.path.join(FOLDER.name, "key.pem")
with open(KEY, "wb") as file:
    file.write(PRIVATE.private_bytes(s11n.Encoding.PEM, s11n.PrivateFormat.PKCS8, s11n.NoEncryption()))
os.chmod(KEY, 0o600)


def signed(assertion, request):
    try:
        claims = jwt.decode(assertion, PRIVATE.public_key(), algorithms=["PS256"], audience=f"http://{request.host}{TOKENS}")
    except jwt.PyJWTError:
        return False
    return claims["iss"] == "app-1" and "rest_webservices" in claims["scope"] and jwt.get_unverified_header(assertion)["kid"] == "kid-1"


AUTH = [OAuth2(TOKENS, {
    "grant_type": "client_credentials", "client_assertion": signed,
    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
    (400, {"error": "invalid_client", "error_description": "The client assertion is not valid"}))]
FAILURES = {
    "expired": (401, "INVALID_LOGIN", "Invalid login attempt. For more details, see the Login Audit Trail."),
    "missing": (404, "NONEXISTENT_ID", "The record instance does not exist. Provide a valid record instance ID."),
    "invalid": (400, "INVALID_KEY_OR_REF", "Invalid reference key %s for item."),
    "forbidden": (403, "INSUFFICIENT_PERMISSION", "Permission Violation: You need the 'Sales Order' permission to access this page."),
    "mandatory": (400, "USER_ERROR", "Error while accessing a resource. Please enter value(s) for: Location."),
    "subsidiary": (403, "INSUFFICIENT_PERMISSION", "Permission Violation: The subsidiary restrictions on your role prevent you from "
                                                   "seeing this record."),
    "concurrent": (429, "CONCURRENCY_LIMIT_EXCEEDED", "Concurrent request limit exceeded. Request blocked."),
    "field": (400, "NONEXISTENT_FIELD", "Invalid field otherRefNo for record salesOrder."),
    "changed": (400, "RCRD_HAS_BEEN_CHANGED", "Record has been changed"),
    "duplicate": (400, "DUP_ENTITY", "A customer record with this name already exists."),
    "script": (400, "SSS_USAGE_LIMIT_EXCEEDED", "Script Execution Usage Limit Exceeded"),
    "feature": (400, "FEATURE_DISABLED", "The feature 'Sales Orders' required to access this page is not enabled in this account."),
    "period": (400, "USER_ERROR", "You cannot make this change: the accounting period of this transaction is closed."),
    "unexpected": (500, "UNEXPECTED_ERROR", "An unexpected error occurred. Error ID: m0abc123xyz"),
    "dependent": (400, "CANT_DELETE_ENTITY", "This record cannot be deleted because it has dependent records."),
    "locked": (400, "USER_ERROR", "This record is being edited by another user."),
}
UNKNOWN = ("NONEXISTENT_RECORD", "Record type does not exist")
SEED = {"invoices": [{"key": "1", "id": "1", "status": {"id": "Paid In Full"}, "amountremaining": 0}]}


def fail(status, code, text):
    return {"type": "https://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html#sec10.4.1", "title": "Bad Request", "status": status,
            "o:errorDetails": [{"detail": text, "o:errorPath": "item", "o:errorCode": code}]}


def record(name, table, shown):
    one = f"{R}/{name}/(?P<key>\\d+)"
    return [(f"POST {R}/{name}", "make", table, lambda r, q: (204, None, [("Location", f"http://{q.host}{R}/{name}/{r['number']}")])),
            (f"GET {R}/{name}", "some", table, lambda rows, q: (200, {
                "items": [{"id": r["key"], "links": []} for r in rows], "hasMore": False, "count": len(rows)})),
            (f"GET {one}", "read", table, lambda r, q: (200, shown(r))),
            (f"DELETE {one}", "drop", table, lambda r, q: (204, None))]


def queried(kind, table, column):
    """SuiteQL over one kind of record: columns come in lower case."""
    return [(f"POST /services/rest/query/v1/suiteql SELECT (?s:.*)FROM {kind} (?s:.*)", "some", table, lambda rows, q: (
        200, {"items": [{"links": [], "id": r["key"], column.lower(): r[column], "made": r["made"].rstrip("Z")} for r in rows],
              "count": len(rows), "hasMore": False, "offset": 0, "totalResults": len(rows)}))]


def order(made):
    return {"id": made["key"], "otherRefNum": made.get("otherRefNum")}


CALLS = [*record("customer", "customers", lambda r: {"id": r["key"], "companyName": r["companyName"]}),
         *record("salesOrder", "orders", order), *record("estimate", "estimates", order),
         *record("invoice", "invoices", lambda r: r), *queried("customer", "customers", "companyName"),
         *queried("transaction WHERE type = 'SalesOrd'", "orders", "otherRefNum"),
         *queried("transaction WHERE type = 'Estimate'", "estimates", "otherRefNum")]
KNOWN = {"id": "5"}

GIVEN = {"api": "{erp}/services/rest", "account": "1234567", "client_id": "app-1", "key_id": "kid-1", "key_file": KEY,
         "subsidiary": "5", "customer_id": "5", "item": "5"}
WRONG = {"give": {"key_id": "kid-2"}, "step": "get a token", "code": "invalid_client"}
INVALID = {"give": {"item": "6"}, "code": "INVALID_KEY_OR_REF", "message": "Invalid reference key 6"}
EXPIRES_AFTER = 1
HEALTH = {"wrong": "get a token", "last": "orders can be read", "asked": f"GET {R}/salesOrder"}
LEFT = {"customers": {"companyName": "erpwatch ERPW-0123456789ab"}, "orders": {"otherRefNum": "ERPW-0123456789ab"},
        "estimates": {"otherRefNum": "ERPW-0123456789cd"}}
ORDER = f"POST {R}/salesOrder"
FAMILIES = {
    "mandatory": ("order", ORDER, {"class": "error_code", "cause": "validation", "act": "erp-partner", "code": "USER_ERROR",
                                   "message": "Please enter value(s) for: Location", "says": "requires"}),
    "invalid": ("order", ORDER, {"class": "error_code", "cause": "validation", "act": "client", "code": "INVALID_KEY_OR_REF"}),
    "subsidiary": ("order", ORDER, {"class": "error_code", "cause": "permission", "act": "client", "says": "subsidiaries"}),
    "forbidden": ("order", ORDER, {"class": "error_code", "cause": "permission", "act": "client"}),
    "concurrent": ("order", ORDER, {"class": "error_code", "cause": "rate_limit", "act": "client", "says": "simultaneous"}),
    "field": ("order", ORDER, {"class": "error_code", "cause": "contract", "act": "integrator"}),
    "changed": ("order", ORDER, {"class": "error_code", "cause": "conflict", "act": "integrator"}),
    "duplicate": ("order", ORDER, {"class": "error_code", "cause": "conflict", "act": "client"}),
    "script": ("order", ORDER, {"class": "error_code", "cause": "server_fault", "act": "erp-partner"}),
    "feature": ("order", ORDER, {"class": "error_code", "cause": "license", "act": "client"}),
    "period": ("order", ORDER, {"class": "error_code", "cause": "validation", "act": "erp-partner"}),
    "locked": ("order", ORDER, {"class": "error_code", "cause": "locked", "act": "erp-partner"}),
    "unexpected": ("order", ORDER, {"cause": "server_fault", "act": "erp-partner", "ids": {"Error ID": "m0abc123xyz"}}),
    "dependent": ("order", ORDER, {"class": "error_code", "cause": "validation", "act": "integrator"}),
}
