"""The accounts app and Signet's admin site."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class AccountsConfig(AppConfig):
    """Users, sign-in, mail accounts, sealed credentials, audit."""

    name = "accounts"
    default = True
    verbose_name = "Accounts"


class SignetAdminConfig(admin_apps.AdminConfig):
    """Django's admin with Signet's site class as the default site."""

    default = False
    default_site = "accounts.admin_site.SignetAdminSite"
