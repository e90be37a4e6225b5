"""Every file of other people's samples has an expectation written down, and meets it.

`AUDIT` names all files of the folders of Thunderbird, MimeKit, RFC 9216's examples and the old
header protection draft: a new file, or one that nobody looks at, fails by its name. What is not a
mail by itself is read here as it lies; whole mails are in test_reading_samples.py.
"""

import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509

from smime.cms.content import open_content
from smime.cms.enveloped import open_enveloped, read_enveloped
from smime.cms.errors import CmsError
from smime.cms.signed import read_signed
from smime.cms.verifying import check_signature, load_certificates
from smime.pki import Pkcs12Error, load_pkcs12
from smime.pki.pkcs12 import load_pem
from smime.reading import Reading, read_message
from smime.verdict import Context, Verdict, judge
from tests.corpora import corpora_root
from tests.smime.test_reading_samples import (
    EXPECTED,
    THUNDERBIRD,
    _thunderbird_context,
    _thunderbird_keys,
)

pytestmark = pytest.mark.corpus

ROOT = corpora_root() / "smime"
FOLDERS = ("thunderbird", "mimekit", "rfc9216-examples-cms", "protected-headers-draft")
BROWSER = ROOT / "thunderbird/mail/test/browser/smime/data"
MIMEKIT = ROOT / "mimekit/UnitTests/TestData/smime"
OLD_DRAFT = ROOT / "protected-headers-draft"

# Thunderbird's own browser tests: file | signature | encryption | level | levels of framed parts.
IN_BROWSER = {
    "alice.dsig.SHA256.multipart.env": ("signed-not-rechecked", "encrypted-signed", "ok", []),
    "alice.dsig.SHA256.multipart.in.mixed": ("partly-signed", None, "none", ["ok"]),
    "alice.dsig.SHA256.multipart.in.mixed.with.header": ("partly-signed", None, "none", ["ok"]),
    "alice.env": ("unsigned", "old-method-unsigned", "warn", []),
    # Its signer's certificate is of another authority than the rest.
    "alice.html.sig.SHA256.opaque": ("chain-incomplete", None, "unknown", []),
    "alice.html.sig.SHA256.opaque.env": ("signed-not-rechecked", "encrypted-signed", "ok", []),
    "alice.sig.SHA256.opaque": ("signed-not-rechecked", None, "ok", []),
    "alice.sig.SHA256.opaque.env": ("signed-not-rechecked", "encrypted-signed", "ok", []),
    "multipart-alternative": ("unsigned", "partly-encrypted", "none", ["warn", "warn"]),
    "nested-sigs": ("altered", None, "warn", []),
}
# Old header protection: layers | signature | encryption. Signed in 2019 under the sample authority,
# whose certificates begin a month later.
OLD = {
    "smime-enc+legacy-disp": (["enveloped"], "unsigned", "old-method-unsigned"),
    "smime-multipart-signed": (["clear-signed"], "not-yet-valid", None),
    "smime-onepart-signed": (["signed"], "not-yet-valid", None),
    "smime-sign+enc": (["enveloped", "signed"], "not-yet-valid", "obsolete-cipher"),
    "smime-sign+enc+legacy-disp": (["enveloped", "signed"], "not-yet-valid", "obsolete-cipher"),
    "unfortunately-complex": ([], "unsigned", None),  # OpenPGP: attachments, nothing is claimed
}
# MimeKit's key files as PEM: how many pairs, or why there is none.
PEM: dict[str, int | str] = {
    "smroot.pem": 1, "smrsa1.pem": 1, "smrsa2.pem": 1, "smrsa3.pem": 1, "smec1.pem": 1,
    "smec2.pem": "unknown-key", "smec3.pem": 1,  # a binary curve
    "smdsa1.pem": 1, "smdsa2.pem": 1, "smdsa3.pem": 1, "smdh.pem": 1, "smdsap.pem": "not-pkcs12",
}  # fmt: skip

