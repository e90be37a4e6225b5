"""Logging: one line an event, `key=value`, to standard error.

Never a subject, address, body, password or key (style.md §2.11): callers pass ids only.
"""

import logging

from django.core.exceptions import ImproperlyConfigured


def configure(*, level: str) -> None:
    """Send every logger to standard error at `level`; libraries that chatter stay at WARNING."""
    known = logging.getLevelNamesMapping()
    if level.upper() not in known:
        raise ImproperlyConfigured(
            f"SIGNET_LOG_LEVEL must be one of {', '.join(known)}, not “{level}”."
        )
    logging.basicConfig(
        level=known[level.upper()],
        format="time=%(asctime)s level=%(levelname)s logger=%(name)s %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S%z",
    )
    for chatty in ("imapclient", "asyncio", "PIL", "pyhanko_certvalidator"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # Their debug output holds what pages show, and what rows are asked for.
    for telling in ("django.template", "django.db.backends"):
        logging.getLogger(telling).setLevel(logging.INFO)
    # IMAPClient's and imaplib's debug output would hold passwords.
    logging.getLogger("imapclient").propagate = False
    logging.captureWarnings(capture=True)
