# SPDX-License-Identifier: MIT
"""A private Apache on loopback ports, from a temporary folder: one process, never a service.

    /basic     Basic           probe / s3cret-pass
    /digest    Digest          probe / s3cret-pass
    /ntlm      NTLM            ACME\\probe / s3cret-pass and ACME\\other / other-pass
    /both      NTLM or Basic   whatever the client takes
    /kerberos  Negotiate, where a keytab is given
    /open      anybody
    https port: /cert wants a certificate of `ca`, /open does not

Whatever is asked for answers with JSON: user, method, length and text of the body. `requests` is the
access log: one entry for each request on the wire, with its connection, scheme of authorization and status.
"""
import hashlib
import json
import os
import subprocess
import tempfile
import time
import urllib.request

from listening import hold_port, wait_until_listening

MODULES = "/usr/lib/apache2/modules"
USER, PASSWORD = "probe", "s3cret-pass"

CONFIGURATION = """\
ServerRoot {folder}
ServerName erp.test
PidFile {folder}/pid
Mutex file:{folder} default
ErrorLog {folder}/error.log
LogLevel {level}
DocumentRoot {folder}
Listen 127.0.0.1:{port}
KeepAlive {keep_alive_on}
KeepAliveTimeout {keep_alive}
MaxKeepAliveRequests 0
StartServers 1
ServerLimit 1
ThreadsPerChild 20
MaxRequestWorkers 20
{modules}
{as_user}
TypesConfig /dev/null
LogFormat "{{\\"connection\\": \\"%{{remote}}p\\", \\"number\\": %k, \\"method\\": \\"%m\\", \\"path\\": \\"%U\\", \
\\"status\\": %>s, \\"user\\": \\"%u\\", \\"length\\": \\"%{{Content-Length}}i\\", \
\\"authorization\\": \\"%{{Authorization}}i\\"}}" json
CustomLog {folder}/access.log json
ScriptAliasMatch ^/ {folder}/answer.py
<Directory {folder}>
  Options +ExecCGI
  Require all granted
</Directory>
<Location /basic>
  AuthType Basic
  AuthName basic
  AuthUserFile {folder}/basic
  Require valid-user
</Location>
<Location /digest>
  AuthType Digest
  AuthName erp
  AuthDigestDomain /digest
  AuthUserFile {folder}/digest
  Require valid-user
</Location>
<Location /ntlm>
  LuaHookAccessChecker {folder}/ntlm.lua add_version early
  AuthType GSSAPI
  GssapiAllowedMech ntlmssp
  GssapiConnectionBound On
  Require valid-user
</Location>
{more}
"""

KERBEROS = """\
<Location /kerberos>
  AuthType GSSAPI
  GssapiAllowedMech krb5
  GssapiCredStore keytab:{keytab}
  Require valid-user
</Location>
"""

TLS = """\
Listen 127.0.0.1:{port}
<VirtualHost 127.0.0.1:{port}>
  SSLEngine on
  SSLCertificateFile {certificate}
  SSLCertificateKeyFile {key}
  SSLCACertificateFile {ca}
  SSLVerifyClient {verify}
  SSLProtocol {protocol}
  SSLOptions +StdEnvVars
  <Location />
    Require all granted
  </Location>
</VirtualHost>
"""

ANSWER = """\
#!/usr/bin/python3
import json, os, sys, time
text = sys.stdin.read()
if "slow" in os.environ.get("QUERY_STRING", ""):
    time.sleep(5)
print("Content-Type: application/json\\n")
print(json.dumps({"user": os.environ.get("REMOTE_USER"), "method": os.environ["REQUEST_METHOD"],
                  "length": len(text), "text": text, "certificate": os.environ.get("SSL_CLIENT_S_DN_CN")}))
"""

# gss-ntlmssp refuses messages without the optional field of versions (MS-NLMP 2.2.1), which curl leaves
# out: it is put in behind the fixed part, and what the fields point to moves by its 8 bytes.
NTLM_LUA = """\
local digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function decode(text)
  local bits, count, out = 0, 0, {}
  for digit in text:gmatch("[%w+/]") do
    bits, count = (bits << 6 | digits:find(digit, 1, true) - 1) & 0xffff, count + 6
    if count >= 8 then
      count = count - 8
      out[#out + 1] = string.char(bits >> count & 0xff)
    end
  end
  return table.concat(out)
end

local function encode(bytes)
  local out = {}
  for at = 1, #bytes, 3 do
    local a, b, c = bytes:byte(at, at + 2)
    local bits = a << 16 | (b or 0) << 8 | (c or 0)
    for shift = 18, 0, -6 do
      local index = (bits >> shift & 63) + 1
      out[#out + 1] = (shift == 6 and not b or shift == 0 and not c) and "=" or digits:sub(index, index)
    end
  end
  return table.concat(out)
end

function add_version(r)
  local message = decode((r.headers_in["Authorization"] or ""):match("^NTLM (.+)$") or "")
  local kind = #message >= 12 and string.unpack("<I4", message, 9)
  local head, fixed = message:sub(1, 12), kind == 1 and 32 or 64
  if kind ~= 1 and kind ~= 3 then
    return apache2.DECLINED
  end
  for at = 13, kind == 3 and 53 or 0, 8 do
    local length, room, offset = string.unpack("<I2I2I4", message, at)
    head = head .. string.pack("<I2I2I4", length, room, offset + 8)
  end
  head = head .. message:sub(#head + 1, fixed) .. string.rep("\\0", 8)
  r.headers_in["Authorization"] = "NTLM " .. encode(head .. message:sub(fixed + 1))
  return apache2.DECLINED
end
"""

