# SPDX-License-Identifier: MIT
"""Dynamics NAV's SOAP page services behind NTLM: the name of a .NET class is the code of a fault, which
comes with HTTP 500; a search that finds nothing is an empty list."""
from erp import Ntlm, soap, xml

P = "/DynamicsNAV110/WS/CRONUS/Page"
AUTH = [Ntlm("ACME", "probe", "nav-secret-1")]
FAILURES = {
    "missing": (500, "NavCSideRecordNotFoundException", "The record does not exist. Identification fields and values: %s"),
    "invalid": (500, "NavCSideValidateTableRelationException",
                "The field No. of table Sales Line contains a value (%s) that cannot be found in the related table (Item)."),
    "locked": (500, "NavCSideException", "The Sales Header table is locked by another user."),
}
KNOWN = {"No": "1896-S", "Sell_to_Customer_No": "10000"}
SEED = {"ledger": [{"key": "1", "Entry_No": "1", "Document_No": "103021", "Open": "false", "Remaining_Amount": "0"}]}


def fail(status, code, text):
    return soap("<s:Fault><faultcode xmlns:a=\"urn:microsoft-dynamics-schemas/error\">"
                f"a:Microsoft.Dynamics.Nav.Types.Exceptions.{code}</faultcode><faultstring xml:lang=\"en-US\">{text}</faultstring>"
                f"<detail><string xmlns=\"http://schemas.microsoft.com/2003/10/Serialization/\">{text}</string></detail></s:Fault>")


def key(request):
    return request.fields.get("No") or request.fields["Key"].removeprefix("32;")


def page(service, *names, day):
    def shown(record):
        record = {**record, day: record["made"][:10]}
        return f"<{service}><Key>32;{record['key']}</Key><No>{record['key']}</No>{xml(record, day, *names)}</{service}>"

    def answer(operation, inner):
        return 200, soap(f'<{operation}_Result xmlns="urn:microsoft-dynamics-schemas/page/{service.lower()}">{inner}</{operation}_Result>')

    line, table = f"POST {P}/{service}", service.lower()
    return [(f"{line} Create", "make", table, lambda r, q: answer("Create", shown(r))),
            (f"{line} Read", "read", table, lambda r, q: answer("Read", shown(r))),
            (f"{line} ReadMultiple", "some", table, lambda rows, q: answer(
                "ReadMultiple", "<ReadMultiple_Result>" + "".join(map(shown, rows)) + "</ReadMultiple_Result>")),
            (f"{line} Delete", "drop", table, lambda r, q: answer("Delete", f"<Delete_Result>true</Delete_Result>"))]


SERVICES = ("Customer", "SalesQuote", "SalesOrder", "CustomerLedgerEntries")
CALLS = [(f"GET {P.removesuffix('/Page')}/services", "say", "", lambda _, q: (
            200, '<discovery xmlns="http://schemas.xmlsoap.org/disco/">' + "".join(
                f'<contractRef ref="http://{q.host}{P}/{service}"/>' for service in SERVICES) + "</discovery>")),
         *page("Customer", "Name", day="Last_Date_Modified"),
         *page("SalesQuote", "External_Document_No", "Sell_to_Customer_No", day="Order_Date"),
         *page("SalesOrder", "External_Document_No", "Sell_to_Customer_No", day="Order_Date"),
         (f"POST {P}/CustomerLedgerEntries ReadMultiple", "some", "ledger", lambda rows, q: (200, soap(
             "<ReadMultiple_Result>" + "".join("<CustomerLedgerEntries>" + xml(r, "Entry_No", "Open", "Remaining_Amount") +
                                               "</CustomerLedgerEntries>" for r in rows) + "</ReadMultiple_Result>")))]

GIVEN = {"url": "{erp}/DynamicsNAV110/WS/CRONUS", "domain": "ACME", "username": "probe", "password": "nav-secret-1",
         "customer_no": "10000", "item": "1896-S"}
WRONG = {"give": {"password": "not-the-secret"}, "step": "submit order", "code": None}
INVALID = {"give": {"item": "GONE"}, "code": "NavCSideValidateTableRelationException", "message": "(GONE)"}

# For the tests of what it answers, as business_central.py has them; a fault has no id.
ORDER = f"POST {P}/SalesOrder Create"


def said(flow, pattern, code, text, cause, act):
    return flow, pattern, (500, fail(500, code, text)), (cause, act, code, text), {}


RUNGS = [("the services are listed", "GET .*/services", (401, "")),
         ("customers can be read", f"POST {P}/Customer ReadMultiple", (500, fail(
             500, "NavPermissionException", "You do not have the following permissions on TableData Customer: Read."))),
         ("orders can be read", f"POST {P}/SalesOrder ReadMultiple", (404, ""))]
LEFT = {"customer": {"Name": "erpwatch ERPW-abc123abc123"},
        "salesquote": {"External_Document_No": "ERPW-abc123abc124"}, "salesorder": {"External_Document_No": "ERPW-abc123abc125"}}
VERSION = None
ANSWERS = [
    said("health", "GET .*/services", "NavCompanyNotFoundException", "The company \"CRONUS\" does not exist.", "not_found", "integrator"),
    said("health", "GET .*/services", "NavTenantNotAccessibleException", "The tenant 'default' is not accessible", "unavailable", "hosting"),
    said("health", f"POST {P}/Customer", "NavPermissionException",
         "Sie haben nicht die Berechtigung für TableData Debitor: Lesen.", "permission", "client"),
    said("customer", f"POST {P}/Customer Create", "NavTestFieldException",
         "Customer Posting Group must have a value in Customer: No.=C00690. It cannot be zero or empty.", "validation", "erp-partner"),
    said("customer", f"POST {P}/Customer Create", "NavNCLDialogException",
         "You may not enter numbers manually. If you want to, please activate Manual Nos. in No. Series CUST.", "validation", "erp-partner"),
    said("customer", f"POST {P}/Customer Create", "NavCSideDuplicateKeyException",
         "The Customer already exists. Identification fields and values: No.='10000'", "conflict", "erp-partner"),
    said("order", ORDER, "NavNCLDialogException",
         "Buchungsdatum nicht innerhalb des zugelassenen Buchungszeitraums in Verkaufskopf Nr.='1001'.", "validation", "client"),
    said("order", ORDER, "NavNCLDialogException", "Le client 10000 est bloqué avec le type Tous.", "validation", "client"),
    said("order", ORDER, "NavCSideException",
         "The operation could not complete because a record in the Sales Header table was locked by another user.", "locked", "erp-partner"),
    said("order", ORDER, "NavCSideValidateTableRelationException",
         "The field No. of table Sales Line contains a value (GONE) that cannot be found in the related table (Item).",
         "validation", "erp-partner"),
    said("order", ORDER, "NavNCLCallbackNotAllowedException", "Callback functions are not allowed.", "contract", "erp-partner"),
    said("order", ORDER, "NavCSideRecordNotFoundException",
         "De Klant bestaat niet. Identificatievelden en waarden: Nr.='10000'", "not_found", "client"),
]
