"""A message whose rendering is killed by its limits of time or memory: the header, a sentence, the
original; and no worker dies of it again and again.
"""

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from webmail.reader import pipeline, store

SENTENCE = "This message could not be shown safely. You can download the original."


@pytest.mark.parametrize("problem", [SoftTimeLimitExceeded, MemoryError])
def test_what_cannot_be_rendered_is_said_and_the_original_offered(
    letters, workers, monkeypatch, problem
) -> None:
    tried: list[int] = []

    def die(**_: object) -> pipeline.Rendered:
        tried.append(1)
        raise problem

    monkeypatch.setattr(pipeline, "make", die)
    raw = b"From: Anna <anna@nordlys.example>\r\nSubject: Letter\r\n\r\nText\r\n"
    message = letters.put(raw)
    for _ in range(5):
        page = letters.opened(message)
        assert SENTENCE in page
        assert "<iframe" not in page
        assert "Text" not in page  # nothing less strict stands in for it
        assert f'href="/message/{message.pk}/raw.eml"' in page
    assert len(tried) <= store.FAILURE_LIMIT + 1
    original = letters.client.get(f"/message/{message.pk}/raw.eml")
    assert b"".join(original.streaming_content) == raw
