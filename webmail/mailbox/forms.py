"""What the pages post about mail."""

from typing import Any, cast, override

from django import forms

from webmail.mailbox.actions import MOST_IDS, Action, Kind

_ACTIONS = ("archive", "trash", "junk", "not-junk", "read", "unread", "star", "unstar", "move")
_LONGEST_ID = 18  # digits: within 63 bits


class IdsField(forms.Field):
    """Row ids: the field repeated, or one with commas."""

    widget = forms.MultipleHiddenInput

    @override
    def to_python(self, value: Any) -> list[int]:
        words = [word.strip() for one in value or () for word in str(one).split(",")]
        if len(words) > MOST_IDS:
            raise forms.ValidationError("Too many ids.")
        for word in words:
            if not (word.isascii() and word.isdigit() and len(word) <= _LONGEST_ID):
                raise forms.ValidationError("An id is a number.")
        return [int(word) for word in words]


class ActionForm(forms.Form):
    """A verb and the rows it is about."""

    action = forms.ChoiceField(choices=[(name, name) for name in _ACTIONS])
    kind = forms.ChoiceField(
        choices=[("conversation", "conversation"), ("message", "message")], required=False
    )
    ids = IdsField()
    target = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    folder = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    next = forms.CharField(required=False, max_length=2000)

    @property
    def action_name(self) -> Action:
        """The verb."""
        return cast("Action", self.cleaned_data["action"])

    @property
    def id_kind(self) -> Kind:
        """What the ids are of."""
        return cast("Kind", self.cleaned_data["kind"] or "conversation")


class UndoForm(forms.Form):
    """The group of changes to take back."""

    group = forms.UUIDField()
    next = forms.CharField(required=False, max_length=2000)
