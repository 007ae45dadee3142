#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""An OAuth2 token server and an API behind it, on loopback. The protocol is oauthlib's; here are
only its stores: clients, access tokens, and families of refresh tokens, in which each is
exchanged for the next one. One that was exchanged and comes again kills its family, as Exact
Online does; with grace it is taken once more while its successor was never used (RFC 9700).
Prints its port.

    POST /token          the token endpoint          GET, POST /api/…     200, or 401 without a token
    POST /_consent       {"refresh_token"}: a person has agreed; a new family
    PUT /_set            settings (below)            GET /_log            what happened
    POST /_expire        all access tokens end now
"""
import json
import os
import threading
import time
from base64 import b64decode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote_plus

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # loopback
from oauthlib.oauth2 import BearerToken, ClientCredentialsGrant, RefreshTokenGrant, RequestValidator
from oauthlib.oauth2.rfc6749.endpoints.token import TokenEndpoint

lock = threading.RLock()
settings = {"clients": {"shop": "cl13nt s3cret+"}, "expires_in": 3600, "grace": False, "early": False,
            "one_use": False, "rotate": True}
log = {"tokens": 0, "refused": [], "reused": 0, "bodies": []}
access, refresh, families = {}, {}, {}
numbers = iter(range(1, 1 << 30))


class Client:
    def __init__(self, client_id):
        self.client_id = client_id


class Validator(RequestValidator):
    def authenticate_client(self, request):
        given = request.client_id, request.client_secret
        header = request.headers.get("Authorization", "")
        if header.startswith("Basic "):
            given = tuple(unquote_plus(part) for part in b64decode(header[6:]).decode().split(":", 1))
        if given[0] is None or settings["clients"].get(given[0]) != given[1]:
            return False
        request.client = Client(given[0])
        return True

    def authenticate_client_id(self, client_id, request):
        return False

    def client_authentication_required(self, request):
        return True

    def validate_grant_type(self, client_id, grant_type, client, request):
        return True

    def validate_scopes(self, client_id, scopes, client, request):
        return "forbidden" not in scopes

    def get_default_scopes(self, client_id, request):
        return ["api"]

    def get_original_scopes(self, refresh_token, request):
        return ["api"]

    def is_within_original_scope(self, request_scopes, refresh_token, request):
        return True

    def rotate_refresh_token(self, request):
        return settings["rotate"]

    def validate_refresh_token(self, refresh_token, client, request):
        entry = refresh.get(refresh_token)
        if entry is None or not families[entry["family"]]["alive"]:
            return False
        successor = refresh.get(entry["next"])
        if settings["rotate"] and successor and not (settings["grace"] and successor["next"] is None):
            families[entry["family"]]["alive"] = False
            log["reused"] += 1
            return False
        request.family, request.former = entry["family"], refresh_token
        return True

    def save_bearer_token(self, token, request):
        log["tokens"] += 1
        family = getattr(request, "family", None)
        if token.get("refresh_token") and token["refresh_token"] != getattr(request, "former", None):
            refresh[token["refresh_token"]] = {"family": family, "next": None}
            if family is not None:
                refresh[request.former]["next"] = token["refresh_token"]
        access[token["access_token"]] = {"until": time.monotonic() + settings["expires_in"], "family": family,
                                         "given": time.monotonic(), "uses": 0}


validator = Validator()
bearer = BearerToken(validator, token_generator=lambda request: f"token-{next(numbers):06d}-{os.urandom(9).hex()}",
                     expires_in=lambda request: settings["expires_in"])
endpoint = TokenEndpoint("client_credentials", bearer, {
    "client_credentials": ClientCredentialsGrant(validator), "refresh_token": RefreshTokenGrant(validator)})


def is_alive(entry):
    family = families.get(entry["family"], {"alive": True})
    return family["alive"] and time.monotonic() < entry["until"]


def is_too_early(body):
    """Exact Online: no new token while the former one has more than a twentieth of its life left."""
    token = next((unquote_plus(p[14:]) for p in body.split("&") if p.startswith("refresh_token=")), None)
    family = refresh.get(token, {}).get("family")
    given = [e["given"] for e in access.values() if e["family"] == family and is_alive(e)]
    return settings["early"] and family is not None and given and \
        time.monotonic() - max(given) < settings["expires_in"] * 0.95


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, body, headers=None):
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {"Content-Type": "application/json"}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def give_token(self, body):
        log["bodies"].append(body)
        if is_too_early(body):
            return 400, {"error": "invalid_request",
                         "error_description": "Rate limit exceeded: access_token not expired"}, None
        headers, text, status = endpoint.create_token_response(
            f"http://127.0.0.1{self.path}", "POST", body, dict(self.headers))
        if status != 200:
            log["refused"].append(json.loads(text).get("error"))
        return status, text, headers

    def call(self):
        entry = access.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
        if entry is None or not is_alive(entry) or (settings["one_use"] and entry["uses"]):
            return 401, {"error": {"code": "", "message": {"value": "the token is not valid"}}}
        entry["uses"] += 1
        return 200, {"value": []}

    def do(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        with lock:
            if self.path == "/token":
                return self.answer(*self.give_token(body))
            if self.path == "/_consent":
                family, token = len(families), f"consent-{next(numbers):06d}-{os.urandom(9).hex()}"
                families[family] = {"alive": True}
                refresh[token] = {"family": family, "next": None}
                return self.answer(200, {"refresh_token": token})
            if self.path == "/_set":
                settings.update(json.loads(body))
                return self.answer(200, settings)
            if self.path == "/_expire":
                for entry in access.values():
                    entry["until"] = 0
                return self.answer(200, {})
            if self.path == "/_log":
                return self.answer(200, log | {"alive": [f["alive"] for f in families.values()],
                                               "secrets": list(access) + list(refresh)})
            return self.answer(*self.call())

    do_GET = do_POST = do_PUT = do


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
