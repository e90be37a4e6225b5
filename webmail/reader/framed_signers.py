"""Who signed parts of a message: kept with its reading, so that their mail is found again."""

from collections.abc import Iterable

from smime.verdict import Verdict
from webmail.reader.models import FramedSigner, Reading


def keep(message_id: int, framed: Iterable[Verdict], *, is_secret: bool) -> None:
    """Keep who signed the framed parts; of mail that was opened with a key only that somebody did.

    They depend on the message alone, so verdicts that are judged again leave them as they are.
    """
    found = {
        "" if is_secret else signer.fingerprint
        for verdict in framed
        for signer in verdict.signature.signers
        if signer.certificate is not None
    }
    rows = FramedSigner.objects.filter(reading__message_id=message_id)
    known = set(rows.values_list("fingerprint", flat=True))
    if known == found:
        return
    rows.exclude(fingerprint__in=found).delete()
    for reading in Reading.objects.filter(message_id=message_id).only("pk"):
        FramedSigner.objects.bulk_create(
            (FramedSigner(reading=reading, fingerprint=each) for each in sorted(found - known)),
            ignore_conflicts=True,  # two renderings of one message say the same
        )
