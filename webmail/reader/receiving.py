"""Whose word on received mail counts: that of an account's own mail server, if at all."""

from accounts.models import MailServer
from webmail.html.hosts import are_related
from webmail.mime.trace import ReceivingServers


def receiving_servers(server: MailServer) -> ReceivingServers:
    """Return who receives the mail of a server's people.

    A host is ours if it is of the organisation of a trusted name, or of the IMAP host.
    """
    names = frozenset(server.authserv_ids.split())
    if not names:
        return ReceivingServers()
    ours = (*names, server.imap_host.lower())

    def is_ours(host: str) -> bool:
        return bool(host) and any(are_related(host, each) for each in ours)

    return ReceivingServers(names, is_ours)
