"""Forms of the keys pages."""

from typing import Any, override

from django import forms
from django.utils.translation import gettext_lazy as _

from smime.models import OwnKey


class KeepForm(forms.Form):
    """How the keys of a held file are to be sealed."""

    token = forms.CharField(max_length=64)
    sealing = forms.ChoiceField(choices=OwnKey.Sealing.choices)
    vault_passphrase = forms.CharField(required=False, strip=False, max_length=1024)

    @override
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        is_personal = cleaned.get("sealing") == OwnKey.Sealing.PERSONAL
        if is_personal and not cleaned.get("vault_passphrase"):
            raise forms.ValidationError(_("Enter the passphrase that is to protect your keys."))
        return cleaned


class ExportForm(forms.Form):
    """The password of the new file; the sign-in password if that is some time ago."""

    passphrase = forms.CharField(
        strip=False,
        min_length=8,
        max_length=1024,
        error_messages={
            "required": _("Choose a password for the file."),
            "min_length": _("Choose a password of at least 8 characters for the file."),
        },
    )
    repeated = forms.CharField(strip=False, required=False, max_length=1024)
    password = forms.CharField(strip=False, required=False, max_length=1024)

    @override
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("passphrase") != cleaned.get("repeated") and not self.errors:
            raise forms.ValidationError(_("The two passwords for the file are not the same."))
        return cleaned
