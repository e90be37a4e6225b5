"""Write protected mail: signed, or signed and then encrypted; never the other way round.

    signed only:  fields, multipart/signed( payload with hp="clear" and a copy of every field )
    encrypted:    outer fields, enveloped( signed-data( payload with hp="cipher", every field,
                  one HP-Outer for each outer field ) )

Header protection is RFC 9788's with the policy hcp_baseline: Subject is hidden, Comments and
Keywords are removed from the outside, the rest stays. Encrypting without signing is outside that
specification and not offered.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from hashlib import sha256
from io import BytesIO

from cryptography import x509

from smime.cms import AES_256_CBC, WRITABLE_CIPHERS, ContentCipher
from smime.cms.elements import Octets
from smime.cms.encrypting import CannotEncryptError, enveloped_data
from smime.cms.signing import CannotSignError, micalg, signed_data
from smime.pki.certificates import DamagedCertificateError, public_key
from smime.pki.pkcs12 import KeyPair
from smime.pki.post_quantum import PostQuantum, may_be_written
from smime.writing_legacy import with_legacy_display
from webmail.mime import parse_date
from webmail.mime.transfer import base64_lines
from webmail.mime.write import add_fields, add_parameter, assemble

type Fields = list[tuple[str, str]]
# What stands outside for a field: the same value, another one, or None for nothing at all.
type Policy = Callable[[str, str], str | None]

HIDDEN_SUBJECT = "[...]"
_REMOVED = frozenset({"comments", "keywords"})
_NOT_WRITTEN = "it is a post-quantum key, which SIGNET_POST_QUANTUM does not allow to write with"
_BEGINNING = 64 * 1024  # octets of each piece that choose a boundary
_EMPTY_LINE = b"\r\n\r\n"


def hcp_baseline(name: str, value: str) -> str | None:
    """Give what stands outside for a field (RFC 9788 §3.2.1); Bcc never does (ours)."""
    match name.lower():
        case "subject":
            return HIDDEN_SUBJECT
        case "bcc":
            return None
        case lowered:
            return None if lowered in _REMOVED else value


def protect(
    entity: bytes,
    fields: Fields,
    *,
    signer: KeyPair | None,
    recipients: Sequence[x509.Certificate],
    cipher: ContentCipher | str = AES_256_CBC,
    signing_time: datetime | None = None,
    protect_headers: bool = True,
    legacy_display: bool = True,
    policy: Policy = hcp_baseline,
    oaep: bool = False,
    post_quantum: PostQuantum = "off",
) -> bytes:
    """Give the complete message of a MIME entity and its header fields.

    `entity` is what `build_entity` makes: CRLF, 7-bit; `fields` are those this recipient may know.
    Without `signer` and `recipients` nothing is protected. The signing time is the message's Date
    unless given. `legacy_display` puts a copy of the hidden fields into the text, for readers that
    do not know header protection. `post_quantum` says which kinds of keys are written with. Raises
    ValueError for recipients without a signer, a message without Date, or a cipher that is not
    written; CannotSignError; CannotEncryptError.
    """
    if signer is None:
        if recipients:
            raise ValueError("Encrypted mail is signed, too: a signer is missing.")
        return assemble(fields, entity)
    moment = signing_time or _date(fields)
    _check_kinds(signer, recipients, post_quantum)
    sign = partial(
        signed_data, signer=signer, signed_at=moment, announces_kems=post_quantum != "off"
    )
    if not recipients:
        payload = _payload(entity, fields, mode="clear") if protect_headers else [entity]
        return _clear_signed(
            fields, payload, sign(payload, is_detached=True), micalg=micalg(signer)
        )
    used = WRITABLE_CIPHERS.get(cipher) if isinstance(cipher, str) else cipher
    if used is None:
        raise ValueError("This cipher is not written.")
    outer = fields
    payload = [entity]
    if protect_headers:
        outer = _outer(fields, policy)
        if legacy_display:
            entity = with_legacy_display(entity, _hidden(fields, policy))
        shown_outside = [("HP-Outer", f"{name}: {value}") for name, value in outer]
        payload = _payload(entity, [*fields, *shown_outside], mode="cipher")
    signed = sign(payload, is_detached=False)
    kind = "authEnveloped-data" if used.is_authenticated else "enveloped-data"
    entity_parts = _pkcs7(signed, "signed-data")
    encrypted = enveloped_data(entity_parts, recipients, cipher=used, oaep=oaep)
    del entity, payload, signed  # only the caller's copy is left while the message is made
    return _message(outer, _pkcs7(encrypted, kind))


def _check_kinds(
    signer: KeyPair, recipients: Sequence[x509.Certificate], allowed: PostQuantum
) -> None:
    if not may_be_written(signer.key, allowed):
        raise CannotSignError(_NOT_WRITTEN)
    for certificate in recipients:
        try:
            is_written = may_be_written(public_key(certificate), allowed)
        except DamagedCertificateError:
            continue  # `encrypt` says what is wrong with it
        if not is_written:
            raise CannotEncryptError(certificate, _NOT_WRITTEN)


def _date(fields: Fields) -> datetime:
    stated = next((value for name, value in fields if name.lower() == "date"), None)
    moment = parse_date(stated.encode("ascii", "replace")) if stated is not None else None
    if moment is None:
        raise ValueError("A message to be signed needs a date.")
    return moment


def _payload(entity: bytes, fields: Fields, *, mode: str) -> list[Octets]:
    """Put parameter and fields into the entity's header; its body is not copied."""
    body = entity.find(_EMPTY_LINE) + len(_EMPTY_LINE)
    head = add_fields(add_parameter(entity[:body], "hp", mode), fields)
    return [head, memoryview(entity)[body:]]


