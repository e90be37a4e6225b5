"""Session fixtures of the private servers, as a pytest plugin.

What a machine lacks makes a test skip with the reason, or fail when SIGNET_NO_SKIP=1.
"""

import os
import ssl
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest

from tests.servers.dovecot import DOMAIN, PASSWORD, Dovecot, MailUser
from tests.servers.postfix import Postfix
from tests.servers.postgres import Postgres
from tests.servers.pymap import Pymap
from tests.servers.running import ServerMissing, program
from tests.servers.tls import Authority
from tests.servers.valkey import Valkey


@dataclass(frozen=True, slots=True)
class MailServers:
    """Dovecot and Postfix that know the same people."""

    dovecot: Dovecot
    postfix: Postfix
    ca_pem: str
    alice: MailUser
    bob: MailUser
    host: str = "localhost"
    domain: str = DOMAIN

    @property
    def imap_port(self) -> int:
        """IMAP with STARTTLS."""
        return self.dovecot.imap_port

    @property
    def imaps_port(self) -> int:
        """IMAP over TLS."""
        return self.dovecot.imaps_port

    @property
    def submission_port(self) -> int:
        """Submission with STARTTLS."""
        return self.postfix.submission_port

    @property
    def submissions_port(self) -> int:
        """Submission over TLS."""
        return self.postfix.submissions_port

    def add_user(self, username: str, password: str = PASSWORD) -> MailUser:
        """Somebody new, or a new password."""
        return self.dovecot.add_user(username, password)

    def imap_log(self) -> str:
        """The end of Dovecot's log."""
        return self.dovecot.log_text()

    def submission_log(self) -> str:
        """The end of Postfix's log: TLS before AUTH, senders, deliveries."""
        return self.postfix.log_text()


@contextmanager
def required(what: str) -> Iterator[None]:
    """Turn a missing server into a skip, or into a failure under SIGNET_NO_SKIP=1."""
    try:
        yield
    except ServerMissing as missing:
        if os.environ.get("SIGNET_NO_SKIP") == "1":
            pytest.fail(f"{what}: {missing}")
        pytest.skip(f"{what}: {missing}")


def _started[T](stack: ExitStack, what: str, make: Callable[[], T]) -> T:
    with required(what):
        return stack.enter_context(make())  # type: ignore[arg-type]
    raise AssertionError("unreachable")


@pytest.fixture(scope="session")
def test_authority() -> Authority:
    """The authority that all private servers' certificates come from."""
    return Authority()


_RUNNING = pytest.StashKey[MailServers]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure with the mail servers shows the end of their logs: they know why they refused."""
    report = yield
    servers = item.config.stash.get(_RUNNING, None)
    if servers and report.failed and "mail_servers" in getattr(item, "fixturenames", ()):
        for name, text in (("Dovecot", servers.imap_log()), ("Postfix", servers.submission_log())):
            report.sections.append((f"end of {name}'s log", text[-6000:]))
    return report


@pytest.fixture(scope="session")
def mail_servers(test_authority: Authority, pytestconfig: pytest.Config) -> Iterator[MailServers]:
    """Dovecot and Postfix; users alice and bob, more by `add_user`."""
    with ExitStack() as stack:
        dovecot = _started(stack, "Dovecot", lambda: Dovecot(test_authority))
        postfix = _started(stack, "Postfix", lambda: Postfix(test_authority, dovecot))
        servers = MailServers(
            dovecot,
            postfix,
            test_authority.ca_pem,
            dovecot.add_user("alice"),
            dovecot.add_user("bob"),
        )
        pytestconfig.stash[_RUNNING] = servers
        yield servers
        del pytestconfig.stash[_RUNNING]


@pytest.fixture(scope="session")
def pymap_server(test_authority: Authority) -> Iterator[Pymap]:
    """pymap, the embedded server of the demo; users alice and bob."""
    with ExitStack() as stack:
        yield _started(stack, "pymap", lambda: Pymap(test_authority))


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[Valkey]:
    """An empty Valkey."""
    with ExitStack() as stack:
        yield _started(stack, "Valkey", Valkey)


@pytest.fixture(scope="session")
def openssl_program() -> str:
    """The path of OpenSSL, the other side of many comparisons."""
    with required("OpenSSL"):
        return program("openssl")
    raise AssertionError("unreachable")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """An empty PostgreSQL cluster."""
    with ExitStack() as stack:
        yield _started(stack, "PostgreSQL", Postgres)


@pytest.fixture(scope="session")
def server_context(
    test_authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> ssl.SSLContext:
    """A scripted server's TLS with a good certificate for localhost and 127.0.0.1."""
    return test_authority.issue().server_context(tmp_path_factory.mktemp("tls"))
