"""People with certificates, for tests that sign and encrypt."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from smime.pki.authority import issue, new_root, to_pkcs12
from tests.browser.conftest import Person


def certify(person: Person, *, days_left: int = 300) -> None:
    """Give somebody who has signed in before a key of their own."""
    now = datetime.now(tz=UTC)
    root = new_root("Writing CA", now - timedelta(days=20))
    before, after = now - timedelta(days=10), now + timedelta(days=days_left)
    pair = issue(root, person.address, "Mira", not_before=before, not_after=after, key="p256")
    with tempfile.TemporaryDirectory() as directory:
        file, word = Path(directory) / "own.p12", Path(directory) / "word"
        file.write_bytes(to_pkcs12(pair, "of the file"))
        word.write_text("of the file\n")
        given = ("--passphrase-file", str(word))
        person.site.manage("key", "import", person.address, str(file), *given)
