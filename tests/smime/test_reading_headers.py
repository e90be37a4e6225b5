"""Header protection: what is written, what is believed, what is shown (RFC 9788)."""

import pytest

from smime.cms import AES_256_GCM, encrypt, sign_opaque
from smime.inspection import show
from smime.reading import read_message
from smime.reading_headers import is_legacy_display, without_legacy_display
from smime.verdict import judge
from smime.writing import hcp_baseline, protect
from tests.smime.cms.messages import HEAD, PLAIN, TEXT, composition, mail, opaque, pkcs7
from tests.smime.pki.people import NOW, context, person, world
from webmail.mime import parse_message
from webmail.mime.write import build_entity, header_fields

BOB = (world().bob,)
READERS = [world().bob.certificate]


def read(raw: bytes):
    reading = read_message(raw, keys=BOB)
    return reading, judge(reading.facts, context=context())


def states(reading, *, is_signature_valid=True):
    fields = reading.headers.fields(is_signature_valid=is_signature_valid)
    return {field.name: field.state for field in fields}


def test_signed_only():
    raw = mail()
    outer = parse_message(raw)
    assert outer.envelope.subject == "Invoice 1"
    payload = outer.root.children[0]
    assert payload.parameters["hp"] == "clear"
    assert "hp" not in outer.root.parameters
    assert "hp-outer" not in payload.headers
    reading, verdict = read(raw)
    assert reading.headers.scheme == "clear"
    assert set(states(reading).values()) == {"signed-only"}
    assert set(states(reading, is_signature_valid=False).values()) == {"unprotected"}
    assert "headers-protected" in verdict.signature.notes


def test_encrypted_hides_subject_and_says_what_was_outside():
    raw = mail(recipients=READERS, extra_fields=(("Keywords", "mill, bid"), ("Comments", "x")))
    outer = parse_message(raw)
    assert outer.envelope.subject == "[...]"
    assert b"mill" not in raw
    assert "keywords" not in outer.root.headers
    reading, verdict = read(raw)
    assert reading.envelope.subject == "Invoice 1"
    assert states(reading) == {
        "From": "signed-only",
        "To": "signed-only",
        "Subject": "signed-and-encrypted",
        "Date": "signed-only",
        "Message-ID": "signed-only",
        "Keywords": "signed-and-encrypted",
        "Comments": "signed-and-encrypted",
    }
    assert states(reading, is_signature_valid=False)["Subject"] == "encrypted-only"
    assert reading.content.root.headers.get_all("hp-outer")[2] == b"Subject: [...]"
    assert verdict.level == "ok"


def test_who_strips_an_outer_field_does_not_make_it_secret():
    raw = mail(recipients=READERS).replace(b"To: Bob <bob@example.org>\r\n", b"", 1)
    reading, _ = read(raw)
    assert states(reading)["To"] == "signed-only"


def test_without_protection_the_outer_fields_are_shown():
    raw = mail(recipients=READERS, protect_headers=False)
    assert parse_message(raw).envelope.subject == "Invoice 1"
    reading, verdict = read(raw)
    assert (reading.headers.scheme, states(reading)) == (None, {})
    assert "subject-not-covered" in verdict.signature.notes


def test_a_changed_outer_header_changes_nothing_on_screen():
    raw = mail().replace(b"Subject: Invoice 1", b"Subject: Urgent", 1)
    raw = b"Cc: mallory@evil.example\r\nReply-To: mallory@evil.example\r\n" + raw
    reading, verdict = read(raw)
    assert reading.envelope.subject == "Invoice 1"
    assert (reading.envelope.cc, reading.envelope.reply_to) == ((), ())
    assert verdict.level == "ok"


PROTECTED = (
    b'Content-Type: text/plain; hp="%b"\r\nFrom: %b\r\nSubject: inner\r\n'
    b"HP-Outer: Subject: [...]\r\n\r\nHello\r\n"
)


@pytest.mark.parametrize(
    ("where", "scheme"), [(b"clear", "clear"), (b"cipher", "cipher"), (b"other", None)]
)
def test_only_known_values_count(where, scheme):
    raw = HEAD + opaque(PROTECTED % (where, b"alice@example.org"))
    assert read(raw)[0].headers.scheme == scheme


