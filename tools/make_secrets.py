"""Write random secrets for docker-compose.yml into ./secrets, once; existing ones are kept.

The directory is closed (0700); the files are readable, because containers read them under
another user id.
"""

import base64
import os
import secrets
from pathlib import Path

directory = Path(__file__).resolve().parents[1] / "secrets"
directory.mkdir(mode=0o700, exist_ok=True)
for name, value in (
    # One key of 32 bytes in base64url (accounts.sealing reads it).
    ("keyring", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()),
    ("secret-key", secrets.token_urlsafe(48)),
    ("database-password", secrets.token_urlsafe(24)),
):
    path = directory / name
    if path.exists():
        print(f"{path} is kept.")
        continue
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(value)
    print(f"{path} is new.")
