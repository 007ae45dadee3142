# SPDX-License-Identifier: MIT
"""Dynamics AX 2012's document services in IIS, behind NTLM: faults with HTTP 500, whose detail is an
AifFault with messages and an infolog, or nothing where the port keeps exceptions to itself."""
from erp import Ntlm, Refused, soap, xml

P = "/MicrosoftDynamicsAXAif60/{}/xppservice.svc"
FAULT = "http://schemas.microsoft.com/dynamics/2008/01/documents/Fault"
AUTH = [Ntlm("ACME", "probe", "ax-secret-1")]
FAILURES = {
    "missing": (500, "", "No record with the key %s was found."),
    "invalid": (500, "", "Value '%s' in field 'Item number' is not found in the related table 'Items'."),
    "locked": (500, "2", "Submit an order\tCannot edit a record in Sales orders (SalesTable). The operation failed: deadlock."),
    "mandatory": (500, "", "Field 'Site' must be filled in."),
    "schema": (500, "", "Invalid document schema. The following error is reported: The element 'SalesTable' has invalid "
                        "child element 'LanguageId'."),
    "suppressed": (500, "RequestFailed", "Request Failed. See the Exception Log for details."),
    "duplicate": (500, "13", "Cannot create a record in Customers (CustTable). The record already exists."),
    "unauthorized": (500, "", "The user 'probe' is not authorized to run the service operation."),
    "closed": (500, "a:EndpointNotFound", "There was no endpoint listening at net.tcp://aos:8201/DynamicsAx/Services/SalesOrderPort."),
    "stopped": (503, "", "Service Unavailable"),
}
KNOWN = {"ItemId": "1001", "CustAccount": "C1"}
SEED = {"customers": [{"key": "C1", "Name": "Test", "made": "2020-01-01T00:00:00Z"}]}


def fail(status, code, text):
    if status == 503:
        return f"<HTML><HEAD><TITLE>{text}</TITLE></HEAD><BODY><h2>{text}</h2><p>HTTP Error 503. The service is unavailable.</p></BODY></HTML>"
    if code.startswith("a:"):
        return soap(f'<s:Fault><faultcode xmlns:a="http://schemas.microsoft.com/ws/2005/05/addressing/none">{code}</faultcode>'
                    f"<faultstring>{text}</faultstring></s:Fault>")
    if code == "RequestFailed":
        detail = ""
    else:
        detail = (f'<detail><AifFault xmlns="{FAULT}"><CustomDetailXml/><FaultMessageListArray><FaultMessageList><Document>SalesOrder'
                  f"</Document><FaultMessageArray><FaultMessage><Code>{'' if code else '-1'}</Code><Message>{text}</Message></FaultMessage>"
                  "</FaultMessageArray></FaultMessageList></FaultMessageListArray><InfologMessageList><InfologMessage>"
                  f"<InfologMessageType>Error</InfologMessageType><Message>{text}</Message></InfologMessage></InfologMessageList>"
                  f"<StackTrace/><XppExceptionType>{code or 3}</XppExceptionType></AifFault></detail>")
    return soap(f'<s:Fault><faultcode>s:{code if code == "RequestFailed" else "Client"}</faultcode>'
                f'<faultstring xml:lang="EN-US">Request Failed. See the Exception Log for details.</faultstring>{detail}</s:Fault>')


def key(request):
    return request.fields["Value"]


def service(name, port, table, number, shown):
    path = P.format(port)
    line = f"POST {path} {name}Service"

    def answer(operation, inner=""):
        return 200, soap(f'<{name}Service{operation}Response xmlns="http://schemas.microsoft.com/dynamics/2008/01/services">{inner}'
                         f"</{name}Service{operation}Response>")

    def keys(record):
        return ("<EntityKeyList><EntityKey><KeyData><KeyField>" f"<Field>{number}</Field><Value>{record['key']}</Value>"
                "</KeyField></KeyData></EntityKey></EntityKeyList>")

    def document(records):
        return f"<{name}>" + "".join(shown(r) for r in records) + f"</{name}>"

    return [(f"GET {path}", "say", table, lambda r, q: (200, '<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/"/>')),
            (line + "CreateRequest", "make", table, lambda r, q: answer("Create", keys(r))),
            (line + "ReadRequest", "read", table, lambda r, q: answer("Read", document([r]))),
            (line + "FindRequest", "some", table, lambda rows, q: answer("Find", document(rows))),
            (line + "DeleteRequest", "drop", table, lambda r, q: answer("Delete"))]


CALLS = [
    *service("Customer", "CustomerPort", "customers", "AccountNum", lambda r: (
        f'<CustTable class="entity"><AccountNum>{r["key"]}</AccountNum><CreatedDateTime>{r["made"]}</CreatedDateTime>'
        f'<DirParty class="entity">{xml(r, "Name")}</DirParty></CustTable>')),
    *service("SalesOrder", "SalesOrderPort", "orders", "SalesId", lambda r: (
        f'<SalesTable class="entity"><CreatedDateTime>{r["made"]}</CreatedDateTime>{xml(r, "CustAccount", "PurchOrderFormNum")}<SalesId>{r["key"]}</SalesId></SalesTable>')),
]

GIVEN = {"url": "{erp}/MicrosoftDynamicsAXAif60", "domain": "ACME", "username": "probe", "password": "ax-secret-1", "company": "USMF",
         "account": "C1", "item": "1001"}
WRONG = {"give": {"password": "not-the-secret"}, "step": "submit order", "code": None}
INVALID = {"give": {"item": "GONE"}, "code": "-1", "message": "'GONE'"}
RUNGS = [("the web server answers", None, "maintenance"), ("the port is there for this user", "GET", "stopped"),
         ("AX reads a customer", "CustomerServiceReadRequest", "stopped")]
CREATE = "SalesOrderServiceCreateRequest"
FAMILIES = {
    "invalid": ("order", CREATE, {"class": "error_code", "cause": "validation", "act": "client", "code": "-1", "message": "'GONE'"}),
    "locked": ("order", CREATE, {"class": "error_code", "cause": "locked", "act": "erp-partner", "code": "2", "message": "Cannot edit a record"}),
    "mandatory": ("order", CREATE, {"class": "error_code", "cause": "validation", "act": "erp-partner", "message": "must be filled in"}),
    "schema": ("order", CREATE, {"class": "error_code", "cause": "contract", "act": "integrator"}),
    "suppressed": ("order", CREATE, {"class": "cryptic", "cause": "server_fault", "act": "erp-partner", "code": "s:RequestFailed"}),
    "duplicate": ("customer", "CustomerServiceCreateRequest", {"cause": "conflict", "act": "erp-partner", "code": "13"}),
    "unauthorized": ("customer", "CustomerServiceCreateRequest", {"cause": "permission", "act": "erp-partner"}),
    "closed": ("order", CREATE, {"cause": "unavailable", "act": "erp-partner", "code": "a:EndpointNotFound"}),
}
LEFT = {"customers": {"Name": "erpwatch ERPW-0123456789ab"}, "orders": {"PurchOrderFormNum": "ERPW-0123456789ab", "CustAccount": "C1"}}
LOST = ("customer", "order")
