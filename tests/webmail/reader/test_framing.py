"""What of a message is signed: frames, their lines, and what stands outside (RFC 9787)."""

import pytest

from smime.cms import AES_256_CBC, AES_256_GCM, encrypt, sign_detached
from smime.reading import read_message
from tests.smime.cms.messages import HEAD, PLAIN, clear, mixed, opaque, pkcs7
from tests.smime.pki.people import NOW, context, world
from webmail.reader import pipeline
from webmail.reader.framing import frame_views
from webmail.reader.presenting import BoxView, FrameView
from webmail.reader.variants import Variant

LIST = b"List-Id: <plans.lists.example>\r\n"
FOOTER = b"Content-Type: text/plain\r\n\r\n_____\r\nplans mailing list\r\n"
LINKED = (
    b"Content-Type: text/html\r\n\r\n<p>Secret <a href='https://evil.example/'>here</a>"
    b"<img src='https://evil.example/a.png'></p>\r\n"
)
SIGNED = "Signed by Alice"


class Nowhere:
    def image(self, position):
        raise AssertionError(f"remote image {position}")

    def part(self, path):
        return f"/part/{path}"

    def go(self, position):
        return f"/go/{position}"


def signed(entity=PLAIN):
    return clear(entity, sign_detached(entity, world().alice, signed_at=NOW))


def encrypted(entity=PLAIN, cipher=AES_256_GCM, to=None):
    der = encrypt(entity, [(to or world().bob).certificate], cipher=cipher)
    return pkcs7(der, "authEnveloped-data" if cipher.is_authenticated else "enveloped-data")


def make(entity, *, fields=b"", keys=None):
    return pipeline.make(
        reading=read_message(fields + HEAD + entity, keys=(world().bob,) if keys is None else keys),
        context=context(),
        variant=Variant(images=True),
        addresses=Nowhere(),
    )


def tree(made):
    """The drawn tree: a box is (its headline, what is in it), a document its number."""

    def drawn(items):
        return [
            int(each.url) if isinstance(each, FrameView) else (each.headline, drawn(each.items))
            for each in items
        ]

    return drawn(frame_views(made.page, address=str, title="Message"))


def boxes(made):
    return [
        each
        for each in frame_views(made.page, address=str, title="Message")
        if isinstance(each, BoxView)
    ]


def test_a_message_that_is_signed_as_a_whole_has_no_boxes():
    assert tree(make(signed(mixed(PLAIN, PLAIN)))) == [0, 1]


def test_the_footer_of_a_list_stands_outside_and_is_said_to_be_added():
    made = make(mixed(signed(), FOOTER), fields=LIST)
    assert tree(made) == [(SIGNED, [0]), ("Not signed", [1])]
    assert "plans mailing list" in made.documents.frames[1]
    inside, outside = boxes(made)
    assert (inside.level, outside.level) == ("ok", "")
    assert outside.sentence == "Added on the way, as mailing lists do. It could be from anyone."
    assert made.verdict.level == "none"


def test_mailman_s_header_and_footer_stand_where_they_are():
    """Mailman wraps what is no multipart/mixed: header, the message's own body, footer."""
    made = make(mixed(FOOTER, signed(), FOOTER), fields=LIST)
    assert tree(made) == [("Not signed", [0]), (SIGNED, [1]), ("Not signed", [2])]
    assert {each.sentence[:5] for each in boxes(made) if not each.level} == {"Added"}


@pytest.mark.parametrize(
    ("fields", "entity"),
    [
        (b"", mixed(signed(), FOOTER)),  # nobody says that a list passed it on
        (LIST, mixed(FOOTER, FOOTER, signed(), FOOTER)),
        (LIST, mixed(signed(), LINKED)),
        (LIST, mixed(signed(), signed(), FOOTER)),
    ],
)
def test_anything_else_outside_is_not_said_to_be_of_a_list(fields, entity):
    outside = [each for each in boxes(make(entity, fields=fields)) if not each.level]
    assert outside
    for each in outside:
        assert each.headline == "Not signed"
        assert each.sentence == "It stands outside the signed part. It could be from anyone."


