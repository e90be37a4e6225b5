"""Code or note → an example, and what is said of it; none of the catalogue may be without one."""

from cryptography.x509.oid import ExtendedKeyUsageOID

from smime.cms import (
    AES_256_CBC,
    encrypt,
    sign_opaque,
)
from smime.pki.certificates import fingerprint
from smime.reading import LAYER_LIMIT
from smime.verdict import History, Policy
from tests.smime.cms.messages import HEAD, PLAIN, clear, mail, mixed, opaque, pkcs7
from tests.smime.pki.people import DAY, NOW, person, world
from tests.smime.verdict_mails import (
    ALICE,
    CHANGED,
    FORWARDED,
    HISTORY,
    PROTECTED,
    SIGNED,
    bomb,
    compressed,
    encrypted,
    forged,
    former_key,
    known,
    nested,
    old_reader,
    proof,
    revoked,
    second_signer,
    self_made,
    sender,
    two_senders,
    with_md5,
    with_tag_changed,
    with_triple_des,
    without_signers,
    without_time,
)

# code → (mail, context, class, headline, beginning of the sentence)
SIGNATURES = {
    "from-malformed": (
        lambda: sender("Alice", opaque()), {}, "bad",
        "The sender field is malformed", "Nobody can say whose message",
    ),
    "two-senders": (
        two_senders, {}, "bad", "Two different senders are named",
        "Outside it says alice@example.org, inside carol@example.org.",
    ),
    "altered-by-list": (
        lambda: b"List-Id: <plans.lists.example>\r\n" + HEAD + clear(CHANGED, proof()),
        {"is_list_change_trusted": True}, "none",
        "Signature not checkable", "A mailing list changed this message",
    ),
    "altered": (
        lambda: HEAD + clear(CHANGED, proof()), {}, "warn",
        "This message was changed after it was signed", "A mail gateway may have done this",
    ),
    "forged": (
        forged, {}, "warn", "The signature is not genuine", "It was not made with the key it names",
    ),
    "broken-algorithm": (
        with_md5, {}, "none", "The signature proves nothing", "It was made with a method that anyone",
    ),
    "no-signature": (
        without_signers, {}, "none", "Not signed", "This message carries certificates",
    ),
    "uncheckable": (
        lambda: HEAD + pkcs7(sign_opaque(PLAIN, world().alice, signed_at=NOW)[:-9]), {}, "warn",
        "This signature cannot be checked", "It is incomplete or damaged.",
    ),
    "wrong-key-usage": (
        lambda: HEAD + opaque(signer=person(ALICE, "Alice", ku={"key_encipherment"})), {}, "warn",
        "This signature does not count", "It was made with a key that is not allowed",
    ),
    "signed-outside": (
        lambda: HEAD + opaque(encrypted(PLAIN)), {}, "none",
        "Signed on the outside only", "Alice closed this envelope.",
    ),
    "impostor": (
        lambda: sender("boss@example.org", opaque()),
        lambda: known(person("boss@example.org", "Boss")), "bad",
        "Signed by someone other than the sender",
        ("The message says it is from boss@example.org, whose certificate you know; "
        "the signature belongs to alice@example.org."),
    ),
    "issuer-blocked": (
        mail,
        lambda: {"policy": Policy(frozenset({fingerprint(world().inter.certificate)}))}, "bad",
        "Your organisation does not accept this signer", "Certificates from Test Issuer are blocked",
    ),
    "revoked": (
        mail, lambda: revoked(5), "bad", "The signer's certificate was withdrawn",
        "It was revoked on 18 November 2026, before this message.",
    ),
    "signer-is-agent": (
        lambda: sender("boss@example.org\r\nSender: alice@example.org", opaque()), {}, "warn",
        "Signed by the sending agent, not the author",
        "alice@example.org signed for boss@example.org.",
    ),
    "signer-not-from": (
        lambda: sender("boss@example.org", opaque()), {}, "warn",
        "Signed by someone other than the sender",
        "The message says it is from boss@example.org, but the signature belongs to alice@",
    ),
    "several-authors": (
        lambda: sender("alice@example.org, bob@example.org", opaque()), {}, "warn",
        "Several senders are named", "Only alice@example.org signed.",
    ),
    "no-address": (
        lambda: HEAD + opaque(signer=person(None, "Nobody")), {}, "warn",
        "Signed, but without an address", "The signature belongs to Nobody.",
    ),
    "expired": (
        lambda: mail(signer=person(ALICE, "Alice", not_after=NOW - DAY)), {}, "warn",
        "Signed after the certificate had expired",
        "It expired on 22 November 2026. This was signed on 23 November 2026.",
    ),
    "not-yet-valid": (
        lambda: mail(signer=person(ALICE, "Alice", not_before=NOW + DAY)), {}, "warn",
        "Signed with a certificate that is not valid yet", "It starts on 24 November 2026.",
    ),
    "wrong-purpose": (
        lambda: mail(signer=person(ALICE, "Alice", eku=[ExtendedKeyUsageOID.CLIENT_AUTH])), {},
        "warn", "The certificate is not meant for signing mail", "It was issued for signing in.",
    ),
    "weak-algorithm": (
        lambda: mail(signer=person(ALICE, "Alice", kind="rsa1024")), {}, "warn",
        "Signed with an outdated method", "It can be forged with effort. Ask Alice to renew",
    ),
    "old-signature": (
        lambda: mail(signing_time=NOW - 40 * DAY), {}, "warn", "Signed long before it was sent",
        "It was signed on 14 October 2026: perhaps an old message",
    ),
    "revoked-later": (
        mail, lambda: revoked(5, received_at=NOW - 9 * DAY), "ok", "Signed by Alice",
        "Matches the sender and unchanged. The certificate was withdrawn later, on 18 November",
    ),
    "chain-incomplete": (
        mail, {"anchors": ()}, "unknown", "Signature from a certificate we cannot check",
        "A link to its issuer is missing.",
    ),
    "self-signed": (
        lambda: HEAD + opaque(signer=self_made()), {}, "unknown",
        "Alice Alone vouches only for themselves", "The certificate is self-made.",
    ),
    "issuer-unknown": (
        mail, lambda: {"anchors": (), "intermediates": (world().root.certificate,)}, "unknown",
        "Signature from a certificate we do not know",
        'Unchanged since signing, but nobody you trust vouches for "Alice".',
    ),
    "signed-expired-since": (
        lambda: mail(signer=person(ALICE, "Alice", not_after=NOW - DAY)),
        {"received_at": NOW - 9 * DAY}, "ok", "Signed by Alice",
        "Matches the sender and unchanged. The certificate was valid when the message arrived",
    ),
    "signed-first": (
        mail, {"history": History()}, "ok", "Signed by Alice, for the first time",
        SIGNED + " You have not had signed mail",
    ),
    "signed-new-certificate": (
        mail, {"history": HISTORY}, "ok", "Signed by Alice with a new certificate",
        "Matches the sender and unchanged. The certificate is new since 23 November 2026.",
    ),
    "signed-not-rechecked": (
        mail, {"crls": ()}, "ok", "Signed by Alice",
        "Matches the sender and unchanged. We could not check whether",
    ),
    "signed": (mail, {}, "ok", "Signed by Alice", SIGNED),
    "partly-signed": (
        lambda: HEAD + mixed(PLAIN, opaque()), {}, "none", "Not signed as a whole",
        "A part of this message is signed; it is framed.",
    ),
    "signature-missing": (
        lambda: HEAD + PLAIN, {"history": HISTORY}, "warn",
        "Not signed, unlike other mail from Alice",
        "The last 4 messages from this address were signed.",
    ),
    "unsigned": (lambda: HEAD + PLAIN, {}, "none", "Not signed, not encrypted", ""),
}  # fmt: skip

