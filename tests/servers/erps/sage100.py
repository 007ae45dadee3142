# SPDX-License-Identifier: MIT
"""Sage 100's eBusiness Web Services: SOAP with user, password and company in each body; a preview that
saves nothing; faults with HTTP 500 and no code."""
from erp import soap, xml


class Logon:
    """In each body but that of GetContractInformation."""

    def check(self, erp, request):
        if request.method == "GET" or "Contract" in request.operation:
            return
        if (request.fields.get("Username"), request.fields.get("Password")) != ("probe", "sage-secret-1"):
            erp.refuse("credentials")


P = "POST /ebusinesswebservices/MasService.svc"
AUTH = [Logon()]
FAILURES = {
    "credentials": (500, "", "The logon was refused: invalid user name or password"),
    "missing": (500, "", "The customer does not exist"),
    "invalid": (500, "", "The item code %s is not on file"),
    "masked": (500, "", "An exception occurred."),
    "disabled": (500, "", "Web services are not enabled for this user."),
    "role": (500, "", "The user is not authorized for Customer Maintenance, Create."),
    "company": (500, "", "Company code XYZ is not valid."),
    "locked": (500, "", "The record is in use by another user."),
    "held": (500, "", "The customer is on credit hold."),
    "period": (500, "", "The order date is outside of an open period: the period is closed."),
    "taken": (500, "", "Customer number 00-TEST1 already exists."),
    "action": (500, "a:ActionNotSupported", "The message with Action 'urn:sage:X' cannot be processed at the receiver."),
}
KNOWN = {"ItemCode": "SKU-1"}
SEED = {"customers": [{"key": "TEST1", "CustomerNo": "TEST1", "CustomerName": "Test"}]}


def fail(status, code, text):
    return soap(f"<s:Fault><faultcode>{code or 's:Client'}</faultcode><faultstring>{text}</faultstring></s:Fault>")


def named(request):
    return request.fields.get("CustomerNo") or request.fields.get("customerNo")


def key(request):
    return request.fields["customerNo"]


CALLS = [
    (P.replace("POST", "GET"), "say", "", lambda r, q: (200, "<html><head><title>MasService Service</title></head></html>")),
    (f"{P} GetContractInformation", "say", "", lambda r, q: (200, soap(
        "<GetContractInformationResponse><GetContractInformationResult><AssemblyVersion>7.20.0.0</AssemblyVersion>"
        "<ContractVersion>2.1</ContractVersion></GetContractInformationResult></GetContractInformationResponse>"))),
    (f"{P} CreateCustomer", "make", "customers", lambda r, q: (200, soap("<CreateCustomerResponse/>"))),
    (f"{P} GetCustomer", "read", "customers", lambda r, q: (200, soap(
        "<GetCustomerResponse><GetCustomerResult>" + xml(r, "CustomerNo", "CustomerName") + "</GetCustomerResult></GetCustomerResponse>"))),
    (f"{P} DeleteCustomer", "drop", "customers", lambda r, q: (200, soap("<DeleteCustomerResponse/>"))),
    (f"{P} PreviewSalesOrder", "dry", "orders", lambda r, q: (200, soap(
        "<PreviewSalesOrderResponse><PreviewSalesOrderResult><CustomerNo>TEST1</CustomerNo><TaxableAmt>12.10</TaxableAmt>"
        "</PreviewSalesOrderResult></PreviewSalesOrderResponse>"))),
]

GIVEN = {"url": "{erp}/ebusinesswebservices/MasService.svc", "namespace": "urn:sage", "action": "urn:sage:", "username": "probe",
         "password": "sage-secret-1", "company": "ABC", "customer_no": "TEST1", "item": "SKU-1"}
WRONG = {"give": {"password": "not-the-secret"}, "step": "preview an order", "code": "s:Client"}
INVALID = {"give": {"item": "GONE"}, "code": "s:Client", "message": "GONE is not on file"}
RUNGS = [("the web server answers", None, "maintenance"), ("the web services answer", "GetContractInformation", "action"),
         ("Sage 100 reads a customer", "GetCustomer", "company")]


def told(cause, act, cls="error_code", flow="order", operation="PreviewSalesOrder", **more):
    return flow, operation, {"class": cls, "cause": cause, "act": act, **more}


FAMILIES = {
    "invalid": told("validation", "client", message="GONE"), "masked": told("server_fault", "erp-partner", "cryptic"),
    "disabled": told("permission", "erp-partner"), "role": told("permission", "erp-partner", flow="customer", operation="CreateCustomer"),
    "company": told("contract", "erp-partner"), "locked": told("locked", "erp-partner"), "held": told("validation", "client"),
    "period": told("validation", "erp-partner"), "taken": told("conflict", "erp-partner", flow="customer", operation="CreateCustomer"),
    "action": told("contract", "integrator", code="a:ActionNotSupported"),
}
LOST = ("customer",)
