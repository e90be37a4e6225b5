"""A private Dovecot 2.3: IMAP with STARTTLS, IMAPS, LMTP, and SASL for Postfix."""

import os
import pwd
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.servers.running import (
    ServerFailed,
    free_ports,
    launch,
    log_tail,
    need_root,
    new_directory,
    program,
    remove,
    stop_pid,
    wait_for_port,
)
from tests.servers.tls import Authority
from webmail.sasl import Credentials, Endpoint

DOMAIN = "example.test"
PASSWORD = "correct horse"
_CONFIG = """\
base_dir = {d}/run
state_dir = {d}/run
log_path = {d}/dovecot.log
auth_verbose = yes
listen = 127.0.0.1
protocols = imap lmtp
ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
ssl_min_protocol = TLSv1.2
disable_plaintext_auth = yes
auth_mechanisms = {mechanisms}
auth_username_format = %Ln
auth_failure_delay = 0 secs
mail_location = {location}
mail_fsync = never
first_valid_uid = 1
first_valid_gid = 1
mail_max_userip_connections = {connections}
passdb {{
  driver = passwd-file
  args = username_format=%Ln {d}/users/%Ln
}}
userdb {{
  driver = passwd-file
  args = username_format=%Ln {d}/users/%Ln
}}
namespace inbox {{
  inbox = yes
  separator = /
{folders}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  process_limit = 800
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service auth {{
  unix_listener auth-postfix {{
    mode = 0666
  }}
}}
"""
_FOLDER = "  mailbox {0} {{\n    auto = subscribe\n    special_use = \\{0}\n  }}"


@dataclass(frozen=True, slots=True)
class MailUser:
    """Somebody with a mailbox."""

    username: str
    password: str

    @property
    def address(self) -> str:
        """The address that is delivered to this mailbox."""
        return f"{self.username}@{DOMAIN}"

    @property
    def credentials(self) -> Credentials:
        """To sign in with, by address."""
        return Credentials(self.address, self.password)


class Dovecot:
    """`with Dovecot(authority) as server:`; see the module docstring."""

    host = "localhost"

    def __init__(
        self,
        authority: Authority,
        *,
        location: str = "maildir:~/Maildir",
        mechanisms: str = "plain login cram-md5 scram-sha-256",
        connections: int = 200,
    ) -> None:
        self.ca_pem = authority.ca_pem
        self._authority = authority
        self._location = location
        self._mechanisms = mechanisms
        self._connections = connections
        self.imap_port, self.imaps_port, self.lmtp_port = free_ports(3)
        self.directory = Path()

    def __enter__(self) -> Self:
        need_root("Dovecot")
        dovecot = program("dovecot")
        self.directory = new_directory("dovecot")
        try:
            self._configure()
            launch([dovecot, "-c", str(self.directory / "dovecot.conf")], log=self.log)
            for port in (self.imap_port, self.imaps_port, self.lmtp_port):
                wait_for_port(port, log=self.log)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        pid_file = self.directory / "run" / "master.pid"
        if pid_file.exists():
            stop_pid(int(pid_file.read_text()))
        remove(self.directory)

    def _configure(self) -> None:
        directory = self.directory
        (directory / "run").mkdir()
        (directory / "mail").mkdir()
        (directory / "users").mkdir()
        cert, key = self._authority.issue().write(directory / "tls")
        folders = "\n".join(map(_FOLDER.format, ("Drafts", "Sent", "Trash", "Junk", "Archive")))
        (directory / "dovecot.conf").write_text(
            _CONFIG.format(
                d=directory, cert=cert, key=key, folders=folders, imap=self.imap_port,
                imaps=self.imaps_port, lmtp=self.lmtp_port, location=self._location,
                mechanisms=self._mechanisms, connections=self._connections,
            )
        )  # fmt: skip

    # --- use -----------------------------------------------------------------------------------

    @property
    def log(self) -> Path:
        """Dovecot's log."""
        return self.directory / "dovecot.log"

    def log_text(self) -> str:
        """The end of the log."""
        return log_tail(self.log, size=200_000)

    @property
    def auth_socket(self) -> Path:
        """Where Postfix asks about passwords."""
        return self.directory / "run" / "auth-postfix"

    def endpoint(self, security: str = "tls") -> Endpoint:
        """Where to read mail: IMAPS, or IMAP with STARTTLS."""
        if security == "tls":
            return Endpoint(self.host, self.imaps_port, "tls", self.ca_pem)
        return Endpoint(self.host, self.imap_port, "starttls", self.ca_pem)

    def add_user(self, username: str, password: str = PASSWORD) -> MailUser:
        """A new mailbox, or a new password for an old one."""
        owner = pwd.getpwnam("mail")
        home = self.directory / "mail" / username
        home.mkdir(exist_ok=True)

        os.chown(home, owner.pw_uid, owner.pw_gid)
        # A file for each: Dovecot looks at most once a second whether a file has changed.
        entry = self.directory / "users" / username
        if entry.exists():
            time.sleep(1.1)
        line = f"{username}:{{PLAIN}}{password}:{owner.pw_uid}:{owner.pw_gid}::{home}::\n"
        entry.write_text(line)
        return MailUser(username, password)

    def doveadm(self, *arguments: str, check: bool = True) -> str:
        """Run doveadm against this server; its output."""
        done = subprocess.run(
            [program("doveadm"), "-c", str(self.directory / "dovecot.conf"), *arguments],
            capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        if check and done.returncode:
            raise ServerFailed(done.stderr.decode(errors="replace"))
        return done.stdout.decode(errors="replace")
