"""Settings of workers that tests kill: a silent worker counts as dead after seconds."""

from webmail.settings import *  # noqa: F403

SEND_LEASE_SECONDS = 2.0
UNDO_SEND_SECONDS = 0
