"""Encrypted mail is judged again without a key, and nothing of it stands in the clear."""

import pytest

from smime import trust, vault
from smime.reading import read_message
from tests.smime.conftest import certify
from tests.webmail.reader.judged import (
    SECRET,
    WHY,
    signed,
)
from webmail.mailbox import blobs
from webmail.reader import rendering, store
from webmail.reader.models import Reading

pytestmark = pytest.mark.django_db


class TestSecrets:
    @pytest.fixture
    def anna(self, authority):
        return certify(authority, "anna@example.test", begins=-60)

    @pytest.fixture
    def opened(self, mail, petra, anna, monkeypatch):
        """Render as a session does that has Anna's key; the session's caches are not looked at."""

        def open_with(keys):
            def read(message, _ticket):
                known = vault.OpenedKeys(pairs=keys, locked=not keys, has_any=True)
                return read_message(blobs.get(message), keys=keys), known

            monkeypatch.setattr(rendering, "open_reading", read)

        open_with((anna,))
        message = mail.arrives(-9, signed(-9, petra, anna))
        return message, open_with

    def test_encrypted_mail_is_judged_again_without_a_key(self, mail, opened, anchor):
        message, _ = opened
        assert mail.code(message) == "signed-first"
        assert mail.drawn(message) == ("ok", "")
        trust.remove_anchor(anchor, actor=None, reason=WHY)
        mail.sweep()
        assert mail.code(message) == "chain-incomplete"
        assert mail.drawn(message) == ("unknown", "")
        reading = Reading.objects.get()
        assert (reading.verdict, reading.page) == ({}, {})
        assert reading.pipeline == 0  # what the session's cache holds tells the old verdict

    def test_locked_keys_do_not_take_the_facts_away(self, mail, opened, anchor):
        message, open_with = opened
        open_with(())
        mail.render(message)
        assert Reading.objects.get().encryption_code == "key-locked"
        trust.remove_anchor(anchor, actor=None, reason=WHY)
        mail.sweep()
        assert mail.drawn(message) == ("unknown", "")

    def test_nothing_of_it_stands_in_the_clear(self, mail, opened, petra):
        sealed = bytes(Reading.objects.get().sealed_facts)
        name = petra.certificate.subject.public_bytes()
        assert name not in sealed
        kept = store.open_facts(sealed, message_id=opened[0].pk)
        assert kept.facts.sender.subject == ""
        assert SECRET not in repr(kept)
