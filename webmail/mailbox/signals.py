"""What this app announces to the apps above it."""

from django.dispatch import Signal

# Messages got rows: account, message_ids (newest first), is_new (arrived just now, not backfilled).
# Sent after the commit, in the worker that mirrored them.
messages_mirrored = Signal()
