#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""An HTTP server that misbehaves on request, for tests.

    bad_http.py [--tls] [--keep]

Listens on 127.0.0.1, ports chosen by the kernel, and prints one line for each:
    http PORT        misbehaves by path, see PATHS below
    full PORT        a listener whose queue is full: connecting never ends
    silent PORT      accepts and never says a word (TLS: the handshake stalls)
with --tls also
    tls PORT         as http, over TLS with a good certificate for localhost
    expired PORT     the certificate is past its end
    wronghost PORT   the certificate is for another name
    selfsigned PORT  the certificate is signed by itself alone
    ca FILE          the authority to trust for the first three
and at last `ready`. It ends by itself when the process that started it is gone;
with --keep it stays.
"""
import base64
import gzip
import json
import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
from urllib.parse import parse_qsl, urlsplit

LONG = 60.0  # seconds: longer than any timeout that a test sets
LOG = []  # (key, method, path, body, port of the client) of each request read
LOCK = threading.Lock()


class Gone(Exception):
    """The client went away, or the connection is to be closed."""


class Request:
    def __init__(self, method, target, version, headers, body, nth, peer):
        self.method, self.target, self.version = method, target, version
        self.headers, self.body, self.nth, self.peer = headers, body, nth, peer
        parts = urlsplit(target)
        self.path = parts.path
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.headers_asked = [v for k, v in parse_qsl(parts.query) if k == "header"]


class Connection:
    def __init__(self, sock):
        self.sock, self.buffer, self.count = sock, b"", 0

    def more(self):
        data = self.sock.recv(65536)
        if not data:
            raise Gone
        self.buffer += data

    def until(self, mark):
        while mark not in self.buffer:
            self.more()
            if self.buffer[:1] == b"\x16":  # a TLS handshake on a plain port
                answer(self, "This is not TLS.", "400 Bad Request", "text/plain")
                raise Gone
        head, self.buffer = self.buffer.split(mark, 1)
        return head

    def read(self):
        lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        method, target, version = lines[0].split(" ", 2)
        headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
        length = int(dict((k.lower(), v) for k, v in headers).get("content-length", 0))
        while len(self.buffer) < length:
            self.more()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        self.count += 1
        return Request(method, target, version, headers, body, self.count, self.sock.getpeername())

    def send(self, data):
        self.sock.sendall(data)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone

    def hang(self):
        """Holds the connection until the client lets go of it."""
        self.sock.settimeout(LONG)
        try:
            while self.sock.recv(4096):
                pass
        except OSError:
            pass
        raise Gone


def head(status="200 OK", kind="application/json", length=None, extra=()):
    lines = ["HTTP/1.1 " + status]
    if kind:
        lines.append("Content-Type: " + kind)
    if length is not None:
        lines.append("Content-Length: %d" % length)
    lines.extend(extra)
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def answer(conn, body, status="200 OK", kind="application/json", extra=()):
    if isinstance(body, str):
        body = body.encode()
    conn.send(head(status, kind, len(body), extra) + body)


def ok(conn, req):
    answer(conn, '{"ok": true}')


def reply(conn, req):
    """Whatever is asked: ?status=400&type=text/html&body=...&header=A:%20b&delay=0.5"""
    time.sleep(float(req.query.get("delay", 0)))
    status = req.query.get("status", "200")
    answer(conn, req.query.get("body", "{}"), status if " " in status else status + " Status",
           req.query.get("type", "application/json"), req.headers_asked)


def echo(conn, req):
    answer(conn, json.dumps({"method": req.method, "target": req.target, "headers": req.headers,
                             "body": req.body.decode("latin-1"), "nth": req.nth,
                             "port": req.peer[1]}))


def log(conn, req):
    """The requests read so far whose query has the same key=."""
    with LOCK:
        rows = [row[1:] for row in LOG if row[0] == req.query.get("key")]
    answer(conn, json.dumps(rows))


def slow_headers(conn, req):
    conn.send(b"HTTP/1.1 200 OK\r\n")
    for number in range(int(LONG / 0.1)):
        conn.send(b"X-%d: y\r\n" % number)
        time.sleep(0.1)


def half_status(conn, req):
    conn.send(b"HTTP/1.")
    conn.hang()


def slow_body(conn, req):
    conn.send(head(length=100000))
    for _ in range(int(LONG / 0.1)):
        conn.send(b"x")
        time.sleep(0.1)


def stalled_body(conn, req):
    conn.send(head(length=100) + b'{"half":')
    conn.hang()


def reset_body(conn, req):
    conn.send(head(length=1000) + b'{"half":')
    time.sleep(0.05)  # the first part must leave before the reset overtakes it
    conn.reset()


def chunked(conn, req):
    conn.send(head(extra=["Transfer-Encoding: chunked"]) + b"5\r\n{\"a\":\r\n2\r\n1}\r\n0\r\n\r\n")


def bad_chunk(conn, req):
    conn.send(head(extra=["Transfer-Encoding: chunked"]) + b"zz\r\noops\r\n")
    raise Gone


def cut_chunk(conn, req):
    conn.send(head(extra=["Transfer-Encoding: chunked"]) + b"ff\r\noops")
    raise Gone


def short(conn, req):
    conn.send(head(length=100) + b'{"half":')
    raise Gone


def cut_head(conn, req):
    conn.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Len")
    raise Gone


def huge(conn, req):
    conn.send(head(length=1 << 30))
    while True:
        conn.send(b"y" * 65536)


def endless(conn, req):
    conn.send(head(extra=["Transfer-Encoding: chunked"]))
    while True:
        conn.send(b"10000\r\n" + b"z" * 65536 + b"\r\n")


def compressed(levels, size):
    data = b"\0" * size
    for _ in range(levels):
        data = gzip.compress(data)
    return data


def bomb(conn, req):
    levels = int(req.query.get("levels", 1))
    data = compressed(levels, 64 << 20)
    conn.send(head(length=len(data), extra=["Content-Encoding: " + ", ".join(["gzip"] * levels)]))
    conn.send(data)


def zipped(conn, req):
    answer(conn, gzip.compress(b'{"zipped": true}'), extra=["Content-Encoding: gzip"])


def bad_zip(conn, req):
    answer(conn, b"this is not gzip at all", extra=["Content-Encoding: gzip"])


def html(conn, req):
    page = "<!DOCTYPE html><html><head><title>Service Unavailable</title></head><body></body></html>"
    answer(conn, page, kind=req.query.get("type", "text/html; charset=utf-8"))


def wrong_type(conn, req):
    answer(conn, '{"ok": true}', kind="application/octet-stream")


def error_inside(conn, req):
    answer(conn, '{"error": {"code": "Application_DialogException", "message": "Item 1 is blocked."}}')


def redirect_loop(conn, req):
    answer(conn, "", "302 Found", None, ["Location: /redirect-loop"])


def redirect(conn, req):
    answer(conn, "", req.query.get("status", "302") + " Moved", None,
           ["Location: " + req.query["to"]])


def garbage(conn, req):
    conn.send(b"220 mail.example.com ESMTP ready\r\n")
    raise Gone


def bad_status(conn, req):
    conn.send(b"HTTP/1.1 abc Nonsense\r\n\r\n")
    raise Gone


def close_kept(conn, req):
    """Answers; but a POST on a connection that was used before is read and dropped."""
    if req.method == "POST" and req.nth > 1:
        raise Gone
    ok(conn, req)


def close_next(conn, req):
    """Answers, and closes the connection without having said so."""
    ok(conn, req)
    raise Gone


def no_content(conn, req):
    conn.send(b"HTTP/1.1 204 No Content\r\n\r\n")


def latin1(conn, req):
    answer(conn, "Größe überschritten".encode("latin-1"), "400 Bad Request",
           "text/plain; charset=iso-8859-1")


def bom(conn, req):
    answer(conn, b'\xef\xbb\xbf{"bom": true}')


def many_headers(conn, req):
    count = int(req.query.get("count", 200))
    answer(conn, "{}", extra=["X-Number-%d: %s" % (n, "v" * 50) for n in range(count)])


def early_hints(conn, req):
    conn.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
    answer(conn, "{}", extra=["X-Folded: one\r\n two", "X-Empty:", "Set-Cookie: a=1",
                              "Set-Cookie: b=2"])


def ntlm(conn, req):
    """A challenge without an end: what follows the client's answer is ?then=drop, hang, again or ok."""
    words = (dict((k.lower(), v) for k, v in req.headers).get("authorization") or "").split()
    kind = base64.b64decode(words[1])[8] if words[:1] == ["NTLM"] else 0
    then = req.query.get("then", "ok") if kind == 3 else "challenge"
    challenge = struct.pack("<8sIHHII8s8sHHI", b"NTLMSSP", 2, 0, 0, 48, 0x00008206, b"12345678", b"", 0, 0, 48)
    offer = "WWW-Authenticate: NTLM " + base64.b64encode(challenge).decode()
    if then == "drop":
        raise Gone
    if then == "hang":
        conn.hang()
    if then in ("challenge", "again"):
        return answer(conn, "x" * 1000, "401 Unauthorized", "text/html", [offer, "X-Leg: first"])
    return echo(conn, req)


