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


def order(made):
    return {"id": made["key"], "otherRefNum": made.get("otherRefNum")}


CALLS = [*record("customer", "customers", lambda r: {"id": r["key"], "companyName": r["companyName"]}),
         *record("salesOrder", "orders", order), *record("estimate", "estimates", order),
         *record("invoice", "invoices", lambda r: r)]
KNOWN = {"id": "5"}

GIVEN = {"api": "{erp}/services/rest", "account": "1234567", "client_id": "app-1", "key_id": "kid-1", "key_file": KEY,
         "subsidiary": "5", "customer_id": "5", "item": "5"}
WRONG = {"give": {"key_id": "kid-2"}, "step": "get a token", "code": "invalid_client"}
INVALID = {"give": {"item": "6"}, "code": "INVALID_KEY_OR_REF", "message": "Invalid reference key 6"}
EXPIRES_AFTER = 1
HEALTH = {"wrong": "get a token", "last": "orders can be read", "asked": f"GET {R}/salesOrder"}
