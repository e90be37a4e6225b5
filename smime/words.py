"""Every sentence Signet says about a message's protection, in one place.

Templates with named placeholders, to be translated by whoever shows them. What may stand in a
placeholder comes from certificates, never from a message's header, except {from}, {outer} and
{inner}, which are addresses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

type Level = Literal["ok", "warn", "bad", "unknown", "none"]
type GlyphName = Literal["yes", "caution", "no", "unknown"]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A template and what goes into it."""

    template: str
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Give the phrase in English, filled in."""
        return fill(self.template, self.values)


@dataclass(frozen=True, slots=True)
class Words:
    """What is said for one code."""

    level: Level  # its class; a few rows may be judged worse, see `smime.verdict`
    headline: str
    sentence: str = ""
    flag: str = ""  # the word in the list of messages
    action: str = ""  # a button beside the sentence


@lru_cache(maxsize=256)
def placeholders(template: str) -> frozenset[str]:
    """Name what `fill` would put into a template."""
    return frozenset(piece.partition("}")[0] for piece in template.split("{")[1:] if "}" in piece)


def fill(template: str, values: Mapping[str, str]) -> str:
    """Put the values in; braces inside a value stay as they are."""
    pieces = template.split("{")
    filled = [pieces[0]]
    for piece in pieces[1:]:
        name, closing, rest = piece.partition("}")
        filled.append((values.get(name, "") if closing else "{" + name) + rest)
    return "".join(filled)


SIGNATURE: Mapping[str, Words] = {
    "from-malformed": Words(
        "bad",
        "The sender field is malformed",
        "Nobody can say whose message this should be. Treat the sender as unknown.",
        "Check sender",
    ),
    "two-senders": Words(
        "bad",
        "Two different senders are named",
        "Outside it says {outer}, inside {inner}. Treat the sender as unknown.",
        "Check sender",
    ),
    "altered-by-list": Words(
        "none",
        "Signature not checkable",
        "A mailing list changed this message on the way, so its signature proves nothing. "
        "Read it like unsigned mail.",
    ),
    "altered": Words(
        "warn",
        "This message was changed after it was signed",
        "A mail gateway may have done this, or someone may have tampered with it. "
        "Ask the sender by another way before you act on it.",
        "Altered",
    ),
    "forged": Words(
        "warn",
        "The signature is not genuine",
        "It was not made with the key it names. Treat the sender as unknown.",
        "Not genuine",
    ),
    "broken-algorithm": Words(
        "none",
        "The signature proves nothing",
        "It was made with a method that anyone can forge. Read it like unsigned mail.",
    ),
    "no-signature": Words(
        "none", "Not signed", "This message carries certificates, not a signature."
    ),
    "uncheckable": Words("warn", "This signature cannot be checked", "{reason}.", "Not checked"),
    "wrong-key-usage": Words(
        "warn",
        "This signature does not count",
        "It was made with a key that is not allowed to sign mail.",
        "Not accepted",
    ),
    "signed-outside": Words(
        "none",
        "Signed on the outside only",
        "{name} closed this envelope. Nobody can say who wrote what is inside.",
    ),
    "impostor": Words(
        "bad",
        "Signed by someone other than the sender",
        "The message says it is from {from}, whose certificate you know; "
        "the signature belongs to {addr}.",
        "Check sender",
    ),
    "issuer-blocked": Words(
        "bad",
        "Your organisation does not accept this signer",
        "Certificates from {issuer} are blocked here. Treat the sender as unknown.",
        "Blocked issuer",
    ),
    "revoked": Words(
        "bad",
        "The signer's certificate was withdrawn",
        "It was revoked on {date}, before this message. Treat the sender as unknown.",
        "Withdrawn",
    ),
    "signer-is-agent": Words(
        "warn",
        "Signed by the sending agent, not the author",
        "{sender} signed for {from}.",
        "Check sender",
    ),
    "signer-not-from": Words(
        "warn",
        "Signed by someone other than the sender",
        "The message says it is from {from}, but the signature belongs to {addr}.",
        "Check sender",
        "Compare addresses",
    ),
    "several-authors": Words(
        "warn", "Several senders are named", "Only {addr} signed.", "Check sender"
    ),
    "no-address": Words(
        "warn",
        "Signed, but without an address",
        "The signature belongs to {name}. It does not say which address is theirs.",
        "Check sender",
    ),
    "expired": Words(
        "warn",
        "Signed after the certificate had expired",
        "It expired on {date}. This was signed on {signed}.",
        "Expired",
    ),
    "not-yet-valid": Words(
        "warn",
        "Signed with a certificate that is not valid yet",
        "It starts on {date}.",
        "Not valid yet",
    ),
    "wrong-purpose": Words(
        "warn",
        "The certificate is not meant for signing mail",
        "It was issued for {purposes}.",
        "Wrong purpose",
    ),
    "weak-algorithm": Words(
        "warn",
        "Signed with an outdated method",
        "It can be forged with effort. Ask {name} to renew the certificate.",
        "Weak",
    ),
    "old-signature": Words(
        "warn",
        "Signed long before it was sent",
        "It was signed on {date}: perhaps an old message sent again.",
        "Old signature",
    ),
    "revoked-later": Words(
        "ok",
        "Signed by {name}",
        "Matches the sender and unchanged. The certificate was withdrawn later, on {date}.",
    ),
    "chain-incomplete": Words(
        "unknown",
        "Signature from a certificate we cannot check",
        "A link to its issuer is missing.",
    ),
    "self-signed": Words(
        "unknown",
        "{name} vouches only for themselves",
        "The certificate is self-made. Compare its fingerprint with {name} to trust it.",
    ),
    "issuer-unknown": Words(
        "unknown",
        "Signature from a certificate we do not know",
        'Unchanged since signing, but nobody you trust vouches for "{name}".',
    ),
    "signed-expired-since": Words(
        "ok",
        "Signed by {name}",
        "Matches the sender and unchanged. The certificate was valid when the message arrived; "
        "it has expired since.",
    ),
    "signed-first": Words(
        "ok",
        "Signed by {name}, for the first time",
        "Matches the sender and unchanged since signing. "
        "You have not had signed mail from this address before.",
    ),
    "signed-new-certificate": Words(
        "ok",
        "Signed by {name} with a new certificate",
        "Matches the sender and unchanged. The certificate is new since {date}.",
    ),
    "signed-not-rechecked": Words(
        "ok",
        "Signed by {name}",
        "Matches the sender and unchanged. "
        "We could not check whether the certificate was withdrawn.",
    ),
    "signed": Words("ok", "Signed by {name}", "Matches the sender and unchanged since signing."),
    "partly-signed": Words(
        "none",
        "Not signed as a whole",
        "A part of this message is signed; it is framed. The rest could be from anyone.",
    ),
    "signature-missing": Words(
        "warn",
        "Not signed, unlike other mail from {name}",
        "The last {n} messages from this address were signed. "
        "Be careful if this one asks for something.",
        "Not signed",
    ),
    "unsigned": Words("none", "Not signed, not encrypted"),
}

ENCRYPTION: Mapping[str, Words] = {
    "key-missing": Words(
        "none",
        "You cannot open this message yet",
        "It is encrypted for a certificate you do not have here.",
        action="Import your old key",
    ),
    "no-own-key": Words(
        "none",
        "This message is encrypted",
        "Add your certificate with its private key to read it.",
        action="Import",
    ),
    "key-locked": Words(
        "none",
        "Unlock your keys",
        "Enter your passphrase once to read encrypted mail. Keys lock again after {n} minutes.",
    ),
    "damaged": Words(
        "warn",
        "The encrypted message is incomplete or damaged",
        "Ask the sender to send it again.",
    ),
    "tampered": Words(
        "bad",
        "This message was changed or damaged on the way",
        "It is not shown. Ask the sender to send it again.",
    ),
    "too-nested": Words(
        "warn",
        "This message is packed too deeply",
        "It was not unpacked. You can download it.",
    ),
    "too-large": Words(
        "warn",
        "This message would become too large",
        "It was not unpacked. You can download it.",
    ),
    "old-method-unsigned": Words(
        "warn",
        "Encrypted with an old method",
        "Its text could have been changed on the way.",
    ),
    "obsolete-cipher": Words("warn", "Encrypted with an outdated method"),
    "encrypted": Words(
        "none",
        "Encrypted, sender not proven",
        "It reached you encrypted. Nobody can say who wrote it, "
        "or whether it was encrypted all the way.",
    ),
    # Its words are a tail of the signature's sentence.
    "encrypted-signed": Words("none", ""),
    "partly-encrypted": Words(
        "none",
        "Not encrypted as a whole",
        "A part of this message was encrypted; it is framed. The rest was readable on the way.",
    ),
    "not-encrypted": Words("none", ""),
}

TAIL_FOR_YOU = "Encrypted for you."
TAIL_FOR_YOU_AND_ONE = "Encrypted for you and 1 other."  # the singular of the next
TAIL_FOR_YOU_AND_OTHERS = "Encrypted for you and {n} others."
TAIL_NOT_PROVEN = "Encrypted, but that does not show by whom."
TAIL_NOT_ENCRYPTED = "Not encrypted."

# Beside any verdict. Not in the table of sentences: one line each, in the details.
NOTES: Mapping[str, str] = {
    "sender-on-behalf": "Sent by {sender} on behalf of the author.",
    "second-signature-bad": "A second signature on it does not hold.",
    "other-signers": "Others signed it as well.",
    "outer-signature": "It was signed once more on the outside.",
    "outer-signature-bad": "A signature on the outside does not hold.",
    "nested-signed": "A forwarded message inside is signed; this one is not covered by it.",
    "nested-encrypted": "A forwarded message inside is encrypted.",
    "subject-not-covered": "The signature does not cover subject, date and addresses.",
    "headers-protected": "Subject, date and addresses are protected, too.",
    "encrypted-on-the-way": "It was probably encrypted on the way, not by its author.",
    "no-signing-time": "The signature does not say when it was made.",
    "micalg-differs": "The message announces another digest than its signature uses.",
    "late-signing": "It was signed on {date}, some days apart from its date.",
    "name-holds-other-address": "The sender's name holds an address that is not the sender's.",
    "structure-unusual": "Its structure is unusual: programs may read it differently.",
    "former-key": "It was encrypted for your former certificate.",
}

# The line above what stands outside of a framed part (RFC 9787 §4); never better than nothing.
OUTSIDE: Mapping[str, Words] = {
    "added-on-the-way": Words(
        "none",
        "Not signed",
        "Added on the way, as mailing lists do. It could be from anyone.",
    ),
    "outside-signature": Words(
        "none", "Not signed", "It stands outside the signed part. It could be from anyone."
    ),
    "outside-encryption": Words(
        "none", "Not encrypted", "It was readable on the way. It could be from anyone."
    ),
    "outside-both": Words(
        "none",
        "Not signed, not encrypted",
        "It was readable on the way. It could be from anyone.",
    ),
    # Of a message that is signed as a whole.
    "signed-in-the-clear": Words("none", "Not encrypted", "It was readable on the way."),
}

REASONS: Mapping[str, str] = {
    "damaged": "It is incomplete or damaged",
    "trailing-bytes": "Something was added behind it",
    "content-type": "It does not cover a mail",
    "attributes": "What it states about itself is incomplete or contradictory",
    "unknown-algorithm": "It was made with a method that is not known here",
    "certificate-missing": "The signer's certificate is missing",
    "certificate-damaged": "The signer's certificate is damaged",
    "key-too-large": "The signer's key is too large to check",
    "structure": "The message is not built as a signed message is",
    "not-unpacked": "What was signed could not be unpacked",
    "old-kind": "It was made with a kind of encryption that is no longer used",
}

QUESTIONS = (
    "Who signed it?",
    "Is that the sender?",
    "Who vouches for the signer?",
    "Changed on the way?",
    "Still valid?",
    "Who can read it?",
)
QUESTION_WHOSE_NAME = "Whose name is on it?"  # the first one in a bad panel
GLYPHS: Mapping[GlyphName, str] = {
    "yes": "Yes",
    "caution": "Caution",
    "no": "No",
    "unknown": "Not known",
}

# Who wrote an outer note may be anyone; classes that a note alone makes worse.
LOWERING_NOTES = frozenset({"name-holds-other-address", "structure-unusual"})
