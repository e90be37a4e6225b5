"""The admin panel's tables of certificates and trust. Private keys have no field here."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin_forms import ReadOnlyAdmin
from accounts.admin_parts import Section, day
from accounts.admin_words import Saying, add_sayings
from accounts.models import User
from smime import admin_overview  # noqa: F401 - adds its panels
from smime.admin_people import PeopleAdmin
from smime.admin_person_anchors import PersonAnchorAdmin
from smime.admin_revocation import RevocationSourceAdmin
from smime.admin_states import standings
from smime.admin_trust import TrustAnchorAdmin
from smime.models import Intermediate, OwnKey, PersonAnchor, PersonCertificate, TrustAnchor
from smime.revocation_models import RevocationSource

_CERTIFICATE = (
    "name",
    "addresses",
    "subject",
    "issuer",
    "serial",
    "fingerprint",
    "algorithm",
    "not_before",
    "not_after",
)

add_sayings(
    {
        "trust-anchor-added": Saying("anchor", gettext_lazy("added the authority {target}")),
        "trust-anchor-changed": Saying("anchor", gettext_lazy("changed the authority {target}")),
        "trust-anchor-removed": Saying(
            "anchor", gettext_lazy("removed the authority {target}"), "warn"
        ),
        "person-anchor-added": Saying("anchor", gettext_lazy("trusts the authority {target}")),
        "person-anchor-changed": Saying(
            "anchor", gettext_lazy("changed the domains of the authority {target}")
        ),
        "person-anchor-removed": Saying(
            "anchor", gettext_lazy("removed the person's authority {target}")
        ),
        "revocation-list-added": Saying("ban", gettext_lazy("added a revocation list of {target}")),
        "revocation-asked": Saying(
            "refresh-cw", gettext_lazy("had a revocation address asked: {target}")
        ),
        "key-imported": Saying("file-badge", gettext_lazy("imported a key for {target}")),
        "key-exported": Saying("download", gettext_lazy("exported the key of {target}"), "warn"),
        "key-put-in-use": Saying("key-round", gettext_lazy("put the key of {target} in use")),
        "key-deleted": Saying("trash-2", gettext_lazy("deleted the key of {target}"), "warn"),
        "keys-unlocked": Saying("lock-open", gettext_lazy("unlocked their keys")),
        "keys-unlock-refused": Saying(
            "circle-alert", gettext_lazy("gave a wrong passphrase for their keys"), "bad"
        ),
        "certificate-imported": Saying(
            "file-badge", gettext_lazy("imported a certificate of {target}")
        ),
        "certificate-pinned": Saying(
            "file-badge", gettext_lazy("relies on a certificate of {target}")
        ),
        "certificate-unpinned": Saying(
            "file-badge", gettext_lazy("no longer relies on a certificate of {target}")
        ),
        "certificate-bound": Saying(
            "file-badge", gettext_lazy("took a certificate for one of {target}")
        ),
        "certificate-forgotten": Saying(
            "trash-2", gettext_lazy("forgot the certificate of {target}")
        ),
    }
)


class CertificateList(ChangeList):
    """A page of certificates, each with its standing."""

    def get_results(self, request: HttpRequest) -> None:
        """Load the state of trust once for the whole page."""
        super().get_results(request)
        rows = list(self.result_list)
        self.result_list: Any = rows
        for row, found in zip(rows, standings(rows, now=timezone.now()), strict=True):
            row.standing = found


class CertificateAdmin(ReadOnlyAdmin):
    """What tables of certificates share."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        """Use the list that knows how certificates stand."""
        return CertificateList

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: Any) -> str:
        """Say how the certificate stands."""
        return str(row.standing.state.drawn())

    @admin.display(description=gettext_lazy("until"), ordering="not_after")
    def until(self, row: Any) -> str:
        """Say until when it is valid."""
        return day(row.not_after)


class OwnKeyAdmin(CertificateAdmin):
    """Whose certificates there are; the private key is never shown."""

    section = Section(
        order=20,
        name=gettext_lazy("Certificates"),
        tab=gettext_lazy("Users' own"),
        icon="file-badge",
        group="certificates",
        is_counted=True,
    )
    list_display = ("name", "user", "state", "until", "use", "sealing", "algorithm")
    list_filter = ("is_current", "sealing", "can_sign", "can_encrypt")
    linked_columns = ("not_after",)  # the months of the overview
    list_select_related = ("user",)
    search_fields = ("user__address", "user__display_name", "name", "fingerprint", "serial")
    ordering = ("not_after",)
    fields = ("user", *_CERTIFICATE, "sealing", "can_sign", "can_encrypt", "is_current")

    @admin.display(description=gettext_lazy("use"), ordering="is_current")
    def use(self, key: OwnKey) -> str:
        """Say what the key is for."""
        if not key.is_current:
            return _("Old mail")
        if key.can_sign and key.can_encrypt:
            return _("Signing, encryption")
        return _("Signing") if key.can_sign else _("Encryption")


class PersonCertificateAdmin(CertificateAdmin):
    """Certificates of people mail is exchanged with."""

    section = Section(
        order=21,
        name=gettext_lazy("Certificates"),
        tab=gettext_lazy("Other people's"),
        icon="file-badge",
        group="certificates",
    )
    list_display = ("name", "address", "state", "until", "source", "user")
    list_filter = ("source",)
    list_select_related = ("user",)
    search_fields = ("name", "address", "fingerprint", "serial")
    ordering = ("name", "address")
    fields = ("user", "address", "source", *_CERTIFICATE)


class IntermediateAdmin(CertificateAdmin):
    """Issuers between people and trust anchors."""

    section = Section(
        order=22,
        name=gettext_lazy("Certificates"),
        tab=gettext_lazy("Issuers between"),
        icon="file-badge",
        group="certificates",
    )
    list_display = ("name", "issuer", "state", "until")
    search_fields = ("name", "fingerprint", "serial")
    ordering = ("name",)
    fields = _CERTIFICATE


admin.site.unregister(User)
admin.site.register(User, PeopleAdmin)
admin.site.register(OwnKey, OwnKeyAdmin)
admin.site.register(PersonCertificate, PersonCertificateAdmin)
admin.site.register(Intermediate, IntermediateAdmin)
admin.site.register(TrustAnchor, TrustAnchorAdmin)
admin.site.register(PersonAnchor, PersonAnchorAdmin)
admin.site.register(RevocationSource, RevocationSourceAdmin)
