"""What this app announces to the apps above it."""

from django.dispatch import Signal

# A person signed in: user, accounts (list of MailAccount), request. Sent after the commit.
signed_in = Signal()

# Sessions of a person have ended, one or all of them: user_id. Sent after the commit.
sessions_ended = Signal()

# Other names in Authentication-Results fields are trusted for a mail server's mail: server. Sent
# after the commit.
trusted_results_changed = Signal()

# A mail account is new or has a working password again: account. Sent after the commit.
account_added = Signal()
