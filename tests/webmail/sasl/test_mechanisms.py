import pytest

from webmail.sasl import (
    AuthFailed,
    Credentials,
    NoMechanism,
    ProtocolViolation,
    choose_mechanism,
    client,
)
from webmail.sasl.mechanisms import ScramSha256, saslprep

RFC_7677 = Credentials("user", "pencil")
NONCE = "rOprNGfwEbeRWgbNEkqO"
SERVER_FIRST = (
    b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
)
CLIENT_FINAL = (
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)
SERVER_FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def scram() -> ScramSha256:
    return ScramSha256(RFC_7677, nonce=NONCE)


def test_scram_follows_the_example_of_rfc_7677():
    mechanism = scram()
    assert mechanism.initial() == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    assert not mechanism.was_challenged
    assert mechanism.respond(SERVER_FIRST) == CLIENT_FINAL
    assert mechanism.respond(SERVER_FINAL) == b""
    mechanism.verify()


@pytest.mark.parametrize(
    "final", [b"v=AAAA", b"v=!!", b"", b"e=invalid-proof", SERVER_FINAL.replace(b"6r", b"7r")]
)
def test_scram_refuses_a_server_that_does_not_know_the_password(final):
    mechanism = scram()
    mechanism.respond(SERVER_FIRST)
    with pytest.raises(AuthFailed):
        mechanism.respond(final)


def test_scram_refuses_success_without_the_servers_proof():
    mechanism = scram()
    mechanism.respond(SERVER_FIRST)
    with pytest.raises(AuthFailed):
        mechanism.verify()


@pytest.mark.parametrize(
    "challenge",
    [
        b"",
        b"\xff",
        b"r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        b"r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        SERVER_FIRST.replace(b"i=4096", b"i=1"),
        SERVER_FIRST.replace(b"i=4096", b"i=99999999999"),
        SERVER_FIRST.replace(b"i=4096", b"i=x"),
        SERVER_FIRST.replace(b"s=W22", b"s=*22"),
        b"m=ext," + SERVER_FIRST,
    ],
)
def test_scram_refuses_malformed_and_unsafe_challenges(challenge):
    with pytest.raises(ProtocolViolation):
        scram().respond(challenge)


def test_scram_escapes_the_name():
    mechanism = ScramSha256(Credentials("a=b,c", "x"), nonce="n")
    assert mechanism.initial() == b"n,,n=a=3Db=2Cc,r=n"


def test_cram_md5_follows_the_example_of_rfc_2195():
    mechanism = client("CRAM-MD5", Credentials("tim", "tanstaaftanstaaf"))
    assert mechanism.initial() is None
    assert (
        mechanism.respond(b"<1896.697170952@postoffice.reston.mci.net>")
        == b"tim b913a602c7eda7a495b4e6e7334d3890"
    )


def test_plain_and_login():
    credentials = Credentials("märz", "pä ss")
    assert client("plain", credentials).initial() == "\0märz\0pä ss".encode()
    login = client("LOGIN", credentials)
    assert login.initial() is None
    assert [login.respond(b"Username:"), login.respond(b"?")] == ["märz".encode(), "pä ss".encode()]
    with pytest.raises(ProtocolViolation):
        login.respond(b"more")


@pytest.mark.parametrize(
    ("offered", "tls", "allowed", "chosen"),
    [
        (["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"], True, None, "SCRAM-SHA-256"),
        (["login", "plain"], True, None, "PLAIN"),
        (["LOGIN", "CRAM-MD5"], True, None, "LOGIN"),
        (["CRAM-MD5", "PLAIN"], True, ["CRAM-MD5"], "CRAM-MD5"),
        (["CRAM-MD5", "PLAIN"], False, ["CRAM-MD5", "PLAIN"], "CRAM-MD5"),
        (["CRAM-MD5"], True, None, None),
        (["PLAIN", "LOGIN"], False, None, None),
        (["XOAUTH2"], True, None, None),
        ([], True, None, None),
    ],
)
def test_the_best_safe_mechanism_is_chosen(offered, tls, allowed, chosen):
    if chosen is None:
        with pytest.raises(NoMechanism):
            choose_mechanism(offered, tls=tls, allowed=allowed)
    else:
        assert choose_mechanism(offered, tls=tls, allowed=allowed) == chosen


def test_a_nul_cannot_shift_the_fields_of_plain():
    with pytest.raises(AuthFailed):
        client("PLAIN", Credentials("alice\0bob", "x"))


def test_the_password_shows_in_no_repr():
    assert "hunter2" not in repr(Credentials("alice", "hunter2"))


@pytest.mark.parametrize(
    ("text", "prepared"),
    [("I\u00adX", "IX"), ("user", "user"), ("\u00aa", "a"), ("\u2168", "IX"), ("a\u00a0b", "a b")],
)
def test_saslprep(text, prepared):
    assert saslprep(text) == prepared


@pytest.mark.parametrize("text", ["\u0007", "\u0627\u0031"])
def test_saslprep_refuses_what_rfc_4013_forbids(text):
    with pytest.raises(AuthFailed):
        saslprep(text)
