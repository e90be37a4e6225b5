"""SASL mechanisms (RFC 4422) for people with a password.

SCRAM-SHA-256 (RFC 5802, RFC 7677), PLAIN (RFC 4616), LOGIN (draft-murchison-sasl-login) and
CRAM-MD5 (RFC 2195). Bytes in, bytes out; Base64 and framing belong to each protocol.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import stringprep
import unicodedata
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from webmail.sasl.errors import AuthFailed, NoMechanism, ProtocolViolation

PREFERENCE = ("SCRAM-SHA-256", "PLAIN", "LOGIN", "CRAM-MD5")
"""Best first. Under verified TLS the password is safe in PLAIN; SCRAM keeps it from the server."""
DEFAULT_ALLOWED = frozenset({"SCRAM-SHA-256", "PLAIN", "LOGIN"})
"""CRAM-MD5 makes the server keep clear-text passwords and is used only where asked for."""
SAFE_IN_CLEAR = frozenset({"SCRAM-SHA-256", "CRAM-MD5"})

MIN_ROUNDS = 4096  # RFC 7677 §4
MAX_ROUNDS = 2_000_000  # about a second of one core: a server must not burn more of ours


@dataclass(frozen=True, slots=True)
class Credentials:
    """A name and its password; the password never shows in a repr."""

    username: str
    password: str = field(repr=False)


class Mechanism(Protocol):
    """The client's half of one authentication.

    `initial` is the first message, None when the server speaks first. `respond` answers a
    challenge. `verify` must be called when the server reports success: it raises AuthFailed when
    the mechanism promises that the server proves itself and it did not.
    `was_challenged`: whether the server went on after the first message, so that a refusal means
    a wrong password and not a user without a verifier for this mechanism.
    """

    @property
    def name(self) -> str: ...
    @property
    def was_challenged(self) -> bool: ...

    def initial(self) -> bytes | None: ...
    def respond(self, challenge: bytes) -> bytes: ...
    def verify(self) -> None: ...


def choose_mechanism(
    offered: Iterable[str], *, tls: bool, allowed: Collection[str] | None = None
) -> str:
    """The best mechanism that the server offers and that is safe on this connection.

    allowed: names permitted for this account; None means DEFAULT_ALLOWED. Without TLS only
    mechanisms that do not send the password are considered. Raises NoMechanism.
    """
    names = {name.upper() for name in offered}
    permitted = DEFAULT_ALLOWED if allowed is None else {name.upper() for name in allowed}
    for name in PREFERENCE:
        if name in names and name in permitted and (tls or name in SAFE_IN_CLEAR):
            return name
    raise NoMechanism("The server offers no way to sign in that this client accepts.")


def client(mechanism: str, credentials: Credentials) -> Mechanism:
    """A fresh client for one authentication.

    Raises NoMechanism for an unknown name, AuthFailed for a name or password no server accepts.
    """
    if "\0" in credentials.username or "\0" in credentials.password:
        raise AuthFailed("The name or the password holds a character that cannot be sent.")
    try:
        return _CLIENTS[mechanism.upper()](credentials)
    except KeyError:
        raise NoMechanism("This client does not know the server's way to sign in.") from None


class _Plain:
    name = "PLAIN"

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self.was_challenged = True  # one message: a refusal is about the password

    def initial(self) -> bytes | None:
        c = self._credentials
        return b"\0" + c.username.encode() + b"\0" + c.password.encode()

    def respond(self, challenge: bytes) -> bytes:
        if challenge:
            raise ProtocolViolation("The server asked for more than PLAIN allows.")
        return self.initial() or b""

    def verify(self) -> None:
        """PLAIN proves nothing about the server; TLS does."""


class _Login:
    name = "LOGIN"

    def __init__(self, credentials: Credentials) -> None:
        self._answers = [credentials.username.encode(), credentials.password.encode()]
        self.was_challenged = True

    def initial(self) -> bytes | None:
        return None

    def respond(self, _challenge: bytes) -> bytes:
        # The prompts' words differ between servers; their order does not.
        if not self._answers:
            raise ProtocolViolation("The server asked for more than LOGIN allows.")
        return self._answers.pop(0)

    def verify(self) -> None:
        """LOGIN proves nothing about the server; TLS does."""


class _CramMd5:
    name = "CRAM-MD5"

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self.was_challenged = False

    def initial(self) -> bytes | None:
        return None

    def respond(self, challenge: bytes) -> bytes:
        if self.was_challenged:
            raise ProtocolViolation("The server asked for more than CRAM-MD5 allows.")
        self.was_challenged = True
        digest = hmac.new(self._credentials.password.encode(), challenge, "md5").hexdigest()
        return f"{self._credentials.username} {digest}".encode()

    def verify(self) -> None:
        """CRAM-MD5 proves nothing about the server; TLS does."""


class ScramSha256:
    """RFC 5802 without channel binding ("n,,": TLS 1.3 has no tls-unique)."""

    name = "SCRAM-SHA-256"

    def __init__(self, credentials: Credentials, *, nonce: str | None = None) -> None:
        self._password = saslprep(credentials.password).encode()
        name = saslprep(credentials.username).replace("=", "=3D").replace(",", "=2C")
        self._nonce = nonce or secrets.token_urlsafe(24)
        self._first = f"n={name},r={self._nonce}"
        self._server_signature = b""
        self._step = 0
        self._is_proven = False

    @property
    def was_challenged(self) -> bool:
        return self._step > 0

    def initial(self) -> bytes | None:
        return f"n,,{self._first}".encode()

    def respond(self, challenge: bytes) -> bytes:
        self._step += 1
        match self._step:
            case 1:
                return self._prove(challenge)
            case 2:
                self._check_server(challenge)
                return b""
            case _:
                raise ProtocolViolation("The server asked for more than SCRAM allows.")

    def _prove(self, challenge: bytes) -> bytes:
        text, fields = _scram_fields(challenge)
        try:
            nonce, rounds = fields["r"], int(fields["i"])
            salt = base64.b64decode(fields["s"], validate=True)
        except (KeyError, ValueError) as error:
            raise ProtocolViolation("The server sent a malformed SCRAM challenge.") from error
        if not nonce.startswith(self._nonce) or nonce == self._nonce or "m" in fields:
            raise ProtocolViolation("The server sent a SCRAM challenge for someone else.")
        if not MIN_ROUNDS <= rounds <= MAX_ROUNDS:
            raise ProtocolViolation("The server asked for an unsafe number of SCRAM rounds.")
        salted = hashlib.pbkdf2_hmac("sha256", self._password, salt, rounds)
        final = f"c={base64.b64encode(b'n,,').decode()},r={nonce}"
        message = f"{self._first},{text},{final}".encode()
        key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(key).digest(), message, "sha256")
        server_key = hmac.digest(salted, b"Server Key", "sha256")
        self._server_signature = hmac.digest(server_key, message, "sha256")
        proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        return f"{final},p={base64.b64encode(proof).decode()}".encode()

    def _check_server(self, challenge: bytes) -> None:
        _, fields = _scram_fields(challenge)
        if "e" in fields:
            raise AuthFailed("The server did not accept the name and password.")
        try:
            given = base64.b64decode(fields.get("v", ""), validate=True)
        except binascii.Error:
            given = b""
        if not hmac.compare_digest(given, self._server_signature):
            raise AuthFailed("The server could not prove that it knows the password.")
        self._is_proven = True

    def verify(self) -> None:
        if not self._is_proven:
            raise AuthFailed("The server could not prove that it knows the password.")


def _scram_fields(challenge: bytes) -> tuple[str, dict[str, str]]:
    try:
        text = challenge.decode()
    except UnicodeDecodeError as error:
        raise ProtocolViolation("The server sent a malformed SCRAM challenge.") from error
    return text, {part[0]: part[2:] for part in text.split(",") if part[1:2] == "="}


def saslprep(text: str) -> str:
    """RFC 4013 preparation of a name or password. Raises AuthFailed for forbidden characters."""
    if text.isascii() and text.isprintable():
        return text
    mapped = "".join(
        " " if stringprep.in_table_c12(c) else c for c in text if not stringprep.in_table_b1(c)
    )
    normal = unicodedata.normalize("NFKC", mapped)
    if any(table(c) for c in normal for table in _FORBIDDEN):
        raise AuthFailed("The name or the password holds a character that cannot be sent.")
    if any(stringprep.in_table_d1(c) for c in normal):  # RFC 3454 §6: right-to-left text
        ends_right = stringprep.in_table_d1(normal[0]) and stringprep.in_table_d1(normal[-1])
        if not ends_right or any(stringprep.in_table_d2(c) for c in normal):
            raise AuthFailed("The name or the password mixes directions of writing.")
    return normal


_FORBIDDEN: tuple[Callable[[str], bool], ...] = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)

_CLIENTS: dict[str, Callable[[Credentials], Mechanism]] = {
    "SCRAM-SHA-256": ScramSha256,
    "PLAIN": _Plain,
    "LOGIN": _Login,
    "CRAM-MD5": _CramMd5,
}
