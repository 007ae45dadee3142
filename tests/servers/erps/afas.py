# SPDX-License-Identifier: MIT
"""AFAS Profit: a token in base64 that is no Bearer, HTTP 500 for what is merely invalid, Dutch texts, nothing at all
where a token is refused."""
import base64

from erp import Header

TOKEN = "<token><version>1</version><data>0A1B2C3D4E5F60718293A4B5C6D7E8F9</data></token>"
R = "/ProfitRestServices/connectors"
AUTH = [Header(Authorization="AfasToken " + base64.b64encode(TOKEN.encode()).decode())]
FAILURES = {
    "credentials": (401, None, ""),
    "missing": (404, -2147180999, "De order %s bestaat niet."),
    "invalid": (500, -2147220469, "De ingevulde waarde bij 'Itemcode' bestaat niet."),
    "forbidden": (403, -2147180999, "GetConnector niet ondersteund voor deze app of de gebruiker is niet geautoriseerd"),
    "reader": (500, -2147180996, "Deze UpdateConnector wordt niet ondersteund of de gebruiker is niet geautoriseerd."),
    "blocked": (500, -2147180999, "Deze GetConnector (definitie) is geblokkeerd"),
    "field": (500, -2147180999, "Connector-veld 'Reference' niet gevonden"),
    "long": (500, -2147180999, "De maximale tijdsduur voor het uitvoeren van de opdracht is verstreken."),
    "own": (500, -2147180999, "Er is een onverwachte fout opgetreden."),
    "rule": (500, -2147180996, "Deze bestemming is niet geldig voor dit type order"),
    "locked": (500, -2147180996, "De boekingslay-out is vergrendeld door een andere gebruiker."),
}
UNKNOWN = (-2147180999, "GetConnector niet ondersteund voor deze app of de gebruiker is niet geautoriseerd")
KNOWN = {"ItCd": "SKU-1", "DbId": "10001"}
SEED = {"customers": [{"key": "1", "DebtorId": "10001", "DebtorName": "Test"}],
        "invoices": [{"key": "1", "Factuurnummer": "1", "Saldo": 0}]}


def fail(status, code, text):
    if code is None:
        return text  # 401 and 403 are empty
    return {"externalMessage": text, "errorNumber": code, "profitLogReference": "3A4CA18A611A4E07B429AC6BAFC6B8D1"}


def listed(records, request):
    return 200, {"skip": 0, "take": 1, "rows": [{k: v for k, v in r.items() if k != "key"} for r in records]}


CALLS = [
    ("GET /ProfitRestServices/profitversion", "say", None, lambda r, q: (200, {"version": "8.0"})),
    ("GET /ProfitRestServices/metainfo", "say", None, lambda r, q: (200, {
        "updateConnectors": [{"id": "FbSales", "description": "Verkooporder"}],
        "getConnectors": [{"id": "Profit_Debtor", "description": "Debiteuren"}]})),
    (f"POST {R}/FbSales", "make", "orders", lambda r, q: (201, {"results": {"FbSales": {"OrNu": r["number"]}}})),
    (f"DELETE {R}/FbSales/FbSales/@OrNu/(?P<key>.+)", "drop", "orders", lambda r, q: (200, "{}")),
    (f"GET {R}/Profit_Debtor", "some", "customers", listed),
    (f"GET {R}/My_Invoices", "some", "invoices", listed),
    (f"GET {R}/My_Orders", "some", "orders", lambda r, q: listed([
        {"OrderNumber": x["number"], "Reference": x["RfCs"], "DateModified": x["made"]} for x in r], q)),
]

GIVEN = {"url": "{erp}/ProfitRestServices", "token": TOKEN, "customer_no": "10001", "item": "SKU-1",
         "customers_connector": "Profit_Debtor", "invoices_connector": "My_Invoices", "orders_connector": "My_Orders",
         "orders_number": "OrderNumber", "orders_reference": "Reference"}
WRONG = {"give": {"token": TOKEN.replace("0A1B", "0000")}, "step": "submit order", "code": None, "class": "cryptic"}
INVALID = {"give": {"item": "GONE"}, "code": "-2147220469", "message": "De ingevulde waarde"}
HEALTH = {"wrong": "Profit answers", "last": "customers can be read", "asked": f"GET {R}/Profit_Debtor"}
LEFT = {"orders": {"RfCs": "ERPW-0123456789ab"}}
VERSION = "8.0"
ORDER = f"POST {R}/FbSales"
LOG = {"profitLogReference": "3A4CA18A611A4E07B429AC6BAFC6B8D1"}
FAMILIES = {
    "invalid": ("order", ORDER, {"class": "error_code", "cause": "validation", "act": "client", "code": "-2147220469", "ids": LOG}),
    "reader": ("order", ORDER, {"class": "error_code", "cause": "permission", "act": "client", "ids": LOG, "says": "app connector"}),
    "blocked": ("customer", f"GET {R}/Profit_Debtor", {"class": "error_code", "cause": "permission", "act": "client", "says": "blocked"}),
    "field": ("customer", f"GET {R}/Profit_Debtor", {"class": "error_code", "cause": "contract", "act": "integrator"}),
    "long": ("customer", f"GET {R}/Profit_Debtor", {"cause": "unavailable", "act": "integrator"}),
    "own": ("order", ORDER, {"class": "cryptic", "cause": "server_fault", "act": "erp-partner", "ids": LOG}),
    "rule": ("order", ORDER, {"class": "error_code", "cause": "validation", "act": "erp-partner"}),
    "locked": ("order", ORDER, {"class": "error_code", "cause": "locked", "act": "erp-partner", "says": "Somebody works in Profit"}),
}
