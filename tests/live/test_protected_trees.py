"""Any tree, signed and encrypted, through Postfix and Dovecot: the reader gets the same octets."""

import time
import uuid

import pytest
from hypothesis import HealthCheck, given, settings

from smime.cms import AES_256_CBC, AES_256_GCM, encrypt
from smime.reading import read_message
from smime.verdict import judge
from tests.fuzz.trees import TREES
from tests.smime.cms.messages import HEAD, opaque, pkcs7
from tests.smime.pki.people import context, world
from webmail.imap import Session
from webmail.submission import submit

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]
MAILS = 24


@pytest.mark.parametrize(
    ("cipher", "kind"), [(AES_256_GCM, "authEnveloped-data"), (AES_256_CBC, "enveloped-data")]
)
def test_a_tree_is_read_as_it_was_written(mail_servers, cipher, kind):
    written: dict[str, tuple[bytes, bytes]] = {}

    @settings(
        max_examples=MAILS // 2,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(tree=TREES)
    def send(tree):
        tree = tree.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        signed = opaque(tree)
        identifier = f"{uuid.uuid4()}@example.test"
        raw = HEAD.replace(b"one@example.org", identifier.encode()) + pkcs7(
            encrypt(signed, [world().bob.certificate], cipher=cipher), kind
        )
        outcome = submit(
            endpoint=mail_servers.postfix.endpoint("starttls"),
            credentials=mail_servers.alice.credentials,
            envelope_from=mail_servers.alice.address,
            recipients=[mail_servers.bob.address],
            content=raw,
            on_phase=lambda _phase: None,
            envelope_id=identifier[:36],
        )
        assert outcome.state == "accepted", outcome
        written[identifier] = (signed, tree)

    send()
    assert len(written) >= MAILS // 4
    for identifier, (signed, tree) in written.items():
        reading = read_message(_delivered(mail_servers, identifier), keys=[world().bob])
        assert [each.raw for each in reading.passed[1:3]] == [signed, tree]
        outer, inner = reading.layers[:2]
        assert outer.encryption.state == "opened"
        assert [each.check.integrity for each in inner.signature.signers] == ["good"]
        judge(reading.facts, context=context())


def _delivered(servers, identifier: str, *, seconds: float = 60) -> bytes:
    """The message as bob's IMAP server gives it; Postfix hands it over in its own time."""
    until = time.monotonic() + seconds
    with Session.open(servers.dovecot.endpoint(), servers.bob.credentials) as session:
        while time.monotonic() < until:
            session.select("INBOX")
            if found := session.find_message_id(identifier):
                return session.body(found[0], limit=10**7)
            time.sleep(0.1)
    raise AssertionError(f"{identifier} did not arrive within {seconds} s")
