"""The demo's first start, interrupted."""

from pathlib import Path

import pytest

from accounts.models import User
from webmail.demo import people
from webmail.demo.embedded import PASSWORDS, prepare_servers
from webmail.demo.letters import ALICES, Letter
from webmail.demo.ports import first_free
from webmail.demo.post import PostOffice, write
from webmail.demo.supervisor import Supervisor
from webmail.imap import Endpoint, Session
from webmail.sasl import Credentials

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]


def test_an_interrupted_first_start_is_made_good_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = prepare_servers(tmp_path, imap_port=first_free(21243), submission_port=1)
    supervisor = Supervisor(log_directory=tmp_path / "logs", say=lambda _line: None)
    left = iter(range(5))

    def breaks(letter: Letter, office: PostOffice) -> bytes:
        if next(left, None) is None:
            raise InterruptedError
        return write(letter, office)

    try:
        supervisor.start(post.services[:1])
        with monkeypatch.context() as broken, pytest.raises(InterruptedError):
            broken.setattr("webmail.demo.people.write", breaks)
            people.set_up(post.servers, maildirs=post.maildirs, say=lambda _line: None)
        assert not User.objects.exists()
        people.set_up(post.servers, maildirs=post.maildirs, say=lambda _line: None)
        endpoint = Endpoint(
            host="localhost",
            port=post.servers.imap_port,
            security="starttls",
            ca_pem=post.servers.ca_pem,
        )
        credentials = Credentials(username="alice", password=PASSWORDS["alice"])
        with Session.open(endpoint, credentials) as session:
            assert session.status("INBOX").messages == len(ALICES)
    finally:
        supervisor.stop()
