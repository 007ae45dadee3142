# SPDX-License-Identifier: MIT
"""A door before an HTTP server on loopback, in the process of the test: it lets
requests through, keeps count, and holds one where the test says so.

    hold = gate.hold("POST /api/customers")          the server acts, its answer is held
    hold = gate.hold("POST /api/customers", False)   the request is held before the server
    hold.reached.wait(); …; hold.go.set()
    gate.shut.add("DELETE")                          such requests get no answer at all
"""
import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PASSED_ON = ("authorization", "content-type", "if-match")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # more at once than there is room for would come a second late

    def handle_error(self, request, address):
        pass  # whoever asked is gone


class Hold:
    def __init__(self, what, acts):
        self.what, self.acts = what, acts
        self.reached, self.go, self.done = threading.Event(), threading.Event(), threading.Event()


class Gate:
    def __init__(self, port):
        self.target, self.holds, self.seen, self.shut = port, [], [], set()
        self.lock = threading.Lock()
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_GET(self):
                gate.handle(self)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        for hold in self.holds:
            hold.go.set()
        self.server.shutdown()
        self.server.server_close()

    def hold(self, what, acts=True):
        hold = Hold(what, acts)
        with self.lock:
            self.holds.append(hold)
        return hold

    def count(self, what):
        with self.lock:
            return sum(line.startswith(what) for line in self.seen)

    def _hold_of(self, line):
        with self.lock:
            self.seen.append(line)
            return next((h for h in self.holds if line.startswith(h.what) and not h.reached.is_set()), None)

    def handle(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        hold = self._hold_of(f"{request.command} {request.path}")
        if hold and not hold.acts:
            hold.reached.set()
            hold.go.wait()
        answer = None if self.shut & {request.command, "*"} else self.pass_on(request, body)
        if hold and hold.acts:
            hold.reached.set()
            hold.go.wait()
        try:
            self.reply(request, answer)
        finally:
            if hold:
                hold.done.set()

    def pass_on(self, request, body):
        headers = {k: v for k, v in request.headers.items() if k.lower() in PASSED_ON}
        connection = http.client.HTTPConnection("127.0.0.1", self.target)
        try:
            connection.request(request.command, request.path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type"), answer.read()
        except OSError:
            return None
        finally:
            connection.close()

    @staticmethod
    def reply(request, answer):
        if answer is None:
            request.close_connection = True
            return
        status, kind, body = answer
        request.send_response(status)
        if kind:
            request.send_header("Content-Type", kind)
        if status != 204:
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
