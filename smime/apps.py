"""The smime app."""

from typing import override

from django.apps import AppConfig
from django.db.models import Q


class SmimeConfig(AppConfig):
    """Certificates and keys."""

    name = "smime"
    verbose_name = "Certificates and keys"

    @override
    def ready(self) -> None:
        from accounts.rotation import SealedColumn, register
        from smime.vault import PURPOSE, seal_subject

        register(
            SealedColumn(
                model="smime.OwnKey",
                column="sealed_key",
                purpose=PURPOSE,
                subject=seal_subject,
                where=Q(sealing="managed"),
            )
        )
