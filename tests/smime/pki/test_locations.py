"""Which addresses of a certificate are looked at."""

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from smime.pki.authority import new_root
from smime.pki.locations import EACH_LIMIT, Locations, locations
from tests.smime.pki.people import NOW, YEAR, person, world

ALL = Locations(
    lists=("http://a.example/1.crl", "https://a.example/2.crl"),
    responders=("http://ocsp.example/",),
    issuers=("http://a.example/ca.p7c",),
)


def test_each_kind_is_read_and_written():
    assert locations(person("a@example.org", "A", published=ALL).certificate) == ALL
    root = new_root("R", NOW - YEAR, published=Locations(issued=("http://a.example/all.p7c",)))
    assert locations(root.certificate).issued == ("http://a.example/all.p7c",)
    assert locations(world().alice.certificate) == Locations()


def test_only_the_web_and_only_a_few():
    odd = ("ldap://a.example/cn=x", "ftp://a.example/x", "file:///etc/passwd", "HTTP://a.example/x")
    many = tuple(f"http://a.example/{number}" for number in range(10))
    found = locations(
        person(
            "a@example.org",
            "A",
            published=Locations(lists=odd, responders=many, issuers=("http://a/" + "x" * 2100,)),
        ).certificate
    )
    assert found.lists == ("HTTP://a.example/x",)
    assert found.responders == many[:EACH_LIMIT]
    assert found.issuers == ()


def test_lists_of_other_issuers_or_for_some_reasons_are_left_out():
    def point(**changes: object) -> x509.DistributionPoint:
        fields = {"relative_name": None, "reasons": None, "crl_issuer": None}
        name = [x509.UniformResourceIdentifier("http://a.example/x.crl")]
        return x509.DistributionPoint(full_name=name, **(fields | changes))

    pair = person("a@example.org", "A")
    builder = (
        x509.CertificateBuilder()
        .subject_name(pair.certificate.subject)
        .issuer_name(pair.certificate.issuer)
        .public_key(pair.certificate.public_key())
        .serial_number(5)
        .not_valid_before(NOW)
        .not_valid_after(NOW + YEAR)
    )
    points = [
        point(crl_issuer=[x509.DirectoryName(world().root.certificate.subject)]),
        point(reasons=frozenset({x509.ReasonFlags.key_compromise})),
    ]
    made = builder.add_extension(x509.CRLDistributionPoints(points), critical=False)
    assert locations(made.sign(world().inter.key, hashes.SHA256())) == Locations()


def test_damaged_extensions_name_nothing():
    pair = person("a@example.org", "A", published=ALL)
    builder = (
        x509.CertificateBuilder()
        .subject_name(pair.certificate.subject)
        .issuer_name(pair.certificate.issuer)
        .public_key(pair.certificate.public_key())
        .serial_number(5)
        .not_valid_before(NOW)
        .not_valid_after(NOW + YEAR)
    )
    oid = x509.ObjectIdentifier("2.5.29.31")
    made = builder.add_extension(x509.UnrecognizedExtension(oid, b"\x30\xff"), critical=False)
    assert locations(made.sign(world().inter.key, hashes.SHA256())) == Locations()
