"""Mutated signed and encrypted mail: nothing is shown as signed that is not."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from smime.pki.authority import issue, new_root
from smime.reading import read_message
from smime.verdict import Context
from smime.writing import protect
from tests.checks.weigh import Nowhere
from tests.fuzz.mutations import mutated
from webmail.mime import Address
from webmail.mime.write import Attachment, Composition, build_entity, header_fields
from webmail.reader import pipeline
from webmail.reader.variants import Variant

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CASES = int(os.environ.get("SIGNET_FUZZ_CASES", "10000")) // 10


@pytest.fixture(scope="module")
def root():
    return new_root("Fuzz root", NOW - timedelta(days=100))


def _key(root, address: str):
    before, after = NOW - timedelta(days=50), NOW + timedelta(days=50)
    return issue(root, address, address, not_before=before, not_after=after, key="p256")


def _mail(root, *, is_encrypted: bool):
    alice, bob = _key(root, "alice@example.test"), _key(root, "bob@example.test")
    made = Composition(
        from_=Address("Alice", "alice@example.test"),
        to=(Address("Bob", "bob@example.test"),),
        subject="Plans",
        date=NOW,
        message_id="one@example.test",
        text="The plan is this.\n",
        html="<p>The plan is <b>this</b>.</p>",
        attachments=(Attachment("plan.txt", "text/plain", b"step one"),),
    )
    readers = [bob.certificate] if is_encrypted else []
    raw = protect(
        build_entity(made),
        header_fields(made),
        signer=alice,
        recipients=readers,
        cipher="aes-256-gcm",
        signing_time=NOW,
    )
    return raw, [bob]


def _show(raw: bytes, keys, root):
    context = Context(now=NOW, received_at=NOW, anchors=(root.certificate,))
    return pipeline.make(
        reading=read_message(raw, keys=keys),
        context=context,
        variant=Variant(),
        addresses=Nowhere(),
    )


@pytest.mark.parametrize("is_encrypted", [False, True])
def test_nothing_else_is_ever_shown_as_signed(root, is_encrypted: bool) -> None:
    raw, keys = _mail(root, is_encrypted=is_encrypted)
    sound = _show(raw, keys, root)
    assert sound.verdict.level == "ok"
    still_sound = 0
    for number in range(CASES // 2):
        made = _show(mutated(number, [raw]), keys, root)
        if made.verdict.level == "ok":
            still_sound += 1
            assert made.documents.frames == sound.documents.frames, f"case {number}"
            assert made.page["from"] == sound.page["from"], f"case {number}"
            assert made.page["subject"] == sound.page["subject"], f"case {number}"
    # Most changes hit what is signed; some hit only what stands outside.
    assert still_sound < CASES // 4