def test_hp_counts_only_at_the_payload_and_under_a_layer():
    bare = HEAD.replace(b"MIME", b"X-MIME") + PROTECTED % (b"clear", b"alice@example.org")
    assert read(bare)[0].headers.scheme is None
    inner = PROTECTED % (b"clear", b"alice@example.org")
    body = b'Content-Type: multipart/mixed; boundary="m"\r\n\r\n--m\r\n' + inner + b"\r\n--m--\r\n"
    assert read(HEAD + opaque(body))[0].headers.scheme is None
    framed = b'Content-Type: multipart/mixed; boundary="m"\r\n\r\n--m\r\n' + opaque(inner)
    reading, _ = read(HEAD + framed + b"\r\n--m--\r\n")
    assert reading.headers.scheme is None
    assert reading.frames[0].reading.headers.scheme is None


def test_hp_outer_is_ignored_without_encryption():
    reading, _ = read(HEAD + opaque(PROTECTED % (b"cipher", b"alice@example.org")))
    assert reading.headers.outer_fields == ()
    assert states(reading)["Subject"] == "signed-only"


def test_clear_under_encryption_was_encrypted_on_the_way():
    inside = opaque(PROTECTED % (b"clear", b"alice@example.org"))
    der = encrypt(inside, READERS, cipher=AES_256_GCM)
    reading, verdict = read(HEAD + pkcs7(der, "authEnveloped-data"))
    assert "encrypted-on-the-way" in verdict.signature.notes
    assert states(reading)["Subject"] == "signed-only"


@pytest.mark.parametrize(
    ("inner", "signer", "code", "shown"),
    [
        # Bound to the inner address: the inner sender, no warning.
        (b"carol@example.org", "carol@example.org", "signed", "carol@example.org"),
        (b"carol@example.org", "alice@example.org", "two-senders", "alice@example.org"),
        (b"ALICE@Example.org", "alice@example.org", "signed", "ALICE@Example.org"),
        (b"Other Name <alice@example.org>", "alice@example.org", "signed", "alice@example.org"),
    ],
)
def test_two_senders(inner, signer, code, shown):
    pair = person(signer, signer)
    raw = HEAD + opaque(PROTECTED % (b"clear", inner), pair)
    _, verdict = read(raw)
    assert verdict.signature.code == code
    assert [each.address for each in verdict.shown_from] == [shown]
    assert verdict.level == ("bad" if code == "two-senders" else "ok")


def test_two_senders_without_any_signature():
    der = encrypt(PROTECTED % (b"cipher", b"carol@example.org"), READERS, cipher=AES_256_GCM)
    _, verdict = read(HEAD + pkcs7(der, "authEnveloped-data"))
    assert (verdict.signature.code, verdict.level) == ("two-senders", "bad")
    assert verdict.sentence.text.startswith("Outside it says alice@example.org, inside carol@")


def test_two_senders_stands_above_a_failing_signature():
    outsider = person("carol@example.org", "Carol", world().stranger)
    _, verdict = read(HEAD + opaque(PROTECTED % (b"clear", b"carol@example.org"), outsider))
    assert verdict.signature.code == "two-senders"


def _wrapped(parameters: bytes, inner: bytes) -> bytes:
    return b"Content-Type: message/rfc822" + parameters + b"\r\n\r\n" + inner


@pytest.mark.parametrize(
    ("parameters", "scheme"),
    [(b"", None), (b"; forwarded=no", "wrapped"), (b"; forwarded=yes", None)],
)
def test_wrapping_of_old_mail(parameters, scheme):
    inner = HEAD.replace(b"Invoice 1", b"inner") + PLAIN
    reading, verdict = read(HEAD + opaque(_wrapped(parameters, inner)))
    assert reading.headers.scheme == scheme
    assert reading.envelope.subject == ("inner" if scheme else "Invoice 1")
    assert verdict.signature.code == "signed"


def test_a_forwarded_signed_message_is_no_wrapping():
    inner = HEAD + opaque()
    reading, verdict = read(HEAD + opaque(_wrapped(b"; forwarded=no", inner)))
    assert reading.headers.scheme is None
    assert "nested-signed" in verdict.signature.notes


def test_legacy_display_is_written_and_dropped_again():
    raw = mail(recipients=READERS, html="<html><body><p>Hi</p></body></html>", subject="Grüße")
    reading, verdict = read(raw)
    parts = [part for part in reading.content.walk() if part.content_type.startswith("text/")]
    assert all(is_legacy_display(part, is_decrypted=True) for part in parts)
    assert not any(is_legacy_display(part, is_decrypted=False) for part in parts)
    source = reading.content.raw
    assert b"Subject: Gr=C3=BC=C3=9Fe" in source
    assert b"header-protection-legacy-display" in source
    for block in show(reading, verdict).blocks:
        assert "Grüße" not in block.text
    assert "Grüße" not in show(reading, verdict).document(title="")


