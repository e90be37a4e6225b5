"""P3: what opening a message again asks the database; nothing of it grows with mail or people."""

import re

import pytest

PANE = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "main#reading"}


@pytest.fixture
def warm(letters):
    """A letter in a thread of three that was opened before, and its frame's address."""
    first = letters.put(letters.mail_with(text="The first.\n"), age=3)
    letters.put(letters.mail_with(text="The second.\n"), thread=first.thread, age=2)
    message = letters.put(letters.mail_with(text="The third.\n"), thread=first.thread, age=1)
    for number in range(30):
        letters.mailbox.receive(f"Other {number}", age=10 + number)
    (frame,) = re.findall(r'class="body-frame[^>]*?src="([^"]+)"', letters.opened(message))
    return letters, message, frame


def test_the_pane(warm, django_assert_max_num_queries):
    """Session, person and their keys; the message with account and server, its thread, its place in the list,
    the folder and all folders; images, trust (three), the reading, who the sender is (three).
    """
    letters, message, _ = warm
    url = f"/message/{message.pk}?in=inbox"
    letters.client.get(url, headers=PANE)
    with django_assert_max_num_queries(15):
        page = letters.client.get(url, headers=PANE)
    assert "body-frame" in page.content.decode()
    assert page.content.count(b'class="folded"') == 2


def test_the_whole_page(warm, django_assert_max_num_queries):
    """And the list beside it: its rows, the connection; and whether it is read already."""
    letters, message, _ = warm
    with django_assert_max_num_queries(18):
        letters.client.get(f"/message/{message.pk}?in=inbox")


def test_the_frame(warm, django_assert_max_num_queries):
    """Session and person, perhaps their keys; the message and its document."""
    letters, _, frame = warm
    with django_assert_max_num_queries(5):
        assert b"The third." in letters.client.get(frame).content
