import pytest
from django.test import Client

PERSON = {
    "section": "person",
    "display_name": "Mira H",
    "signature": "Regards,\nMira <3",
    "language": "en",
    "time_zone": "Europe/Oslo",
}


def test_name_signature_and_zone_are_kept(mailbox, browser, mira):
    assert browser.post("/settings/", PERSON).status_code == 302
    mira.refresh_from_db()
    mailbox.identity.refresh_from_db()
    assert (mira.display_name, mira.time_zone) == ("Mira H", "Europe/Oslo")
    assert mailbox.identity.name == "Mira H"
    assert mailbox.identity.signature == "Regards,<br>Mira &lt;3"
    text = browser.get("/settings/").content.decode()
    assert "Regards,\nMira &lt;3</textarea>" in text


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("time_zone", "Europe/Atlantis", "Choose a time zone from the list"),
        ("display_name", "Mira\x07", "letters, digits and spaces"),
        ("display_name", "x" * 201, "at most 200"),
    ],
)
def test_wrong_values_are_told_and_not_stored(mailbox, browser, mira, field, value, words):
    answer = browser.post("/settings/", {**PERSON, field: value})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    mira.refresh_from_db()
    assert mira.display_name == "Mira Halvorsen"


def test_the_theme_is_drawn_by_the_server(mailbox, browser):
    browser.post("/settings/", {"section": "look", "theme": "dark", "density": "cosy"})
    text = browser.get("/settings/").content.decode()
    assert 'data-theme="dark"' in text
    assert 'data-density="cosy"' in text
    assert 'data-keyboard="off"' in text


def test_an_unknown_theme_is_refused(mailbox, browser, mira):
    browser.post("/settings/", {"section": "look", "theme": "neon"})
    mira.refresh_from_db()
    assert mira.theme == "system"


def test_signing_out_everywhere_else_leaves_this_session(mailbox, browser, mira):
    other = Client()
    other.force_login(mira)
    assert other.get("/settings/").status_code == 200
    assert browser.post("/settings/", {"section": "sessions"}).status_code == 302
    assert browser.get("/settings/").status_code == 200
    assert other.get("/settings/").status_code == 302


def test_times_are_said_in_the_persons_zone(mailbox, browser, mira):
    mira.time_zone = "Asia/Tokyo"
    mira.save()
    mailbox.receive("Late")
    text = browser.get("/mail/inbox").content.decode()
    assert "Monday, 23 November 2026, 18:38" in text


def test_the_browsers_zone_is_taken_once_and_a_setting_overrides_it(mailbox, browser, mira):
    mira.time_zone = ""
    mira.save()
    mailbox.receive("Late")
    browser.cookies["signet-zone"] = "Europe/Atlantis"
    assert "23 November 2026, 09:38" in browser.get("/mail/inbox").content.decode()
    mira.refresh_from_db()
    assert mira.time_zone == ""
    browser.cookies["signet-zone"] = "Asia/Tokyo"
    assert "23 November 2026, 18:38" in browser.get("/mail/inbox").content.decode()
    mira.refresh_from_db()
    assert mira.time_zone == "Asia/Tokyo"
    browser.post("/settings/", PERSON)
    browser.get("/mail/inbox")
    mira.refresh_from_db()
    assert mira.time_zone == "Europe/Oslo"
