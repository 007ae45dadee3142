#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""An API behind OAuth 1.0a, whose signatures oauthlib verifies. Prints its port.

    oauth1.py [SKEW]        the server's clock is SKEW seconds ahead

    GET /_log               [{"method", "path", "ok", "nonce", "problem"}, …]
    any /api/moved          307 to /api/target?a=1
    any /api/later          404 the first two times that it is asked
    any other /api/…        {"ok": true, "echo": the body}

A request that is not accepted gets 401 and oauth_problem (Magento's words, RFC 5849's rules).
"""
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from oauthlib.oauth1 import RequestValidator, ResourceEndpoint

CONSUMER, CONSUMER_SECRET = "dpf43f3p2l4k3l03", "consumer/secret & more"
TOKEN, TOKEN_SECRET = "nnch734d00sl2jdk", "token+secret=1"
TOLERANCE_S = 300

lock = threading.Lock()
log, seen, asked = [], set(), {}
skew = int(sys.argv[1]) if len(sys.argv) > 1 else 0


class Validator(RequestValidator):
    enforce_ssl = False
    client_key_length = access_token_length = nonce_length = (6, 64)
    dummy_client, dummy_access_token = "dummy", "dummy"
    problem = None

    def refuse(self, problem):
        self.problem = self.problem or problem
        return False

    def check_nonce(self, nonce):
        return nonce.isalnum() and super().check_nonce(nonce)

    def validate_timestamp_and_nonce(self, client_key, timestamp, nonce, request, **tokens):
        if abs(time.time() + skew - int(timestamp)) > TOLERANCE_S:
            return self.refuse("timestamp_refused")
        with lock:
            fresh = (client_key, timestamp, nonce) not in seen
            seen.add((client_key, timestamp, nonce))
        return fresh or self.refuse("nonce_used")

    def validate_client_key(self, client_key, request):
        return client_key == CONSUMER or self.refuse("consumer_key_rejected")

    def validate_access_token(self, client_key, token, request):
        return token == TOKEN or self.refuse("token_rejected")

    def validate_realms(self, *arguments, **named):
        return True

    def get_client_secret(self, client_key, request):
        return CONSUMER_SECRET

    def get_access_token_secret(self, client_key, token, request):
        return TOKEN_SECRET


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def send(self, status, body, kind="application/json", **headers):
        text = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def verify(self, body):
        """Whether the signature is good, and the problem that oauthlib or the validator names."""
        validator = Validator()
        form = "x-www-form-urlencoded" in (self.headers.get("Content-Type") or "")
        good, request = ResourceEndpoint(validator).validate_protected_resource_request(
            f"http://{self.headers['Host']}{self.path}", self.command, body if form else None,
            dict(self.headers.items()))
        nonce = getattr(request, "nonce", None)
        return good, nonce, None if good else validator.problem or "signature_invalid"

    def do(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        path = urlsplit(self.path).path
        if path == "/_log":
            return self.send(200, log)
        good, nonce, problem = self.verify(body)
        with lock:
            log.append({"method": self.command, "path": self.path, "ok": good, "nonce": nonce,
                        "problem": problem, "authorization": self.headers.get("Authorization")})
            asked[path] = asked.get(path, 0) + 1
        if not good:
            return self.send(401, f"oauth_problem={problem}", "application/x-www-form-urlencoded",
                             **{"WWW-Authenticate": f"OAuth oauth_problem={problem}"})
        if path == "/api/moved":
            return self.send(307, {}, Location="/api/target?a=1")
        if path == "/api/later" and asked[path] <= 2:
            return self.send(404, {"error": {"code": "NotYet", "message": "No such order yet."}})
        return self.send(200, {"ok": True, "echo": body})

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_port, flush=True)
server.serve_forever()
