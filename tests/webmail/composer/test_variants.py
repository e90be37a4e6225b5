"""Who gets which bytes: Bcc is named nowhere."""

import pytest

from webmail.composer.variants import VariantPlan, content_cipher, plan_variants


def plan(recipients, readers=(), *, sender=False):
    return VariantPlan(recipients=tuple(recipients), readers=tuple(readers), for_sender=sender)


@pytest.mark.parametrize(
    ("to", "cc", "bcc", "encrypt", "expected"),
    [
        (["a"], [], [], False, [plan("a")]),
        (["a"], ["b"], ["c"], False, [plan("abc")]),
        (["a"], ["b"], [], True, [plan("ab", "ab", sender=True)]),
        (
            ["a"],
            ["b"],
            ["c", "d"],
            True,
            [plan("ab", "ab", sender=True), plan("c", "c"), plan("d", "d")],
        ),
        ([], [], ["c"], True, [plan("c", "c")]),
        (["a"], ["a"], ["a"], True, [plan("a", "a", sender=True)]),
    ],
)
def test_plans(to, cc, bcc, encrypt, expected):
    assert list(plan_variants(to=to, cc=cc, bcc=bcc, encrypt=encrypt)) == expected


@pytest.mark.parametrize("bcc", [["c"], ["c", "d"], ["c", "d", "e"]])
def test_no_variant_tells_a_bcc_recipient_to_anyone_else(bcc):
    for each in plan_variants(to=["a"], cc=["b"], bcc=bcc, encrypt=True):
        hidden = set(each.readers) & set(bcc)
        assert not hidden or (
            set(each.readers) == set(each.recipients) == hidden and len(hidden) == 1
        )


@pytest.mark.parametrize(
    ("capable", "cipher"),
    [
        ({"a": True}, "aes-256-gcm"),
        ({"a": True, "b": True}, "aes-256-gcm"),
        ({"a": True, "b": False}, "aes-256-cbc"),
        ({"a": False}, "aes-256-cbc"),
        ({}, "aes-256-cbc"),
    ],
)
def test_one_cipher_for_all(capable, cipher):
    assert content_cipher(capable) == cipher