ALL_MODULES = ("mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic", "auth_digest",
               "auth_gssapi", "lua", "alias", "mime", "cgi", "ssl", "socache_shmcb")


def is_possible():
    return os.path.exists("/usr/sbin/apache2") and os.path.exists(f"{MODULES}/mod_auth_gssapi.so")


class Apache:
    """`keytab` switches Kerberos on; `tls` is {"certificate", "key", "ca", "verify", "protocol"}."""

    def __init__(self, keytab=None, tls=None, environment=None, keep_alive=30, level="info"):
        self.folder = tempfile.mkdtemp(prefix="erpwatch-apache-")
        os.chmod(self.folder, 0o755)
        self.held = [hold_port(), hold_port()]
        self.port, self.tls_port = (held.getsockname()[1] for held in self.held)
        self._write("basic", f"{USER}:{{SHA}}" + self._sha(PASSWORD) + "\n")
        secret = hashlib.md5(f"{USER}:erp:{PASSWORD}".encode()).hexdigest()
        self._write("digest", f"{USER}:erp:{secret}\n")
        self._write("ntlm", f"ACME:{USER}:{PASSWORD}\nACME:other:other-pass\n")
        self._write("ntlm.lua", NTLM_LUA)
        os.chmod(self._write("answer.py", ANSWER), 0o755)
        more = KERBEROS.format(keytab=keytab) if keytab else ""
        more += TLS.format(port=self.tls_port, **tls) if tls else ""
        self._write("apache.conf", CONFIGURATION.format(
            folder=self.folder, port=self.port, keep_alive=keep_alive or 1, keep_alive_on="On" if keep_alive else "Off", more=more, level=level,
            as_user="User nobody\nGroup nogroup" if os.geteuid() == 0 else "",
            modules="\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in ALL_MODULES)))
        with open(self._path("stderr"), "w", encoding="utf-8") as words:
            self.process = subprocess.Popen(
                ["/usr/sbin/apache2", "-X", "-f", self._path("apache.conf")], stdout=words, stderr=words,
                env=dict(os.environ, NTLM_USER_FILE=self._path("ntlm"), **(environment or {})))
        self._wait()

    @staticmethod
    def _sha(text):
        import base64
        return base64.b64encode(hashlib.sha1(text.encode()).digest()).decode()

    def _path(self, name):
        return os.path.join(self.folder, name)

    def _write(self, name, text):
        with open(self._path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self._path(name), 0o644)
        return self._path(name)

    def _wait(self):
        if wait_until_listening(self.process, self.port):
            return
        words = self.log()
        self.close()
        raise AssertionError("Apache does not start: " + words)

    def log(self):
        text = ""
        for name in ("stderr", "error.log"):
            if os.path.exists(self._path(name)):
                with open(self._path(name), encoding="utf-8", errors="replace") as file:
                    text += file.read()
        return text

    def _entries(self):
        with open(self._path("access.log"), encoding="utf-8") as file:
            return [json.loads(line.replace("\\x", "\\\\x")) for line in file if line.endswith("\n")]

    def requests(self, least=1):
        """All requests so far. They are logged a little after they are answered: `least` are waited for, then
        one of our own."""
        mark = f"/open/mark-{len(self._entries())}-{time.monotonic_ns()}"
        urllib.request.urlopen(f"http://127.0.0.1:{self.port}{mark}").close()
        for _ in range(1200):
            entries = [entry for entry in self._entries() if entry["status"] != 408]
            ours = [entry for entry in entries if not entry["path"].startswith("/open/mark-")]
            if len(ours) >= least and any(entry["path"] == mark for entry in entries):
                return ours
            time.sleep(0.05)
        raise AssertionError(f"{len(ours)} requests, not {least}: {ours}")

    def close(self):
        self.process.kill()
        self.process.wait()
        for held in self.held:
            held.close()
        subprocess.run(["rm", "-rf", self.folder], check=False)
