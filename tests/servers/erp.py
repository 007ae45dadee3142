#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""An ERP on loopback, in the process of the test: its protocol is a table in erps/NAME.py, built
from the vendor's public documentation. It keeps customers, orders and such as they are made.

    erp = Erp("business_central")     erp.port, erp.log, erp.logins, erp.left(), erp.leave(), erp.close()
    erp.switch = "locked"             writing is refused; "maintenance": a page; "slow": it takes its time
    erp.expire_after = 2              all sessions and tokens end after so many calls, once
    erp.instead = {pattern: answer}   what "METHOD /path operation" gets in place of its answer: (status, body[, headers]),
                                      or a function that gives it
    erp.switch = "lost"               the answer to the next record that is made never comes

A table has AUTH (ways, in order), FAILURES {"credentials", "expired", "missing", "invalid",
"locked": (status, code, text)}, fail(status, code, text) -> body, SEED {table: [record]}, KNOWN
{field: value} (any other value is invalid; %s in the text), OPEN (paths without AUTH), and CALLS: (pattern of "METHOD /path
operation", verb, table, answer(record or records, request) -> (status, body[, headers])). The group
`key` of the pattern, or key(request), names the record. For tests: GIVEN (parameters of the pack;
{erp} is the server), WRONG, INVALID."""
import base64
import hmac
import importlib
import itertools
import json
import re
import struct
import sys
import threading
import time
import xml.etree.ElementTree as tree
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

from passlib.hash import nthash

PAGE = "<!doctype html><html><head><title>Down for maintenance</title></head><body>Back soon</body></html>"


class Refused(Exception):
    """What is answered in place of what was asked: (status, body[, headers])."""


def leaves(node, name=""):
    """Each value within JSON, by the name that it has."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from leaves(value, name)
    elif node is not None:
        yield name, node


def soap(inner):
    return f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{inner}</s:Body></s:Envelope>'


def xml(record, *names):
    """Fields of a record as elements."""
    return "".join(f"<{name}>{record.get(name, '')}</{name}>" for name in names)


def local(tag):
    return tag.rpartition("}")[2]


class Request:
    def __init__(self, handler, text):
        url = urlsplit(handler.path)
        self.connection, self.method, self.headers, self.text = handler, handler.command, handler.headers, text
        self.path, self.query, self.host = unquote(url.path), dict(parse_qsl(url.query)), handler.headers["Host"]
        self.json, self.xml = {}, None
        if text.startswith(("{", "[")):
            self.json = json.loads(text)
        elif text.lstrip().startswith("<"):
            self.xml = tree.fromstring(text)
        self.key = None
        self.all = unquote(handler.path) + text

    @property
    def fields(self):
        """What the body says, flat."""
        if self.xml is not None:
            return {local(e.tag): e.text or "" for e in self.xml.iter() if len(e) == 0}
        if isinstance(self.json, dict) and not self.json:
            return dict(parse_qsl(self.text))
        return dict(leaves(self.json))

    @property
    def operation(self):
        """Behind method and path: the first element in a SOAP body, the method of an RPC, or a query."""
        if self.xml is not None:
            body = next((e for e in self.xml.iter() if local(e.tag) == "Body"), None)
            return " " + local((self.xml if body is None else body[0]).tag)
        if isinstance(self.json, dict) and isinstance(self.json.get("params"), dict):
            return " " + ".".join(a for a in self.json["params"].get("args", [])[3:5] if isinstance(a, str))
        if isinstance(self.json, dict) and isinstance(self.json.get("q"), str):
            return " " + self.json["q"]
        return ""


class Basic:
    def __init__(self, username, password):
        self.header = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()

    def check(self, erp, request):
        if request.headers.get("Authorization") != self.header:
            erp.refuse("credentials")


class Header:
    """One header with a key that never ends."""

    def __init__(self, **headers):
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def check(self, erp, request):
        if any(request.headers.get(name) != value for name, value in self.headers.items()):
            erp.refuse("credentials")


class OAuth2:
    """`form` {field: value, or what judges it}; `refresh` exchanges its token at each use."""

    def __init__(self, path, form, refused, refresh=None, lasts=3600):
        self.path, self.form, self.refused, self.lasts = path, form, refused, lasts
        self.first = self.refresh = refresh

    def reset(self):
        self.refresh = self.first

    def log_in(self, erp, request):
        if f"{request.method} {request.path}" != f"POST {self.path}":
            return None
        form = dict(parse_qsl(request.text))
        for name, value in self.form.items():
            if not (value(form.get(name), request) if callable(value) else form.get(name) == value):
                return self.refused
        answer = {"access_token": erp.new_session(), "token_type": "Bearer", "expires_in": self.lasts}
        if self.refresh:
            if form.get("refresh_token") != self.refresh:
                return 401, {"error": "invalid_grant", "error_description": "Old refresh token used."}
            answer["refresh_token"] = self.refresh = f"refresh-{erp.logins:06d}"
        return 200, answer

    def check(self, erp, request):
        kind, _, token = (request.headers.get("Authorization") or "").partition(" ")
        if kind != "Bearer" or token not in erp.sessions:
            erp.refuse("expired")


class Session:
    """A login whose session goes with each call: `accepts(request)`, `answer(session, request)`,
    `carried(request)` -> the session."""

    def __init__(self, line, accepts, answer, carried, logout=None):
        self.line, self.accepts, self.answer, self.carried, self.logout = line, accepts, answer, carried, logout

    def log_in(self, erp, request):
        line = f"{request.method} {request.path}"
        if line == self.logout:
            erp.sessions.discard(self.carried(request))
            return 204, None
        if line != self.line:
            return None
        if not self.accepts(request):
            erp.refuse("credentials")
        return self.answer(erp.new_session(), request)

    def check(self, erp, request):
        if self.carried(request) not in erp.sessions:
            erp.refuse("expired")


class Ntlm:
    """A Windows user, over one connection (MS-NLMP, NTLMv2)."""

    CHALLENGE = b"\x11\x22\x33\x44\x55\x66\x77\x88"

    def __init__(self, domain, user, password):
        key = bytes.fromhex(nthash.hash(password))
        self.user, self.domain = user, domain
        self.key = hmac.digest(key, (user.upper() + domain).encode("utf-16-le"), "md5")

    def offer(self):
        domain = self.domain.encode("utf-16-le")
        target = struct.pack("<HH", 2, len(domain)) + domain + struct.pack("<HH", 0, 0)
        head = struct.pack("<8sIHHII8s8sHHI", b"NTLMSSP", 2, len(domain), len(domain), 48, 0x00890205, self.CHALLENGE, b"",
                           len(target), len(target), 48 + len(domain))
        return base64.b64encode(head + domain + target).decode()

    def proves(self, message):
        length, _, offset = struct.unpack_from("<HHI", message, 20)
        answer = message[offset:offset + length]
        return answer[:16] == hmac.digest(self.key, self.CHALLENGE + answer[16:], "md5")

    def check(self, erp, request):
        if getattr(request.connection, "known", False):
            return
        kind, _, text = (request.headers.get("Authorization") or "").partition(" ")
        message = base64.b64decode(text) if kind == "NTLM" else b""
        if len(message) > 8 and message[8] == 3 and self.proves(message):
            request.connection.known = True
            return
        raise Refused(401, "", [("WWW-Authenticate", "NTLM " + self.offer() if len(message) > 8 and message[8] == 1 else "NTLM")])


class Csrf:
    """A token that a call which writes needs, with the cookie that came with it."""

    def __init__(self, refused):
        self.refused = refused

    def log_in(self, erp, request):
        if request.headers.get("X-CSRF-Token") != "Fetch":
            return None
        erp.authenticate(request, self)
        token = erp.new_session()
        return 200, {"d": {}}, [("X-CSRF-Token", token), ("Set-Cookie", f"SAP_SESSIONID={token}; path=/; HttpOnly"),
                                ("Set-Cookie", "sap-usercontext=sap-client=100; path=/")]

    def check(self, erp, request):
        token = request.headers.get("X-CSRF-Token")
        if request.method != "GET" and (token not in erp.sessions or f"SAP_SESSIONID={token}" not in
                                        (request.headers.get("Cookie") or "")):
            raise Refused(*self.refused)


class Erp:
    def __init__(self, name):
        sys.path.insert(0, __file__.rpartition("/")[0])
        self.table = importlib.import_module("erps." + name)
        self.lock, self.numbers = threading.RLock(), itertools.count(1001)
        self.records = {t: dict(enumerate(r)) for t, r in getattr(self.table, "SEED", {}).items()}
        self.auth = list(self.table.AUTH)
        self.reset()
        erp = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_GET(self):
                erp.handle(self)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, address):
                pass  # whoever asked is gone

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def reset(self):
        """What a test may have changed; records that were left stay."""
        self.switch, self.expire_after, self.instead = None, None, {}
        self.log, self.logins, self.sessions = [], 0, set()
        for way in self.auth:
            if hasattr(way, "reset"):
                way.reset()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def left(self):
        """The records that somebody made and did not delete."""
        with self.lock:
            return [(t, r) for t, rows in self.records.items() for k, r in rows.items() if isinstance(k, str)]

    def leave(self, table, **record):
        """A record that an earlier run left behind, some days ago."""
        with self.lock:
            number = str(next(self.numbers))
            made = (datetime.now(timezone.utc) - timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
            self.records.setdefault(table, {})[f"left-{number}"] = {"key": number, "number": number, "made": made, **record}

    def new_session(self):
        self.logins += 1
        session = f"session-{self.port}-{self.logins:06d}"
        self.sessions.add(session)
        return session

    def failure(self, what, value=""):
        """The answer of one of FAILURES."""
        status, code, text, *more = self.table.FAILURES[what]
        return status, self.table.fail(status, code, text.replace("%s", str(value))), *more

    def refuse(self, what, value=""):
        raise Refused(*self.failure(what, value))

    def authenticate(self, request, but=None):
        for way in self.auth:
            if way is not but:
                way.check(self, request)

    # requests

    def handle(self, handler):
        text = handler.rfile.read(int(handler.headers.get("Content-Length") or 0)).decode()
        if self.switch == "slow":
            time.sleep(3)
        with self.lock:
            before = len(self.left())
            try:
                answer = self.act(Request(handler, text))
            except Refused as refused:
                answer = refused.args
            self.log.append(f"{handler.command} {handler.path} -> {answer[0]}")
            if self.switch == "lost" and len(self.left()) > before:
                self.switch, handler.close_connection = None, True
                return
        self.send(handler, *answer)

    @staticmethod
    def send(handler, status, body=None, headers=()):
        data = b"" if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
        kind = "text/html" if body == PAGE else "application/json" if not isinstance(body, str) else \
            "text/xml; charset=utf-8" if body.startswith("<") else "text/plain"
        handler.send_response(status)
        if body is not None:
            handler.send_header("Content-Type", kind)
        if status != 204:
            handler.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(data)

    def other_answer(self, request):
        """What a test wants to be answered, or None."""
        line = f"{request.method} {request.path}{request.operation}"
        answer = next((answer for pattern, answer in self.instead.items() if re.search(pattern, line)), None)
        return answer() if callable(answer) else answer

    def act(self, request):
        if self.switch == "maintenance":
            return 503, PAGE
        for way in self.auth:
            answer = way.log_in(self, request) if hasattr(way, "log_in") else None
            if answer:
                return self.other_answer(request) or answer
        if not getattr(self.table, "OPEN", None) or not re.fullmatch(self.table.OPEN, request.path):
            self.authenticate(request)
        if self.expire_after is not None:
            self.expire_after -= 1
            if self.expire_after < 0:
                self.expire_after = None
                self.sessions.clear()
                self.authenticate(request)
        line = f"{request.method} {request.path}{request.operation}"
        other = self.other_answer(request)
        if other:
            return other
        for pattern, verb, table, answer in self.table.CALLS:
            match = re.fullmatch(pattern, line)
            if match:
                request.key = match.groupdict().get("key")
                return getattr(self, verb)(self.records.setdefault(table, {}), request, answer)
        return 404, self.table.fail(404, *getattr(self.table, "UNKNOWN", ("", "Not found")))

    # verbs

    def key(self, request):
        return str(request.key if request.key is not None else self.table.key(request))

    def find(self, rows, request):
        key = self.key(request)
        found = next((k for k, r in rows.items() if str(r.get("key")) == key), None)
        return self.refuse("missing", key) if found is None else found

    def say(self, _, request, answer):
        return answer(None, request)

    def make(self, rows, request, answer):
        if self.switch == "locked":
            self.refuse("locked")
        for name, value in leaves(request.fields):
            known = getattr(self.table, "KNOWN", {}).get(name)
            if known is not None and str(value) != known:
                self.refuse("invalid", value)
        number = str(next(self.numbers))
        named = getattr(self.table, "named", lambda request: None)(request)
        made = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        record = {**request.fields, "key": named or number, "number": number, "made": made}
        rows[f"made-{number}"] = record
        return answer(record, request)

    def dry(self, rows, request, answer):
        """As if it were made: nothing stays."""
        answered = self.make(rows, request, answer)
        rows.popitem()
        return answered

    def read(self, rows, request, answer):
        return answer(rows[self.find(rows, request)], request)

    def change(self, rows, request, answer):
        record = rows[self.find(rows, request)]
        record.update(request.fields)
        return answer(record, request)

    def drop(self, rows, request, answer):
        return answer(rows.pop(self.find(rows, request)), request)

    def some(self, rows, request, answer):
        """Those that the request names by what was said when they were made; all where it names none, or
        all of ours."""
        named = [r for r in rows.values() if any(
            isinstance(v, str) and "ERPW-" in v and v in request.all for v in r.values())]
        asked = re.search("ERPW-(?!z{12})[0-9A-Za-z]{12}", request.all)
        return answer(named if asked else list(rows.values()), request)


if __name__ == "__main__":
    import erp  # the tables know this file by its name

    print(erp.Erp(sys.argv[1]).port, flush=True)
    threading.Event().wait()
