# SPDX-License-Identifier: MIT
"""An ERP of records, in the process of the test. It does what a test sets:

    ignores_filters   a search gives everybody's records, whatever was asked
    pages             None, "next" or "offset", with page_size records each
    list_answers      {number of the search from 0, or "*": (status, body)} in place of the records
    delete_answers    {id: (status, body)} in place of deleting it
    commits_after     a POST is committed so many seconds after it came, also where the
                      client is gone by then
    answers_after     a request is answered so many seconds after it was done; both may be functions
    logins            {user: password}: a session is needed; five bad logins lock the account
    fails             {"METHOD table" or "*": (status, body)} in place of acting; None: it hangs up
    fails_once        the same, but each for one request
    refers            {table: (field, other)}: a record of the table needs one of the other
    provider          port of an OAuth2 server: an access token of it is needed, and /api/token
                      passes requests on to its token endpoint

Records: erp.add("orders", ref=…, changed=…); erp.left("orders") -> their refs; erp.log is
what was asked, as "METHOD /path"."""
import json
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

BAD_LOGINS = 5


def ago(**span):
    """A time that lies so far back, as ISO 8601 with Z."""
    return (datetime.now(timezone.utc) - timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%SZ")


def now(value):
    return value() if callable(value) else value


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # more at once than there is room for would come a second late

    def handle_error(self, request, address):
        pass  # whoever asked is gone


class Records:
    def __init__(self, host="127.0.0.1"):
        self.tables, self.log, self.number = {}, [], 0
        self.ignores_filters, self.pages, self.page_size = False, None, 100
        self.list_answers, self.delete_answers = {}, {}
        self.fails, self.fails_once, self.refers = {}, {}, {}
        self.made = Counter()  # of (table, ref or name): what was ever created by a POST
        self.commits_after = self.answers_after = 0
        self.logins, self.sessions, self.bad_logins = {}, {}, {}
        self.provider = None
        self.searches = self.creating = 0
        self.lock = threading.RLock()
        erp = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_GET(self):
                erp.handle(self)

            do_POST = do_DELETE = do_GET

        self.server = Server((host, 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    # what a test sees

    def add(self, table, **record):
        with self.lock:
            self.number += 1
            record = {"id": self.number, "changed": ago(hours=2), **record}
            self.tables.setdefault(table, {})[record["id"]] = record
            return record

    def left(self, table, field="ref"):
        with self.lock:
            return [record.get(field) for record in self.tables.get(table, {}).values()]

    def asked(self, method):
        with self.lock:
            return [line for line in self.log if line.startswith(method + " ")]

    def locked_accounts(self):
        return [user for user, count in self.bad_logins.items() if count >= BAD_LOGINS]

    # requests

    def handle(self, request):
        length = int(request.headers.get("Content-Length") or 0)
        body = request.rfile.read(length).decode()
        url = urlsplit(request.path)
        parts = [part for part in url.path.split("/") if part][1:]  # behind /api
        with self.lock:
            self.log.append(f"{request.command} {request.path}")
        what = f"{request.command} {parts[0]}"
        failing = self.fails_once.pop(what, None) or self.fails.get(what, self.fails.get("*", ()))
        if failing is None:
            request.close_connection = True
            return
        status, answer, headers = (*failing, []) if failing else \
            self.act(request, parts, dict(parse_qsl(url.query)), body)
        time.sleep(now(self.answers_after))
        data = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        request.send_response(status)
        if status != 204:
            xml = isinstance(answer, str) and answer.startswith("<")
            request.send_header("Content-Type", "text/xml" if xml else "application/json")
            request.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            request.send_header(name, value)
        request.end_headers()
        if status != 204:
            request.wfile.write(data)

    def act(self, request, parts, query, body):
        if parts == ["login"]:
            return self.log_in(json.loads(body))
        if self.provider and parts == ["token"]:
            return self.ask_provider("POST", "/token", request, body.encode())
        if self.provider and self.ask_provider("GET", "/api", request)[0] != 200:
            return 401, {"error": {"code": "InvalidToken", "message": "the token has ended"}}, []
        if self.logins and not self.knows(request):
            return 401, {"error": {"code": "SessionExpired", "message": "Please log in"}}, []
        if request.command == "POST" and parts == ["logout"]:
            self.sessions.clear()
            return 204, "", []
        if request.command == "GET" and len(parts) == 1:
            return (*self.search(parts[0], query), [])
        if request.command == "GET" and len(parts) == 2:
            return (*self.read(*parts), [])
        if request.command == "POST":
            return (*self.create(parts[0], json.loads(body)), [])
        if request.command == "DELETE" and len(parts) == 2:
            return (*self.delete(parts[0], parts[1]), [])
        return 404, {"error": {"code": "NotFound", "message": "no such record"}}, []

    def log_in(self, given):
        user = given.get("user")
        with self.lock:
            if self.bad_logins.get(user, 0) >= BAD_LOGINS:
                return 423, {"error": {"code": "AccountLocked", "message": "too many attempts"}}, []
            if self.logins.get(user) != given.get("password"):
                self.bad_logins[user] = self.bad_logins.get(user, 0) + 1
                return 401, {"error": {"code": "BadLogin", "message": "wrong password"}}, []
            self.bad_logins[user] = 0
            session = uuid.uuid4().hex
            self.sessions[session] = user
        return 200, {"user": user}, [("Set-Cookie", f"SID={session}; Path=/; HttpOnly")]

    def ask_provider(self, method, path, request, body=None):
        passed = {name: request.headers[name] for name in ("Authorization", "Content-Type") if request.headers[name]}
        asked = urllib.request.Request(f"http://127.0.0.1:{self.provider}{path}", method=method, data=body,
                                       headers=passed)
        try:
            with urllib.request.urlopen(asked) as answer:
                return answer.status, answer.read().decode(), []
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode(), []

    def knows(self, request):
        cookies = dict(pair.strip().split("=", 1) for pair in
                       (request.headers.get("Cookie") or "").split(";") if "=" in pair)
        return cookies.get("SID") in self.sessions

    def search(self, table, query):
        with self.lock:
            number, self.searches = self.searches, self.searches + 1
            given = self.list_answers.get(number, self.list_answers.get("*"))
            if given:
                return given
            records = list(self.tables.get(table, {}).values())
        if "ref" in query and not self.ignores_filters:
            records = [r for r in records if str(r.get("ref", "")).startswith(query["ref"])]
        if not self.pages:
            return 200, {"value": records}
        begin = int(query.get("offset", 0))
        page = {"value": records[begin:begin + self.page_size]}
        if self.pages == "next" and begin + self.page_size < len(records):
            more = urlencode({**query, "offset": begin + self.page_size})
            page["next"] = f"/api/{table}?{more}"
        return 200, page

    def read(self, table, key):
        with self.lock:
            found = next((r for k, r in self.tables.get(table, {}).items() if str(k) == key), None)
        return (200, found) if found else (404, {"error": {"code": "NotFound", "message": "no such record"}})

    def create(self, table, record):
        field, other = self.refers.get(table, (None, None))
        if field and self.read(other, str(record.get(field)))[0] == 404:
            return 422, {"error": {"code": "ValidationError", "message": f"There is no such {field}."}}
        with self.lock:
            self.creating += 1
            self.made[table, record.get("ref") or record.get("name")] += 1
        time.sleep(now(self.commits_after))
        made = self.add(table, **{**record, "changed": ago()})
        with self.lock:
            self.creating -= 1
        return 201, made

    def delete(self, table, key):
        with self.lock:
            records = self.tables.get(table, {})
            found = next((k for k in records if str(k) == key), None)
            if found in self.delete_answers:
                status, answer = self.delete_answers[found]
                if status in (404, 410):
                    records.pop(found)
                return status, answer
            if found is None:
                return 404, {"error": {"code": "NotFound", "message": "no such record"}}
            del records[found]
            return 204, ""