def _outer(fields: Fields, policy: Policy) -> Fields:
    kept = ((name, policy(name, value)) for name, value in fields)
    return [(name, value) for name, value in kept if value is not None]


def _hidden(fields: Fields, policy: Policy) -> Fields:
    """Choose the fields to copy into the text: those a reader is shown and the policy changes."""
    return [
        (name, value)
        for name, value in fields
        if name.lower() != "bcc" and policy(name, value) != value
    ]


def _clear_signed(
    fields: Fields, payload: Sequence[Octets], signature: Sequence[Octets], *, micalg: str
) -> bytes:
    boundary = _boundary(payload)
    delimiter = b"--" + boundary.encode()
    head = (
        'Content-Type: multipart/signed; protocol="application/pkcs7-signature";\r\n'
        f' micalg={micalg}; boundary="{boundary}"\r\n\r\n'
    )
    proof = (
        b'\r\nContent-Type: application/pkcs7-signature; name="smime.p7s"\r\n'
        b"Content-Transfer-Encoding: base64\r\n"
        b'Content-Disposition: attachment; filename="smime.p7s"\r\n\r\n'
    )
    # The line end before a delimiter is the delimiter's (RFC 2046 §5.1.1): `payload` stays whole.
    between = b"\r\n" + delimiter
    opening = (head.encode(), delimiter, b"\r\n")
    closing = (between, proof, *base64_lines(signature), delimiter, b"--\r\n")
    return _message(fields, (*opening, *payload, *closing))


def _boundary(payload: Sequence[Octets]) -> str:
    """Choose a boundary that does not occur; the same payload always gets the same one."""
    seed = sha256(b"".join(piece[:_BEGINNING] for piece in payload)).hexdigest()
    while _occurs(boundary := f"=_{seed[:24]}s", payload):
        seed = sha256(seed.encode()).hexdigest()
    return boundary


def _occurs(boundary: str, payload: Sequence[Octets]) -> bool:
    # Pieces end with a line, so that none begins inside a boundary.
    return any(re.search(re.escape(boundary).encode(), piece) for piece in payload)


def _pkcs7(der: Iterable[Octets], smime_type: str) -> Iterator[Octets]:
    head = (
        f"Content-Type: application/pkcs7-mime; smime-type={smime_type};\r\n"
        ' name="smime.p7m"\r\n'
        "Content-Transfer-Encoding: base64\r\n"
        'Content-Disposition: attachment; filename="smime.p7m"\r\n\r\n'
    )
    yield head.encode()
    yield from base64_lines(der)


def _message(fields: Fields, entity: Iterable[Octets]) -> bytes:
    """Put a message together in one buffer, which gives its bytes away uncopied."""
    whole = BytesIO()
    whole.write(assemble(fields, b""))
    whole.writelines(entity)
    return whole.getvalue()
