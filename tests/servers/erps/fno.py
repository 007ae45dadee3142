# SPDX-License-Identifier: MIT
"""Dynamics 365 Finance and Operations: Entra tokens, OData, an error.code that is always empty and a
reason behind "Infolog:" in innererror.message; nothing is found without cross-company=true."""
import re

from erp import OAuth2
from erps import business_central

TENANT = "acme.example"
AUTH = [OAuth2(f"/{TENANT}/oauth2/v2.0/token",
               {"grant_type": "client_credentials", "client_id": "app-1", "client_secret": "fno-secret-1",
                "scope": lambda scope, q: scope == f"http://{q.host}/.default"},
               (401, {"error": "invalid_client", "error_codes": [7000222], "error_description":
                      "AADSTS7000222: The provided client secret keys for app 'app-1' are expired. Trace ID: "
                      "0a0b0c0d-0000-4000-8000-000000000001 Correlation ID: 0a0b0c0d-0000-4000-8000-000000000002 "
                      "Timestamp: 2026-01-01 00:00:00Z"}))]
FAILURES = {
    "expired": (401, None, ""),
    "missing": (400, "Read", "No resources were found when selecting for update."),
    "invalid": (400, "Write", "Write failed for table row of type 'SalesOrderLineV2Entity'. Infolog: Warning: The value '%s' in "
                "field 'Item number' is not found in the related table 'Released products'.; Warning: validateField failed "
                "on field 'SalesOrderLineV2Entity.ItemNumber'."),
    "locked": (400, "Write", "Write failed for table row of type 'SalesOrderHeaderV2Entity'. Infolog: Error: Cannot edit a record "
               "in Sales orders (SalesTable). An update conflict occurred due to another user process deleting the record or "
               "changing one or more fields in the record."),
}
KNOWN = {"ItemNumber": "1000"}
SEED = {"invoices": [{"key": "1", "InvoiceNumber": "CIV-000001", "TotalInvoiceAmount": 12.1, "SalesOrderNumber": "000001"}]}


def fail(status, code, text):
    if code is None:
        return ""
    return {"error": {"code": "", "message": "An error has occurred.", "innererror": {
        "message": text, "type": f"Microsoft.Dynamics.Platform.Integration.Services.OData.AxOData{code}Exception",
        "stacktrace": "   at Microsoft.Dynamics.Platform.Integration.Services.OData"}}}


def named(request):
    return request.json.get("CustomerAccount")


def across(answer):
    """Without cross-company nothing is found."""
    def checked(record, request):
        return answer(record) if request.query.get("cross-company") == "true" else (400, fail(*FAILURES["missing"]))
    return checked


def entity(name, key, table, **more):
    def shown(record):
        return {**record, key: record["key"], **{k: v(record) for k, v in more.items()}}

    one = f"/data/{name}\\(dataAreaId='usmf',{key}='(?P<key>.+)'\\)"
    return [(f"POST /data/{name}", "make", table, lambda r, q: (201, shown(r))),
            (f"GET /data/{name}", "some", table, across(lambda rows: (200, {"value": [shown(r) for r in rows]}))),
            (f"GET {one}", "read", table, across(lambda r: (200, shown(r)))),
            (f"DELETE {one}", "drop", table, across(lambda r: (204, None)))]


def legal_entities(_, request):
    """Those of the filter; they belong to no company."""
    wanted = re.search("LegalEntityId eq '(.+)'", request.query.get("$filter", ""))
    return 200, {"value": [e for e in ({"LegalEntityId": "usmf"},) if not wanted or wanted[1] == e["LegalEntityId"]]}


CALLS = [("GET /data/LegalEntities", "say", "", legal_entities),
         ("POST /data/DataManagementEntities/Microsoft.Dynamics.DataEntities.GetApplicationVersion", "say", "",
          lambda _, q: (200, {"@odata.context": "$metadata#Edm.String", "value": "10.0.44.100"})),
         *entity("CustomersV3", "CustomerAccount", "customers"), *entity("SalesQuotationHeadersV2", "SalesQuotationNumber", "quotes"),
         *entity("SalesOrderHeadersV2", "SalesOrderNumber", "orders", SalesOrderStatus=lambda r: "Backorder",
                 OrderCreationDateTime=lambda r: r["made"]),
         *entity("SalesOrderLinesV2", "InventoryLotId", "lines"),
         ("GET /data/SalesInvoiceHeadersV2", "some", "invoices", across(lambda rows: (200, {"value": rows})))]