def close(conn, req):
    raise Gone


PATHS = {
    "/ok": ok, "/reply": reply, "/echo": echo, "/log": log,
    "/hang": lambda conn, req: conn.hang(), "/slow-headers": slow_headers,
    "/half-status": half_status, "/slow-body": slow_body, "/stalled-body": stalled_body,
    "/reset": lambda conn, req: conn.reset(), "/reset-body": reset_body, "/close": close,
    "/short": short, "/cut-head": cut_head, "/chunked": chunked, "/bad-chunk": bad_chunk, "/cut-chunk": cut_chunk,
    "/huge": huge, "/endless": endless, "/bomb": bomb, "/zipped": zipped, "/bad-zip": bad_zip,
    "/html": html, "/wrong-type": wrong_type, "/error-inside": error_inside,
    "/redirect-loop": redirect_loop, "/redirect": redirect, "/garbage": garbage,
    "/bad-status": bad_status, "/close-kept": close_kept, "/close-next": close_next,
    "/no-content": no_content, "/latin1": latin1, "/bom": bom, "/many-headers": many_headers,
    "/early-hints": early_hints, "/ntlm": ntlm,
}


def not_found(conn, req):
    answer(conn, '{"error": {"code": "not_found", "message": "no such path"}}', "404 Not Found")


