"""What this app asks the apps above it."""

from django.dispatch import Signal

# Which of these mails did not go out (called back, failed)? `envelope_ids`: a set of UUIDs;
# receivers answer with those that did not.
asked_what_failed = Signal()
