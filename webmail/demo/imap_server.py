"""The embedded IMAP server: pymap over Maildir, so that mail survives a restart.

Measured of pymap 0.36: it must make the Maildir itself; keywords are kept only if the Maildir
holds a `dovecot-keywords` file before the start; its default hash makes each login slow; it writes
its lists to the temporary folder and renames them, which fails across file systems.
"""

import sys
from pathlib import Path

from pysasl.hashing import BuiltinHash

from webmail.demo.supervisor import Service
from webmail.demo.tls import ServerTls

HASH_ROUNDS = 20_000
KEYWORDS = ("$Forwarded", "$Junk", "$NotJunk", "$MDNSent", "$label1")


def write_people(directory: Path, passwords: dict[str, str]) -> None:
    """Write pymap's user files for `passwords` (login name → password)."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    hasher = BuiltinHash(rounds=HASH_ROUNDS)
    entries = [f"{name}:x::::{name}:" for name in passwords]
    shadows = [f"{name}:{hasher.hash(word)}:::::::" for name, word in passwords.items()]
    (directory / "pymap-etc-passwd").write_text("\n".join(entries) + "\n", "utf-8")
    shadow = directory / "pymap-etc-shadow"
    shadow.touch(mode=0o600)
    shadow.write_text("\n".join(shadows) + "\n", "utf-8")


def keep_keywords(directory: Path, name: str) -> None:
    """Let pymap keep keywords in this person's Maildir (which must exist already)."""
    keywords = directory / name / "dovecot-keywords"
    if keywords.parent.is_dir() and not keywords.exists():
        lines = [f"{number} {word}" for number, word in enumerate(KEYWORDS)]
        keywords.write_text("\n".join(lines) + "\n", "ascii")


def imap_service(
    directory: Path, *, port: int, tls: ServerTls, listen: str = "127.0.0.1"
) -> Service:
    """Return the server as a service on `port` of `listen` (STARTTLS)."""
    temporary = directory.parent / "imap-tmp"
    temporary.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Service(
        name="imap",
        command=[
            str(Path(sys.executable).parent / "pymap"),
            "--no-service=admin",
            f"--host={listen}",
            f"--port={port}",
            f"--cert={tls.certificate}",
            f"--key={tls.key}",
            "maildir",
            str(directory),
        ],
        environment={"TMPDIR": str(temporary)},
        ready_port=port,
    )
