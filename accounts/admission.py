"""What a right password makes: the user, a mail account with its sealed password, an identity."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit, session_limits
from accounts.credentials import for_account, login_name, sealed_password_for
from accounts.models import Identity, MailAccount, MailServer, User
from accounts.sealing import SealBroken
from accounts.signals import account_added


def admit(*, server: MailServer, address: str, password: str) -> tuple[User, MailAccount | None]:
    """Keep what the mail server confirmed; idempotent.

    Returns the user, and the account if it is new or works again (to be announced). Another
    password than the one on file ends the sessions that began under the old one.
    """
    with transaction.atomic():
        user = User.objects.filter(address=address).first() or _made(address)
        if not user.is_active:
            return user, None
        account, is_new = MailAccount.objects.select_for_update(no_key=True).get_or_create(
            user=user,
            address=address,
            defaults={
                "server": server,
                "login_name": login_name(server, address),
                "sealed_password": b"",
            },
        )
        had_failed = account.state == MailAccount.State.AUTH_FAILED
        if is_new and not user.is_staff and user.has_usable_password():
            # From now on the mail server says who this is: whoever prepared the row does not.
            user.set_unusable_password()
            user.save(update_fields=["password"])
            session_limits.raise_epoch(user)
        if not is_new and _password_of(account) != password:
            session_limits.raise_epoch(user)
        _keep(account, server=server, password=password)
        _make_identity(account)
    return user, account if is_new or had_failed else None


def _made(address: str) -> User:
    """Make the user; of two first sign-ins at once (a double click) one finds the other's."""
    try:
        with transaction.atomic():
            user = User.objects.create_user(address)
    except IntegrityError:
        return User.objects.get(address=address)
    audit.record("user-made", actor=user, target=address)
    return user


def announce(account: MailAccount) -> None:
    """Tell the apps above that the account can be used."""
    account_added.send(MailAccount, account=account)


def _password_of(account: MailAccount) -> str | None:
    try:
        return for_account(account).password
    except SealBroken:
        return None


def _keep(account: MailAccount, *, server: MailServer, password: str) -> None:
    account.server = server
    account.login_name = login_name(server, account.address)
    account.sealed_password = sealed_password_for(account, password)
    account.last_used_at = timezone.now()
    account.auth_failures = 0
    if account.state == MailAccount.State.AUTH_FAILED:
        account.state = MailAccount.State.NEW
        account.last_error, account.last_error_at = "", None
    account.save()


def _make_identity(account: MailAccount) -> None:
    has_default = Identity.objects.filter(user=account.user, is_default=True).exists()
    Identity.objects.get_or_create(
        user=account.user,
        address=account.address,
        defaults={
            "account": account,
            "name": account.user.display_name,
            "is_default": not has_default,
        },
    )


def set_name(user: User, name: str) -> None:
    """Give the person a name, and their identities that have none."""
    user.display_name = name[:200]
    user.save(update_fields=["display_name"])
    Identity.objects.filter(user=user, name="").update(name=user.display_name)
