#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A fast local ERP for benches: nginx that answers every request alike.

    json_server.py [--cpu N]

Listens on 127.0.0.1, a port chosen by the kernel, and prints it. Each request,
whatever its method and path, gets 200 and the same 954 bytes of JSON; below
/slow/ they come at a trickle over 10 seconds. Ends with the process that started
it, or at SIGTERM, nginx and its folder with it.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SIZE = 954
CONFIG = """
daemon off;
worker_processes 1;
worker_rlimit_nofile {files};
pid {folder}/pid;
error_log {folder}/error.log warn;
events {{ worker_connections {connections}; use epoll; multi_accept on; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000000;
  keepalive_timeout 300s;
  reset_timedout_connection on;
  open_file_cache max=10;
  default_type application/json;
  server {{
    listen 127.0.0.1:{port} backlog=20000;
    root {folder}/www;
    location / {{ return 200 '{body}'; }}
    location /slow/ {{ limit_rate 95; try_files /answer.json =404; }}
  }}
}}
"""


def answer():
    """A sales order with as many lines as make up SIZE bytes."""
    order = {"id": "5d115c9c-44e3-ea11-bb43-000d3a2feca1", "number": "S-ORD101001",
             "status": "Draft", "customerNumber": "C00010", "currencyCode": "EUR",
             "totalAmountIncludingTax": 4521.90, "lines": []}
    while len(json.dumps(order)) < SIZE - 150:
        order["lines"].append({"sequence": 10000 * (len(order["lines"]) + 1), "itemNumber": "1896-S",
                               "quantity": 3, "unitPrice": 1507.30, "description": "ATHENS Desk"})
    order["note"] = ""
    order["note"] = "x" * (SIZE - len(json.dumps(order)))
    return json.dumps(order)


def start(folder, server, cpu):
    hard = min(30000, os.sysconf("SC_OPEN_MAX"))
    os.makedirs(os.path.join(folder, "www/slow"))
    body = answer()
    with open(os.path.join(folder, "www/answer.json"), "w", encoding="ascii") as file:
        file.write(body)
    config = os.path.join(folder, "nginx.conf")
    with open(config, "w", encoding="ascii") as file:
        file.write(CONFIG.format(folder=folder, port=server.getsockname()[1], body=body,
                                 files=hard, connections=hard - 100))
    command = ["nginx", "-p", folder, "-c", config]
    if cpu is not None:
        command = ["taskset", "-c", cpu] + command
    # nginx takes over a listening socket that it finds named here.
    environment = dict(os.environ, NGINX="%d;" % server.fileno(),
                       PATH=os.environ.get("PATH", "") + ":/usr/sbin")
    with open(os.path.join(folder, "output"), "wb") as output:
        return subprocess.Popen(command, pass_fds=[server.fileno()], env=environment,
                                stdin=subprocess.DEVNULL, stdout=output, stderr=output)


def is_up(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as client:
            client.sendall(b"HEAD / HTTP/1.0\r\n\r\n")
            return client.recv(1) != b""
    except OSError:
        return False


def main():
    cpu = sys.argv[sys.argv.index("--cpu") + 1] if "--cpu" in sys.argv else None
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    parent = os.getppid()
    folder = tempfile.mkdtemp(prefix="erpwatch-bench.")
    os.chmod(folder, 0o755)  # nginx's worker is another user where we are root
    server = socket.create_server(("127.0.0.1", 0), backlog=20000)
    server.setblocking(False)  # nginx leaves a socket that it is given as it is
    process = start(folder, server, cpu)
    try:
        port = server.getsockname()[1]
        while not is_up(port):
            if process.poll() is not None:
                with open(os.path.join(folder, "output"), encoding="utf-8") as output:
                    sys.exit("nginx did not start: " + output.read())
            time.sleep(0.01)
        print(port, flush=True)
        while os.getppid() == parent and process.poll() is None:
            time.sleep(0.25)
    except KeyboardInterrupt:
        pass
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
