"""The embedded IMAP server on machines whose temporary folder is another file system."""

from pathlib import Path

import pytest

from webmail.demo.embedded import PASSWORDS, prepare_servers
from webmail.demo.imap_server import imap_service
from webmail.demo.ports import first_free
from webmail.demo.supervisor import Supervisor
from webmail.demo.tls import server_tls
from webmail.imap import Endpoint, Session
from webmail.sasl import Credentials

pytestmark = pytest.mark.live
MEMORY = Path("/dev/shm")


def test_mail_is_kept_when_the_temporary_folder_is_another_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MEMORY.stat().st_dev != tmp_path.stat().st_dev
    monkeypatch.setenv("TMPDIR", str(MEMORY))
    post = prepare_servers(tmp_path, imap_port=first_free(21143), submission_port=1)
    tls = server_tls(tmp_path / "tls", name="localhost")
    imap = imap_service(post.maildirs, port=post.servers.imap_port, tls=tls)
    supervisor = Supervisor(log_directory=tmp_path / "logs", say=lambda _line: None)
    try:
        supervisor.start((imap,))
        endpoint = Endpoint(
            host="localhost",
            port=post.servers.imap_port,
            security="starttls",
            ca_pem=post.servers.ca_pem,
        )
        credentials = Credentials(username="alice", password=PASSWORDS["alice"])
        with Session.open(endpoint, credentials) as session:
            session.create("Kept")
            assert "Kept" in {folder.path for folder in session.folders()}
    finally:
        supervisor.stop()
