"""From a letter that was opened to its verdict when the authority's list arrives."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from django.utils import timezone

from smime import revocation_refresh, trust
from smime.pki import KeyPair
from smime.pki.authority import Authority, Revocation, crl, issue, new_root
from smime.pki.certificates import fingerprint
from smime.pki.locations import Locations
from smime.revocation_models import RevocationSource, WatchedCertificate
from smime.writing import protect
from tests.webmail.remote.hosts import Reply, Site, serving
from webmail.mailbox.models import Message
from webmail.mime import Address
from webmail.mime.write import Composition, build_entity, header_fields
from webmail.reader.models import Reading

pytestmark = [pytest.mark.django_db, pytest.mark.enable_socket]

NOW = timezone.now().replace(microsecond=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with serving(monkeypatch) as made:
        yield made


def signer_of(root: Authority, site: Site) -> KeyPair:
    return issue(
        root,
        "anna@nordlys.example",
        "Anna",
        key="p256",
        not_before=NOW - 3 * DAY,
        not_after=NOW + 90 * DAY,
        published=Locations(lists=(site.url("/ca.crl"),)),
    )


def entity_and_fields() -> tuple[bytes, list[tuple[str, str]]]:
    made = Composition(
        from_=Address("Anna", "anna@nordlys.example"),
        to=(Address("Mira", "mira@nordlys.example"),),
        subject="Signed",
        date=NOW,
        message_id="signed@nordlys.example",
        text="Signed.\n",
    )
    return build_entity(made), header_fields(made)


def test_who_signed_a_forwarded_message_is_watched_once_it_is_looked_at(
    site: Site, letters, workers
) -> None:
    """Under a trusted root only: a stranger's certificate makes nobody call."""
    known, stranger = (new_root(name, NOW - 9 * DAY) for name in ("Known", "Stranger"))
    trust.add_anchor(known.certificate.public_bytes(Encoding.PEM), actor=None, reason="test")
    signers = []
    for root in (stranger, known):
        pair = signer_of(root, site)
        raw = protect(*entity_and_fields(), signer=pair, recipients=())
        message = letters.forwarded(raw)
        page = letters.cards(message)
        assert not WatchedCertificate.objects.exists()  # nobody has looked into it yet
        (url,) = (unescape(each) for each in re.findall(r'href="(/attached/[^"]*)"', page))
        shown = letters.client.get(url, headers={"HX-Request": "true"}).content.decode()
        assert "Anna" in shown
        signers.append(fingerprint(pair.certificate))
    assert WatchedCertificate.objects.get().fingerprint == signers[-1]


def test_a_letter_is_judged_again_when_the_list_comes(
    site: Site, letters, workers, django_capture_on_commit_callbacks
) -> None:
    root = new_root("Nordlys Root", NOW - 9 * DAY)
    trust.add_anchor(root.certificate.public_bytes(Encoding.PEM), actor=None, reason="test")
    anna = signer_of(root, site)
    raw = protect(*entity_and_fields(), signer=anna, recipients=())
    message = letters.put(raw, first_seen_at=NOW, date=NOW)
    other = letters.put(raw.replace(b"Signed.", b"Changed"), first_seen_at=NOW)
    Message.objects.update(internal_date=NOW)

    def code() -> str:
        return letters.client.get(f"/message/{message.pk}") and (
            Reading.objects.get(message=message).signature_code
        )

    letters.client.get(f"/message/{other.pk}")
    assert not WatchedCertificate.objects.exists()  # altered: whose it is asks nobody
    assert code() in {"signed-first", "signed-not-rechecked"}
    assert WatchedCertificate.objects.get().fingerprint == fingerprint(anna.certificate)
    workers.clear()

    entry = Revocation(anna.certificate.serial_number, NOW - DAY)
    times = {"this_update": NOW - HOUR, "next_update": NOW + DAY}
    site.routes["/ca.crl"] = Reply(crl(root, [entry], **times))
    with django_capture_on_commit_callbacks(execute=True):
        assert revocation_refresh.refresh(rules=site.rules()) == 1
    assert "reader.judge_account" in workers  # from kept facts: the message is not read again
    assert "reader.render" not in workers
    reading = Reading.objects.get(message=message)
    assert (reading.signature_code, reading.level) == ("revoked", "bad")
    assert code() == "revoked"
    assert RevocationSource.objects.get().failures == 0
