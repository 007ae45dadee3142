# SPDX-License-Identifier: MIT
"""Odoo: JSON-2 with an API key, where failures have a status, and JSON-RPC, where they come within a
200. A key that is wrong is no failure at login by JSON-RPC: the answer is false."""
import re

from erp import Refused

DATABASE, KEY = "acme", "odoo-secret-1"


class Keys:
    def check(self, erp, request):
        if request.path == "/jsonrpc":
            service, method, args = (request.json["params"][k] for k in ("service", "method", "args"))
            if service == "object" and (args[0], args[1], args[2]) != (DATABASE, 7, KEY):
                erp.refuse("rpc_denied")
            return
        if request.headers.get("X-Odoo-Database") != DATABASE:
            raise Refused(404, fail(404, "werkzeug.exceptions.NotFound", "No database is selected"))
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            erp.refuse("credentials")


AUTH = [Keys()]
FAILURES = {
    "credentials": (401, "werkzeug.exceptions.Unauthorized", "Invalid apikey"),
    "rpc_denied": (200, "odoo.exceptions.AccessDenied", "Access Denied"),
    "missing": (404, "odoo.exceptions.MissingError", "Record does not exist or has been deleted. (Record: %s)"),
    "invalid": (422, "odoo.exceptions.ValidationError", "The product %s cannot be sold"),
    "forbidden": (403, "odoo.exceptions.AccessError", "You are not allowed to access 'Sales Order' (sale.order) records."),
    "mandatory": (422, "odoo.exceptions.ValidationError", "Missing required value for the field 'Customer' (partner_id)."),
    "company": (403, "odoo.exceptions.AccessError", "Due to security restrictions, you are not allowed to access 'Sales Order' "
                                                    "(sale.order) records. Note: this might be a multi-company issue."),
    "private": (403, "odoo.exceptions.AccessError", "Private methods (such as '_create') cannot be called remotely."),
    "renamed": (500, "builtins.ValueError", "Invalid field 'client_order_ref' on model 'sale.order'"),
    "uninstalled": (404, "werkzeug.exceptions.NotFound", "the model 'sale.order' does not exist"),
    "argument": (422, "werkzeug.exceptions.UnprocessableEntity", "missing a required argument: 'vals_list'"),
    "closed": (422, "odoo.exceptions.UserError", "Sie können keine Einträge vor dem Sperrdatum anlegen: 31.12.2025."),
    "confirmed": (422, "odoo.exceptions.UserError", "You can not delete a sent quotation or a confirmed sales order. "
                                                    "You must first cancel it."),
    "database": (500, "psycopg2.OperationalError", "connection to server at \"db\" (10.0.0.5), port 5432 failed: Connection refused"),
    "module": (500, "builtins.AttributeError", "'NoneType' object has no attribute 'id'"),
    "rpc_locked": (200, "psycopg2.errors.SerializationFailure", "could not serialize access due to concurrent update"),
    "rule": (422, "odoo.exceptions.UserError", "De klant heeft geen geldig btw-nummer."),
    "locked": (500, "psycopg2.errors.SerializationFailure", "could not serialize access due to concurrent update"),
}
UNKNOWN = ("werkzeug.exceptions.NotFound", "the model or the method does not exist")
KNOWN = {"product_id": "9"}
SEED = {"companies": [{"key": "1", "id": 1, "name": "Acme"}],
        "invoices": [{"key": "1", "id": 1, "name": "INV/2026/00001", "state": "posted", "payment_state": "paid",
                      "amount_residual": 0.0}]}


def fail(status, code, text):
    data = {"name": code, "message": text, "arguments": [text], "context": {}, "debug": "Traceback (most recent call last): …"}
    if status == 200:
        return {"jsonrpc": "2.0", "id": 1, "error": {"code": 200, "message": "Odoo Server Error", "data": data}}
    return data


def key(request):
    return re.search(r'("ids":|"\w+",)\[+(\d+)', request.text)[2]


def model(name, answered, table):
    """One model's methods, by JSON-2 and by JSON-RPC."""
    def plain(answer):
        return lambda r, q: (200, answer(r))

    def rpc(answer):
        return lambda r, q: (200, {"jsonrpc": "2.0", "id": q.json["id"], "result": answer(r)})

    verbs = [("create", "make", lambda r: [int(r["number"])]), ("unlink", "drop", lambda r: True),
             ("read", "read", lambda r: [answered(r)]), ("search_read", "some", lambda r: [answered(x) for x in r]),
             ("search_count", "some", len)]
    for method, verb, answer in verbs:
        yield f"POST /json/2/{re.escape(name)}/{method}", verb, table, plain(answer)
        yield f"POST /jsonrpc {re.escape(name)}.{method}", verb, table, rpc(answer)


