# SPDX-License-Identifier: MIT
"""S/4HANA's OData V2: Basic, a CSRF token that only works with the cookie that came with it, and the
reason in innererror.errordetails[] behind a generic code."""
from erp import Basic, Csrf

S = "/sap/opu/odata/sap"
OPEN = f"{S}/API_SALES_ORDER_SRV/"
AUTH = [Basic("PROBE", "s4-secret-1"), Csrf((403, "CSRF token validation failed", [("x-csrf-token", "Required")]))]
FAILURES = {
    "credentials": (401, None, ""),
    "expired": (403, None, ""),
    "missing": (404, "/IWBEP/CM_MGW_RT/022", "Data not found for the requested resource %s"),
    "invalid": (400, "V1/302", "Material %s is not defined for sales org. 1710, distr.chan. 10"),
    "locked": (400, "V1/042", "Sales document is currently being processed by user MILLER"),
}
UNKNOWN = ("/IWBEP/CM_MGW_RT/020", "Resource not found for segment")
KNOWN = {"Material": "TG11", "SoldToParty": "17100001"}
SEED = {"orders": [{"key": "1", "SalesOrder": "1", "OverallSDProcessStatus": "C"}],
        "partners": [{"key": "17100001", "BusinessPartner": "17100001", "BusinessPartnerFullName": "A customer"}]}


def fail(status, code, text):
    if code is None:
        return "<html><head><title>Logon Error Message</title></head><body>Logon failed</body></html>"
    return {"error": {"code": "/IWBEP/CX_MGW_BUSI_EXCEPTION", "message": {"lang": "en", "value": "An exception was raised"},
                      "innererror": {
                          "application": {"component_id": "SD-SLS", "service_namespace": "/SAP/", "service_id": "API_SALES_ORDER_SRV",
                                          "service_version": "0001"},
                          "transactionid": "0A0B0C0D0E0F40008000000000000001", "timestamp": "20260101000000.0000000",
                          "errordetails": [{"code": code, "message": text, "severity": "error", "target": ""},
                                           {"code": "/IWBEP/CX_MGW_BUSI_EXCEPTION", "message": "An exception was raised",
                                            "severity": "error", "target": ""}]}}}


def shown(record):
    number = record.get("number", record["key"])
    return {"CreationDate": "/Date(1767225600000)/", **record, "SalesOrder": number, "__metadata": {"etag": f"W/\"'{number}'\""}}


ORDERS = f"{S}/API_SALES_ORDER_SRV/A_SalesOrder"
METADATA = ('<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"><edmx:DataServices '
            'm:DataServiceVersion="2.0" xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">'
            '<EntityContainer Name="API_SALES_ORDER_SRV_Entities"><EntitySet Name="A_SalesOrder" '
            'EntityType="API_SALES_ORDER_SRV.A_SalesOrderType"/></EntityContainer></edmx:DataServices></edmx:Edmx>')
CALLS = [
    (f"GET {S}/API_SALES_ORDER_SRV/", "say", None, lambda r, q: (200, {"d": {"EntitySets": ["A_SalesOrder"]}})),
    (f"GET {S}/API_SALES_ORDER_SRV/\\$metadata", "say", None, lambda r, q: (
        200, METADATA, [("sap-metadata-last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")])),
    (f"GET {S}/API_BUSINESS_PARTNER/A_BusinessPartner", "some", "partners", lambda r, q: (200, {"d": {"results": r}})),
    (f"POST {S}/API_SALES_ORDER_SIMULATION_SRV/A_SalesOrderSimulation", "dry", "orders",
     lambda r, q: (201, {"d": {"SalesOrder": "", "TotalNetAmount": "12.10", "TransactionCurrency": "USD"}})),
    (f"POST {ORDERS}", "make", "orders", lambda r, q: (201, {"d": shown(r)})),
    (f"GET {ORDERS}", "some", "orders", lambda r, q: (200, {"d": {"results": [shown(x) for x in r]}})),
    (f"GET {ORDERS}\\('(?P<key>.+)'\\)", "read", "orders", lambda r, q: (200, {"d": shown(r)})),
    (f"DELETE {ORDERS}\\('(?P<key>.+)'\\)", "drop", "orders",
     lambda r, q: (204, None) if (q.headers.get("If-Match") or "").startswith("W/") else (428, fail(428, "X", "If-Match"))),
    (f"GET {S}/API_BUSINESS_PARTNER/A_BusinessPartner\\('(?P<key>.+)'\\)", "read", "partners", lambda r, q: (200, {"d": r})),
]

GIVEN = {"url": "{erp}" + S, "username": "PROBE", "password": "s4-secret-1", "customer_no": "17100001", "item": "TG11",
         "sales_organization": "1710"}
WRONG = {"give": {"password": "not-the-secret"}, "step": "fetch the CSRF token", "code": None, "class": "cryptic"}
INVALID = {"give": {"item": "GONE"}, "code": "V1/302", "message": "Material GONE is not defined"}
EXPIRES_AFTER = 0
RUNGS = [("the server answers", f"GET {S}/API_SALES_ORDER_SRV/$"), ("the login and the order API work", "GET .*metadata"),
         ("customers can be read", "GET .*A_BusinessPartner$"), ("orders can be read", "GET .*A_SalesOrder$")]
