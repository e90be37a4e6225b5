"""What to do about a refusal, by the server's codes."""

import pytest

from webmail.composer.advice import advice


@pytest.mark.parametrize(
    ("code", "enhanced", "words"),
    [
        (550, "5.1.1", "Check the address"),
        (550, "", "Check the address"),
        (553, "5.1.8", "another one as From"),
        (552, "5.2.2", "is full"),
        (552, "", "too large"),
        (552, "5.3.4", "too large"),
        (452, "4.5.3", "fewer people"),
        (535, "5.7.8", "Sign out and in again"),
        (535, "", "Sign out and in again"),
        (554, "5.7.1", "does not allow"),
        (450, "4.4.1", "later"),
        (554, "5.6.0", "another form"),
        (550, "5.9.9", "Check the address"),
        (421, "", "send it again"),
        (None, "", "send it again"),
    ],
)
def test_advice(code, enhanced, words):
    assert words in advice(code, enhanced)
