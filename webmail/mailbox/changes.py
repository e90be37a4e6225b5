"""Telling a person's open pages that something changed: ids and interface words, never mail text.

Published after the commit on "events:<user id>"; webmail.live sends it on to the browser. Losing
one costs a reload's worth of freshness, nothing else.
"""

import json
import logging
from collections.abc import Iterable
from functools import partial
from typing import Literal

from django.db import transaction

from accounts.models import MailAccount
from accounts.redis import RedisError, client

logger = logging.getLogger(__name__)

type Kind = Literal["folder", "message", "outbox", "toast", "account"]


def channel(user_id: int) -> str:
    """Return the Redis channel of a person's events."""
    return f"events:{user_id}"


def announce(
    account: MailAccount,
    *,
    folder_ids: Iterable[int] = (),
    kind: Kind = "folder",
    message_ids: Iterable[int] = (),
    words: str = "",
) -> None:
    """Publish {"kind", "account", "folders", "messages", "words"} once the transaction commits.

    words: a sentence for a toast, in the interface's own words. Never raises.
    """
    event = {
        "kind": kind,
        "account": account.pk,
        "folders": sorted(set(folder_ids)),
        "messages": sorted(set(message_ids)),
        "words": words,
    }
    transaction.on_commit(partial(_publish, account.user_id, json.dumps(event)))


def _publish(user_id: int, event: str) -> None:
    try:
        client().publish(channel(user_id), event)
    except RedisError:
        logger.warning("event=announcement-lost user=%d", user_id)
