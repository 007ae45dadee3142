# SPDX-License-Identifier: MIT
"""A private Kerberos realm ERPWATCH.TEST on a loopback port, from a temporary folder: one process.

    kdc = Kdc(); kdc.keytab: HTTP/localhost's, readable by all; kdc.cache(lifetime) a ticket cache of probe
    kdc.environment(cache, port): what a client needs; another port is that of a dead KDC
"""
import os
import shutil
import subprocess
import tempfile

from listening import hold_port, wait_until_listening

REALM, USER, PASSWORD = "ERPWATCH.TEST", "probe", "s3cret-pass"

CLIENT = """\
[libdefaults]
  default_realm = {realm}
  dns_lookup_realm = false
  dns_lookup_kdc = false
  dns_canonicalize_hostname = false
  rdns = false
[realms]
  {realm} = {{
    kdc = 127.0.0.1:{port}
  }}
[domain_realm]
  localhost = {realm}
  .test = {realm}
"""

# How long after its end the KDC still takes a ticket.
SKEW_S = 5

SERVER = """\
[kdcdefaults]
  kdc_listen = 127.0.0.1:{port}
  kdc_tcp_listen = 127.0.0.1:{port}
[realms]
  {realm} = {{
    database_name = {folder}/principal
    key_stash_file = {folder}/stash
    acl_file = {folder}/acl
    max_life = 1d
    supported_enctypes = aes256-cts:normal
  }}
[logging]
  kdc = FILE:{folder}/kdc.log
  admin_server = FILE:{folder}/admin.log
  default = FILE:{folder}/default.log
"""


def is_possible():
    return all(os.path.exists("/usr/sbin/" + name) for name in ("krb5kdc", "kdb5_util", "kadmin.local"))


class Kdc:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="erpwatch-kdc-")
        os.chmod(self.folder, 0o755)
        self.held = hold_port()
        self.port = self.held.getsockname()[1]
        self.keytab, self.client_keytab = self._path("http.keytab"), self._path("probe.keytab")
        self._write("kdc.conf", SERVER.format(folder=self.folder, port=self.port, realm=REALM))
        client = CLIENT.replace("[libdefaults]", f"[libdefaults]\n  clockskew = {SKEW_S}")
        self.own = self._write("krb5-kdc.conf", client.format(realm=REALM, port=self.port))
        self._run("/usr/sbin/kdb5_util", "create", "-s", "-r", REALM, "-P", "master-key")
        for command in (f"addprinc -pw {PASSWORD} {USER}", "addprinc -randkey HTTP/localhost",
                        f"ktadd -k {self.keytab} HTTP/localhost",
                        f"ktadd -norandkey -k {self.client_keytab} {USER}"):
            self._run("/usr/sbin/kadmin.local", "-r", REALM, "-q", command)
        os.chmod(self.keytab, 0o644)
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(["/usr/sbin/krb5kdc", "-n", "-r", REALM, "-P", self._path("kdc.pid")],
                                        env=self._environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not wait_until_listening(self.process, self.port):
            self.close()
            raise AssertionError("the KDC does not start")

    def stop(self):
        self.process.kill()
        self.process.wait()

    def _path(self, name):
        return os.path.join(self.folder, name)

    def _write(self, name, text):
        with open(self._path(name), "w", encoding="ascii") as file:
            file.write(text)
        return self._path(name)

    def _client(self, port):
        return self._write(f"krb5-{port}.conf", CLIENT.format(realm=REALM, port=port))

    def _environment(self):
        return dict(os.environ, KRB5_CONFIG=self.own, KRB5_KDC_PROFILE=self._path("kdc.conf"))

    def _run(self, *command, text=None):
        subprocess.run(command, env=self._environment(), check=True, capture_output=True, input=text, text=True)

    def cache(self, name="cache", lifetime="1h"):
        path = self._path(name)
        self._run("/usr/bin/kinit", "-c", path, "-l", lifetime, USER, text=PASSWORD + "\n")
        return path

    def gives(self, cache):
        """Whether the ticket of `cache` is still good for others."""
        return subprocess.run(["/usr/bin/kvno", "--no-store", "-c", cache, "HTTP/localhost"], check=False,
                              env=self._environment(), capture_output=True).returncode == 0

    def rotate(self):
        """The service has another key from now on; its keytab keeps the old one."""
        self._run("/usr/sbin/kadmin.local", "-r", REALM, "-q", "cpw -randkey HTTP/localhost")

    def environment(self, cache, port=None):
        return {"KRB5_CONFIG": self._client(port or self.port), "KRB5CCNAME": f"FILE:{cache}",
                "KRB5RCACHETYPE": "none"}

    def log(self):
        with open(self._path("kdc.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def close(self):
        self.stop()
        self.held.close()
        shutil.rmtree(self.folder, ignore_errors=True)
