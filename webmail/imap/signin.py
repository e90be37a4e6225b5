"""Signing in: SASL over AUTHENTICATE, LOGIN where a server has nothing better."""

import base64
import binascii
from collections.abc import Collection

from webmail.imap.arguments import literal
from webmail.imap.conversation import Conversation, Reply
from webmail.imap.errors import (
    AuthFailed,
    CommandRefused,
    ProtocolViolation,
    ResponseCode,
    ServerUnavailable,
)
from webmail.sasl import Credentials, Mechanism, NoMechanism, choose_mechanism, client

_BUSY = {ResponseCode.UNAVAILABLE, ResponseCode.INUSE, ResponseCode.LIMIT, ResponseCode.SERVERBUG}


def sign_in(
    conversation: Conversation, credentials: Credentials, *, allowed: Collection[str] | None
) -> None:
    """Authenticate and read the capabilities anew, which change at login.

    Raises AuthFailed, ServerUnavailable, or another ImapError.
    """
    if not conversation.wire.is_private:
        raise AuthFailed("The connection is not private, so the password was not sent.")
    offered = {n[5:] for n in conversation.profile.offered if n.startswith("AUTH=")}
    reply = _authenticate(conversation, credentials, offered, allowed)
    if reply.code != b"CAPABILITY":
        conversation.run("CAPABILITY")


def _authenticate(
    conversation: Conversation,
    credentials: Credentials,
    offered: set[str],
    allowed: Collection[str] | None,
) -> Reply:
    while True:
        try:
            name = choose_mechanism(offered, tls=True, allowed=allowed)
        except NoMechanism:
            if "LOGINDISABLED" in conversation.profile.offered or (
                allowed is not None and "LOGIN" not in {n.upper() for n in allowed}
            ):
                raise
            return _login(conversation, credentials)
        mechanism = client(name, credentials)
        try:
            return _run_mechanism(conversation, mechanism)
        except CommandRefused as refused:
            if mechanism.was_challenged or len(offered) == 1 or refused.code in _BUSY:
                raise _refusal(refused) from refused
            # Refused before a challenge: this user has no verifier for this mechanism, which
            # says nothing about the password. Try the next best.
            offered.discard(name)


def _run_mechanism(conversation: Conversation, mechanism: Mechanism) -> Reply:
    """RFC 9051 §6.2.2; the first message travels with the command under SASL-IR (RFC 4959)."""
    first = mechanism.initial()
    line = mechanism.name.encode()
    pending = first
    if first is not None and conversation.profile.has("SASL-IR"):
        line += b" " + (base64.b64encode(first) or b"=")
        pending = None

    def answer(challenge: bytes) -> bytes:
        nonlocal pending
        if pending is not None:
            message, pending = pending, None
        else:
            message = mechanism.respond(_decoded(challenge))
        return base64.b64encode(message)

    reply = conversation.run(
        "AUTHENTICATE", line, answer=answer, seconds=conversation.deadlines.login
    )
    mechanism.verify()
    return reply


def _decoded(challenge: bytes) -> bytes:
    try:
        return base64.b64decode(challenge, validate=True)
    except binascii.Error as error:
        raise ProtocolViolation("The server sent a malformed challenge.") from error


def _login(conversation: Conversation, credentials: Credentials) -> Reply:
    """The LOGIN command (RFC 9051 §6.2.3), both arguments as literals."""
    try:
        name, password = literal(credentials.username), literal(credentials.password)
    except ValueError as error:
        raise AuthFailed(
            "The name or the password holds a character that cannot be sent."
        ) from error
    try:
        return conversation.run("LOGIN", name, b" ", password, seconds=conversation.deadlines.login)
    except CommandRefused as refused:
        raise _refusal(refused) from refused


def _refusal(refused: CommandRefused) -> AuthFailed | ServerUnavailable:
    if refused.code in _BUSY:
        return ServerUnavailable("The mail server cannot sign anyone in right now.")
    return AuthFailed("The mail server did not accept the name and password.")
