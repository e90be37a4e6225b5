"""Keys that SIGNET_POST_QUANTUM lets nobody write with: the composer says so, in its own words."""

from datetime import timedelta

import pytest
from django.utils import timezone

from smime import vault
from smime.models import OwnKey
from smime.pki.authority import issue, new_root, to_pkcs12
from webmail.composer import certificates, drafts
from webmail.composer.composer_page import open_url
from webmail.composer.models import Draft
from webmail.composer.validation import NotSendable, check_sendable

pytestmark = pytest.mark.django_db

NOW = timezone.now().replace(microsecond=0)
DAY = timedelta(days=1)
WHY = "It is a post-quantum key (ML-DSA-65), which your administrator has not allowed for writing."


@pytest.fixture(scope="module")
def root():
    return new_root("Composer root", NOW - 99 * DAY)


def has_key(alice, root, kind):
    dates = {"not_before": NOW - 9 * DAY, "not_after": NOW + 99 * DAY, "key": kind}
    pair = issue(root, "alice@example.org", "Alice", **dates)
    vault.import_keys(alice.user, to_pkcs12(pair, "x"), "x", sealing=OwnKey.Sealing.MANAGED)


def panel_of(alice, draft):
    row = Draft.objects.get(pk=draft.pk)
    try:
        check_sendable(alice.user, row, drafts.content_of(row), None)
    except NotSendable as refused:
        return refused.protection
    return None


def test_a_draft_that_would_be_signed_with_it(alice, root, settings):
    settings.POST_QUANTUM = "pure"
    has_key(alice, root, "mldsa65")
    draft = alice.draft(sign=True)
    assert panel_of(alice, draft) is None
    settings.POST_QUANTUM = "composite"  # the administrator thought better of it
    panel = panel_of(alice, draft)
    assert (panel.kind, panel.sentence) == ("own-key-unwritten", WHY)
    assert [each.value for each in panel.choices] == ["plain"]


def test_the_page_says_why_a_new_mail_is_not_signed(alice, root, site, settings):
    settings.POST_QUANTUM = "off"
    has_key(alice, root, "mldsa65")
    answer = site.get(open_url(alice.draft().pk))
    assert WHY in answer.content.decode()
    request = answer.wsgi_request
    assert certificates.default_protection(alice.user, alice.identity, request) == (False, False)


def test_beside_a_key_that_signs_it_is_no_matter(alice, root, site, settings):
    settings.POST_QUANTUM = "off"
    has_key(alice, root, "mldsa65")
    has_key(alice, root, "p256")
    assert panel_of(alice, alice.draft(sign=True)) is None
    assert WHY not in site.get(open_url(alice.draft().pk)).content.decode()
