"""Persons, teams, contact methods: who may change them and what stays written."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from tests.domains import worlds
from tocsin.audit.models import Entry
from tocsin.core.access import ANONYMOUS, SYSTEM, Role
from tocsin.core.contact_readiness import Gap
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.people import actions, queries
from tocsin.people.models import ContactMethod, Person

pytestmark = pytest.mark.django_db


def last_entry() -> Entry:
    return Entry.objects.latest("seq")


def test_a_new_person_is_reached_by_the_address_that_was_given(now: datetime) -> None:
    person = actions.add_person(SYSTEM, username="mara", email=" mara@harbor.example ", now=now)
    assert person.email == "mara@harbor.example"
    [method] = queries.contact_methods(worlds.administrator(), "mara")
    assert (method.channel, method.address, method.enabled) == ("email", "mara@harbor.example", True)
    assert not person.has_usable_password()


def test_adding_a_person_is_written_in_the_log_with_the_role(now: datetime) -> None:
    actions.add_person(worlds.administrator(), username="mara", email="m@harbor.example", role="coach", now=now)
    entry = last_entry()
    assert (entry.kind, entry.actor) == (Kind.PERSON_SAVED, "ada")
    assert entry.data["username"] == "mara"
    assert entry.data["role"] == "coach"


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"username": "no spaces"}, "username"),
        ({"username": ""}, "username"),
        ({"username": "x" * 151}, "username"),
        ({"username": "ok", "email": "nowhere"}, "email"),
        ({"username": "ok", "email": "a@b.example\nBcc: c@d.example"}, "email"),
        ({"username": "ok", "role": "emperor"}, "role"),
        ({"username": "ok", "time_zone": "Mars/Olympus"}, "time_zone"),
    ],
)
def test_an_unfit_person_is_refused_with_the_field_named(fields: dict[str, str], place: str, now: datetime) -> None:
    with pytest.raises(Invalid) as refusal:
        actions.add_person(SYSTEM, now=now, **fields)
    assert place in refusal.value.fields
    assert not Person.objects.exists()


def test_two_people_cannot_differ_only_by_the_case_of_their_names(now: datetime) -> None:
    actions.add_person(SYSTEM, username="mara", now=now)
    with pytest.raises(Invalid, match="already"):
        actions.add_person(SYSTEM, username="Mara", now=now)
    assert queries.person("MARA").username == "mara"


def test_the_database_itself_refuses_an_unknown_role(now: datetime) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.create(username="x", role="emperor", created_at=now)


@pytest.mark.parametrize("role", [Role.READER, Role.RESPONDER, Role.COACH, Role.AUDITOR, Role.PROCESS_OWNER])
def test_only_an_administrator_adds_people(role: Role, now: datetime) -> None:
    with pytest.raises(NotAllowed):
        actions.add_person(worlds.actor("tom", role=role.value), username="friend", now=now)
    with pytest.raises(NotAllowed):
        actions.add_person(ANONYMOUS, username="friend", now=now)


def test_a_person_changes_the_own_zone_but_not_the_own_role(now: datetime) -> None:
    mara = worlds.actor("mara")
    actions.update_person(mara, username="mara", time_zone="Europe/Berlin", theme="dark", now=now)
    assert queries.person("mara").time_zone == "Europe/Berlin"
    with pytest.raises(NotAllowed):
        actions.update_person(mara, username="mara", role=Role.ADMIN.value, now=now)
    with pytest.raises(NotAllowed):
        actions.update_person(mara, username=worlds.person("tom").username, time_zone="UTC", now=now)


def test_a_change_that_changes_nothing_writes_nothing(now: datetime) -> None:
    mara = worlds.actor("mara")
    before = Entry.objects.count()
    actions.update_person(mara, username="mara", time_zone="UTC", now=now)
    assert Entry.objects.count() == before


def test_an_unknown_field_of_a_person_is_refused(now: datetime) -> None:
    with pytest.raises(Invalid):
        actions.update_person(worlds.administrator(), username="ada", password="plain", now=now)


def test_the_last_administrator_can_be_neither_demoted_nor_disabled(now: datetime) -> None:
    ada = worlds.administrator()
    with pytest.raises(Refused) as refusal:
        actions.disable_person(ada, username="ada", now=now)
    assert refusal.value.reason == "last_administrator"
    with pytest.raises(Refused):
        actions.update_person(ada, username="ada", role=Role.READER.value, now=now)
    worlds.administrator("eve")
    actions.update_person(ada, username="ada", role=Role.READER.value, now=now)
    assert [person.username for person in queries.administrators()] == ["eve"]


def test_a_disabled_person_has_no_right_left(now: datetime) -> None:
    worlds.person("mara", in_team="tickets", is_owner=True)
    actions.disable_person(worlds.administrator(), username="mara", now=now)
    actor = queries.actor_of(queries.person("mara"))
    assert actor.role is Role.REVOKED
    with pytest.raises(NotAllowed):
        queries.persons(actor)
    with pytest.raises(NotAllowed):
        actions.update_person(actor, username="mara", theme="dark", now=now)
    assert [person.username for person in queries.persons(worlds.administrator())] == ["ada"]


def test_an_owner_of_a_team_puts_people_into_it_and_into_no_other(now: datetime) -> None:
    owner = worlds.actor("mara", in_team="tickets", is_owner=True)
    worlds.person("tom")
    worlds.team("payments")
    actions.add_member(owner, team="tickets", username="tom", now=now)
    assert [person.username for person in queries.members("tickets")] == ["mara", "tom"]
    assert queries.actor_of(queries.person("tom")).teams == {"tickets"}
    with pytest.raises(NotAllowed):
        actions.add_member(owner, team="payments", username="tom", now=now)


def test_a_member_becomes_an_owner_once_and_leaves_once(now: datetime) -> None:
    worlds.person("tom", in_team="tickets")
    actions.add_member(SYSTEM, team="tickets", username="tom", is_owner=True, now=now)
    assert queries.actor_of(queries.person("tom")).owned_teams == {"tickets"}
    actions.remove_member(SYSTEM, team="tickets", username="tom", now=now)
    before = Entry.objects.count()
    actions.remove_member(SYSTEM, team="tickets", username="tom", now=now)
    assert Entry.objects.count() == before
    assert queries.members("tickets") == []


def test_a_team_needs_a_free_slug_and_a_real_zone(now: datetime) -> None:
    actions.add_team(SYSTEM, name="tickets", display_name="Tickets", time_zone="Europe/Berlin", now=now)
    for name in ("Tickets", "a b", "", "tickets"):
        with pytest.raises(Invalid):
            actions.add_team(SYSTEM, name=name, now=now)
    with pytest.raises(Invalid):
        actions.add_team(SYSTEM, name="other", time_zone="Nowhere", now=now)
    assert [team.label for team in queries.teams(worlds.administrator())] == ["Tickets"]


def test_an_owner_changes_the_hours_of_the_own_team(now: datetime) -> None:
    owner = worlds.actor("mara", in_team="tickets", is_owner=True)
    hours = {"days": [0, 1], "from": "08:00", "to": "16:00", "holidays": ["2026-12-25"]}
    team = actions.update_team(owner, name="tickets", business_hours=hours, time_zone="Asia/Tokyo", now=now)
    assert queries.team("tickets").business_hours == hours == team.business_hours
    assert last_entry().data["time_zone"] == "Asia/Tokyo"


def test_readiness_names_what_is_missing(now: datetime) -> None:
    worlds.person("tom", email="")
    assert queries.readiness(queries.person("tom")).gaps == (Gap.NO_CONTACT,)
    mara = worlds.person("mara")
    assert queries.readiness(mara).reachable
    assert not queries.readiness(mara).ready
    method = mara.contact_methods.get()
    actions.confirm_contact_method(worlds.actor("mara"), username="mara", contact_id=method.pk, now=now)
    assert queries.readiness(mara).ready


def test_a_failing_way_is_noted_once_and_works_again_once(now: datetime) -> None:
    method = worlds.person("mara").contact_methods.get()
    assert actions.mark_contact_failing(SYSTEM, contact_id=method.pk, failing=True, now=now)
    assert not actions.mark_contact_failing(SYSTEM, contact_id=method.pk, failing=True, now=now + timedelta(hours=1))
    assert ContactMethod.objects.get().failing_since == now
    assert not queries.readiness(queries.person("mara")).reachable
    assert actions.mark_contact_failing(SYSTEM, contact_id=method.pk, failing=False, now=now)
    assert queries.readiness(queries.person("mara")).reachable


def test_contact_methods_keep_their_order_and_their_secrets_out_of_the_log(now: datetime) -> None:
    mara = worlds.actor("mara")
    address = "https://hooks.example/T0/secret-path"
    actions.add_contact_method(
        mara, username="mara", channel="webhook", address=address, secret="whsec_x", delay=timedelta(minutes=3), now=now
    )
    assert [method.channel for method in queries.contact_methods(mara, "mara")] == ["email", "webhook"]
    assert not [
        entry for entry in Entry.objects.all() if "secret-path" in str(entry.data) or "whsec" in str(entry.data)
    ]
    webhook = queries.contact_methods(mara, "mara")[1]
    actions.remove_contact_method(mara, username="mara", contact_id=webhook.pk, now=now)
    assert [method.channel for method in queries.contact_methods(mara, "mara")] == ["email"]


def test_nobody_changes_how_somebody_else_is_reached(now: datetime) -> None:
    method = worlds.person("mara").contact_methods.get()
    tom = worlds.actor("tom")
    with pytest.raises(NotAllowed):
        actions.add_contact_method(tom, username="mara", channel="email", address="tom@harbor.example", now=now)
    with pytest.raises(NotAllowed):
        actions.remove_contact_method(tom, username="mara", contact_id=method.pk, now=now)
    with pytest.raises(NotFound):
        actions.remove_contact_method(tom, username="tom", contact_id=method.pk, now=now)


def test_the_fallback_contact_is_set_changed_and_taken_away(now: datetime) -> None:
    ada = worlds.administrator()
    assert queries.fallback_contact() is None
    actions.set_fallback_contact(ada, email="night@harbor.example", now=now)
    assert queries.fallback_contact() == "night@harbor.example"
    assert last_entry().kind == Kind.SETTING_CHANGED
    before = Entry.objects.count()
    actions.set_fallback_contact(ada, email="night@harbor.example", now=now)
    assert Entry.objects.count() == before
    actions.set_fallback_contact(ada, email="", now=now)
    assert queries.fallback_contact() is None
    with pytest.raises(NotAllowed):
        actions.set_fallback_contact(worlds.actor("mara"), email="m@harbor.example", now=now)
