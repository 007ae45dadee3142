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

# For the tests of what it answers: rungs of health (step, pattern, answer), what an earlier run left behind,
# and failing answers: (flow, pattern, answer, (cause, act, code, message), ids).
CORRELATION = "6bb0e53c-0000-4000-8000-00000000000a"
TRACED = ("Trace ID: 0a0b0c0d-0000-4000-8000-000000000001 Correlation ID: 0a0b0c0d-0000-4000-8000-000000000002 "
          "Timestamp: 2026-01-01 00:00:00Z")
TRACES = {"Trace ID": "0a0b0c0d-0000-4000-8000-000000000001", "Correlation ID": "0a0b0c0d-0000-4000-8000-000000000002",
          "Timestamp": "2026-01-01 00:00:00Z"}
TOKEN, LIST = "POST /acme.example/oauth2", f"GET {API}/companies$"


def entra(number, text, error="invalid_client", status=401):
    return status, {"error": error, "error_codes": [number], "error_description": f"AADSTS{number}: {text} {TRACED}"}


def refused(status, code, text):
    return status, {"error": {"code": code, "message": f"{text}  CorrelationId:  {CORRELATION}."}}


def said(flow, pattern, status, code, text, cause, act):
    return flow, pattern, refused(status, code, text), (cause, act, code, text), {"CorrelationId": CORRELATION}


def untold(pattern, number, text, cause, act, **more):
    return "health", pattern, entra(number, text, **more), (cause, act, f"AADSTS{number}", f"AADSTS{number}: {text}"), TRACES


RUNGS = [("get a token", TOKEN, entra(7000222, "The provided client secret keys for app 'app-1' are expired.")),
         ("the app is let in", LIST, refused(401, "Authentication_InvalidCredentials", "The server has rejected the client credentials.")),
         ("the company is there", f"GET {BASE}$", refused(*FAILURES["company"])),
         ("sales can be read", f"GET {BASE}/salesOrders", refused(
             400, "Internal_ServerError", "Sorry, the current permissions prevented the action. (TableData 36 Sales Header Read: Base)"))]
LEFT = {"customers": {"displayName": "erpwatch ERPW-abc123abc123"},
        "quotes": {"externalDocumentNumber": "ERPW-abc123abc124"}, "orders": {"externalDocumentNumber": "ERPW-abc123abc125"}}
VERSION = "27.1.41698.41831"
ENTRA = [
    untold(TOKEN, 7000215, "Invalid client secret provided. Ensure the secret being sent is the value.", "auth", "client"),
    untold(TOKEN, 700016, "Application with identifier 'app-1' was not found in the directory 'Acme'.", "auth", "client",
           error="unauthorized_client", status=400),
    untold(TOKEN, 90002, "Tenant 'acme.example' not found. Check to make sure you have the correct tenant ID.", "not_found",
           "integrator", error="invalid_request", status=400),
    untold(TOKEN, 70011, "The provided value for the input parameter 'scope' isn't valid.", "contract", "integrator",
           error="invalid_scope", status=400),
    untold(TOKEN, 53003, "Access has been blocked by Conditional Access policies.", "permission", "client", error="invalid_grant",
           status=400),
    untold(TOKEN, 90033, "A transient error has occurred. Please try again.", "unavailable", "hosting",
           error="temporarily_unavailable", status=503),
]
ANSWERS = ENTRA + [
    said("health", LIST, 401, "Authentication_InvalidCredentials", "The server has rejected the client credentials.", "auth", "client"),
    said("health", LIST, 404, "BadRequest_ResourceNotFound", "Resource not found for the segment 'salesOrder'.", "not_found", "integrator"),
    said("health", LIST, 503, "Internal_TenantUnavailable", "The tenant 'ms1' is not accessible", "unavailable", "hosting"),
    said("health", LIST, 429, "Application_TooManyRequests", "Too many requests reached. Actual (101). Maximum (100).", "rate_limit",
         "integrator"),
    said("health", LIST, 400, "BadRequest", "Could not find a property named 'names' on type 'Microsoft.NAV.company'.", "contract",
         "integrator"),
    said("health", f"GET {BASE}$", *FAILURES["company"], "not_found", "integrator"),
    said("payment", "GET .*/salesInvoices", 400, "Internal_ServerError",
         "You do not have the following permissions on TableData Sales Invoice Header: Read.", "permission", "client"),
    said("payment", "GET .*/salesInvoices", 500, "Internal_ServerError", "The value of the field SystemId cannot be changed. Table: Sales Line",
         "server_fault", "erp-partner"),
    said("customer", "POST .*/customers", 400, "Application_DialogException",
         "Sie können Nummern nicht manuell vergeben. Aktivieren Sie Manuelle Nr. in der Nummernserie DEB.", "validation", "erp-partner"),
    said("customer", "POST .*/customers", 400, "Application_FieldValidationException",
         "Gen. Bus. Posting Group must have a value in Customer: No.=C001. It cannot be zero or empty.", "validation", "erp-partner"),
    said("order", "POST .*/salesOrders", 400, "Application_DialogException",
         "No puede crear este tipo de documento cuando el cliente 10000 está bloqueado con el tipo Todos", "validation", "client"),
    said("order", "POST .*/salesOrders", 400, "Application_DialogException",
         "Posting Date is not within your range of allowed posting dates.", "validation", "client"),
    said("order", "POST .*/salesOrders", 400, "Internal_InvalidTableRelation",
         "Het veld Nr. bevat een waarde (GONE) die niet in de tabel Artikel staat.", "validation", "erp-partner"),
    said("order", "POST .*/salesOrders", 409, "Internal_ServerError",
         "The activity was deadlocked with another user. Please retry the activity.", "locked", "erp-partner"),
    said("order", "POST .*/salesOrders", 400, "Application_CallbackNotAllowed",
         "Microsoft Dynamics attempted to issue a client callback to show a confirmation dialog box.", "contract", "erp-partner"),
]