def made(record):
    """UTC, without saying so."""
    return record["made"].replace("T", " ").rstrip("Z")


def partner(record):
    return {"id": int(record["number"]), "name": record["name"], "create_date": made(record)}


def order(record):
    return {"id": int(record["number"]), "client_order_ref": record["client_order_ref"], "state": "draft",
            "create_date": made(record)}


def common(_, request):
    """What JSON-RPC answers to anybody."""
    result = 7 if request.json["params"]["args"][:3] == [DATABASE, "probe", KEY] else False
    if request.json["params"]["method"] == "version":
        result = {"server_version": "18.0", "server_version_info": [18, 0, 0, "final", 0, ""], "protocol_version": 1}
    return 200, {"jsonrpc": "2.0", "id": request.json["id"], "result": result}


OPEN = "/web/version"
CALLS = [
    ("GET /web/version", "say", None, lambda r, q: (200, {"version_info": [19, 0, 0, "final", 0, ""], "version": "19.0"})),
    ("POST /jsonrpc ", "say", None, common),
    *model("res.company", lambda r: r, "companies"),
    *model("res.partner", partner, "partners"),
    *model("sale.order", order, "orders"),
    *model("account.move", lambda r: r, "invoices"),
]

GIVEN = {"url": "{erp}", "database": DATABASE, "username": "probe", "api_key": KEY, "customer_id": 7, "product_id": 9}
WRONG = {"give": {"api_key": "not-the-secret"}, "step": "submit order", "code": "werkzeug.exceptions.Unauthorized"}
INVALID = {"give": {"product_id": 10}, "code": "odoo.exceptions.ValidationError", "message": "cannot be sold"}
HEALTH = {"wrong": "the API key is accepted", "last": "orders can be read", "asked": "POST /json/2/sale.order/search_count"}
LEFT = {"partners": {"name": "erpwatch ERPW-0123456789ab"}, "orders": {"client_order_ref": "ERPW-0123456789ab"}}
VERSION = "19.0"
ORDER = "POST /json/2/sale.order/create"
FAMILIES = {
    "mandatory": ("order", ORDER, {"class": "error_code", "cause": "validation", "act": "erp-partner", "message": "Missing required",
                                   "code": "odoo.exceptions.ValidationError", "says": "A field that Odoo requires is empty"}),
    "company": ("order", ORDER, {"class": "error_code", "cause": "permission", "act": "erp-partner", "says": "another company"}),
    "forbidden": ("order", ORDER, {"class": "error_code", "cause": "permission", "act": "client", "says": "none of the groups"}),
    "private": ("order", ORDER, {"class": "error_code", "cause": "contract", "act": "integrator"}),
    "renamed": ("order", ORDER, {"class": "error_code", "cause": "contract", "act": "integrator", "code": "builtins.ValueError"}),
    "uninstalled": ("order", ORDER, {"class": "error_code", "cause": "not_found", "act": "erp-partner", "says": "not installed"}),
    "argument": ("order", ORDER, {"class": "error_code", "cause": "contract", "act": "integrator"}),
    "closed": ("order", ORDER, {"class": "error_code", "cause": "validation", "act": "erp-partner", "says": "bookkeeping"}),
    "confirmed": ("order", ORDER, {"class": "error_code", "cause": "validation", "act": "integrator"}),
    "database": ("order", ORDER, {"cause": "unavailable", "act": "hosting"}),
    "module": ("order", ORDER, {"cause": "server_fault", "act": "erp-partner"}),
    "locked": ("order", ORDER, {"class": "error_code", "cause": "locked", "act": "erp-partner"}),
    "rpc_locked": ("rpc-order", "POST /jsonrpc sale.order.create", {"class": "error_code", "cause": "locked",
                                                                      "code": "psycopg2.errors.SerializationFailure"}),
    "missing": ("order", ORDER, {"class": "error_code", "cause": "not_found", "act": "integrator"}),
    "rule": ("order", ORDER, {"class": "error_code", "cause": "validation", "act": "client", "message": "btw-nummer"}),
}
