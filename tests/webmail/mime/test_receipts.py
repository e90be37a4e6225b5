"""Who asks for a read receipt (RFC 8098), and what may be answered."""

import pytest

from webmail.mime import Headers
from webmail.mime.headers import read_headers
from webmail.mime.receipts import displayed, read_receipt_request

ASKS = b"Disposition-Notification-To: Anna <anna@n.example>\r\n"


def read(*fields: bytes, delivery: bytes = b""):
    headers = read_headers(b"".join(fields) + b"\r\n")
    return read_receipt_request(headers, delivery=read_headers(delivery + b"\r\n"))


def test_one_address_and_the_mails_own_way_back():
    found = read(ASKS, delivery=b"Return-Path: <anna@N.example>\r\n")
    assert [(each.name, each.address) for each in found.addresses] == [("Anna", "anna@n.example")]
    assert (found.return_path, found.original_recipient) == ("", "")


def test_another_way_back_and_the_first_recipient_are_kept():
    delivery = b"Return-Path: <bounces@b.example>\r\nOriginal-Recipient: rfc822;mira@n.example\r\n"
    found = read(ASKS, delivery=delivery)
    assert found.return_path == "bounces@b.example"
    assert found.original_recipient == "rfc822;mira@n.example"


def test_several_addresses_each_once():
    found = read(b"Disposition-Notification-To: a@n.example, A@n.example, b@n.example\r\n")
    assert [each.address for each in found.addresses] == ["A@n.example", "b@n.example"]


@pytest.mark.parametrize(
    ("fields", "delivery"),
    [
        ((), b""),
        ((ASKS, ASKS), b""),
        ((b"Disposition-Notification-To: nobody\r\n",), b""),
        ((b"Disposition-Notification-To: undisclosed:;\r\n",), b""),
        ((b"Disposition-Notification-To: " + b", ".join(b"a%d@n.example" % n for n in range(6)) + b"\r\n",), b""),
        ((ASKS,), b"Return-Path: <>\r\n"),
        ((ASKS, b"Disposition-Notification-Options: x-proof=required, a, b\r\n"), b""),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_rightly_is_not_asked(fields, delivery):
    assert read(*fields, delivery=delivery) is None


def test_an_option_that_is_optional_stands_in_nobodys_way():
    assert read(ASKS, b"Disposition-Notification-Options: x-proof=optional, a\r\n") is not None


def test_the_machines_part_of_an_answer():
    text = displayed(
        final_recipient="mira@n.example",
        original_recipient="rfc822;m@old.example",
        original_message_id="week@n.example",
        product="n.example; Signet",
    )
    assert text == (
        "Reporting-UA: n.example; Signet\r\n"
        "Original-Recipient: rfc822;m@old.example\r\n"
        "Final-Recipient: rfc822;mira@n.example\r\n"
        "Original-Message-ID: <week@n.example>\r\n"
        "Disposition: manual-action/MDN-sent-manually; displayed\r\n"
    )


def test_what_a_sender_wrote_adds_no_field():
    text = displayed(
        final_recipient="mira@n.example",
        original_recipient="rfc822;m\r\nX: y",
        original_message_id="a\r\nb@n",
        product="Signet",
    )
    assert text.count("\r\n") == 3
    assert "X: y" not in text


def test_no_header_asks_nothing():
    assert read_receipt_request(Headers(), delivery=Headers()) is None
