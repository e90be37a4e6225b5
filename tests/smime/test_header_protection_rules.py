"""The rules of header-protection.md, by its numbers, and the test that holds each.

`HELD` names tests elsewhere, which must exist and be collected under that name; those of rules that
had none are in this file.
"""

from importlib import import_module

import pytest

from smime.reading import read_message
from smime.reading_headers import structural
from smime.writing import protect
from tests.smime.cms.messages import TEXT, composition, mail
from tests.smime.pki.people import world
from webmail.mime import parse_message
from webmail.mime.write import build_entity, header_fields

_HEADERS = "smime.test_reading_headers"
_SENT = "webmail.composer.test_disclosure"
_ANSWERS = "webmail.composer.test_outward"
_QUOTES = "webmail.composer.test_quoting"

HELD = {
    "1.1 encrypt implies sign, inside": f"{_HEADERS}.test_the_signature_is_inside_the_encryption",
    "1.1 encrypting alone is refused": f"{_HEADERS}.test_encryption_needs_a_signature",
    "1.2 only what this recipient may know": f"{_SENT}.test_no_copy_but_the_senders_holds_bcc",
    "1.3 hp clear, no HP-Outer, if signed only": f"{_HEADERS}.test_signed_only",
    "1.3 hp cipher and HP-Outer": f"{_HEADERS}.test_encrypted_hides_subject_and_says_what_was_outside",
    "1.5 ASCII, short lines": f"{_HEADERS}.test_lines_are_short_and_ascii",
    "1.6 hcp_baseline": f"{_HEADERS}.test_baseline",
    "1.6 the subject is nowhere outside": f"{_SENT}.test_what_travels_outside_does_not_hold_the_subject",
    "1.7 Bcc inside the copy for Sent": f"{_HEADERS}.test_bcc_is_inside_the_copy_for_sent_and_never_outside",
    "2.1 hp counts at the payload root": f"{_HEADERS}.test_hp_counts_only_at_the_payload_and_under_a_layer",
    "2.1 other values of hp do not": f"{_HEADERS}.test_only_known_values_count",
    "2.2 hp=clear under encryption": f"{_HEADERS}.test_clear_under_encryption_was_encrypted_on_the_way",
    "2.3 HP-Outer without encryption": f"{_HEADERS}.test_hp_outer_is_ignored_without_encryption",
    "2.3 the transported header is no input": f"{_HEADERS}.test_who_strips_an_outer_field_does_not_make_it_secret",
    "2.4 states": f"{_HEADERS}.test_encrypted_hides_subject_and_says_what_was_outside",
    "2.6 protected values are shown": f"{_HEADERS}.test_a_changed_outer_header_changes_nothing_on_screen",
    "2.7 From in conflict": f"{_HEADERS}.test_two_senders",
    "2.7 without any signature": f"{_HEADERS}.test_two_senders_without_any_signature",
    "2.12 the wrapping of RFC 8551": f"{_HEADERS}.test_wrapping_of_old_mail",
    "2.12 a forward is none": f"{_HEADERS}.test_a_forwarded_signed_message_is_no_wrapping",
    "3 legacy display, written and dropped": f"{_HEADERS}.test_legacy_display_is_written_and_dropped_again",
    "3 neither in signed mail nor in files": f"{_HEADERS}.test_legacy_display_is_not_written_into_signed_mail_nor_attachments",
    "3 not in answers": f"{_SENT}.test_what_came_encrypted_is_quoted_and_held",
    "4.1 recipients from protected fields": f"{_QUOTES}.test_recipients_of_an_answer",
    "4.2 nothing leaves in the clear": f"{_SENT}.test_it_leaves_encrypted_or_without_the_quote",
    "4.2 neither names nor identifiers": f"{_ANSWERS}.test_in_the_clear_no_hidden_value_goes_out_either",
    "4.3 the reply policy": f"{_ANSWERS}.test_an_encrypted_answer_shows_outside_what_the_original_showed",
    "drafts are sealed": "webmail.composer.test_drafts.test_words_are_sealed_and_bound_to_the_row",
}  # fmt: skip


@pytest.mark.parametrize("name", HELD.values(), ids=HELD)
def test_the_named_test_is_there(name):
    module, _, function = name.rpartition(".")
    assert callable(getattr(import_module(f"tests.{module}"), function))


def test_1_4_the_parameter_is_at_the_payload_and_nowhere_else():
    for raw in (mail(), mail(recipients=[world().bob.certificate])):
        reading = read_message(raw, keys=[world().bob])
        trees = [*reading.passed, reading.content]
        having = [part for tree in trees for part in tree.walk() if "hp" in part.parameters]
        assert {part.parameters["hp"] for part in having} <= {"clear", "cipher"}
        assert "hp" in reading.content.root.parameters
        assert "hp" not in reading.message.root.parameters


def test_1_8_a_repeat_has_the_same_header():
    fields = header_fields(composition())
    made = [
        protect(
            build_entity(composition()),
            fields,
            signer=world().alice,
            recipients=[world().bob.certificate],
        )
        for _ in range(2)
    ]
    inner = [read_message(raw, keys=[world().bob]).headers for raw in made]
    assert inner[0].inner_fields == inner[1].inner_fields
    assert inner[0].outer_fields == inner[1].outer_fields


@pytest.mark.parametrize(
    ("name", "is_structure"),
    [("MIME-Version", True), ("Content-Type", True), ("content-x-own", True), ("Subject", False)],
)
def test_structural_fields_are_not_protected(name, is_structure):
    assert structural(name) is is_structure


def test_2_9_what_was_not_opened_has_no_protected_field():
    reading = read_message(mail(recipients=[world().bob.certificate]))
    assert reading.headers.scheme is None
    assert reading.envelope.subject == "[...]"
    assert reading.headers.fields(is_signature_valid=True) == ()


def test_5_worked_example_b():
    """Signed, encrypted, hcp_baseline: what stands outside, inside, and in the text."""
    raw = mail(
        recipients=[world().bob.certificate],
        subject="Offer for the mill",
        extra_fields=(("Keywords", "mill, bid"),),
    )
    outer = parse_message(raw).root.headers
    assert outer.get_all("subject") == [b"[...]"]
    assert "keywords" not in outer
    reading = read_message(raw, keys=[world().bob])
    text = reading.content.raw.decode()
    assert "HP-Outer: Subject: [...]" in text
    assert "HP-Outer: Keywords" not in text
    assert f"Subject: Offer for the mill\r\nKeywords: mill, bid\r\n\r\n{TEXT}" in text
