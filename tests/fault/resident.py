#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The agent's memory over a long time: what is in use of the heap does not grow with runs, logins,
incidents, mails, sweeps or reloads, nor does resident memory; no descriptor stays open.

    tests/fault/resident.py [--runs N] [--seed S] [PART...]

Parts: `runs`, RUNS of them, good and failing, of which some write and undo; `varied`, a 20th as
many requests: logins that end, tokens, incidents that come and go with their mails, undos that fail
at first, sweeps; `reloads`, a 5000th as many, of a configuration that changes, without logins and
with them: each reload logs in anew, and former secrets are kept for an hour.

tests/preload/heap.c tells how many bytes are in use, without SQLite's pages. The least within a tenth of the way is what
stays when calls are over: how many are in flight, and so what is free in between, is the machine's
doing. The second half may have more of it than the first by so little that not even the smallest
block is lost in each run; where it has more, the test goes on for up to as long again, in which a
busy machine comes to rest and a leak goes on. A line for each tenth, in MiB: the least, SQLite's pages, and resident
memory without those. Of descriptors, too, the least is compared: sockets, of which a busy moment leaves some
more that are kept, and all others."""
import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests/fault"))
import form  # noqa: E402
import memory  # noqa: E402
from harness import PROGRAM, wait_for  # noqa: E402
from records import ago  # noqa: E402

HEAP = os.path.join(os.path.dirname(PROGRAM), "tests/preload/heap.so")
FORMER = 6 * 1024  # what is kept of the logins before a reload: a session and a token, with their secrets
SMALLEST = 32  # bytes that the least allocation takes
NOISE = 512 * 1024  # connections that are kept, and what is in flight where the machine is busy
PAGES = 16 << 20  # SQLite's, of all connections: each has a cache of 2 MiB, and what it works with
TENTHS = 10
FILES = 3  # files, pipes and the like that are open for a moment; a leak in each reload is more
SOCKETS = 100  # connections that are kept, as many as there are calls at once


class Watched(memory.Place):
    """A place whose agent tells what it has of the heap."""

    def start(self, *command, **options):
        environment = {**os.environ, "LD_PRELOAD": HEAP, "HEAP_FILE": self.path("heap")}
        return super().start(*command, env=environment, **options)

    def looks(self):
        """Of each second: bytes in use, at least and at most, SQLite's, and what the heap has in all."""
        if not os.path.exists(self.path("heap")):
            return []
        with open(self.path("heap"), encoding="ascii") as file:
            return [tuple(map(int, line.split())) for line in file if line.endswith("\n")]

    def has_ended(self):
        return self.process.poll() is not None


class Tenth:
    """What was seen during a tenth of the way."""

    def __init__(self, looks, resident_kb, descriptors):
        self.sockets = min(sockets for sockets, _ in descriptors)
        self.files = min(files for _, files in descriptors)
        self.least = min(look[0] for look in looks)
        self.most = max(look[1] for look in looks)
        self.pages = max(look[2] for look in looks)
        self.resident = resident_kb * 1024 - self.pages


def count_descriptors(pid):
    """Sockets, and all others."""
    names = []
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            names.append(os.readlink(f"/proc/{pid}/fd/{number}"))
        except OSError:
            pass  # closed since
    sockets = sum(name.startswith("socket:") for name in names)
    return sockets, len(names) - sockets


def see_tenth(place, done, number, whole):
    """Waits until `done` has counted to so many tenths of `whole`, and for some looks at the heap."""
    before, seconds, resident = len(place.looks()), 3 if whole > 20000 else 1, 0
    descriptors = []

    def is_over():
        nonlocal resident
        if place.has_ended():
            raise AssertionError(f"the agent ended by {place.process.returncode}: {place.log()[-500:]}")
        resident = max(resident, memory.resident_kb(place.process.pid))
        descriptors.append(count_descriptors(place.process.pid))
        return done() >= whole * number / TENTHS and len(place.looks()) >= before + seconds

    wait_for(is_over, f"{number} tenths of {whole}", 3600)
    return Tenth(place.looks()[before:], resident, descriptors)


def mib(size):
    return f"{size / 1048576:.2f}"


