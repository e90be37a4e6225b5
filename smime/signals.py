"""What this app announces to the apps above it."""

from django.dispatch import Signal

# A certificate of an address became known to a person, or was forgotten: mail from that address
# may read otherwise (verdicts.md, ground rule 10). Sent after the commit. Arguments: user_id,
# address (canonical).
person_known = Signal()

# Whether certificates are withdrawn became known, or is another than was known: signed mail from
# their addresses, or signed with them, may read otherwise. Sent after the commit. Arguments:
# addresses (canonical) and fingerprints (SHA-256) of people's certificates.
withdrawal_known = Signal()

# An authority between signer and root became known: mail whose path ended early may have a whole
# one now. Sent after the commit, without arguments.
issuer_known = Signal()

# What a person's session can open is another: their keys were locked or unlocked. Sent when the
# session is saved. Arguments: user_id.
vault_turned = Signal()