# Pattern of the path below the corpora | the test that holds its expectation.
AUDIT = (
    (r".*/(ORIGIN|README)\.md|.*/readme\.txt|.*/expiration\.txt|.*\.cfg|.*\.cnf", "text"),
    (r"thunderbird/mailnews/.*/smime(-manual)?/[^/]*\.eml", "test_thunderbird_sample"),
    (r"thunderbird/mailnews/.*/smime-interop/[^/]*\.env", "test_thunderbird_interop_sample"),
    (r"thunderbird/mail/.*\.eml", "test_thunderbird_browser_sample"),
    (r"thunderbird/.*/alice\.(dsig|sig)\.SHA\d+\.(multipart|opaque)(\.mismatch-econtent)?", "test_thunderbird_entity"),
    (r"thunderbird/.*/alice\.(dsig|sig)\.SHA\d+\.(multipart|opaque)\.env|.*/alice\.mime\.env", "test_thunderbird_envelope"),
    (r"thunderbird/.*/alice\.(mime\.dsig|textplain\.sig)\.SHA\d+", "test_thunderbird_signature"),
    (r"thunderbird/.*/alice\.(mime|textplain)", "test_thunderbird_signature"),
    (r"thunderbird/.*\.p12", "test_thunderbird_key_files_open"),
    (r"thunderbird/.*/TestCA\.pem", "test_thunderbird_sample"),
    (r"mimekit/.*\.pfx", "test_mimekit_key_files_open"),
    (r"mimekit/.*\.pem", "test_mimekit_pem"),
    (r"mimekit/.*\.(crt|key)", "test_mimekit_certificates_and_keys"),
    (r"mimekit/.*/thunderbird-signed\.txt", "test_mimekit_signed_mail"),
    (r"mimekit/.*/octet-stream-with-mixed-line-endings\.dat", "test_mimekit_mixed_line_ends"),
    (r"rfc9216-examples-cms/binary-files/signed.*", "test_cms_example_verifies"),
    (r"rfc9216-examples-cms/binary-files/encryptedKekri\.p7m", "test_cms_example_for_a_shared_key_has_no_reader_here"),
    (r"rfc9216-examples-cms/binary-files/(auth|enc).*", "test_cms_example_opens"),
    (r"rfc9216-examples-cms/pem-encoded/.*", "test_cms_example_is_the_same_in_pem"),
    (r"rfc9216-examples-cms/certs-and-keys/.*", "test_cms_example_people"),
    (r"protected-headers-draft/.*\.eml", "test_old_header_protection"),
    (r"protected-headers-draft/.*\.inner(\.inner)?|.*/bob\.p12|.*/sample-ca\.pem", "test_old_header_protection"),
)  # fmt: skip


def test_each_file_has_an_expectation() -> None:
    import tests.smime.test_reading_samples as samples

    files = sorted(
        str(path.relative_to(ROOT))
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    )
    assert len(files) > 200
    orphans = [name for name in files if not any(re.fullmatch(row[0], name) for row in AUDIT)]
    assert orphans == [], "files that nobody expects anything of"
    unused = [row[0] for row in AUDIT if not any(re.fullmatch(row[0], name) for name in files)]
    assert unused == [], "expectations of files that are not here"
    named = {row[1] for row in AUDIT} - {"text"}
    assert {name for name in named if name not in globals() and not hasattr(samples, name)} == set()
    assert EXPECTED


def judged(raw: bytes) -> tuple[Reading, Verdict]:
    reading = read_message(raw, keys=_thunderbird_keys())
    return reading, judge(reading.facts, context=_thunderbird_context())


@pytest.mark.parametrize("name", IN_BROWSER)
def test_thunderbird_browser_sample(name: str) -> None:
    keys = [
        pair
        for path in sorted(BROWSER.glob("*.p12"))
        for pair in load_pkcs12(path.read_bytes(), "nss")
    ]
    reading = read_message((BROWSER / f"{name}.eml").read_bytes(), keys=keys)
    verdict = judge(reading.facts, context=_thunderbird_context())
    framed = [judge(each.facts, context=_thunderbird_context()).level for each in reading.framed]
    encryption = verdict.encryption.code if verdict.encryption else None
    found = (verdict.signature.code, encryption, verdict.level, framed)
    assert found == IN_BROWSER[name]


def test_thunderbird_browser_samples_are_all_here() -> None:
    assert {path.stem for path in BROWSER.glob("*.eml")} == set(IN_BROWSER)


def _entities(pattern: str) -> list[Path]:
    return sorted(
        path for path in (THUNDERBIRD / "smime").glob("alice.*") if re.fullmatch(pattern, path.name)
    )


@pytest.mark.parametrize(
    "path",
    _entities(r"alice\.(dsig|sig)\.SHA\d+\.(multipart|opaque)(\.mismatch-econtent)?"),
    ids=lambda path: path.name,
)
def test_thunderbird_entity(path: Path) -> None:
    """A mail without its header, of an earlier generation: its certificate ended years ago."""
    head = b"From: Alice@example.com\r\nDate: Wed, 25 Feb 2026 14:00:00 +0000\r\n"
    _, verdict = judged(head + path.read_bytes())
    assert verdict.signature.code == ("altered" if "mismatch" in path.name else "expired")


@pytest.mark.parametrize("path", _entities(r"alice\..*\.env(?<!eml)"), ids=lambda path: path.name)
def test_thunderbird_envelope(path: Path) -> None:
    """CMS alone, BER and streamed, for an earlier key of Bob's: read, and not one of ours."""
    enveloped = read_enveloped(open_content(path.read_bytes()))
    assert enveloped.recipient_count == 1
    assert open_enveloped(enveloped, _thunderbird_keys()).failure == "key-missing"


def _lines(content: bytes) -> list[bytes]:
    return content.strip().splitlines()


@pytest.mark.parametrize(
    "path",
    _entities(r"alice\.(mime\.dsig|textplain\.sig)\.SHA\d+"),
    ids=lambda path: path.name,
)
def test_thunderbird_signature(path: Path) -> None:
    """CMS alone: round its text, or beside it in a file of its own."""
    signed = read_signed(open_content(path.read_bytes()))
    text = path.with_name(path.name.partition(".dsig")[0].partition(".sig")[0]).read_bytes()
    if ".sig." in path.name:
        assert signed.content is not None
        assert _lines(signed.content) == _lines(text)
    else:
        assert signed.content is None
    (signer,) = signed.signers
    check = check_signature(
        signer,
        signed,
        content=signed.content if signed.content is not None else text,
        candidates=load_certificates(signed.certificates),
    )
    assert check.integrity == "good"