# code → (mail, context, class of the message, headline or tail, beginning of the sentence)
ENCRYPTIONS = {
    "key-missing": (
        lambda: HEAD + encrypted(PLAIN, to=world().mallory), {}, "none",
        "You cannot open this message yet", "It is encrypted for a certificate you do not have",
    ),
    "no-own-key": (
        lambda: HEAD + encrypted(PLAIN), {"keys": ()}, "none",
        "This message is encrypted", "Add your certificate with its private key",
    ),
    "key-locked": (
        lambda: HEAD + encrypted(PLAIN), {"keys": (), "is_vault_locked": True, "lock_minutes": 30},
        "none", "Unlock your keys",
        "Enter your passphrase once to read encrypted mail. Keys lock again after 30 minutes.",
    ),
    "damaged": (
        lambda: HEAD + pkcs7(encrypt(PLAIN, [world().bob.certificate])[:-9], "enveloped-data"), {},
        "warn", "The encrypted message is incomplete or damaged", "Ask the sender to send it again.",
    ),
    "tampered": (
        with_tag_changed, {}, "bad", "This message was changed or damaged on the way",
        "It is not shown. Ask the sender",
    ),
    "too-nested": (
        lambda: nested(LAYER_LIMIT + 1, compressed), {}, "warn",
        "This message is packed too deeply", "It was not unpacked.",
    ),
    "too-large": (
        bomb, {}, "warn", "This message would become too large", "It was not unpacked.",
    ),
    "old-method-unsigned": (
        lambda: HEAD + encrypted(PLAIN, AES_256_CBC), {}, "warn",
        "Encrypted with an old method", "Its text could have been changed on the way.",
    ),
    "obsolete-cipher": (
        with_triple_des, lambda: {"keys": (old_reader(),)}, "warn",
        "Encrypted with an outdated method", "",
    ),
    "encrypted": (
        lambda: HEAD + encrypted(PLAIN), {}, "none", "Encrypted, sender not proven",
        "It reached you encrypted.",
    ),
    "encrypted-signed": (
        lambda: HEAD + encrypted(opaque()), {}, "ok", "Signed by Alice", SIGNED,
    ),
    "partly-encrypted": (
        lambda: HEAD + mixed(PLAIN, encrypted(PLAIN)), {}, "none",
        "Not encrypted as a whole", "A part of this message was encrypted; it is framed.",
    ),
    "not-encrypted": (
        mail, {"was_conversation_encrypted": True}, "ok", "Signed by Alice", SIGNED,
    ),
}  # fmt: skip

