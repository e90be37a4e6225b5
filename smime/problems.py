"""Sentences for what cannot be used: what it means, then what to do."""

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
        "unknown-key": _(
            "The key in this file is of a kind that Signet does not know. Ask for one of another "
            "kind."
        ),
    }
    return sentences.get(code, _("This key file cannot be used."))


def revocation_problem(problem: str) -> str:
    """Return the sentence for why an address gave no answer that counts (`NoAnswerError`)."""
    sentences = {
        "not a revocation list": _("What came is no revocation list."),
        "no certificates": _("What came holds no certificate."),
        "a list that does not count: signature, time or scope": _(
            "The list does not count: its issuer, signature, time or scope does not fit."
        ),
        "an answer that is not fresh": _("The answer is out of date, or from the future."),
        "too slow": _("It did not answer in time."),
        "too many redirects": _("It leads in circles."),
        "the host has no address": _("Its name leads to no server."),
        "larger than the limit": _("What came is larger than the limit."),
    }
    if problem in sentences:
        return sentences[problem]
    kind, _colon, rest = problem.partition(" ")
    if kind == "status":
        return _("It answers with the status {number}.").format(number=rest)
    if problem.startswith("the address may not be asked"):
        return _("The address may not be asked: {why}.").format(why=problem.partition(": ")[2])
    return _("It did not answer: {why}.").format(why=problem)
