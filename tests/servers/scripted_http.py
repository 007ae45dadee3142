#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""An HTTP server that answers what a test tells it to, and remembers what it was
asked. Prints its port.

    PUT /_script   {"POST /orders": [answer, answer, …], …}   the last answer stays
    GET /_log      [{"method", "path", "headers", "body"}, …]

An answer: {"status": 200, "headers": {…} or [[name, value], …], "body": text or any JSON, "delay":
seconds before it, "close": true (the connection ends without an answer, after the request was read)}.
{path} and {text} in a body stand for the request's path and body. In place of a body, "base64": bytes.
"""
import base64
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

lock = threading.Lock()
script, log = {}, []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def read(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")

    def send(self, status, headers, body):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in headers) and status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def next_answer(self, text):
        key = f"{self.command} {urlsplit(self.path).path}"
        with lock:
            log.append({"method": self.command, "path": self.path, "body": text,
                        "headers": [[k, v] for k, v in self.headers.items()]})
            answers = script.get(key) or script.get("*")
            if not answers:
                return {"status": 404, "body": {"error": {"code": "NoScript", "message": key}}}
            return answers.pop(0) if len(answers) > 1 else answers[0]

    def do(self):
        text = self.read()
        if self.path == "/_script":
            with lock:
                script.clear()
                script.update(json.loads(text))
                log.clear()
            return self.send(204, [], b"")
        if self.path == "/_log":
            with lock:
                return self.send(200, [["Content-Type", "application/json"]], json.dumps(log).encode())
        answer = self.next_answer(text)
        time.sleep(answer.get("delay", 0))
        if answer.get("close"):
            self.close_connection = True
            return None
        body = answer.get("body", "")
        headers = answer.get("headers", [])
        headers = list(headers.items()) if isinstance(headers, dict) else list(headers)
        if not isinstance(body, str):
            body = json.dumps(body)
            if not any(name.lower() == "content-type" for name, _ in headers):
                headers.append(["Content-Type", "application/json"])
        body = body.replace("{path}", self.path).replace("{text}", text).encode()
        if "base64" in answer:
            body = base64.b64decode(answer["base64"])
        return self.send(answer.get("status", 200), headers, body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do


ThreadingHTTPServer.request_queue_size = 128  # more at once than there is room for would come a second late
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_address[1], flush=True)
sys.stdout.flush()
server.serve_forever()
