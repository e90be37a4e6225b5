"""Sentences for key files that cannot be used: what it means, then what to do."""

from django.utils.translation import gettext as _


def key_file_problem(code: str) -> str:
    """Return the sentence for a code of `smime.pki.Pkcs12Error`."""
    sentences = {
        "passphrase": _("The password of this file is not right. Try it again."),
        "no-key": _(
            "This file has a certificate but no private key. You can save it for a person, not "
            "for yourself."
        ),
        "not-pkcs12": _("This is not a key file. Choose the .p12 or .pfx of your mail program."),
        "iterations": _(
            "Opening this file would take too long. Export the key again with default settings."
        ),
        "old-cipher": _(
            "This file is locked with a method that is no longer safe. Export the key again with "
            "a newer program."
        ),
    }
    return sentences.get(code, _("This key file cannot be used."))
