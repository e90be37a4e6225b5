"""The crafted mails, each with its written verdict."""

import json
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509

from smime.inspection import report, show
from smime.pki.pkcs12 import KeyPair, load_pem
from smime.pki.revocation import load_crls
from smime.reading import read_message
from smime.verdict import Context, judge
from smime.verdict_questions import questions
from tests.corpora import corpora_root, corpus

pytestmark = pytest.mark.corpus

ROOT = corpora_root() / "smime" / "signet-made"


def _cases():
    if not (ROOT / "expected.json").exists():
        return []
    spec = json.loads((ROOT / "expected.json").read_text())
    cases = {name: {"file": name} | want for name, want in spec["cases"].items()}
    for name, want in spec["variants"].items():
        base = {key: value for key, value in cases[want["file"]].items() if key != "notes_include"}
        cases[name] = base | want
    return sorted(cases.items())


@cache
def _spec():
    return json.loads((corpus("smime", "signet-made") / "expected.json").read_text())


def _certificate(name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((ROOT / name).read_bytes())


@cache
def _keys() -> tuple[KeyPair, ...]:
    return tuple(
        load_pem(Path(f"{ROOT / name}.crt").read_bytes() + Path(f"{ROOT / name}.key").read_bytes())[
            0
        ]
        for name in _spec()["reader_keys"]
    )


def _judged(want):
    spec = _spec()
    known = tuple(_certificate(name) for name in want.get("cert", ()))
    reading = read_message(
        (ROOT / f"{want['file']}.eml").read_bytes(), keys=_keys(), certificates=known
    )
    context = Context(
        now=datetime.fromisoformat(spec["clock"]),
        received_at=datetime.fromisoformat(want["received"]),
        anchors=tuple(_certificate(name) for name in spec["trust"]),
        known_certificates=known,
        intermediates=known,
        crls=load_crls([(ROOT / spec["crl"]).read_bytes()]),
    )
    return reading, judge(reading.facts, context=context)


@pytest.mark.parametrize(("name", "want"), _cases())
def test_verdict_is_the_written_one(name, want):
    reading, verdict = _judged(want)
    found = report(reading, verdict, show(reading, verdict))
    security = found["security"]
    assert security["signature"]["verdict"] == want["signature"]
    state = security["encryption"]["state"] if security["encryption"] else None
    assert state == want["encryption"]
    assert security["level"] == want["level"]
    assert set(want.get("notes_include", ())) <= set(security["signature"]["notes"])
    if "subject" in want:
        assert found["envelope"]["subject"] == want["subject"]
    if "body_text" in want:
        assert found["body"]["text"].strip() == want["body_text"]


@pytest.mark.parametrize(("name", "want"), _cases())
def test_no_tick_in_a_bad_panel(name, want):
    reading, verdict = _judged(want)
    asked = questions(verdict, reading.facts)
    assert len(asked) == 6
    assert all(each.answer.text for each in asked)
    if verdict.level == "bad":
        assert "yes" not in {each.glyph for each in asked}
        assert asked[0].question == "Whose name is on it?"


def test_what_was_tampered_with_is_not_shown():
    want = _spec()["cases"]["e05-gcm-tag"] | {"file": "e05-gcm-tag"}
    reading, verdict = _judged(want)
    assert show(reading, verdict).blocks == ()
    assert report(reading, verdict, show(reading, verdict))["body"]["text"] is None
