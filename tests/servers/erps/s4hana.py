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


def raised(code, text, status=400, wrapper=True):
    """The reason in errordetails[], behind or before the generic one."""
    details = [{"code": code, "message": text, "severity": "error"}]
    other = {"code": "/IWBEP/CX_MGW_BUSI_EXCEPTION", "message": "An exception was raised", "severity": "error"}
    return status, {"error": {"code": code, "message": {"lang": "en", "value": text}, "innererror": {
        "transactionid": "4F00A1B2C3D4E5F60718293A4B5C6D7E", "errordetails": details + [other] * wrapper}}}


def v4(status, code, text):
    return status, {"error": {"code": code, "message": text, "details": []}}


def told(status, code, text):
    return status, ('<error xmlns="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">'
                    f'<code>{code}</code><message xml:lang="en">{text}</message></error>')


SIMULATED = "POST .*A_SalesOrderSimulation"
CASES = [
    ("order", SIMULATED, raised("V1/302", "Material X is not defined for sales org. 1710, distr.chan. 10, language EN"),
     "error_code", "validation", "V1/302", "not defined", "client", {"transactionid": "4F00A1B2C3D4E5F60718293A4B5C6D7E"}),
    ("order", SIMULATED, raised("VP/204", "Auftraggeber 4711 ist für den Vertriebsbereich nicht angelegt"),
     "error_code", "validation", "VP/204", "Auftraggeber", "client"),
    ("order", SIMULATED, raised("V4/083", "Verkaufsbeleg wird zur Zeit von Benutzer MEIER bearbeitet"),
     "error_code", "locked", "V4/083", "MEIER", "client"),
    ("order", SIMULATED, raised("ZSHOP/017", "Please give a promotion"), "error_code", "validation", "ZSHOP/017", "promotion", "erp-partner"),
    ("order", SIMULATED, told(403, "/IWFND/MED/170", "No service found for namespace '', name 'X', version '0001'"),
     "error_code", "not_found", "/IWFND/MED/170", "No service found", "erp-partner"),
    ("order", SIMULATED, told(403, "/IWFND/CM_CONSUMER/101", "No authorization to access Service 'X'"),
     "error_code", "permission", "/IWFND/CM_CONSUMER/101", "No authorization", "client"),
    ("order", SIMULATED, told(500, "/IWFND/CM_COS/003", "SAP NetWeaver Gateway is not active"),
     "error_code", "unavailable", "/IWFND/CM_COS/003", "not active", "erp-partner"),
    ("order", SIMULATED, (500, {"error": {"code": "/IWBEP/CX_MGW_BUSI_EXCEPTION", "message": {"lang": "en", "value": "An exception was raised"}}}),
     "cryptic", "unknown", "/IWBEP/CX_MGW_BUSI_EXCEPTION", "exception", "erp-partner"),
    ("order", SIMULATED, v4(400, "/IWCOR/CX_DS_EDM_FACET_ERROR/005056A509B11ED1BDCCCC5E8168819D",
                            "Eigenschaft 'X' an Offset '86' hat ungültigen Wert 'Y'"),
     "error_code", "validation", "/IWCOR/CX_DS_EDM_FACET_ERROR/005056A509B11ED1BDCCCC5E8168819D", "ungültig", "integrator"),
    ("real-order", "POST .*A_SalesOrder$", v4(412, "/IWBEP/CM_V4_RUNTIME/021", "The state of the resource was already changed"),
     "error_code", "conflict", "/IWBEP/CM_V4_RUNTIME/021", "already changed", "integrator"),
    ("order", SIMULATED, raised("V1/811", "Number range 01 for VBAK is not there", wrapper=False),
     "error_code", "validation", "V1/811", "Number range", "erp-partner"),
]
SWEPT = [("orders", {"key": "71", "number": "71", "PurchaseOrderByCustomer": "ERPW-0LEFT0000001"})]
VERSION = "Thu, 01 Jan 2026 00:00:00 GMT"
