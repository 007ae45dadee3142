# SPDX-License-Identifier: MIT
"""Sage 100's eBusiness Web Services: SOAP with user, password and company in each body; a preview that
saves nothing; faults with HTTP 500 and no code."""
from erp import soap, xml


class Logon:
    def check(self, erp, request):
        if (request.fields.get("Username"), request.fields.get("Password")) != ("probe", "sage-secret-1"):
            erp.refuse("credentials")


P = "POST /ebusinesswebservices/MasService.svc"
AUTH = [Logon()]
FAILURES = {
    "credentials": (500, "", "The logon was refused: invalid user name or password"),
    "missing": (500, "", "The customer does not exist"),
    "invalid": (500, "", "The item code %s is not on file"),
}
KNOWN = {"ItemCode": "SKU-1"}
SEED = {"customers": [{"key": "TEST1", "CustomerNo": "TEST1", "CustomerName": "Test"}]}


def fail(status, code, text):
    return soap(f"<s:Fault><faultcode>s:Client</faultcode><faultstring>{text}</faultstring></s:Fault>")


def named(request):
    return request.fields.get("CustomerNo") or request.fields.get("customerNo")


def key(request):
    return request.fields["customerNo"]


CALLS = [
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
