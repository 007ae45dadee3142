# SPDX-License-Identifier: MIT
"""Certificates for tests: an authority in a folder, and what it issues, as PEM files."""
import os
import subprocess


def openssl(*words):
    subprocess.run(("openssl", *words), check=True, capture_output=True)


class Authority:
    def __init__(self, folder, name="authority"):
        self.folder, self.name = folder, name
        self.pem, self.key = self._path(name + ".pem"), self._path(name + ".key")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                "-subj", f"/CN=erpwatch test {name}", "-keyout", self.key, "-out", self.pem,
                "-addext", "basicConstraints=critical,CA:true")

    def _path(self, name):
        return os.path.join(self.folder, name)

    def issue(self, name, days=60, password=None):
        """name.pem and name.key, for localhost and 127.0.0.1; negative days: it has ended."""
        request, pem, key = (self._path(f"{name}.{kind}") for kind in ("csr", "pem", "key"))
        extensions = self._path(f"{name}.ext")
        with open(extensions, "w", encoding="ascii") as file:
            file.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-subj", f"/CN={name}",
                "-keyout", key, "-out", request, *(["-passout", "pass:" + password] if password else ["-nodes"]))
        openssl("x509", "-req", "-in", request, "-CA", self.pem, "-CAkey", self.key, "-CAcreateserial",
                "-days", str(days), "-extfile", extensions, "-out", pem)
        return pem, key
