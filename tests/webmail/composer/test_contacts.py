"""The address book: saved people, apart from those that mail names; one's own alone."""

import pytest
from django.urls import reverse

from tests.webmail.composer.test_completion import learn, mirrored, suggested
from webmail.attached.contacts import read_cards
from webmail.composer import completion, contacts
from webmail.composer.models import Contact

pytestmark = pytest.mark.django_db


def names(listed):
    return [getattr(each, "shown", None) or each.name or each.address for each in listed.people]


def saved(writer, name, *addresses, note=""):
    return contacts.save(writer.user, name=name, addresses=addresses, note=note)


def test_a_contact_is_saved_changed_and_deleted_on_its_pages(site, alice):
    page = site.get("/contacts/new?name=Bo%20%3CB%3E&address=bo@x.example").content.decode()
    assert 'value="Bo &lt;B&gt;"' in page
    values = {"name": "Bo Berg", "addresses": "Bo@X.example\r\n\r\nbo@y.example", "note": "Oslo"}
    assert site.post("/contacts/new", values).status_code == 302
    contact = Contact.objects.get()
    assert [each.address for each in contact.addresses.all()] == ["bo@x.example", "bo@y.example"]
    page = site.get("/contacts").content.decode()
    assert "Bo Berg" in page
    assert "bo@y.example" in page
    site.post(f"/contacts/{contact.pk}", values | {"addresses": "bo@y.example", "note": ""})
    contact.refresh_from_db()
    assert [each.address for each in contact.addresses.all()] == ["bo@y.example"]
    assert contact.note == ""
    assert site.post(f"/contacts/{contact.pk}/delete").status_code == 302
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    ("addresses", "sentence"),
    [
        ("", "needs an address"),
        ("not an address", "not an address like name@example.org"),
        ("taken@x.example", "saved already, for Somebody"),
        ("\n".join(f"a{n}@x.example" for n in range(21)), "at most 20 addresses"),
    ],
)
def test_what_cannot_be_saved_is_said_and_stays_in_the_form(site, alice, addresses, sentence):
    saved(alice, "Somebody", "taken@x.example")
    answer = site.post("/contacts/new", {"name": "Bo", "addresses": addresses, "note": "kept"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert sentence in page
    assert "kept" in page
    assert Contact.objects.count() == 1


def test_saved_and_seen_are_kept_apart_and_both_are_searched(site, alice):
    learn(alice, mirrored(alice, "ann@x.example", name="Ann"))
    learn(alice, mirrored(alice, "bo@x.example", name="Bo"))
    saved(alice, "Bo Berg", "bo@x.example", note="plays the tuba")
    saved(alice, "", "zoe@x.example")
    assert names(contacts.saved(alice.user)) == ["Bo Berg", "zoe@x.example"]
    assert names(contacts.seen(alice.user)) == ["Ann"]
    for query in ("berg", "BO@X", "tuba"):
        assert names(contacts.saved(alice.user, query)) == ["Bo Berg"]
    assert names(contacts.seen(alice.user, "ann@")) == ["Ann"]
    page = site.get("/contacts?q=nobody%00").content.decode()
    assert "No saved contact matches." in page


def test_more_than_a_page_holds_is_counted(alice, monkeypatch):
    monkeypatch.setattr(contacts, "SHOWN", 2)
    for number in range(5):
        saved(alice, f"P{number}", f"p{number}@x.example")
    listed = contacts.saved(alice.user)
    assert (len(listed.people), listed.more) == (2, 3)


def test_completion_ranks_saved_people_first(alice):
    for age in range(9):
        learn(alice, mirrored(alice, "bo.often@x.example", name="Bo Often", age=age))
    saved(alice, "Bo Saved", "bo.saved@x.example")
    saved(alice, "Bo Known", "bo.often2@x.example", "other@x.example")
    learn(alice, mirrored(alice, "bo.often2@x.example", name="Their Name"))
    assert suggested(alice, "bo") == [
        "bo.often2@x.example", "other@x.example", "bo.saved@x.example", "bo.often@x.example",
    ]  # fmt: skip
    assert completion.suggest(alice.user, "bo.often2")[0].name == "Bo Known"
    assert len(completion.suggest(alice.user, "bo", limit=2)) == 2


def test_saved_people_are_known_with_or_without_mail(alice):
    saved(alice, "Bo", "bo@x.example")
    assert [each.address for each in completion.known(alice.user)] == ["bo@x.example"]
    assert completion.known(alice.user, address="BO@x.example")[0].name == "Bo"
    assert completion.known(alice.user, address="other@x.example") == ()


CARD = {"name": "Bo", "emails": ["bo@x.example", "no address", "bo@y.example"], "note": "tuba"}


def test_a_card_becomes_a_contact_or_adds_to_one(alice):
    first = contacts.save_card(alice.user, CARD | {"emails": ["bo@x.example"], "note": ""})
    again = contacts.save_card(alice.user, CARD | {"name": "Robert"})
    assert again.pk == first.pk
    assert (again.name, again.note) == ("Bo", "tuba")
    assert [each.address for each in again.addresses.all()] == ["bo@x.example", "bo@y.example"]
    saved(alice, "Cy", "cy@x.example")
    third = contacts.save_card(alice.user, CARD | {"emails": ["bo@x.example", "cy@x.example"]})
    assert third.pk == first.pk
    assert Contact.objects.count() == 2
    with pytest.raises(contacts.NotSaved, match="no address that mail can be sent to"):
        contacts.save_card(alice.user, CARD | {"emails": ["no address"]})


def test_the_export_reads_back_whatever_a_name_holds(site, alice):
    odd = 'Bo; "B", \\ ' + "ß🎺" * 60
    note = "first line\nsecond, line; \\n"
    saved(alice, odd, "bo@x.example", "bo@xn--bcher-kva.example", note=note)
    saved(alice, "", "zoe@x.example")
    answer = site.get("/contacts/all.vcf")
    assert answer["Content-Type"] == "text/vcard"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert max(len(line) for line in answer.content.split(b"\r\n")) <= 75
    cards = read_cards(answer.content.decode()).cards
    assert (cards[0].name, cards[0].note) == (odd, note)
    assert cards[0].emails == ("bo@x.example", "bo@xn--bcher-kva.example")
    assert cards[1].name == "zoe@x.example"
    contact = Contact.objects.get(name="")
    one = read_cards(site.get(f"/contacts/{contact.pk}.vcf").content.decode())
    assert [card.emails for card in one.cards] == [("zoe@x.example",)]


@pytest.mark.parametrize("name", ["contact", "export-contact", "delete-contact"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_check_49_another_persons_contact_is_no_contact(site, mallory, name, method):
    """reliability.md 49: absent and foreign are answered alike."""
    theirs = saved(mallory, "Hidden", "hidden@x.example")
    answers = [
        getattr(site, method)(
            reverse(f"composer:{name}", args=[number]), {"addresses": "a@b.example"}
        )
        for number in (theirs.pk, theirs.pk + 1)
    ]
    assert answers[0].status_code == answers[1].status_code
    assert answers[0].status_code in {404, 405}
    theirs.refresh_from_db()
    assert theirs.name == "Hidden"
    assert b"Hidden" not in site.get("/contacts").content + site.get("/contacts/all.vcf").content


def test_two_people_may_save_the_same_address(alice, mallory):
    saved(alice, "Bo", "bo@x.example")
    saved(mallory, "Bo", "bo@x.example")
    assert suggested(mallory, "bo") == ["bo@x.example"]


def test_nobody_signed_in_sees_no_contacts(client):
    for name in ("contacts", "new-contact", "export-contacts"):
        assert client.get(reverse(f"composer:{name}")).status_code == 302
