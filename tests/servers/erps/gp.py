# SPDX-License-Identifier: MIT
"""Dynamics GP's legacy endpoint behind NTLM: a write needs the policy of its operation as it was given;
a refusal is HTTP 500 with nothing but the id of a log entry, which another call reads."""
import uuid

from erp import Ntlm, Refused, local, soap, xml

P = "/DynamicsGPWebServices/DynamicsGPService.asmx"
NS = "http://schemas.microsoft.com/dynamics/gp/2006/01"
LOGGED = {}  # what was refused, by the id of its log entry
AUTH = [Ntlm("ACME", "probe", "gp-secret-1")]
FAILURES = {
    "missing": (500, "validation", "The record %s does not exist in this company."),
    "invalid": (500, "validation", "Item number %s does not exist."),
    "locked": (500, "validation", "The batch is being posted or edited by another user."),
    "inactive": (500, "validation", "The customer is inactive or on hold."),
    "backorders": (500, "econnect", "Error Number = 4776  Stored Procedure= taSopLineIvcInsert  Error Description = Item does not "
                                    "allow back orders"),
    "vendor": (500, "econnect", "Error Number = 372  Stored Procedure= taPMTransactionInsert  Error Description = Vendor ID (VENDORID) "
                                "does not exist in the Vendor Master Table"),
    "crash": (500, "", "The application encountered an unhandled system exception. Contact your system administrator for details."),
    "denied": (500, "", "Security for the operation was denied: the user is not assigned to a role with this task."),
    "action": (500, "", "The message with Action cannot be processed at the receiver, due to a ContractFilter mismatch at the "
                        "EndpointDispatcher."),
    "deadlock": (500, "", "Transaction (Process ID 61) was deadlocked on lock resources with another process and has been chosen as "
                          "the deadlock victim."),
}
SEED = {"customers": [{"key": "C1", "Name": "Test"}],
        "invoices": [{"key": "STDINV1", "TotalAmount": "12.10", "TransactionState": "Work"}]}


def fail(status, code, text):
    detail = ""
    if code == "validation":
        entry = str(uuid.uuid4())
        LOGGED[entry] = text
        text, detail = "Business object validation error", f"<detail><Message>{entry}</Message></detail>"
    elif code == "econnect":
        detail = f'<detail><eConnectFault xmlns="http://schemas.microsoft.com/dynamics/gp"><Message>{text}</Message></eConnectFault></detail>'
        text = "The creator of this fault did not specify a Reason."
    return soap(f"<s:Fault><faultcode>s:Server</faultcode><faultstring>{text}</faultstring>{detail}</s:Fault>")


def step_into(node, *path):
    """The text at a path of local names, at any depth first."""
    for name in path:
        node = next((e for e in node.iter() if local(e.tag) == name and e is not node), None)
        if node is None:
            return None
    return node.text


def named(request):
    """The key of what is made; refuses what GP would, and a policy that is not the one it gave."""
    if step_into(request.xml, "OrganizationKey", "Id") != "-1":
        raise Refused(500, fail(500, "", "The company does not exist."))
    if step_into(request.xml, "policy", "Key", "Id") != "policy of " + request.operation.strip():
        raise Refused(500, fail(500, "validation", "A policy is needed."))
    item = step_into(request.xml, "ItemKey", "Id")
    if item not in (None, "SKU-1"):
        raise Refused(500, fail(500, "validation", FAILURES["invalid"][2].replace("%s", item)))
    return step_into(request.xml, "Key", "Id")


def key(request):
    return step_into(request.xml, "key", "Id")


def answer(operation, inner=""):
    return 200, soap(f'<{operation}Response xmlns="{NS}">{inner}</{operation}Response>')


def result(operation, inner):
    return answer(operation, f"<{operation}Result>{inner}</{operation}Result>")


def policy(_, request):
    return result("GetPolicyByOperation", f"<Key><Id>policy of {request.fields['operation']}</Id></Key><Behaviors/>")


def logged(_, request):
    text = LOGGED.get(request.fields["logId"], "No such entry.")
    return result("GetLoggedValidationResultByKey", "<Errors><ValidationError><Id>e1a3</Id>"
                  f"<Message>{text}</Message></ValidationError></Errors><Warnings/>")


