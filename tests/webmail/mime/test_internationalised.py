"""Headers that are UTF-8 as they stand (SMTPUTF8, RFC 6532), or other octets that nobody labelled."""

from webmail.mime import choose_body, parse_message


def test_internationalised_addresses_and_subject_are_read_as_they_stand() -> None:
    message = parse_message(
        "From: Jörg <jörg@bücher.example>\r\n"
        "To: 用户@例え.jp, Verein: ä@b.example;\r\n"
        "Subject: Grüße =?utf-8?q?=C3=BC?=\r\n\r\nx".encode()
    )
    envelope = message.envelope
    assert [(each.name, each.address) for each in envelope.from_] == [
        ("Jörg", "jörg@bücher.example")
    ]
    assert [each.address for each in envelope.to] == ["用户@例え.jp", "ä@b.example"]
    assert envelope.subject == "Grüße ü"


def test_octets_without_a_label_are_western_and_never_an_error() -> None:
    message = parse_message("From: Jörg <j@x.example>\r\nSubject: é\r\n\r\nx".encode("latin-1"))
    assert message.envelope.from_[0].name == "Jörg"
    assert message.envelope.subject == "é"


def test_an_internationalised_message_inside_another_is_opened() -> None:
    """message/global (RFC 6532 §3.7) may be encoded, unlike message/rfc822."""
    message = parse_message(
        b"Content-Type: message/global\r\n\r\nFrom: a@b.example\r\nSubject: \xc3\xa9\r\n\r\nx"
    )
    choice = choose_body(message)
    assert choice.nested or choice.attachments


def test_controls_and_reversals_never_reach_a_shown_header() -> None:
    message = parse_message(
        "From: \u202egpj.exe <a@b.example>\r\nSubject: a\x07b\u2066c\x85d\r\n\r\nx".encode()
    )
    shown = message.envelope.from_[0].name + message.envelope.subject
    assert not {"\u202e", "\u2066", "\x07", "\x85"} & set(shown)
