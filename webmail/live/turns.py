"""Sessions that may show less than before, or that ended: their open pages are told at once.

    keys locked, unlocked, added or deleted ┐
    signed out, disabled, new password      ┴─▶ hint ─▶ each stream of the person asks what its
                                                        own session may show now

The hint says nothing else, so that it can be given to all of a person's streams.
"""

import logging
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from accounts.redis import RedisError, client
from accounts.signals import sessions_ended
from smime.models import OwnKey
from smime.signals import vault_turned
from webmail.mailbox.changes import channel

HINT = b"session"  # no JSON: it never reaches a page

logger = logging.getLogger(__name__)


@receiver(sessions_ended, dispatch_uid="live.sessions-ended")
@receiver(vault_turned, dispatch_uid="live.vault-turned")
def _have_asked(sender: object, *, user_id: int, **_: Any) -> None:  # noqa: ARG001
    """Have the person's streams ask now, not with their next heartbeat."""
    try:
        client().publish(channel(user_id), HINT)
    except RedisError:
        logger.warning("event=turn-not-told user=%d", user_id)


@receiver([post_save, post_delete], sender=OwnKey, dispatch_uid="live.keys-changed")
def _keys_changed(sender: object, *, instance: OwnKey, **_: Any) -> None:
    """Other keys open other mail."""
    transaction.on_commit(lambda: _have_asked(sender, user_id=instance.user_id))