def test_parts_are_drawn_in_the_order_of_the_message_and_neighbours_share_a_line():
    made = make(mixed(FOOTER, FOOTER, signed(), FOOTER))
    assert tree(made) == [("Not signed", [0, 1]), (SIGNED, [2]), ("Not signed", [3])]


@pytest.mark.parametrize(
    ("entity", "headline", "sentence"),
    [
        (mixed(FOOTER, encrypted()), "Not encrypted", "It was readable on the way. It could"),
        (
            mixed(FOOTER, encrypted(opaque())),
            "Not signed, not encrypted",
            "It was readable on the way. It could be from anyone.",
        ),
        (signed(mixed(FOOTER, encrypted())), "Not encrypted", "It was readable on the way."),
    ],
)
def test_outside_of_what_is_encrypted(entity, headline, sentence):
    outside, inside = boxes(make(entity))
    assert (outside.level, outside.headline) == ("", headline)
    assert outside.sentence.startswith(sentence)
    assert inside.is_locked


def test_a_part_in_a_part_has_a_frame_in_its_frame():
    inside = mixed(PLAIN, encrypted(LINKED), PLAIN).replace(b"mix", b"inner")
    made = make(mixed(FOOTER, signed(inside.replace(b"/inner", b"/mixed"))))
    (_, inner) = tree(made)
    assert inner == (
        SIGNED, [("Not encrypted", [1]), ("Encrypted, sender not proven", [2]), ("Not encrypted", [3])]
    )  # fmt: skip
    assert "Secret" in made.documents.frames[2]
    assert "evil.example/a.png" not in made.documents.frames[2]
    assert [len(chain) for chain in made.reading.chains()] == [1, 2, 3]
    assert pipeline.holds_secrets(made.reading)


def test_files_of_a_part_in_a_part_are_found_under_its_layer():
    pdf = b"Content-Type: application/pdf; name=a.pdf\r\n\r\n%PDF-1.4\r\n"
    inside = opaque(mixed(PLAIN, encrypted(mixed(PLAIN, pdf))))
    made = make(mixed(FOOTER, inside))
    ((path, *_),) = made.page["attachments"]
    assert path.startswith("2/")
    assert pipeline.part_of(made.reading, path)[1].content_type == "application/pdf"


def test_a_part_that_cannot_be_opened_has_its_line_and_no_document():
    made = make(mixed(FOOTER, encrypted(to=world().mallory)))
    assert tree(made) == [("Not encrypted", [0]), ("You cannot open this message yet", [])]
    assert len(made.documents.frames) == 1


def test_what_looks_signed_inside_of_malleable_encryption_gets_no_links_back():
    """EFAIL: gadgets may put a made-up signature round the secret text (CBC, nothing signed)."""
    made_up = clear(LINKED, b"no signature at all")
    for entity in (encrypted(mixed(PLAIN, made_up), AES_256_CBC), encrypted(made_up, AES_256_CBC)):
        for raw in (entity, mixed(FOOTER, entity)):
            documents = [each for each in make(raw).documents.frames if "Secret" in each]
            assert len(documents) == 1
            assert "Secret here &lt;https://evil.example/&gt;" in documents[0]
            assert "<a " not in documents[0]
    # The same part outside keeps its links.
    assert any("<a " in each for each in make(mixed(FOOTER, made_up)).documents.frames)


def test_images_of_a_part_are_not_offered():
    """Nothing of a framed part is ever loaded, whatever the person chooses."""
    assert make(mixed(FOOTER, signed(LINKED))).page["images"]["remote"] == 0
    assert make(mixed(LINKED, signed(PLAIN))).page["images"]["may_load"]


def test_a_plain_part_says_so_once():
    made = make(mixed(FOOTER, encrypted(mixed(PLAIN, signed()), AES_256_CBC)))
    _, box = boxes(made)
    assert box.is_plain_only
    assert [each.is_plain_only for each in box.items if isinstance(each, BoxView)][-1] is False