def test_legacy_display_is_not_written_into_signed_mail_nor_attachments():
    assert b"hp-legacy-display" not in mail()
    from webmail.mime.write import Attachment

    files = (Attachment("a.txt", "text/plain", b"text"),)
    reading, _ = read(mail(recipients=READERS, attachments=files))
    marked = [part for part in reading.content.walk() if "hp-legacy-display" in part.parameters]
    assert [part.filename for part in marked] == [None]


@pytest.mark.parametrize(
    ("text", "kind", "left"),
    [
        ("Subject: x\nKeywords: y\n\nHello\n\nyou", "plain", "Hello\n\nyou"),
        ("Subject: x\r\n\r\nHello", "plain", "Hello"),
        ("no empty line", "plain", ""),
        ("\nHello", "plain", "Hello"),
        (
            '<p>a</p><div class="header-protection-legacy-display"><pre>x</pre></div><p>b</p>',
            "html",
            "<p>a</p><p>b</p>",
        ),
        (
            "<DIV CLASS='x header-protection-legacy-display'>x<div>y</div>z</DIV>b",
            "html",
            "b",
        ),
        ('<div class="header-protection-legacy-display-not">x</div>', "html", None),
        ("<div>x</div>", "html", None),
        ("a<div class=header-protection-legacy-display>x", "html", "a"),
    ],
)
def test_without_legacy_display(text, kind, left):
    assert without_legacy_display(text, kind) == (text if left is None else left)


def test_baseline():
    assert hcp_baseline("Subject", "x") == "[...]"
    assert hcp_baseline("KEYWORDS", "x") is None
    assert hcp_baseline("Bcc", "x") is None
    assert hcp_baseline("From", "x") == "x"


# --- writing --------------------------------------------------------------------------------------


def made(**options):
    letter = composition()
    return protect(build_entity(letter), header_fields(letter), **options)


def test_encryption_needs_a_signature():
    with pytest.raises(ValueError, match="signer is missing"):
        made(signer=None, recipients=READERS)
    with pytest.raises(ValueError, match="cipher"):
        made(signer=world().alice, recipients=READERS, cipher="3des-cbc")
    assert TEXT.encode() in made(signer=None, recipients=())


def test_signing_needs_a_date_and_takes_it_from_the_message():
    letter = composition()
    fields = [each for each in header_fields(letter) if each[0] != "Date"]
    with pytest.raises(ValueError, match="date"):
        protect(build_entity(letter), fields, signer=world().alice, recipients=())
    reading, _ = read(made(signer=world().alice, recipients=()))
    assert reading.layers[0].signature.signers[0].signed_at == NOW


@pytest.mark.parametrize(
    ("cipher", "kind"),
    [
        ("aes-256-gcm", "auth-enveloped"),
        ("aes-128-gcm", "auth-enveloped"),
        ("aes-256-cbc", "enveloped"),
        ("aes-128-cbc", "enveloped"),
    ],
)
def test_the_signature_is_inside_the_encryption(cipher, kind):
    reading, verdict = read(made(signer=world().alice, recipients=READERS, cipher=cipher))
    assert [layer.kind for layer in reading.layers] == [kind, "signed"]
    assert verdict.encryption.facts.cipher == cipher
    assert (verdict.signature.code, verdict.level) == ("signed", "ok")


def test_bcc_is_inside_the_copy_for_sent_and_never_outside():
    letter = composition(bcc=composition().to)
    fields = header_fields(letter, with_bcc=True)
    raw = protect(build_entity(letter), fields, signer=world().alice, recipients=READERS)
    assert "bcc" not in parse_message(raw).root.headers
    reading, _ = read(raw)
    assert reading.envelope.bcc[0].address == "bob@example.org"
    assert states(reading)["Bcc"] == "signed-and-encrypted"


def test_lines_are_short_and_ascii():
    for recipients in ((), READERS):
        raw = made(signer=world().alice, recipients=recipients)
        assert raw.isascii()
        assert all(len(line) <= 78 for line in raw.split(b"\r\n"))
        assert b"\n" not in raw.replace(b"\r\n", b"")


def test_opaque_signature_without_headers_round_trip():
    der = sign_opaque(PLAIN, world().alice, signed_at=NOW)
    assert read(HEAD + pkcs7(der))[1].signature.code == "signed"
