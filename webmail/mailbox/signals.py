"""What this app announces to the apps above it."""

from django.dispatch import Signal

# Messages got rows: account, message_ids (newest first), is_new (arrived just now, not backfilled).
# Sent after the commit, in the worker that mirrored them.
messages_mirrored = Signal()

# Whom does a person write to and hear from? `user`; `address`: "" for all. Receivers answer with
# `webmail.mailbox.correspondents.Correspondent`s, the most used first.
asked_for_correspondents = Signal()
