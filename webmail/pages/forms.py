"""Forms of the settings page."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from webmail.pages import preferences
from webmail.pages.shell import DENSITIES


class PersonForm(forms.Form):
    """Name, signature, language and time zone."""

    display_name = forms.CharField(max_length=200, required=False, strip=True)
    signature = forms.CharField(max_length=5000, required=False, strip=False)
    language = forms.ChoiceField(choices=settings.LANGUAGES)
    time_zone = forms.CharField(max_length=64)

    def __init__(self, data: Any = None, *, user: User) -> None:
        super().__init__(
            data,
            initial={
                "display_name": user.display_name,
                "signature": preferences.signature_text(preferences.default_identity(user)),
                "language": user.language or settings.LANGUAGE_CODE,
                "time_zone": user.time_zone,
            },
        )

    def clean_display_name(self) -> str:
        """Refuse what cannot stand in a header (RFC 5322 §2.2)."""
        name = str(self.cleaned_data["display_name"])
        if any(ord(character) < 32 or ord(character) == 127 for character in name):
            raise forms.ValidationError(_("A name has letters, digits and spaces only."))
        return name

    def clean_time_zone(self) -> str:
        """Take only zones that exist."""
        zone = str(self.cleaned_data["time_zone"])
        if zone not in preferences.zone_names():
            raise forms.ValidationError(
                _("Choose a time zone from the list, for example Europe/Oslo.")
            )
        return zone


class LookForm(forms.Form):
    """Theme, rows and single keys."""

    theme = forms.ChoiceField(choices=User.Theme.choices)
    density = forms.ChoiceField(choices=[(name, name) for name in DENSITIES], required=False)
    keyboard = forms.BooleanField(required=False)
