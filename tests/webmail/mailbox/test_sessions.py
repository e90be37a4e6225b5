"""Opening a session: one dropped connection is no server that is away."""

import pytest

from webmail.imap import ConnectFailed, Session
from webmail.mailbox import sessions

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("failures", "is_open"), [(0, True), (1, True), (2, False)])
def test_a_dropped_connection_is_dialled_once_more(
    alice, monkeypatch: pytest.MonkeyPatch, failures: int, is_open: bool
) -> None:
    opened = object()
    left = iter(range(failures))

    def open_session(*_arguments: object, **_options: object) -> object:
        if next(left, None) is not None:
            raise ConnectFailed("closed without a greeting")
        return opened

    monkeypatch.setattr(Session, "open", open_session)
    monkeypatch.setattr(sessions.credentials, "for_account", lambda _account: None)
    if is_open:
        assert sessions.connect(alice.account) is opened
    else:
        with pytest.raises(ConnectFailed):
            sessions.connect(alice.account)


def test_a_server_that_is_away_is_not_waited_for_twice(
    alice, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def open_session(*_arguments: object, **_options: object) -> object:
        asked.append(1)
        raise ConnectFailed("did not answer")

    monkeypatch.setattr(Session, "open", open_session)
    monkeypatch.setattr(sessions.credentials, "for_account", lambda _account: None)
    monkeypatch.setattr(sessions, "DIALLED_AGAIN_WITHIN", -1.0)
    with pytest.raises(ConnectFailed):
        sessions.connect(alice.account)
    assert asked == [1]