def serve(sock, context):
    try:
        if context:
            sock = context.wrap_socket(sock, server_side=True)
        conn = Connection(sock)
        while True:
            req = conn.read()
            with LOCK:
                LOG.append((req.query.get("key"), req.method, req.path,
                            req.body.decode("latin-1"), req.peer[1]))
            PATHS.get(req.path, not_found)(conn, req)
    except (Gone, OSError, ValueError):
        pass
    finally:
        sock.close()


def listen(name, context=None):
    server = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(name, server.getsockname()[1], flush=True)

    def accept():
        while True:
            sock, _ = server.accept()
            threading.Thread(target=serve, args=(sock, context), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()


def listen_silent(kept):
    server = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print("silent", server.getsockname()[1], flush=True)

    def accept():
        while True:
            kept.append(server.accept()[0])
    threading.Thread(target=accept, daemon=True).start()


def listen_full(kept):
    """A queue of one that is never emptied: the kernel drops further SYNs."""
    server = socket.create_server(("127.0.0.1", 0), backlog=0)
    kept.append(server)
    for _ in range(3):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(server.getsockname())
        kept.append(client)
    time.sleep(0.05)
    print("full", server.getsockname()[1], flush=True)


def openssl(folder, *words):
    subprocess.run(("openssl",) + words, cwd=folder, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def make_authority(folder):
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "30", "-subj", "/CN=erpwatch test authority", "-keyout", "ca.key",
            "-out", "ca.pem", "-addext", "basicConstraints=critical,CA:true")
    os.makedirs(os.path.join(folder, "db"))
    open(os.path.join(folder, "db/index.txt"), "w", encoding="ascii").close()
    with open(os.path.join(folder, "ca.cnf"), "w", encoding="ascii") as file:
        file.write("[ca]\ndefault_ca=d\n[d]\ndatabase=db/index.txt\nnew_certs_dir=db\n"
                   "rand_serial=yes\ndefault_md=sha256\npolicy=p\ncopy_extensions=copy\n"
                   "unique_subject=no\nemail_in_dn=no\n[p]\ncommonName=supplied\n")


def make_certificate(folder, name, host, start, end):
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", "/CN=" + host, "-addext", "subjectAltName=" + "DNS:" + host,
            "-keyout", name + ".key", "-out", name + ".csr")
    openssl(folder, "ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key",
            "-startdate", start, "-enddate", end, "-in", name + ".csr", "-out", name + ".pem",
            "-notext")


def make_self_signed(folder):
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "30", "-subj", "/CN=localhost", "-addext",
            "subjectAltName=DNS:localhost", "-keyout", "selfsigned.key", "-out", "selfsigned.pem")


def listen_tls(folder):
    stamp = "%Y%m%d%H%M%SZ"
    now = time.time()
    begin, end = time.gmtime(now - 864000), time.gmtime(now + 864000)
    past = time.gmtime(now - 86400)
    make_authority(folder)
    make_certificate(folder, "tls", "localhost", time.strftime(stamp, begin),
                     time.strftime(stamp, end))
    make_certificate(folder, "expired", "localhost", time.strftime(stamp, begin),
                     time.strftime(stamp, past))
    make_certificate(folder, "wronghost", "other.example", time.strftime(stamp, begin),
                     time.strftime(stamp, end))
    make_self_signed(folder)
    for name in ("tls", "expired", "wronghost", "selfsigned"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(folder, name + ".pem"),
                                os.path.join(folder, name + ".key"))
        listen(name, context)
    print("ca", os.path.join(folder, "ca.pem"), flush=True)


def main():
    kept, folder = [], None
    parent = os.getppid()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    listen("http")
    listen_full(kept)
    listen_silent(kept)
    try:
        if "--tls" in sys.argv:
            folder = tempfile.mkdtemp(prefix="bad_http.")
            listen_tls(folder)
        print("ready", flush=True)
        while "--keep" in sys.argv or os.getppid() == parent:
            time.sleep(0.25)
    except KeyboardInterrupt:
        pass
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
