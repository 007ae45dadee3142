#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A real ERP on loopback: Tryton from Debian's packages, SQLite. The database is
made once (build-tryton/, about a minute) and copied for each start.

As a module: prepare() -> ids; start(folder, max_age=…) -> (process, port). The
log-ins "flow" (may sell) and "nobody" (may nothing) have PASSWORD."""
import fcntl
import json
import os
import shutil
import subprocess
import time
import urllib.request

from listening import hold_port

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
MADE = os.path.join(ROOT, "build-tryton")
NAME = "erp"
PASSWORD = "Flow-pass-7431"
HELD = {}  # what keeps the ports of our servers, until this process ends
CONFIG = "[web]\nlisten = 127.0.0.1:{port}\n[database]\nuri = sqlite://\npath = {path}\n[session]\nmax_age = {age}\n"


def write_config(folder, port, path, age):
    name = os.path.join(folder, "trytond.conf")
    with open(name, "w", encoding="utf-8") as file:
        file.write(CONFIG.format(port=port, path=path, age=age))
    return name


def call(command, **environment):
    done = subprocess.run(command, env=dict(os.environ, **environment), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stdout[-2000:]}{done.stderr[-4000:]}")


def prepare():
    """Makes the database unless it is there; returns the ids of its records."""
    os.makedirs(MADE, exist_ok=True)
    ids = os.path.join(MADE, "ids.json")
    with open(os.path.join(MADE, "lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(ids):
            config = write_config(MADE, 1, MADE, 86400)
            database = os.path.join(MADE, NAME + ".sqlite")
            with open(database, "wb"):
                pass
            secret = os.path.join(MADE, "admin-password")
            with open(secret, "w", encoding="utf-8") as file:
                file.write("Admin-pass-7431\n")
            call(["/usr/bin/trytond-admin", "-c", config, "-d", NAME, "-u", "sale", "account_invoice",
                  "--activate-dependencies", "--email", "admin@erp.invalid", "-p"], TRYTONPASSFILE=secret)
            call(["/usr/bin/python3", os.path.join(ROOT, "tests/servers/tryton_seed.py"), config, NAME,
                  ids + ".new"], TRYTON_PASSWORD=PASSWORD)
            os.rename(ids + ".new", ids)
    with open(ids, encoding="utf-8") as file:
        return json.load(file)


def ask(port, method, params):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Content-Type": "application/json"},
                                     data=json.dumps({"id": 0, "method": method, "params": params}).encode())
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["result"]


def start(folder, max_age=86400, port=None):
    """Starts trytond on a copy of the database in `folder`; ready when it returns."""
    prepare()
    if not port:
        held = hold_port()
        port = held.getsockname()[1]
        HELD[port] = held
    database = os.path.join(folder, NAME + ".sqlite")
    if not os.path.exists(database):
        shutil.copy(os.path.join(MADE, NAME + ".sqlite"), database)
    config = write_config(folder, port, folder, max_age)
    with open(os.path.join(folder, "trytond.log"), "a", encoding="utf-8") as log:
        process = subprocess.Popen(["/usr/bin/trytond", "-c", config, "-d", NAME], stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log)
    end = time.monotonic() + 300  # seconds on a machine that is busy with much else
    while time.monotonic() < end and process.poll() is None:
        try:
            ask(port, "common.server.version", [])
            return process, port
        except OSError:
            time.sleep(0.1)
    process.kill()
    with open(os.path.join(folder, "trytond.log"), encoding="utf-8") as log:
        raise RuntimeError("trytond did not start: " + log.read()[-3000:])


if __name__ == "__main__":
    print(prepare())
