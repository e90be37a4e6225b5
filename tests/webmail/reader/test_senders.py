"""Mail of one sender is found however the address is spelt (smime.pki.addresses)."""

from datetime import timedelta

import pytest

from tests.smime.conftest import NOW, certify
from tests.webmail.reader.judged import plain, signed
from webmail.mailbox.models import Message
from webmail.mime import Address
from webmail.reader.senders import written_by

pytestmark = pytest.mark.django_db

SPELT = (
    "petra@bücher.test",
    "petra@xn--bcher-kva.test",
    "Petra@XN--BCHER-KVA.test",
    '"petra"@bücher.test',
)
OTHERS = ("petra@buecher.test", "petra@sub.bücher.test", "xpetra@bücher.test", "pe%@bücher.test")


@pytest.mark.parametrize("asked", SPELT)
def test_every_spelling_and_no_other_address(mail, asked):
    for number, address in enumerate((*SPELT, *OTHERS)):
        mail.owner.place(uid=number, minutes=1, from_address=address, content_key=address)
    found = written_by(asked, Message.objects.filter(account=mail.account))
    assert set(found.values_list("from_address", flat=True)) == set(SPELT)


def test_no_address_is_nobody_s(mail):
    mail.owner.place(uid=1, minutes=1, from_address="", content_key="none")
    assert not written_by("", Message.objects.all()).exists()


@pytest.mark.parametrize("spelt", SPELT)
def test_unsigned_mail_under_another_spelling_ends_a_run(mail, authority, anchor, spelt):
    """Three signed, one that nobody opened and nobody signed, then one that is opened: no run."""
    sender = "petra@xn--bcher-kva.test"
    pair = certify(authority, sender, begins=-60)
    author = {"from_": Address("Petra", sender)}
    for day in (-9, -8, -7):
        mail.arrives(day, signed(day, pair, **author), sender=sender)
    assert mail.code(mail.arrives(-4, plain(-4, **author), sender=sender)) == "signature-missing"
    mail.owner.place(uid=5, minutes=1, from_address=spelt, content_key="unread")
    Message.objects.filter(content_key="unread").update(internal_date=NOW - timedelta(days=6))
    assert mail.code(mail.arrives(-5, plain(-5, **author), sender=sender)) == "unsigned"
