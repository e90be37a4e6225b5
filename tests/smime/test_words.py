"""Every sentence stands in one catalogue, word for word as designed."""

import pytest

from smime import words
from smime.verdict_rules import RULES
from smime.words import Phrase, fill

# code | class | flag in the list | headline | sentence
SIGNATURE = """
from-malformed | bad | Check sender | The sender field is malformed | Nobody can say whose message this should be. Treat the sender as unknown.
two-senders | bad | Check sender | Two different senders are named | Outside it says {outer}, inside {inner}. Treat the sender as unknown.
altered-by-list | none |  | Signature not checkable | A mailing list changed this message on the way, so its signature proves nothing. Read it like unsigned mail.
altered | warn | Altered | This message was changed after it was signed | A mail gateway may have done this, or someone may have tampered with it. Ask the sender by another way before you act on it.
forged | warn | Not genuine | The signature is not genuine | It was not made with the key it names. Treat the sender as unknown.
broken-algorithm | none |  | The signature proves nothing | It was made with a method that anyone can forge. Read it like unsigned mail.
no-signature | none |  | Not signed | This message carries certificates, not a signature.
uncheckable | warn | Not checked | This signature cannot be checked | {reason}.
wrong-key-usage | warn | Not accepted | This signature does not count | It was made with a key that is not allowed to sign mail.
signed-outside | none |  | Signed on the outside only | {name} closed this envelope. Nobody can say who wrote what is inside.
impostor | bad | Check sender | Signed by someone other than the sender | The message says it is from {from}, whose certificate you know; the signature belongs to {addr}.
issuer-blocked | bad | Blocked issuer | Your organisation does not accept this signer | Certificates from {issuer} are blocked here. Treat the sender as unknown.
revoked | bad | Withdrawn | The signer's certificate was withdrawn | It was revoked on {date}, before this message. Treat the sender as unknown.
signer-is-agent | warn | Check sender | Signed by the sending agent, not the author | {sender} signed for {from}.
signer-not-from | warn | Check sender | Signed by someone other than the sender | The message says it is from {from}, but the signature belongs to {addr}.
several-authors | warn | Check sender | Several senders are named | Only {addr} signed.
no-address | warn | Check sender | Signed, but without an address | The signature belongs to {name}. It does not say which address is theirs.
expired | warn | Expired | Signed after the certificate had expired | It expired on {date}. This was signed on {signed}.
not-yet-valid | warn | Not valid yet | Signed with a certificate that is not valid yet | It starts on {date}.
wrong-purpose | warn | Wrong purpose | The certificate is not meant for signing mail | It was issued for {purposes}.
weak-algorithm | warn | Weak | Signed with an outdated method | It can be forged with effort. Ask {name} to renew the certificate.
old-signature | warn | Old signature | Signed long before it was sent | It was signed on {date}: perhaps an old message sent again.
revoked-later | ok |  | Signed by {name} | Matches the sender and unchanged. The certificate was withdrawn later, on {date}.
chain-incomplete | unknown |  | Signature from a certificate we cannot check | A link to its issuer is missing.
self-signed | unknown |  | {name} vouches only for themselves | The certificate is self-made. Compare its fingerprint with {name} to trust it.
issuer-unknown | unknown |  | Signature from a certificate we do not know | Unchanged since signing, but nobody you trust vouches for "{name}".
signed-expired-since | ok |  | Signed by {name} | Matches the sender and unchanged. The certificate was valid when the message arrived; it has expired since.
signed-first | ok |  | Signed by {name}, for the first time | Matches the sender and unchanged since signing. You have not had signed mail from this address before.
signed-new-certificate | ok |  | Signed by {name} with a new certificate | Matches the sender and unchanged. The certificate is new since {date}.
signed-not-rechecked | ok |  | Signed by {name} | Matches the sender and unchanged. We could not check whether the certificate was withdrawn.
signed | ok |  | Signed by {name} | Matches the sender and unchanged since signing.
partly-signed | none |  | Not signed as a whole | A part of this message is signed; it is framed. The rest could be from anyone.
signature-missing | warn | Not signed | Not signed, unlike other mail from {name} | The last {n} messages from this address were signed. Be careful if this one asks for something.
unsigned | none |  | Not signed, not encrypted |
"""

# code | class | headline
ENCRYPTION = """
key-missing | none | You cannot open this message yet
no-own-key | none | This message is encrypted
key-locked | none | Unlock your keys
damaged | warn | The encrypted message is incomplete or damaged
tampered | bad | This message was changed or damaged on the way
too-nested | warn | This message is packed too deeply
too-large | warn | This message would become too large
old-method-unsigned | warn | Encrypted with an old method
obsolete-cipher | warn | Encrypted with an outdated method
encrypted | none | Encrypted, sender not proven
encrypted-signed | none |
partly-encrypted | none | Not encrypted as a whole
not-encrypted | none |
"""


def rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]


@pytest.mark.parametrize("row", rows(SIGNATURE), ids=lambda row: row[0])
def test_signature_words(row):
    code, level, flag, headline, sentence = row
    said = words.SIGNATURE[code]
    assert (said.level, said.flag, said.headline, said.sentence) == (
        level,
        flag,
        headline,
        sentence,
    )


@pytest.mark.parametrize("row", rows(ENCRYPTION), ids=lambda row: row[0])
def test_encryption_words(row):
    code, level, headline = row
    assert (words.ENCRYPTION[code].level, words.ENCRYPTION[code].headline) == (level, headline)


def test_the_rules_stand_in_the_order_of_the_table():
    order = [row[0] for row in rows(SIGNATURE)]
    assert ["from-malformed", "two-senders", *(code for code, _ in RULES)] == order
    assert set(words.SIGNATURE) == set(order)
    assert set(words.ENCRYPTION) == {row[0] for row in rows(ENCRYPTION)}


def test_values_cannot_smuggle_placeholders():
    assert fill("Signed by {name}.", {"name": "{addr}", "addr": "x"}) == "Signed by {addr}."
    assert Phrase("{a}{b}", {"a": "1"}).text == "1"
    assert fill("open { brace", {}) == "open { brace"
