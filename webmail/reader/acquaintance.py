"""Whom a person knows, as it matters for one sender: a fixed number of queries."""

from django.db.models import QuerySet

from accounts.models import Identity, MailAccount, User
from accounts.prepared import Prepared
from smime.pki.addresses import canonical_address
from webmail.mailbox import correspondents
from webmail.mailbox.models import Folder
from webmail.reader.aids import Acquaintance

_OWN = Prepared(
    lambda user: (
        Identity.objects.filter(user_id=user)
        .values_list("address")
        .union(MailAccount.objects.filter(user_id=user).values_list("address"))
    )
)
_UNWATCHED = (Folder.Role.JUNK, Folder.Role.TRASH, Folder.Role.DRAFTS)


def own_addresses(user: User) -> frozenset[str]:
    """Return the canonical addresses a person writes as."""
    written = [user.address, *(address for (address,) in _OWN.rows(user.pk))]
    return frozenset(filter(None, map(canonical_address, written)))


def acquaintance_of(user: User, sender: str) -> Acquaintance:
    """Return whom `user` knows; for a message of their own only that it is theirs."""
    own = own_addresses(user)
    if canonical_address(sender) in own:
        return Acquaintance(own)
    is_whole = not coming_in(user.pk).exists()  # before people are read: rather found twice
    return Acquaintance(own, correspondents.known(user), is_whole=is_whole)


def coming_in(user_id: int) -> QuerySet[Folder]:
    """Return a person's folders whose older mail is still to come; it says whom they know."""
    return Folder.objects.filter(
        account__user_id=user_id, is_selectable=True, is_backfilled=False, gone_at=None
    ).exclude(role__in=_UNWATCHED)


def has_written_to(user: User, address: str) -> bool:
    """Say whether the person ever wrote to an address."""
    return any(each.sent for each in correspondents.known(user, address=address))