# note → mail (with what it is read with), and a mail that has everything but what the note is about
NOTES = {
    "sender-on-behalf": (
        lambda: sender("alice@example.org\r\nSender: office@example.org", opaque()),
        lambda: sender("alice@example.org\r\nSender: alice@example.org", opaque()),
    ),
    "second-signature-bad": (
        lambda: second_signer(is_broken=True), lambda: second_signer(is_broken=False),
    ),
    "other-signers": (
        lambda: second_signer(is_broken=False), lambda: second_signer(is_broken=True),
    ),
    "outer-signature": (lambda: HEAD + opaque(opaque(), world().mallory), lambda: HEAD + opaque()),
    "outer-signature-bad": (
        lambda: HEAD + clear(encrypted(opaque()), proof(world().mallory)),
        lambda: HEAD + opaque(encrypted(opaque()), world().mallory),
    ),
    "nested-signed": (
        lambda: HEAD + mixed(PLAIN, FORWARDED + opaque()),
        lambda: HEAD + mixed(PLAIN, FORWARDED + PLAIN),
    ),
    "nested-encrypted": (
        lambda: HEAD + mixed(PLAIN, FORWARDED + encrypted(PLAIN)),
        lambda: HEAD + mixed(PLAIN, FORWARDED + PLAIN),
    ),
    "subject-not-covered": (lambda: HEAD + opaque(), mail),
    "headers-protected": (mail, lambda: HEAD + opaque()),
    "encrypted-on-the-way": (
        lambda: HEAD + encrypted(opaque(PROTECTED)), lambda: HEAD + opaque(PROTECTED),
    ),
    "no-signing-time": (without_time, lambda: HEAD + opaque()),
    "micalg-differs": (
        lambda: HEAD + clear(PLAIN, proof(), micalg="sha-512"),
        lambda: HEAD + clear(PLAIN, proof()),
    ),
    "late-signing": (lambda: mail(signing_time=NOW - 2 * DAY), mail),
    "name-holds-other-address": (
        lambda: sender('"boss@example.org" <alice@example.org>', opaque()),
        lambda: sender('"alice@example.org" <alice@example.org>', opaque()),
    ),
    "structure-unusual": (
        lambda: HEAD + b"Content-Type: application/pkcs7-mime\r\n" + opaque(),
        lambda: HEAD + opaque(),
    ),
    "former-key": (former_key, lambda: (former_key()[0], {"keys": ()})),
}  # fmt: skip
