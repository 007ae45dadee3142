# SPDX-License-Identifier: MIT
"""A private Postfix on a loopback port, from a temporary folder. Needs root.

It offers STARTTLS, PIPELINING and CHUNKING, takes mail for x.example into one
maildir, refuses gone@x.example for good and busy@x.example for now.
"""
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time

from listening import hold_port

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = postfix.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
smtpd_recipient_restrictions = check_recipient_access
 inline:{{gone@x.example=REJECT, busy@x.example=DEFER}}, permit_mynetworks, reject
virtual_mailbox_domains = x.example
virtual_mailbox_base = {folder}
virtual_mailbox_maps = static:mails/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_security_level = may
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
message_size_limit = {size}
maillog_file = {folder}/maillog
maillog_file_prefixes = {folder}
"""

MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
anvil unix - - n - 1 anvil
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
proxymap unix - - n - - proxymap
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
"""


def is_possible():
    return os.geteuid() == 0 and os.path.exists("/usr/lib/postfix/sbin/smtpd")


class Postfix:
    def __init__(self, certificate, size=10240000):
        self.folder = tempfile.mkdtemp(prefix="erpwatch-postfix-")
        os.chmod(self.folder, 0o755)
        self.held = hold_port()
        self.port = self.held.getsockname()[1]
        self.mails = os.path.join(self.folder, "mails/new")
        user = pwd.getpwnam("nobody")
        for name, owner in (("etc", None), ("spool", None), ("data", "postfix"), ("mails", "nobody")):
            path = os.path.join(self.folder, name)
            os.mkdir(path)
            if owner:
                shutil.chown(path, owner)
        self._write("main.cf", MAIN.format(folder=self.folder, uid=user.pw_uid, gid=user.pw_gid,
                                           certificate=certificate[0], key=certificate[1],
                                           size=size))
        self._write("master.cf", MASTER.format(port=self.port))
        self._postfix("start")
        self._wait_for_greeting()

    def _write(self, name, text):
        with open(os.path.join(self.folder, "etc", name), "w") as file:
            file.write(text)

    def _postfix(self, command):
        return subprocess.run(["postfix", "-c", os.path.join(self.folder, "etc"), command],
                              capture_output=True, text=True)

    def _wait_for_greeting(self):
        for _ in range(900):
            try:
                with socket.create_connection(("127.0.0.1", self.port), 30) as connection:
                    if connection.recv(4) == b"220 ":
                        return
            except OSError:
                pass
            time.sleep(0.1)
        log = self.log()
        self.close()
        raise AssertionError("Postfix does not start: " + log)

    def log(self):
        try:
            with open(os.path.join(self.folder, "maillog")) as file:
                return file.read()
        except OSError:
            return "no log"

    def wait_for_mails(self, count):
        """The bytes of the mails in the maildir, when there are so many."""
        for _ in range(600):
            names = sorted(os.listdir(self.mails)) if os.path.isdir(self.mails) else []
            if len(names) >= count:
                break
            time.sleep(0.1)
        contents = []
        for name in names:
            with open(os.path.join(self.mails, name), "rb") as file:
                contents.append(file.read())
        return contents

    def forget_mails(self):
        for name in os.listdir(self.mails) if os.path.isdir(self.mails) else []:
            os.remove(os.path.join(self.mails, name))

    def close(self):
        self._postfix("stop")
        self.held.close()
        shutil.rmtree(self.folder, ignore_errors=True)
