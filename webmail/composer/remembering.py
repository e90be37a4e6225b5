"""People remembered because the person said so (from a contact that came by mail)."""

from accounts.models import User
from webmail.composer.models import CorrespondentUse
from webmail.composer.recipients import BadAddressError, sendable


def remember(user: User, *, name: str, address: str) -> bool:
    """Have an address completed in the composer; False if mail cannot be sent to it."""
    try:
        checked = sendable(address).lower()
    except BadAddressError:
        return False
    if len(checked) > 320:
        return False
    use, is_new = CorrespondentUse.objects.get_or_create(
        user=user, address=checked, defaults={"name": name[:300]}
    )
    if not is_new and name and use.name != name[:300]:
        CorrespondentUse.objects.filter(pk=use.pk).update(name=name[:300])
    return True