def test_thunderbird_key_files_open() -> None:
    paths = sorted((ROOT / "thunderbird").rglob("*.p12"))
    assert len(paths) > 8
    for path in paths:
        (pair,) = load_pkcs12(path.read_bytes(), "nss")
        assert pair.key.public_key() == pair.certificate.public_key(), path


@pytest.mark.parametrize("name", PEM)
@pytest.mark.filterwarnings("ignore:Diffie-Hellman over finite fields")
def test_mimekit_pem(name: str) -> None:
    content = (MIMEKIT / name).read_bytes()
    wanted = PEM[name]
    if isinstance(wanted, str):
        with pytest.raises(Pkcs12Error) as problem:
            load_pem(content)
        assert str(problem.value.args[0]) == wanted
        return
    pairs = load_pem(content)
    assert len(pairs) == wanted


def test_mimekit_pem_files_are_all_here() -> None:
    assert {path.name for path in MIMEKIT.glob("*.pem")} == set(PEM)


def test_mimekit_certificates_and_keys() -> None:
    """A certificate alone is no key, and a key alone no certificate: each is refused by its name."""
    for path in sorted(MIMEKIT.rglob("*.crt")):
        assert x509.load_pem_x509_certificate(path.read_bytes())
        with pytest.raises(Pkcs12Error, match="no-key"):
            load_pem(path.read_bytes())
    keys = sorted(MIMEKIT.rglob("*.key"))
    assert len(keys) > 5
    for path in keys:
        with pytest.raises(Pkcs12Error, match="not-pkcs12"):
            load_pem(path.read_bytes())


def test_mimekit_mixed_line_ends() -> None:
    """AS2, not mail: binary content whose line ends are signed as they are."""
    raw = (MIMEKIT / "octet-stream-with-mixed-line-endings.dat").read_bytes()
    reading = read_message(b"From: a@b.example\r\n" + raw)
    (layer,) = reading.layers
    assert layer.kind == "clear-signed"
    assert layer.signature is not None
    assert [signer.check.integrity for signer in layer.signature.signers] == ["good"]


@pytest.mark.parametrize(
    "path",
    sorted((ROOT / "rfc9216-examples-cms/pem-encoded").glob("*.pem")),
    ids=lambda path: path.stem,
)
def test_cms_example_is_the_same_in_pem(path: Path) -> None:
    from base64 import b64decode

    binary = path.parent.parent / "binary-files" / f"{path.stem}.p7m"
    lines = [
        line for line in path.read_text().splitlines() if line and not line.startswith("-----")
    ]
    assert b64decode("".join(lines)) == binary.read_bytes()


def test_cms_example_people() -> None:
    """RFC 9216's people: each key is that of its certificate."""
    folder = ROOT / "rfc9216-examples-cms/certs-and-keys"
    for path in sorted(folder.glob("*.crt")):
        name = path.name.split(".")[0]
        (key,) = folder.glob(f"{name}*.pem")
        (pair,) = load_pem(path.read_bytes() + key.read_bytes())
        assert pair.certificate == x509.load_pem_x509_certificate(path.read_bytes())


@cache
def _old_context() -> Context:
    root = x509.load_pem_x509_certificate((OLD_DRAFT / "sample-ca.pem").read_bytes())
    then = datetime(2019, 10, 21, tzinfo=UTC)
    return Context(now=then, received_at=then, anchors=(root,))


@pytest.mark.parametrize("name", OLD)
def test_old_header_protection(name: str) -> None:
    keys = load_pkcs12((OLD_DRAFT / "bob.p12").read_bytes(), "bob")
    reading = read_message((OLD_DRAFT / f"{name}.eml").read_bytes(), keys=keys)
    verdict = judge(reading.facts, context=_old_context())
    encryption = verdict.encryption.code if verdict.encryption else None
    kinds = [layer.kind for layer in reading.layers]
    assert (kinds, verdict.signature.code, encryption) == OLD[name]


@pytest.mark.parametrize("name", [name for name in OLD if name.startswith("smime")])
def test_old_header_protection_holds_what_the_draft_says(name: str) -> None:
    """The draft's own record of what is inside each of its mails."""
    keys = load_pkcs12((OLD_DRAFT / "bob.p12").read_bytes(), "bob")
    reading = read_message((OLD_DRAFT / f"{name}.eml").read_bytes(), keys=keys)
    inner = [OLD_DRAFT / f"{name}.inner.inner", OLD_DRAFT / f"{name}.inner"]
    recorded = [path.read_bytes() for path in inner if path.exists()]
    if recorded:
        assert _lines(reading.content.raw)[-1] in _lines(recorded[0])


def test_damaged_input_is_no_crash() -> None:
    with pytest.raises(CmsError):
        open_content((MIMEKIT / "smroot.pem").read_bytes())
