"""What is done once the answer to the present request is on its way.

Other tabs of the session that are told of a new cookie before its answer brings it would ask with
the old one, and be told of nothing again.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any

from django.core.signals import request_finished
from django.dispatch import receiver

logger = logging.getLogger(__name__)


class _Waiting(threading.local):
    def __init__(self) -> None:
        self.acts: list[Callable[[], object]] = []


_waiting = _Waiting()


def after_answer(act: Callable[[], object]) -> None:
    """Call `act` in this thread when the request that it serves is answered."""
    _waiting.acts.append(act)


@receiver(request_finished, dispatch_uid="accounts.afterwards")
def _do(sender: object, **_: Any) -> None:  # noqa: ARG001
    acts, _waiting.acts = _waiting.acts, []
    for act in acts:
        try:
            act()
        except Exception:  # the answer is given; the other acts are still to be done
            logger.exception("event=afterwards-failed")
