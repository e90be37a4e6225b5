"""The demo's users, mail server and keys in the database, and their mail in the mailboxes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from django.db import transaction

from accounts.models import MailServer, Security, User
from smime import trust, vault
from smime.models import OwnKey, TrustAnchor
from smime.pki.authority import crl, to_pkcs12
from webmail.demo.embedded import PASSWORDS, Embedded
from webmail.demo.imap_server import keep_keywords
from webmail.demo.letters import ALICE, ALICES, BOB, BOBS, DOMAIN, MARTA, SENT, Letter
from webmail.demo.post import FORWARD, PostOffice, write
from webmail.imap import Endpoint, Session
from webmail.sasl import Credentials

ADMIN = f"admin@{DOMAIN}"
ADMIN_PASSWORD = "signet-admin"  # noqa: S105 - printed by the demo, on loopback only
DAY = timedelta(days=1)
FOLDERS = ("Drafts", "Sent", "Archive", "Junk", "Trash")


class NotADemo(Exception):  # noqa: N818 - the name says what happened
    """Real mail is served from this data directory; the demo keeps its hands off it."""


def refuse_real_data() -> None:
    """Raise NotADemo if a mail server other than the demo's is set up here."""
    others = MailServer.objects.exclude(domain=DOMAIN)
    if others.exists():
        raise NotADemo(
            f"This data directory serves {others[0].domain}. Run the demo elsewhere: "
            "SIGNET_DATA_DIR=/some/empty/directory make demo"
        )


def set_up_server(servers: Embedded) -> MailServer:
    """Write the demo's mail server row as the servers listen in this run."""
    server, _ = MailServer.objects.update_or_create(
        domain=DOMAIN,
        defaults={
            "imap_host": servers.host,
            "imap_port": servers.imap_port,
            "imap_security": Security.STARTTLS,
            "submission_host": servers.host,
            "submission_port": servers.submission_port,
            "submission_security": Security.STARTTLS,
            "ca_pem": servers.ca_pem,
            "login_is_local_part": True,
        },
    )
    return server


def set_up_people() -> PostOffice | None:
    """Make the administrator, users, keys and trust the first time; None when they are there."""
    if OwnKey.objects.exists() or TrustAnchor.objects.exists():
        return None
    office = PostOffice.open(datetime.now(tz=UTC))
    admin = User.objects.create_superuser(ADMIN, ADMIN_PASSWORD, display_name="Administrator")
    trust.add_anchor(
        office.root.certificate.public_bytes(Encoding.PEM),
        actor=admin,
        reason="The demo's own certificate authority",
    )
    # An address on this machine would never be asked for it: the list comes by hand.
    trust.add_crl(
        crl(office.root, this_update=office.now - DAY, next_update=office.now + FORWARD),
        actor=admin,
        reason="The demo's own certificate authority",
    )
    for person, pair in ((ALICE, office.alice), (BOB, office.bob)):
        user = User.objects.create_user(person.address, display_name=person.name)
        vault.import_keys(user, to_pkcs12(pair, "demo"), "demo", sealing=OwnKey.Sealing.MANAGED)
    return office


def fill_mailboxes(office: PostOffice, servers: Embedded, *, maildirs: Path) -> None:
    """Put the letters into the embedded IMAP server, oldest first."""
    endpoint = Endpoint(
        host=servers.host,
        port=servers.imap_port,
        security="starttls",
        ca_pem=servers.ca_pem,
    )
    boxes: dict[str, list[tuple[str, Letter]]] = {
        "alice": [*(("INBOX", x) for x in ALICES), *(("Sent", x) for x in SENT)],
        "bob": [("INBOX", x) for x in BOBS],
        MARTA.address.partition("@")[0]: [],
    }
    for name, letters in boxes.items():
        credentials = Credentials(username=name, password=PASSWORDS[name])
        with Session.open(endpoint, credentials) as session:
            keep_keywords(maildirs, name)
            there = {folder.path for folder in session.folders()}
            for folder in FOLDERS:
                if folder not in there:
                    session.create(folder)
            for folder in {folder for folder, _letter in letters}:
                _empty(session, folder)
            for folder, letter in sorted(letters, key=lambda entry: -entry[1].hours):
                flags = [
                    flag
                    for flag, is_set in (
                        ("\\Seen", letter.is_seen),
                        ("\\Flagged", letter.is_starred),
                    )
                    if is_set
                ]
                session.append(
                    folder,
                    write(letter, office),
                    flags=tuple(flags),
                    internal_date=office.now - timedelta(hours=letter.hours) + timedelta(seconds=4),
                )


def _empty(session: Session, folder: str) -> None:
    """Remove what an interrupted first start left: its certificate authority is gone."""
    session.select(folder, readonly=False)
    if uids := session.uids(1):
        session.store(uids, add=("\\Deleted",))
        session.expunge(uids)


def set_up(servers: Embedded, *, maildirs: Path, say: Callable[[str], None]) -> None:
    """Bring rows up to date with the servers; the first time make people and their mail."""
    set_up_server(servers)
    with (
        transaction.atomic()
    ):  # the people stand for "done": they come with their mail or not at all
        office = set_up_people()
        if office is not None:
            say("Writing sample mail …")
            fill_mailboxes(office, servers, maildirs=maildirs)
