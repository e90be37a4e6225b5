"""Mail is found by its words once it was read; encrypted mail never."""

import pytest

from webmail.mailbox import listing, search_index

pytestmark = pytest.mark.django_db
TEXT = "Filler. " * 60 + "The pelican lands at nine.\n"  # beyond the preview
HTML = b"<html><body><p>Dear Mira,</p><p>the <b>cormorant</b> dives</p></body></html>"


def found(letters, word: str) -> int:
    return len(listing.search(letters.mailbox.user, word).rows)


def test_a_body_is_found_once_it_was_read(letters):
    message = letters.letter(text=TEXT)
    assert found(letters, "pelican") == 0
    letters.opened(message)
    assert found(letters, "pelican") == 1


def test_html_alone_is_found_by_its_words_and_not_by_its_tags(letters):
    letters.opened(
        letters.put(b"From: a@nordlys.example\r\nContent-Type: text/html\r\n\r\n" + HTML)
    )
    assert found(letters, "cormorant") == 1
    assert found(letters, "html") == 0


def test_encrypted_mail_is_never_found_by_its_words(letters):
    message = letters.encrypted()
    assert "Only for you" not in letters.opened(message)  # it stands in a frame of its own
    letters.opened(letters.forwarded(letters.encrypted_mail()))
    assert found(letters, "only for you") == 0


def test_mail_that_was_removed_meanwhile_stays_removed(letters):
    message = letters.letter(text=TEXT)
    type(message).objects.filter(pk=message.pk).delete()
    search_index.add_body(message, "pelican")
    assert found(letters, "pelican") == 0
