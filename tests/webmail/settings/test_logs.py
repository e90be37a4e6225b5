"""What may be logged, at whatever level."""

import logging

import pytest
from django.template import Context, Engine

from webmail.settings import logs


@pytest.fixture
def levels():
    """Put the loggers back as they were."""
    named = [None, "django.template", "django.db.backends", "imapclient"]
    before = [(logging.getLogger(name), logging.getLogger(name).level) for name in named]
    yield
    for logger, level in before:
        logger.setLevel(level)


def test_debug_output_holds_no_words_of_a_page(levels, caplog):
    logs.configure(level="DEBUG")
    logging.getLogger().setLevel(logging.DEBUG)
    Engine().from_string("{{ missing }}").render(Context({"subject": "Offer for Bergen"}))
    assert "Bergen" not in caplog.text
