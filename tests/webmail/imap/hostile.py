"""A session with a scripted server."""

from tests.fakes.scripted import ScriptedServer
from webmail.imap import (
    Credentials,
    Deadlines,
    Endpoint,
    Session,
)

ALICE = Credentials("alice", "s3cret-word")
QUICK = Deadlines(greeting=1.0, login=1.0, command=1.0, total=20)
SECRET = (b"s3cret-word", b"AGFsaWNl")  # and the beginning of PLAIN's Base64


def connect(server, test_authority, *, security="tls", deadlines=QUICK, **options):
    endpoint = Endpoint("localhost", server.port, security, test_authority.ca_pem, "127.0.0.1")
    return Session.open(endpoint, ALICE, deadlines=deadlines, **options)


def serve(script, context=None):
    return ScriptedServer(script, context=context)
