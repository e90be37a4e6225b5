"""Signet's admin site: Django's own, under Signet's name."""

from django.contrib.admin import AdminSite
from django.utils.translation import gettext_lazy as _


class SignetAdminSite(AdminSite):
    """The admin panel."""

    site_header = _("Signet administration")
    site_title = _("Signet administration")
    index_title = _("Overview")
