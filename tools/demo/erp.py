#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A small ERP on loopback: customers, sales orders, invoices, over JSON with
Basic authentication (shop / demo-secret-1). Prints its port. SIGUSR1 "updates"
it: order numbers may then have at most 10 characters. SIGUSR2 takes that back.

    POST /api/customers {displayName, email}        201 {id, number, …}
    GET  /api/customers?displayName=X               200 {value: […]}
    POST /api/salesOrders {customerId, externalDocumentNumber, lines}   201
    GET  /api/salesOrders/ID, /api/invoices/ID      200
    DELETE /api/customers/ID, /api/salesOrders/ID   204
    GET  /records                                   200 {customers: n, salesOrders: n}
"""
import base64
import itertools
import json
import signal
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

CREDENTIALS = "Basic " + base64.b64encode(b"shop:demo-secret-1").decode()
NUMBER_MAX = {False: 35, True: 10}

lock = threading.Lock()
numbers = itertools.count(10001)
tables = {"customers": {}, "salesOrders": {}, "invoices": {"INV-1": {"id": "INV-1", "status": "Paid",
                                                                     "totalAmount": 121.00}}}
updated = False


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def add_customer(body):
    if "@" not in body.get("email", ""):
        raise Refused(400, "Application_FieldValidationException", "Email must be a valid email address.")
    return {"number": f"C{next(numbers)}", "displayName": body.get("displayName", ""), "email": body["email"],
            "blocked": " "}


def add_order(body):
    if body.get("customerId") not in tables["customers"]:
        raise Refused(400, "BadRequest_NotFound", "The customer does not exist.")
    number = body.get("externalDocumentNumber", "")
    if len(number) > NUMBER_MAX[updated]:
        raise Refused(400, "Application_DialogException",
                      f"External Document No. must not be longer than {NUMBER_MAX[updated]} characters: {number}")
    return {"number": f"SO{next(numbers)}", "status": "Draft", "customerId": body["customerId"],
            "externalDocumentNumber": number, "totalAmount": 49.90}


CREATE = {"customers": add_customer, "salesOrders": add_order}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, document=None):
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("request-id", str(uuid.uuid4()))
        if status != 204:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def act(self):
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        url = urlsplit(self.path)
        if url.path == "/records":
            return 200, {name: len(table) for name, table in tables.items()}
        if self.headers.get("Authorization") != CREDENTIALS:
            raise Refused(401, "Unauthorized", "The credentials provided are incorrect")
        parts = url.path.strip("/").split("/")
        if len(parts) < 2 or parts[0] != "api" or parts[1] not in tables:
            raise Refused(404, "BadRequest_NotFound", f"No HTTP resource was found that matches {url.path}")
        table = tables[parts[1]]
        with lock:
            return self.act_on(table, parts, raw, parse_qs(url.query))

    def act_on(self, table, parts, raw, query):
        if self.command == "POST" and parts[1] in CREATE:
            record = dict(CREATE[parts[1]](json.loads(raw)), id=str(uuid.uuid4()))
            table[record["id"]] = record
            return 201, record
        if self.command == "GET" and len(parts) == 2:
            return 200, {"value": [r for r in table.values() if all(str(r.get(k)) in v for k, v in query.items())]}
        if len(parts) < 3 or parts[2] not in table:
            raise Refused(404, "Internal_RecordNotFound", "The record does not exist.")
        if self.command == "DELETE":
            del table[parts[2]]
            return 204, None
        return 200, table[parts[2]]

    def do(self):
        try:
            self.answer(*self.act())
        except Refused as refused:
            self.answer(refused.status, {"error": {"code": refused.code, "message": refused.message}})
        except ValueError:
            self.answer(400, {"error": {"code": "BadRequest", "message": "Malformed request body"}})

    do_GET = do_POST = do_DELETE = do


def update(value):
    global updated
    updated = value


def main():
    signal.signal(signal.SIGUSR1, lambda *_: update(True))
    signal.signal(signal.SIGUSR2, lambda *_: update(False))
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()


main()