class Growth:
    """From the fourth to sixth tenth to the last three; before them grows what grows once."""

    def __init__(self, tenths, whole, kept):
        first, second = tenths[3:6], tenths[-3:]
        self.allowed = NOISE + SMALLEST * whole * 4 // TENTHS // 8
        self.runs = whole * (len(tenths) - 6) // TENTHS
        self.allowed += kept * whole * (len(tenths) - 4) // TENTHS
        self.least = [min(tenth.least for tenth in part) for part in (first, second)]
        self.resident = [max(tenth.resident for tenth in part) for part in (first, second)]
        self.sockets = [min(tenth.sockets for tenth in part) for part in (first, second)]
        self.files = [min(tenth.files for tenth in part) for part in (first, second)]
        self.grown = self.least[1] - self.least[0]
        # what a busy machine had in flight at once stays with the heap
        self.peak = max(tenth.most for tenth in tenths) - max(tenth.most for tenth in tenths[:6])
        self.pages = max(tenth.pages for tenth in tenths)

    def wrong(self):
        if self.grown > self.allowed:
            yield f"{mib(self.grown)} MiB more are in use, {self.grown / self.runs:.1f} bytes each"
        if self.resident[1] > self.resident[0] * 1.05 + self.allowed + self.peak:
            yield "resident memory grows"
        if self.pages > PAGES:
            yield f"SQLite has {mib(self.pages)} MiB"
        if self.files[1] > self.files[0] + FILES or self.sockets[1] > self.sockets[0] + SOCKETS:
            yield f"{self.files[1]} files and {self.sockets[1]} sockets are open, {self.files[0]} and {self.sockets[0]} before"

    def figures(self):
        return (f"{mib(self.least[0])} MiB in use, {self.grown / 1024:+.0f} KiB; resident "
                f"{mib(self.resident[0])} MiB, {(self.resident[1] - self.resident[0]) / 1024:+.0f} KiB; "
                f"{self.files[1]} files and {self.sockets[1]} sockets open, {self.files[1] - self.files[0]:+d} and "
                f"{self.sockets[1] - self.sockets[0]:+d}")


def end(place, wrong):
    code = place.stop()
    if code != 0:
        wrong.append(f"the agent ended by {code}: {place.log()[-500:]}")


def watch(what, place, done, whole, table, kept=0):
    """Starts the agent; a row. So many bytes are kept of each, for a time."""
    tenths = []
    place.start("run")
    while len(tenths) < TENTHS or (list(Growth(tenths, whole, kept).wrong()) and len(tenths) < 2 * TENTHS):
        tenths.append(see_tenth(place, done, len(tenths) + 1, whole))
    growth = Growth(tenths, whole, kept)
    wrong = list(growth.wrong())
    end(place, wrong)
    table.row(what, whole, growth.figures(), "; ".join(wrong))
    for name in ("least", "pages", "resident"):
        print(f"  {name:<9}" + "".join(f"{mib(getattr(tenth, name)):>8}" for tenth in tenths), flush=True)
    for name in ("files", "sockets"):
        print(f"  {name:<9}" + "".join(f"{getattr(tenth, name):>8}" for tenth in tenths), flush=True)


def count_requests(server):
    return sum(server.counts()[name] for name in ("get", "post", "delete"))


