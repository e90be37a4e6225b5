"""Making verdicts due: what is known turned them, and they are judged again soon (`sweeping`)."""

from collections import defaultdict
from collections.abc import Collection
from itertools import batched

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import lanes
from accounts.models import MailServer, User
from smime import trust
from smime.models import PersonCertificate
from webmail.mailbox.models import Message
from webmail.reader.models import FramedSigner, Reading
from webmail.reader.senders import written_by

_AT_ONCE = 500  # rows of one statement
# Codes that read otherwise once the author is known to sign, or is no longer (ground rule 10).
_BY_KNOWING = ("altered", "forged", "signer-not-from", "no-address", "impostor")
# Codes that read otherwise once somebody vouches for the list, or no longer (fine point 13).
_BY_LIST = ("altered", "altered-by-list")


def ask_for(user: User, keys: Collection[str]) -> None:
    """Have the mail with these content keys judged again, soon.

    Signed mail that stands under an older trust is left to the sweep that is due for it anyway.
    """
    if keys:
        mine = Message.objects.filter(account__user=user, content_key__in=keys)
        swept = Q(reading__has_signers=True) & ~Q(reading__trust_stamp=trust.stamp_for(user))
        ask_for_messages(mine.exclude(swept))


def ask_for_sender(user_id: int, address: str) -> None:
    """Have mail judged again that reads otherwise for what is known of its sender."""
    turning = Message.objects.filter(
        account__user_id=user_id, reading__signature_code__in=_BY_KNOWING
    )
    ask_for_messages(written_by(address, turning))


def ask_for_incomplete() -> None:
    """Have mail judged again whose path ended before a root."""
    ask_for_messages(Message.objects.filter(reading__signature_code="chain-incomplete"))


def ask_for_lists(server: MailServer) -> None:
    """Have mail of these servers judged again that a list may have changed on the way."""
    lists = Message.objects.filter(account__server=server, reading__signature_code__in=_BY_LIST)
    ask_for_messages(lists.exclude(list_id=""))


def ask_for_signers(addresses: Collection[str], fingerprints: Collection[str] = ()) -> None:
    """Have everybody's mail judged again that is signed and from these addresses, or that was
    signed in another's name, or in part, with one of these certificates (SHA-256).

    Verdicts on encrypted mail name no signer in the clear; there a person's own word is followed,
    that an address belongs to the certificate's owner, and all that is signed in part is meant.
    """
    signed = Message.objects.filter(reading__has_signers=True)
    for address in addresses:
        ask_for_messages(written_by(address, signed))
    if not fingerprints:
        return
    named = Q(reading__verdict__signer__fingerprint__in=list(fingerprints))
    ask_for_messages(signed.filter(named))
    in_part = FramedSigner.objects.filter(fingerprint__in=[*fingerprints, ""])
    ask_for_messages(signed.filter(reading__in=in_part.values("reading")))
    bound = PersonCertificate.objects.filter(
        fingerprint__in=list(fingerprints), is_bound_by_user=True
    )
    for row in bound.only("user_id", "address"):
        theirs = signed if row.user_id is None else signed.filter(account__user_id=row.user_id)
        ask_for_messages(written_by(row.address, theirs))


def ask_for_messages(messages: QuerySet[Message]) -> None:
    """Make the verdicts on these messages due; a scanner finds them if the hint is lost."""
    found = messages.exclude(reading=None).values_list("account_id", "pk")
    by_account: dict[int, list[int]] = defaultdict(list)
    for account_id, message_id in found:
        by_account[account_id].append(message_id)
    for account_id, ids in by_account.items():
        for some in batched(ids, _AT_ONCE, strict=False):
            due = Reading.objects.filter(message_id__in=some).exclude(sealed_facts=b"")
            due.update(turns_at=timezone.now())
        lanes.post_later("reader.start_judging", account_id, lane="scan")
