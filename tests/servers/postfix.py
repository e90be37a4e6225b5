"""A private Postfix 3.7: submission with STARTTLS and over TLS, AUTH by Dovecot, LMTP to Dovecot."""

import shutil
from pathlib import Path
from typing import Self

from tests.servers.dovecot import DOMAIN, Dovecot
from tests.servers.running import (
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
from webmail.sasl import Endpoint

REFUSED = f"refused@{DOMAIN}"
LATER = f"later@{DOMAIN}"
SIZE_LIMIT = 50 * 1024 * 1024
_MAIN = """\
compatibility_level = 3.6
queue_directory = {d}/queue
data_directory = {d}/data
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.{domain}
mydestination =
mynetworks =
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = static:ok
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
alias_maps =
alias_database =
local_recipient_maps =
default_transport = error:mail for elsewhere is off in tests
relay_transport = error:mail for elsewhere is off in tests
smtpd_tls_cert_file = {cert}
smtpd_tls_key_file = {key}
smtpd_tls_security_level = encrypt
smtpd_tls_loglevel = 1
smtpd_tls_received_header = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {auth}
smtpd_sasl_security_options = noanonymous
smtpd_tls_auth_only = yes
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = check_recipient_access inline:{{ {{ {refused} = 550 5.1.1 No such person here }}, {{ {later} = 451 4.3.0 Come back later }} }}, permit_sasl_authenticated, reject
maillog_file_prefixes = {d}
maillog_file = {d}/postfix.log
message_size_limit = {size}
default_database_type = texthash
smtputf8_enable = yes
anvil_rate_time_unit = 1s
"""
_MASTER = """\
127.0.0.1:{submission} inet n - n - - smtpd
127.0.0.1:{submissions} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """`with Postfix(authority, dovecot) as server:`; see the module docstring.

    Mail to REFUSED is refused with 550, to LATER with 451, both at RCPT.
    """

    host = "localhost"

    def __init__(self, authority: Authority, dovecot: Dovecot) -> None:
        self.ca_pem = authority.ca_pem
        self._authority = authority
        self._dovecot = dovecot
        self.submission_port, self.submissions_port = free_ports(2)
        self.directory = Path()

    def __enter__(self) -> Self:
        need_root("Postfix")
        program("postfix")
        self.directory = new_directory("postfix")
        try:
            self._configure()
            self._postfix("start")
            for port in (self.submission_port, self.submissions_port):
                wait_for_port(port, log=self.log)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        pid_file = self.directory / "queue" / "pid" / "master.pid"
        if pid_file.exists():
            self._postfix("stop")
            if pid_file.exists() and (text := pid_file.read_text().strip()):
                stop_pid(int(text))
        remove(self.directory)

    def _postfix(self, command: str) -> None:
        launch(
            [program("postfix"), "-c", str(self.directory / "etc"), command],
            log=self.directory / "postfix.out",
        )

    def _configure(self) -> None:
        directory = self.directory
        for name in ("etc", "queue", "data"):
            (directory / name).mkdir()
        shutil.chown(directory / "data", "postfix")
        cert, key = self._authority.issue().write(directory / "tls")
        (directory / "etc" / "main.cf").write_text(
            _MAIN.format(
                d=directory, domain=DOMAIN, lmtp=self._dovecot.lmtp_port, cert=cert, key=key,
                auth=self._dovecot.auth_socket, refused=REFUSED, later=LATER, size=SIZE_LIMIT,
            )
        )  # fmt: skip
        (directory / "etc" / "master.cf").write_text(
            _MASTER.format(submission=self.submission_port, submissions=self.submissions_port)
        )

    # --- use -----------------------------------------------------------------------------------

    @property
    def log(self) -> Path:
        """Postfix's log; TLS and AUTH of each connection are in it, in order."""
        return self.directory / "postfix.log"

    def log_text(self) -> str:
        """The end of the log."""
        return log_tail(self.log, size=200_000)

    def endpoint(self, security: str = "tls") -> Endpoint:
        """Where to hand mail in: submission over TLS, or with STARTTLS."""
        if security == "tls":
            return Endpoint(self.host, self.submissions_port, "tls", self.ca_pem)
        return Endpoint(self.host, self.submission_port, "starttls", self.ca_pem)
