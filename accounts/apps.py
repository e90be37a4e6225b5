"""The accounts app and Signet's admin site."""

from typing import override

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class AccountsConfig(AppConfig):
    """Users, sign-in, mail accounts, sealed credentials, audit."""

    name = "accounts"
    default = True
    verbose_name = "Accounts"

    @override
    def ready(self) -> None:
        from accounts.rotation import SealedColumn, register
        from accounts.sealing import subject_of

        register(
            SealedColumn(
                model="accounts.MailAccount",
                column="sealed_password",
                purpose="mail-password",
                subject=lambda row: subject_of("accounts.MailAccount", row.pk),
            )
        )


class SignetAdminConfig(admin_apps.AdminConfig):
    """Django's admin with Signet's site class as the default site."""

    default = False
    default_site = "accounts.admin_site.SignetAdminSite"