GIVEN = {"url": "{erp}", "login": "{erp}", "tenant": TENANT, "client_id": "app-1", "client_secret": "fno-secret-1",
         "company": "usmf", "customer_no": "US-001", "item": "1000", "warehouse": "24"}
WRONG = {"give": {"client_secret": "not-the-secret"}, "step": "get a token", "code": "AADSTS7000222"}
INVALID = {"give": {"item": "GONE"}, "code": None, "message": "The value 'GONE' in field 'Item number' is not found"}
EXPIRES_AFTER = 1

# For the tests of what it answers, as business_central.py has them. No code, and no id but a custom service's.
ORDER, LEGAL = "POST /data/SalesOrderHeadersV2", "GET /data/LegalEntities"


def infolog(status, text, *echo):
    """The reason among its echoes, as the infolog has them."""
    parts = "; ".join(f"Warning: {part}" for part in (text, *echo))
    return status, fail(status, "Write", f"Write failed for table row of type 'SalesOrderHeaderV2Entity'. Infolog: {parts}.")


def said(flow, pattern, status, text, cause, act):
    answer = infolog(status, text, "validateField failed on field 'SalesOrderHeaderV2Entity.Field'", "Update has been canceled")
    return flow, pattern, answer, (cause, act, None, text), {}


def plain(flow, pattern, status, text, cause, act):
    return flow, pattern, (status, fail(status, "Read", text)), (cause, act, None, text), {}


SESSION = (403, {"Message": "An error has occurred.", "ExceptionMessage": "Forbidden", "ExceptionType": "SessionCreationException",
                 "StackTrace": "at ServicesSessionProvider.ThrowSessionCreationException"})
RUNGS = [("get a token", "POST /acme.example/oauth2", AUTH[0].refused),
         ("the app is let in", LEGAL, SESSION),
         ("the company is there", LEGAL, (200, {"value": []})),
         ("sales can be read", "GET /data/SalesOrderHeadersV2", (403, {"Message": "Access denied: SalesOrderHeaderV2Entity"}))]
LEFT = {"orders": {"CustomersOrderReference": "ERPW-abc123abc125"}}
VERSION = "10.0.44.100"
ANSWERS = business_central.ENTRA + [
    said("customer", "POST /data/CustomersV3", 400,
         "The value 'Local' in field 'Customer group' is not found in the related table 'Customer groups'.", "validation", "erp-partner"),
    said("customer", "POST /data/CustomersV3", 500,
         "Der Wert 'Lokal' im Feld 'Debitorengruppe' ist in der zugehörigen Tabelle 'Debitorengruppen' nicht enthalten.",
         "validation", "erp-partner"),
    said("customer", "POST /data/CustomersV3", 400,
         "Cannot create a record in Customers (CustTable). Customer account: EW1. The record already exists.", "conflict", "integrator"),
    said("order", ORDER, 400, "Inventory dimension Site is mandatory and must consequently be specified.", "validation", "erp-partner"),
    said("order", ORDER, 400, "Item '1000' is blocked for 'Sales order'.", "validation", "client"),
    said("order", ORDER, 500, "Cannot edit a record in Sales orders (SalesTable). An update conflict occurred due to another user "
         "process deleting the record or changing one or more fields in the record.", "conflict", "integrator"),
    said("order", ORDER, 400, "Period for 1/31/2026 is not open for the module Sales order.", "validation", "client"),
    plain("payment", "GET /data/SalesInvoiceHeadersV2", 404, "Resource not found for the segment 'SalesInvoiceHeadersV2'.",
          "not_found", "erp-partner"),
    plain("payment", "GET /data/SalesInvoiceHeadersV2", 429, "Number of concurrent requests exceeded the limit of 52.",
          "rate_limit", "integrator"),
    plain("payment", "GET /data/SalesInvoiceHeadersV2", 429, "This request could not be processed at this time due to system "
          "experiencing high resource utilization.", "rate_limit", "hosting"),
    ("payment", "GET /data/SalesInvoiceHeadersV2", (500, {
        "Message": "An exception occured when invoking the operation - Cannot create a record in Assets. The record already exists.",
        "ExceptionType": "DuplicateKeyException", "ActivityId": "671c83eb-0000-4000-8000-000000000001"}),
     ("conflict", "integrator", "DuplicateKeyException", "Cannot create a record in Assets. The record already exists."),
     {"ActivityId": "671c83eb-0000-4000-8000-000000000001"}),
]