def run_runs(given, table):
    server, place = memory.JsonServer(), Watched()
    try:
        flows = {f"look-{n}": memory.get(f"/orders/{n}", every="1s") for n in range(min(given.runs // 20, 1800))}
        flows.update({name: {**flow, "every": "5s"} for name, flow in memory.mixed_flows(100).items()})
        place.configure(server.port, flows, agent={"stop": "60s", "parallel": 100}, parallel=50)
        place.add_system("gone", 1)
        # of 100 runs, 99 are one request, and one is three
        watch("runs", place, lambda: count_requests(server) / 1.02, given.runs, table)
    finally:
        place.close()
        server.close()


# One ERP for all that is not a plain run


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, headers, body = self.server.erp.answer(self.command, self.path.split("?")[0])
        text = body if isinstance(body, str) else json.dumps(body)
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers,
                            "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST = do_DELETE = answer

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, address):
        pass  # whoever asked is gone


class Erp:
    """What it answers depends on how often it was asked, so that all of it comes again and again.
    Sessions end now and then only: their secrets are kept for an hour, by design."""

    def __init__(self):
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.erp = self
        self.port, self.count, self.lock = self.server.server_address[1], 0, threading.Lock()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, method, path):
        with self.lock:
            self.count += 1
            number = self.count
        kind = path.split("/")[2]
        if kind == "token":
            return 200, {}, {"access_token": f"t0ken-{number}", "token_type": "Bearer", "expires_in": 30}
        if kind == "login":
            return 200, {"Set-Cookie": f"SESSION=s3ssion-{number}; path=/"}, {"ok": True}
        if kind == "session" and number % 250 == 0:
            return 401, {}, {"error": {"code": "expired", "message": "The session has ended"}}
        if kind == "flap" and number // 1500 % 2:
            return 500, {}, {"error": {"code": "E_STOCK", "message": f"Item {number} is closed"}}
        if kind == "page" and number // 2100 % 2:
            return 503, {"Content-Type": "text/html"}, "<html><title>Oops</title><h1>Closed</h1></html>"
        if kind == "old":
            return 200, {}, {"value": [{"id": n, "ref": f"ERPW-{n:012d}", "at": ago(hours=2)} for n in range(3)]}
        if method == "DELETE":
            return (500 if kind == "made" and number % 5 == 0 else 200), {}, {}
        return 201 if method == "POST" else 200, {}, {"id": number, "open": True}


def varied_document(place, erp):
    def flow(system, *steps, every="1s"):
        return {"system": system, "every": every, "timeout": "10s", "priority": "P1", "notify": ["client"], "group": "0s",
                "confirm": {"runs": 1}, "steps": list(steps)}

    def system(auth=None):
        return {"url": f"http://127.0.0.1:{erp.port}/api", "timeout": "5s", "parallel": 20,
                "act": {role: "ops" for role in ("client", "integrator", "erp-partner", "hosting")},
                **({"auth": auth} if auth else {})}

    def look(kind):
        return {"step": "look", "get": f"/{kind}/1", "expect": {"json": {"$.open": True}}}

    write = {"step": "write", "post": "/made", "json": {"ref": "{{mark}}"}, "capture": {"id": {"json": "$.id"}},
             "undo": {"delete": "/made/{{id}}"}}
    sweep = {"system": "plain", "every": "1s", "older": "1h", "at_most": 10, "get": "/old", "items": "$.value[*]",
             "only": {"json": {"$.ref": {"matches": "^ERPW-"}}}, "at": {"json": "$.at"},
             "capture": {"id": {"json": "$.id"}}, "undo": {"delete": "/swept/{{id}}"}}
    flows = {f"token-{n}": flow("token", look("order")) for n in range(5)}
    flows.update({f"session-{n}": flow("session", look("session")) for n in range(20)})
    flows.update({f"flap-{n}": flow("plain", look("flap")) for n in range(20)})
    flows.update({f"page-{n}": flow("plain", look("page")) for n in range(10)})
    flows.update({f"write-{n}": flow("plain", write, look("order")) for n in range(40)})
    return {"agent": {"store": place.store, "stop": "60s"},
            "mail": {"directory": place.path("mail"), "from": "Monitor <m@agency.example>", "fallback": "ops", "limit": 100000},
            "contacts": {"ops": {"email": "ops@agency.example"}},
            "systems": {"plain": system(),
                        "token": system({"oauth2": {"token_url": f"http://127.0.0.1:{erp.port}/api/token",
                                                    "client_id": "shop", "client_secret": "cl13nt s3cret"}}),
                        "session": system({"session": {"login": {"post": "/login", "json": {"user": "u"}},
                                                       "cookies": ["SESSION"], "lasts": "30s",
                                                       "expired": {"status": 401}}})},
            "flows": flows, "sweeps": {"left": sweep}}


def write_document(place, document):
    with open(place.path("new"), "w", encoding="utf-8") as file:
        json.dump(document, file)
    os.chmod(place.path("new"), 0o600)
    os.rename(place.path("new"), place.path("erpwatch.yaml"))


def run_varied(given, table):
    erp, place = Erp(), Watched()
    try:
        write_document(place, varied_document(place, erp))
        watch("varied", place, lambda: erp.count, given.runs // 20, table)
        if not os.listdir(place.path("mail")):
            table.row("varied", 0, "", "no mail was sent")
    finally:
        place.close()
        erp.close()


def without_logins(document):
    flows = {name: flow for name, flow in document["flows"].items() if flow["system"] == "plain"}
    return {**document, "flows": flows, "systems": {"plain": document["systems"]["plain"]}}


def run_reloads(given, table):
    reload_often("reloads", without_logins, 0, given, table)
    reload_often("with logins", lambda document: document, FORMER, given, table)


def reload_often(what, change, kept, given, table):
    erp, place = Erp(), Watched()
    reloads = 0

    def reload_once():
        """The next, when the last has been read."""
        nonlocal reloads
        log = place.log()
        if " watches " in log and log.count("was read again") >= reloads:
            document = change(varied_document(place, erp))
            for flow in list(document["flows"])[reloads % 7::7]:
                document["flows"][flow]["every"] = f"{2 + reloads % 5}s"
            write_document(place, document)
            place.process.send_signal(signal.SIGHUP)
            reloads += 1
        return reloads

    try:
        write_document(place, change(varied_document(place, erp)))
        watch(what, place, reload_once, max(given.runs // 5000, 20), table, kept)
    finally:
        place.close()
        erp.close()


PARTS = {"runs": run_runs, "varied": run_varied, "reloads": run_reloads}


class Given:
    """Sizes for the short form."""

    def __init__(self, runs):
        self.runs = runs


def main():
    given = form.options(__doc__, runs=1000000)
    table = form.Table("what", "how often", "figures", "found", width=12)
    for name in given.names or PARTS:
        PARTS[name](given, table)
    return table.close()


if __name__ == "__main__":
    sys.exit(main())
