# SPDX-License-Identifier: MIT
"""A private nginx with TLS on a loopback port, from a temporary folder: one process, never a service.
It answers any path with the name in the client's certificate and its connection's number."""
import os
import subprocess
import tempfile

from listening import hold_port, wait_until_listening

CONFIGURATION = """\
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder};
  proxy_temp_path {folder};
  fastcgi_temp_path {folder};
  uwsgi_temp_path {folder};
  scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port} ssl {more};
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_client_certificate {ca};
    ssl_verify_client {verify};
    ssl_protocols {protocols};
    default_type application/json;
    return 200 '{{"user": "$ssl_client_s_dn", "connection": $connection, "method": "$request_method"}}';
  }}
}}
"""


class Nginx:
    def __init__(self, certificate, key, ca, verify="on", protocols="TLSv1.2 TLSv1.3", more=""):
        self.folder = tempfile.mkdtemp(prefix="erpwatch-nginx-")
        self.held = hold_port()
        self.port = self.held.getsockname()[1]
        path = os.path.join(self.folder, "nginx.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(folder=self.folder, port=self.port, certificate=certificate, key=key,
                                            ca=ca, verify=verify, protocols=protocols, more=more))
        self.process = subprocess.Popen(["/usr/sbin/nginx", "-p", self.folder, "-e", "stderr", "-c", path],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not wait_until_listening(self.process, self.port):
            self.close()
            raise AssertionError("nginx does not start")

    def close(self):
        self.process.kill()
        self.process.wait()
        self.held.close()
        subprocess.run(["rm", "-rf", self.folder], check=False)
