"""Mail by its sender, by the one rule of when two addresses are the same (smime.pki.addresses)."""

from django.db.models import Q, QuerySet

from smime.pki.addresses import canonical_address, split_address
from webmail.mailbox.models import Message


def written_by(address: str, messages: QuerySet[Message]) -> QuerySet[Message]:
    """Narrow to mail from an address, however its domain and local part are spelt.

    The mirror keeps senders as written. Narrow `messages` first: the spellings are looked for
    among them.
    """
    wanted = canonical_address(address)
    local, _ = split_address(wanted)
    if not local:
        return messages.none()
    alike = Q(from_address__istartswith=f"{local}@") | Q(from_address__istartswith=f'"{local}"@')
    spelt = messages.filter(alike).order_by().values_list("from_address", flat=True).distinct()
    return messages.filter(
        from_address__in=[each for each in spelt if canonical_address(each) == wanted]
    )
