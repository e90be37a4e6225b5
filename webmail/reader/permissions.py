"""Whose remote images are loaded without asking."""

from accounts.models import User
from accounts.prepared import Prepared
from webmail.mailbox.models import Message
from webmail.reader.models import ImagePermission, Reading

_ALWAYS = Prepared(
    lambda user, sender: ImagePermission.objects.filter(user_id=user, sender=sender).values_list(
        "pk"
    )
)


def is_always(user: User, message: Message) -> bool:
    """Whether the person asked for this sender's images whenever their mail is verified."""
    return _ALWAYS.first(user.pk, message.from_address.lower()) is not None


def may_always(message: Message) -> bool:
    """Whether "always from this sender" is offered: only for verified senders."""
    return Reading.objects.filter(message=message, level="ok").exists()


def choose(user: User, message: Message, choice: str) -> None:
    """Keep `choice`: "always" (if the sender is verified), "never"; "once" keeps nothing."""
    sender = message.from_address.lower()
    if choice == "always" and may_always(message):
        ImagePermission.objects.get_or_create(user=user, sender=sender)
    elif choice == "never":
        ImagePermission.objects.filter(user=user, sender=sender).delete()
