"""Mailboxes whose wishes are carried out at once, by what their server can do."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.live.mailbox_rig import PROFILES, Box, letter, make_box
from webmail.mailbox import sessions

_names = itertools.count(1)


@pytest.fixture
def new_box(mail_servers, valkey, settings) -> Iterator[Callable[..., Box]]:
    """Makes an empty mailbox; `without`: features Signet must do without."""
    settings.UNDO_MOVE_SECONDS = 0

    def make(*, without: set[str] = frozenset()) -> Box:
        user = mail_servers.add_user(f"wish{next(_names)}")
        return make_box(mail_servers.dovecot.endpoint(), user.credentials, without=without)

    yield make
    sessions.close_kept()


@pytest.fixture(params=PROFILES)
def box(request, new_box) -> Box:
    """Four letters on a server of each profile."""
    return _with_letters(new_box(without=PROFILES[request.param]))


@pytest.fixture
def full(new_box) -> Box:
    """Four letters on a server that can do everything."""
    return _with_letters(new_box())


def _with_letters(box: Box) -> Box:
    box.append(*(letter(f"Letter {n}", body=f"Words {n}") for n in range(4)))
    box.sync()
    return box
