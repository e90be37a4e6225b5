"""Who sees what in the admin panel: nobody without staff status, and then by Django's rights alone."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import audit
from accounts.admission import admit
from accounts.models import AuditEvent, MailAccount, MailServer, User
from smime import vault
from smime.models import OwnKey, TrustAnchor
from smime.pki.authority import issue, new_root, to_pkcs12
from smime.revocation_models import RevocationSource
from tests.accounts.admin_clients import client_of, staff_with

pytestmark = pytest.mark.django_db
NOW = timezone.now()
ROOT = new_root("Rights test CA", NOW - timedelta(days=9))


class World:
    """One row of everything, each with a name that is found on no page by chance."""

    def __init__(self) -> None:
        from cryptography.hazmat.primitives.serialization import Encoding

        from smime import trust

        self.person = User.objects.create_user("vera@example.test", display_name="Vera Quist")
        self.boss = User.objects.create_superuser("root@example.test", "a very long password")
        server = MailServer.objects.create(
            domain="quist.example", imap_host="imap.quist.example", submission_host="s"
        )
        self.account = MailAccount.objects.create(
            user=self.person,
            server=server,
            address="vera@quist.example",
            login_name="vera",
            sealed_password=b"x",
            state=MailAccount.State.UNREACHABLE,
        )
        pair = issue(
            ROOT,
            self.person.address,
            "Vera's card",
            not_before=NOW - timedelta(days=1),
            not_after=NOW + timedelta(days=9),
            key="p256",
        )
        (self.key,) = vault.import_keys(
            self.person, to_pkcs12(pair, "x"), "x", sealing=OwnKey.Sealing.MANAGED
        )
        (self.anchor,) = trust.add_anchor(
            ROOT.certificate.public_bytes(Encoding.PEM), actor=None, reason="for the test"
        )
        self.source = RevocationSource.objects.create(
            key="k" * 64, kind="list", url="http://pki.quist.example/ca.crl", failures=3
        )
        AuditEvent.objects.all().delete()
        self.event = audit.record("signed-in", actor=self.person)


@pytest.fixture
def world(valkey: str) -> World:
    return World()


def _paths(world: World) -> dict[str, str]:
    return {
        "user list": reverse("admin:accounts_user_changelist"),
        "user": reverse("admin:accounts_user_change", args=[world.person.pk]),
        "user history": reverse("admin:accounts_user_history", args=[world.person.pk]),
        "user add": reverse("admin:accounts_user_add"),
        "server list": reverse("admin:accounts_mailserver_changelist"),
        "server add": reverse("admin:accounts_mailserver_add"),
        "account list": reverse("admin:accounts_mailaccount_changelist"),
        "account": reverse("admin:accounts_mailaccount_change", args=[world.account.pk]),
        "key list": reverse("admin:smime_ownkey_changelist"),
        "key": reverse("admin:smime_ownkey_change", args=[world.key.pk]),
        "people list": reverse("admin:smime_personcertificate_changelist"),
        "issuer list": reverse("admin:smime_intermediate_changelist"),
        "anchor list": reverse("admin:smime_trustanchor_changelist"),
        "anchor": reverse("admin:smime_trustanchor_change", args=[world.anchor.pk]),
        "anchor add": reverse("admin:smime_trustanchor_add"),
        "own anchor list": reverse("admin:smime_personanchor_changelist"),
        "source list": reverse("admin:smime_revocationsource_changelist"),
        "source": reverse("admin:smime_revocationsource_change", args=[world.source.pk]),
        "audit list": reverse("admin:accounts_auditevent_changelist"),
        "audit": reverse("admin:accounts_auditevent_change", args=[world.event.pk]),
        "audit export": reverse("admin:accounts_auditevent_export"),
    }


OPEN = {
    (): set(),
    ("accounts.view_user",): {"user list", "user", "user history"},
    ("accounts.add_user",): {"user add"},
    ("accounts.change_user",): {"user list", "user", "user history"},
    ("accounts.view_mailserver",): {"server list"},
    ("accounts.add_mailserver",): {"server add"},
    ("accounts.view_mailaccount",): {"account list", "account"},
    ("accounts.change_mailaccount",): {"account list", "account"},
    ("smime.view_ownkey",): {"key list", "key"},
    ("smime.view_personcertificate",): {"people list"},
    ("smime.view_intermediate",): {"issuer list"},
    ("smime.view_trustanchor",): {"anchor list", "anchor"},
    ("smime.add_trustanchor",): {"anchor add"},
    ("smime.delete_trustanchor",): set(),
    ("smime.view_personanchor",): {"own anchor list"},
    ("smime.view_revocationsource",): {"source list", "source"},
    ("smime.change_revocationsource",): {"source list", "source"},
    ("accounts.view_auditevent",): {"audit list", "audit", "audit export"},
    ("accounts.view_user", "smime.view_trustanchor"): {
        "user list", "user", "user history", "anchor list", "anchor",
    },
}  # fmt: skip


@pytest.mark.parametrize("rights", OPEN, ids=lambda rights: " ".join(rights) or "none")
def test_a_right_opens_its_pages_and_no_other(world: World, rights: tuple[str, ...]) -> None:
    clerk = client_of(staff_with(*rights))
    opened = {name for name, path in _paths(world).items() if clerk.get(path).status_code == 200}
    assert opened == OPEN[rights]


# What each right lets the overview say, and what stands for it there.
SAID = {
    "accounts.view_user": {"users"},
    "smime.view_ownkey": {"chart"},
    "smime.view_trustanchor": {"Rights test CA"},
    "accounts.view_mailaccount": {"mail account has a problem"},
    "smime.view_revocationsource": {"does not answer"},
    "accounts.view_auditevent": {"signed in"},
}
MARKS = {
    "users": "<span>users</span>",
    "chart": "Certificates that expire",
    "Rights test CA": "Rights test CA",
    "mail account has a problem": "mail account has a problem",
    "signed in": "signed in",
    "does not answer": "revocation address does not answer",
    "Vera Quist": "Vera Quist",
    "expires": "Expires in 8 days",
}


@pytest.mark.parametrize("right", [*SAID, "none"])
def test_the_overview_says_only_what_the_rights_reach(world: World, right: str) -> None:
    clerk = client_of(staff_with(*([right] if right != "none" else [])))
    page = clerk.get("/admin/").content.decode()
    said = {name for name, mark in MARKS.items() if mark in page}
    # The name of who did it is part of the audit log.
    also = {"Vera Quist"} if right == "accounts.view_auditevent" else set()
    assert said == SAID.get(right, set()) | also


def test_certificates_stand_beside_people_only_for_those_who_may_see_both(world: World) -> None:
    users = reverse("admin:accounts_user_changelist")
    person = reverse("admin:accounts_user_change", args=[world.person.pk])
    one = client_of(staff_with("accounts.view_user"))
    both = client_of(
        staff_with("accounts.view_user", "smime.view_ownkey", address="two@example.test")
    )
    for path in (users, person):
        assert "Expires in 8 days" not in one.get(path).content.decode()
        assert "Expires in 8 days" in both.get(path).content.decode()
    assert "Vera Quist" in both.get("/admin/").content.decode()
    assert one.get(users, {"certificate": "ending"}).status_code in {200, 302}


def test_the_search_finds_only_what_the_rights_reach(world: World) -> None:
    clerk = client_of(staff_with("smime.view_trustanchor"))
    assert "Rights test CA" in clerk.get("/admin/search/", {"q": "Rights"}).content.decode()
    assert "vera@" not in clerk.get("/admin/search/", {"q": "vera"}).content.decode()
    found = client_of(world.boss).get("/admin/search/", {"q": "vera"}).content.decode()
    assert "vera@quist.example" in found
    assert "signed in" in found


@pytest.mark.parametrize("is_active", [True, False])
def test_people_who_are_no_staff_get_nothing(world: World, is_active: bool) -> None:
    plain = User.objects.create_user("plain@example.test")
    plain.user_permissions.set(Permission.objects.all())
    browser = client_of(plain)
    if not is_active:
        User.objects.filter(pk=plain.pk).update(is_active=False)
    for path in ["/admin/", "/admin/search/?q=vera", *_paths(world).values()]:
        answer = browser.get(path, follow=is_active)
        assert answer.status_code == (403 if is_active else 302), path
        assert b"Vera" not in answer.content
        stranger = Client().get(path)
        assert stranger.status_code == 302
    posts = reverse("admin:accounts_mailaccount_changelist")
    act = {"action": "pause", "_selected_action": world.account.pk, "reason": "spite"}
    assert browser.post(posts, act).status_code == 302
    world.account.refresh_from_db()
    assert world.account.state == MailAccount.State.UNREACHABLE


def _form(person: User, **more: object) -> dict[str, object]:
    return {
        "address": person.address,
        "display_name": "Vera",
        "language": "",
        "is_active": "on",
        "password": "",
        "reason": "test",
        **more,
    }


def test_the_right_to_change_users_is_not_the_right_to_everything(world: World) -> None:
    clerk_user = staff_with("accounts.view_user", "accounts.change_user", "accounts.add_user")
    clerk = client_of(clerk_user)
    path = reverse("admin:accounts_user_change", args=[world.person.pk])
    every = [str(pk) for pk in Permission.objects.values_list("pk", flat=True)]
    climb = {"is_staff": "on", "is_superuser": "on", "user_permissions": every}
    assert clerk.post(path, _form(world.person, **climb)).status_code == 302
    world.person.refresh_from_db()
    assert world.person.display_name == "Vera"
    assert not world.person.is_staff
    assert not world.person.is_superuser
    assert not world.person.user_permissions.exists()
    for person in (world.boss, clerk_user):
        own = reverse("admin:accounts_user_change", args=[person.pk])
        taken = _form(person, password="another long password", **climb)
        assert clerk.post(own, taken).status_code == 403
    added = _form(world.person, address="new@example.test", **climb)
    assert clerk.post(reverse("admin:accounts_user_add"), added).status_code == 302
    new = User.objects.get(address="new@example.test")
    assert (new.is_staff, new.is_superuser, new.user_permissions.count()) == (False, False, 0)
    world.boss.refresh_from_db()
    assert world.boss.check_password("a very long password")


def test_an_administrator_without_limits_gives_rights_and_cannot_lose_their_own(
    world: World,
) -> None:
    boss = client_of(world.boss)
    right = Permission.objects.get(codename="view_auditevent")
    path = reverse("admin:accounts_user_change", args=[world.person.pk])
    given = _form(world.person, is_staff="on", user_permissions=[str(right.pk)])
    assert boss.post(path, given).status_code == 302
    person = User.objects.get(pk=world.person.pk)
    assert person.has_perm("accounts.view_auditevent")
    event = AuditEvent.objects.filter(action="user-changed").latest("pk")
    assert {"is_staff", "user_permissions"} <= set(event.details["fields"])
    own = reverse("admin:accounts_user_change", args=[world.boss.pk])
    answer = boss.post(own, _form(world.boss, is_staff="on"))
    assert answer.status_code == 200
    assert "cannot take this from yourself" in answer.content.decode()
    groups = Permission.objects.get(codename="change_group")
    refused = boss.post(path, _form(world.person, user_permissions=[str(groups.pk)]))
    assert refused.status_code == 200


def test_a_local_password_opens_nobodys_mail(world: World) -> None:
    boss = client_of(world.boss)
    path = reverse("admin:accounts_user_change", args=[world.person.pk])
    answer = boss.post(path, _form(world.person, password="a very long password"))
    assert answer.status_code == 200
    assert "would open their mail" in answer.content.decode()
    world.person.refresh_from_db()
    assert not world.person.has_usable_password()


def test_a_prepared_row_never_opens_the_mail_of_who_comes_later(world: World) -> None:
    clerk = client_of(staff_with("accounts.view_user", "accounts.change_user", "accounts.add_user"))
    domain = world.account.server.domain
    add, words = reverse("admin:accounts_user_add"), "a very long password"
    answer = clerk.post(add, _form(world.person, address=f"victim@{domain}", password=words))
    assert "would open their mail" in answer.content.decode()
    local = User.objects.create_user("local@elsewhere.test", words)
    path = reverse("admin:accounts_user_change", args=[local.pk])
    answer = clerk.post(path, _form(local, address=f"victim@{domain}"))
    assert "would open their mail" in answer.content.decode()
    path = reverse("admin:accounts_user_change", args=[world.person.pk])
    answer = clerk.post(path, _form(world.person, address=f"victim@{domain}"))
    assert "keeps their address" in answer.content.decode()
    assert not User.objects.filter(address=f"victim@{domain}").exists()
    # A row that was there before the domain had its server.
    prepared = User.objects.create_user(f"victim@{domain}", words)
    epoch = prepared.session_epoch
    found, _account = admit(
        server=world.account.server, address=prepared.address, password="theirs"
    )
    found.refresh_from_db()
    assert found.pk == prepared.pk
    assert not found.has_usable_password()
    assert found.session_epoch > epoch


@pytest.mark.parametrize(
    "query", ["password__startswith=argon2", "password__gt=a", "session_epoch__gt=0"]
)
def test_a_table_is_filtered_by_its_own_filters_only(world: World, query: str) -> None:
    clerk = client_of(staff_with("accounts.view_user"))
    path = reverse("admin:accounts_user_changelist")
    assert clerk.get(f"{path}?{query}").status_code == 400
    assert clerk.get(f"{path}?is_active__exact=1").status_code == 200


def test_to_remove_an_authority_needs_its_own_right(world: World) -> None:
    path = reverse("admin:smime_trustanchor_change", args=[world.anchor.pk])
    fields = {"decision": "remove", "limits": "", "reason": "gone"}
    clerk = client_of(staff_with("smime.view_trustanchor", "smime.change_trustanchor"))
    assert clerk.post(path, fields).status_code == 200
    assert TrustAnchor.objects.exists()
    both = ("smime.change_trustanchor", "smime.delete_trustanchor")
    officer = client_of(staff_with(*both, address="officer@example.test"))
    answer = officer.post(path, fields, follow=True)
    assert not TrustAnchor.objects.exists()
    assert "is removed" in answer.content.decode()


def test_groups_have_no_page(world: World) -> None:
    assert client_of(world.boss).get("/admin/auth/group/").status_code == 404
