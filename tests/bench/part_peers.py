# SPDX-License-Identifier: MIT
"""The same targets watched by what Debian has besides: monit and Prometheus's blackbox
exporter, as processes of our own with configurations of their own; nothing is put up."""
import os
import shutil
import socket
import subprocess
import time

from rig import BUILD, Agent, Folder, Server, cpu_s, due_starts, pinned, resident_mb
from table import wait

TARGETS, EVERY_S = 1000, 10
PROBE = """  probe-{n}:
    every: 10s
    steps: [{{step: get, get: /orders/{n}, expect: {{status: 200}}}}]
"""
MONIT_HEAD = """set daemon {every}
set pidfile {folder}/monit.pid
set idfile {folder}/monit.id
set statefile {folder}/monit.state
set logfile {folder}/monit.log
"""
MONIT_CHECK = """check host host-{n} with address 127.0.0.1
    if failed port {port} protocol http request "{path}" with timeout 5 seconds then alert
"""
BLACKBOX = "modules: {http_2xx: {prober: http, timeout: 5s, http: {preferred_ip_protocol: ip4}}}\n"


class Process:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def monit(folder, port, every_s, paths):
    config = folder.path + "/monitrc"
    with open(os.open(config, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
        file.write(MONIT_HEAD.format(every=every_s, folder=folder.path))
        file.writelines(MONIT_CHECK.format(n=n, port=port, path=path) for n, path in enumerate(paths))
    return Process(pinned(0) + ["monit", "-I", "-c", config])


def blackbox(folder, port):
    config = folder.path + "/blackbox.yml"
    with open(config, "w", encoding="ascii") as file:
        file.write(BLACKBOX)
    return Process(pinned(0) + ["prometheus-blackbox-exporter", f"--config.file={config}",
                                f"--web.listen-address=127.0.0.1:{port}"])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port):
    for _ in range(500):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(.02)
    raise RuntimeError("prometheus-blackbox-exporter does not listen")


def say(table, name, server, pid, seconds, work):
    """CPU of each request that came to the server while `work` lasts."""
    before, cpu = server.counts()["get"], cpu_s(pid)
    work(seconds)
    made, spent = server.counts()["get"] - before, cpu_s(pid) - cpu
    table.say(f"{TARGETS:,} targets every {EVERY_S} s: {name}", f"{spent * 1e6 / max(made, 1):.0f} us of CPU a probe, "
              f"{resident_mb(pid):.0f} MB resident, {made} probes of {TARGETS // EVERY_S * seconds} in {seconds} s")


def scrape(url, seconds):
    rate = TARGETS // EVERY_S
    subprocess.run(pinned(1) + [f"{BUILD}/tests/bench/bare_curl", "-c", "16", "--rate", str(rate), "-n", str(rate * seconds), url],
                   check=True, stdout=subprocess.DEVNULL)


def probes(table, full):
    """One GET and its status, of 1,000 targets, by each."""
    seconds = 60 if full else 20
    with Server() as server, Folder() as folder:
        folder.configure(server.port, TARGETS, flow=PROBE)
        with Agent(folder) as agent:
            wait(21, "probes by erpwatch: until all is in step")
            say(table, "erpwatch", server, agent.process.pid, seconds, lambda s: wait(s, "probes by erpwatch"))
        if shutil.which("monit"):
            with monit(folder, server.port, EVERY_S, [f"/orders/{n}" for n in range(TARGETS)]) as peer:
                wait(12, "probes by monit: its start")
                say(table, "monit", server, peer.pid, seconds, lambda s: wait(s, "probes by monit"))
        if shutil.which("prometheus-blackbox-exporter"):
            port = free_port()
            url = f"http://127.0.0.1:{port}/probe?module=http_2xx&target={server.url}/orders"
            with blackbox(folder, port) as peer:
                wait_for_port(port)
                scrape(url, 5)
                say(table, "blackbox exporter, asked so often", server, peer.pid, seconds, lambda s: scrape(url, s))


HANGING, HEALTHY, WINDOW_S = 6, 5, 75
HANG = """  target-{n}:
    every: 10s
    system: erp-{n}
    steps: [{{step: get, get: {path}, expect: {{status: 200}}}}]
"""


def hanging(table, _full):
    """Targets that accept and say nothing: what becomes of the due requests, theirs and the others'."""
    paths = [f"/wait/3600000/{n}" for n in range(HANGING)] + [f"/orders/{n}" for n in range(HANGING, HANGING + HEALTHY)]
    with Server(log=True) as ours, Server(log=True) as theirs, Folder() as folder:
        folder.write([{"name": f"erp-{n}", "port": ours.port, "timeout": "5s"} for n in range(len(paths))],
                     [HANG.format(n=n, path=path) for n, path in enumerate(paths)],
                     extra="priority: P2, confirm: {runs: 100}")
        with Agent(folder) as agent:
            both = WINDOW_S, f"{HANGING} of {len(paths)} targets hang"
            if shutil.which("monit"):
                with monit(folder, theirs.port, 10, paths):
                    wait(*both)
            else:
                wait(*both)
            to_us = agent.ready_us + WINDOW_S * 1_000_000
            made = [number for number, at in ours.arrivals(r"GET /\S*/(\d+)", agent.ready_us) if at < to_us]
            due = sum(due_starts(f"target-{n}", 10_000_000, agent.ready_us, to_us) for n in range(len(paths)))
        healthy = sum(int(number) >= HANGING for number in made)
        table.say(f"{HANGING} hanging targets of {len(paths)}: erpwatch", f"made {len(made)} of {due} due requests in "
                  f"{WINDOW_S} s, each due every 10 s, {healthy} of them to the healthy", "all", len(made) >= due)
        if shutil.which("monit"):
            seen = [number for number, _ in theirs.arrivals(r"GET /\S*/(\d+)")]
            table.say(f"{HANGING} hanging targets of {len(paths)}: monit", f"made {len(seen)} of {len(paths) * WINDOW_S // 10}, "
                      f"{sum(int(number) >= HANGING for number in seen)} of them to the healthy")
