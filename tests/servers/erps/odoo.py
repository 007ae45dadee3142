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


def partner(record):
    return {"id": int(record["number"]), "name": record["name"]}


def order(record):
    return {"id": int(record["number"]), "client_order_ref": record["client_order_ref"], "state": "draft"}


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