def deletes(operation):
    def done(_, request):
        if step_into(request.xml, "policy", "Key", "Id") != "policy of " + operation:
            return 500, fail(500, "validation", "A policy is needed.")
        return answer(operation)
    return done


def shown(record):
    return f"<Key><Id>{record['key']}</Id></Key>" + xml(record, "Name", "CustomerPONumber", "TotalAmount", "TransactionState") + \
        f"<LastModifiedDate>{record.get('made', '2020-01-01T00:00:00')}</LastModifiedDate>"


def listed(operation, row):
    return lambda rows, q: result(operation, "".join(f"<{row}>{shown(r)}</{row}>" for r in rows))


CALLS = [
    (f"GET {P}", "say", "", lambda r, q: (200, "<html><head><title>DynamicsGPService Service</title></head></html>")),
    (f"POST {P} GetPolicyByOperation", "say", "", policy),
    (f"POST {P} GetLoggedValidationResultByKey", "say", "", logged),
    (f"POST {P} CreateCustomer", "make", "customers", lambda r, q: answer("CreateCustomer")),
    (f"POST {P} GetCustomerByKey", "read", "customers", lambda r, q: result("GetCustomerByKey", shown(r))),
    (f"POST {P} GetCustomerList", "some", "customers", listed("GetCustomerList", "CustomerSummary")),
    (f"POST {P} DeleteCustomer", "drop", "customers", deletes("DeleteCustomer")),
    (f"POST {P} CreateSalesOrder", "make", "orders", lambda r, q: answer("CreateSalesOrder")),
    (f"POST {P} GetSalesOrderByKey", "read", "orders", lambda r, q: result("GetSalesOrderByKey", shown(r))),
    (f"POST {P} GetSalesOrderList", "some", "orders", listed("GetSalesOrderList", "SalesOrderSummary")),
    (f"POST {P} DeleteSalesOrder", "drop", "orders", deletes("DeleteSalesOrder")),
    (f"POST {P} GetSalesInvoiceList", "some", "invoices", listed("GetSalesInvoiceList", "SalesInvoiceSummary")),
]

GIVEN = {"url": "{erp}" + P, "domain": "ACME", "username": "probe", "password": "gp-secret-1", "company": -1, "customer_id": "C1",
         "item": "SKU-1"}
WRONG = {"give": {"password": "not-the-secret"}, "step": "get the policy", "code": None}
INVALID = {"give": {"item": "GONE"}, "code": None, "message": "Item number GONE does not exist"}
RUNGS = [("the service host answers", None, "maintenance"),
         ("the user has a role", "GetPolicyByOperation", "denied"), ("GP reads a customer", "GetCustomerByKey", "crash")]
CREATE = " CreateSalesOrder$"
FAMILIES = {
    "invalid": ("order", CREATE, {"class": "error_code", "cause": "validation", "act": "client", "message": "Item number GONE"}),
    "locked": ("order", CREATE, {"class": "error_code", "cause": "locked", "act": "erp-partner"}),
    "inactive": ("customer", " CreateCustomer$", {"cause": "validation", "act": "client", "message": "inactive"}),
    "backorders": ("order", CREATE, {"class": "error_code", "cause": "validation", "act": "client", "message": "4776", "code": "4776"}),
    "vendor": ("order", CREATE, {"class": "error_code", "cause": "validation", "act": "client", "message": "372", "code": "372"}),
    "crash": ("order", CREATE, {"class": "cryptic", "cause": "server_fault", "act": "erp-partner"}),
    "denied": ("order", CREATE, {"class": "error_code", "cause": "permission", "act": "erp-partner"}),
    "action": ("order", CREATE, {"class": "error_code", "cause": "contract", "act": "integrator"}),
    "deadlock": ("order", CREATE, {"class": "error_code", "cause": "locked", "act": "erp-partner"}),
    # nobody asks further where it is no create: the id is what the log is searched by
    "missing": ("health", " GetCustomerByKey", {"cause": "validation", "act": "erp-partner", "ids": {"LogId": "^[0-9a-f-]{36}$"}}),
}
LEFT = {"customers": {"Name": "erpwatch ERPW-0123456789ab"}, "orders": {"CustomerPONumber": "ERPW-0123456789ab"}}
LOST = ("customer", "order")
