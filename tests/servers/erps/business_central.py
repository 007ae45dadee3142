# SPDX-License-Identifier: MIT
"""Dynamics 365 Business Central, API v2.0: Entra tokens, OData V4, codes in error.code, a
CorrelationId behind the text, If-Match for what is deleted."""
import uuid

from erp import OAuth2, Refused

TENANT, COMPANY = "acme.example", "c0ffee00-0000-4000-8000-000000000001"
API = f"/v2.0/{TENANT}/production/api/v2.0"
BASE = f"{API}/companies\\({COMPANY}\\)"
THE_COMPANY = {"id": COMPANY, "systemVersion": "27.1.41698.41831", "name": "CRONUS", "displayName": "CRONUS"}
AUTH = [OAuth2(f"/{TENANT}/oauth2/v2.0/token",
               {"grant_type": "client_credentials", "client_id": "app-1", "client_secret": "bc-secret-1",
                "scope": "https://api.businesscentral.dynamics.com/.default"},
               (401, {"error": "invalid_client", "error_codes": [7000215], "error_description":
                      "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request "
                      "is the client secret value, not the client secret ID. Trace ID: "
                      "0a0b0c0d-0000-4000-8000-000000000001 Correlation ID: 0a0b0c0d-0000-4000-8000-000000000002 "
                      "Timestamp: 2026-01-01 00:00:00Z"}))]
FAILURES = {
    "expired": (401, "Authentication_InvalidCredentials",
                "The server has rejected the client credentials."),
    "missing": (404, "Internal_RecordNotFound", "The record does not exist. Identification fields and values: %s"),
    "invalid": (400, "Internal_InvalidTableRelation",
                "The field No. of table Sales Line contains a value (%s) that cannot be found in the related table "
                "(Item)."),
    "company": (404, "Internal_CompanyNotFound",
                "Cannot process the request because the default company cannot be found."),
    "locked": (400, "Application_DialogException",
               "The operation could not complete because a record in the Sales Header table was locked by another "
               "user. Please retry the activity."),
}
UNKNOWN = ("BadRequest_ResourceNotFound", "Resource not found for the segment")
KNOWN = {"lineObjectNumber": "1896-S", "customerNumber": "10000"}
SEED = {"invoices": [{"key": "i1", "number": "103021", "status": "Paid", "remainingAmount": 0}]}


def fail(status, code, text):
    return {"error": {"code": code, "message": f"{text}  CorrelationId:  {uuid.uuid4()}."}}


def shown(record, **more):
    return {"id": record["key"], **{k: v for k, v in record.items() if k not in ("key", "made")},
            "lastModifiedDateTime": record.get("made"), **more}


def draft(record):
    return shown(record, status="Draft")


def no_company(_, request):
    raise Refused(404, fail(*FAILURES["company"]))


def deleted(record, request):
    if not request.headers.get("If-Match"):
        raise Refused(400, fail(400, "BadRequest_InvalidToken", "The concurrency token is missing."))
    return 204, None


def listed(show):
    return lambda records, request: (200, {"value": [show(r) for r in records]})


def entity(name, table, show, **more):
    """Make, find, read and delete."""
    one = f"{BASE}/{name}\\((?P<key>.+)\\)"
    return [(f"POST {BASE}/{name}", "make", table, lambda r, q: (201, {**show(r), **{k: v(r) for k, v in more.items()}})),
            (f"GET {BASE}/{name}", "some", table, listed(show)),
            (f"GET {one}", "read", table, lambda r, q: (200, show(r))),
            (f"DELETE {one}", "drop", table, deleted)]


CALLS = [
    (f"GET {API}/companies", "say", "", lambda _, q: (200, {"value": [THE_COMPANY]})),
    (f"GET {BASE}", "say", "", lambda _, q: (200, THE_COMPANY)),
    *entity("customers", "customers", shown, number=lambda r: "C" + r["number"]),
    *entity("salesQuotes", "quotes", draft),
    *entity("salesOrders", "orders", draft),
    (f"GET {BASE}/salesInvoices", "some", "invoices", listed(shown)),
    (f"[A-Z]+ {API}/companies\\((?!{COMPANY}).*", "say", "", no_company),
]

GIVEN = {"api": "{erp}/v2.0", "login": "{erp}", "tenant": TENANT, "company": COMPANY, "client_id": "app-1",
         "client_secret": "bc-secret-1", "customer_no": "10000", "item": "1896-S"}
WRONG = {"give": {"client_secret": "not-the-secret"}, "step": "get a token", "code": "AADSTS7000215"}
INVALID = {"give": {"item": "GONE"}, "code": "Internal_InvalidTableRelation", "message": "(GONE)"}
EXPIRES_AFTER = 1
