"""Services: names they answer to, who owns them, what they need, and the one that takes the homeless."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from tests.domains import worlds
from tocsin.audit.models import Entry
from tocsin.catalog import actions, queries
from tocsin.catalog.models import Service
from tocsin.core.access import ANONYMOUS, SYSTEM, Role
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind

pytestmark = pytest.mark.django_db


def test_a_service_is_added_with_its_team_and_what_it_needs(now: datetime) -> None:
    worlds.team("tickets")
    worlds.service("database")
    service = actions.add_service(
        SYSTEM,
        name="checkout",
        display_name="Checkout",
        team="tickets",
        runbook_url="https://wiki.example/checkout",
        depends_on=["database"],
        now=now,
    )
    assert service.team is not None
    assert service.team.name == "tickets"
    assert [other.name for other in queries.depends_on(service)] == ["database"]
    assert [other.name for other in queries.consumers(queries.known_service("database"))] == ["checkout"]
    entry = Entry.objects.latest("seq")
    assert entry.kind == Kind.SERVICE_SAVED
    assert entry.data["team"] == "tickets"
    assert entry.data["depends_on"] == ["database"]


def test_a_service_answers_to_its_name_and_aliases_in_any_case(now: datetime) -> None:
    service = actions.add_service(SYSTEM, name="Checkout", aliases=["checkout-API", " Shop "], now=now)
    for name in ("Checkout", "checkout", "CHECKOUT", "checkout-api", "shop", " SHOP "):
        assert queries.find_service(name) == service
    for name in ("check", "", "checkout%", "chec_out", "nul\x00l"):
        assert queries.find_service(name) is None


def test_a_signal_without_a_known_service_goes_to_the_catch_all(now: datetime) -> None:
    catch_all = actions.ensure_catch_all(now=now)
    service = worlds.service("checkout")
    assert queries.service_or_catch_all("nobody-knows") == catch_all
    assert queries.service_or_catch_all("checkout") == service


def test_no_two_services_answer_to_one_name(now: datetime) -> None:
    actions.add_service(SYSTEM, name="checkout", aliases=["shop"], now=now)
    for name in ("checkout", "Checkout", "shop"):
        with pytest.raises(Invalid):
            actions.add_service(SYSTEM, name=name, now=now)
    with pytest.raises(Invalid, match="answers to shop already"):
        actions.add_service(SYSTEM, name="other", aliases=["SHOP"], now=now)
    assert Service.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"name": "two words"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 64}, "name"),
        ({"name": "-x"}, "name"),
        ({"name": "ok", "runbook_url": "javascript:alert(1)"}, "runbook_url"),
        ({"name": "ok", "depends_on": ["nowhere"]}, "depends_on"),
        ({"name": "ok", "depends_on": ["ok"]}, "depends_on"),
        ({"name": "ok", "aliases": [""]}, "aliases"),
    ],
)
def test_an_unfit_service_is_refused_and_leaves_nothing(fields: dict[str, object], place: str, now: datetime) -> None:
    with pytest.raises(Invalid) as refusal:
        actions.add_service(SYSTEM, now=now, **fields)
    assert place in refusal.value.fields
    assert not Service.objects.exists()


def test_saving_keeps_what_is_not_given_and_the_same_again_writes_nothing(now: datetime) -> None:
    actions.save_service(SYSTEM, name="checkout", description="Sells tickets", aliases=["shop"], now=now)
    actions.save_service(SYSTEM, name="checkout", display_name="Checkout", now=now)
    entries = Entry.objects.count()
    service = actions.save_service(SYSTEM, name="checkout", display_name="Checkout", aliases=["shop"], now=now)
    assert Entry.objects.count() == entries
    assert service.description == "Sells tickets"
    assert queries.find_service("shop") == service


def test_dependencies_and_aliases_become_exactly_what_is_given(now: datetime) -> None:
    worlds.service("database")
    worlds.service("queue")
    actions.save_service(SYSTEM, name="checkout", aliases=["shop"], depends_on=["database"], now=now)
    service = actions.save_service(SYSTEM, name="checkout", aliases=["store"], depends_on=["queue"], now=now)
    assert [other.name for other in queries.depends_on(service)] == ["queue"]
    assert queries.find_service("shop") is None
    assert queries.find_service("store") == queries.find_service("checkout") == service


def test_an_owner_writes_the_own_teams_services_only(now: datetime) -> None:
    owner = worlds.actor("mara", in_team="tickets", is_owner=True)
    worlds.service("ledger", of_team="payments")
    worlds.service("orphan")
    actions.add_service(owner, name="checkout", team="tickets", now=now)
    actions.save_service(owner, name="checkout", description="Sells tickets", now=now)
    for name, team in (
        ("ledger", None),
        ("ledger", "tickets"),
        ("orphan", "tickets"),
        ("new", "payments"),
        ("x", None),
    ):
        with pytest.raises(NotAllowed):
            actions.save_service(owner, name=name, team=team, description="mine", now=now)
    assert queries.known_service("ledger").team.name == "payments"  # type: ignore[union-attr]


def test_readers_see_services_and_strangers_do_not(now: datetime) -> None:
    worlds.service("checkout", of_team="tickets")
    reader = worlds.actor("rita", role=Role.READER.value)
    assert [service.name for service in queries.services(reader)] == ["checkout"]
    with pytest.raises(NotAllowed):
        queries.services(ANONYMOUS)
    with pytest.raises(NotAllowed):
        actions.add_service(reader, name="mine", now=now)
    with pytest.raises(NotFound):
        queries.service(reader, "nowhere")


def test_maintenance_begins_and_ends_once(now: datetime) -> None:
    worlds.service("checkout")
    later = now + timedelta(hours=1)
    assert actions.set_maintenance(SYSTEM, "checkout", True, now=now).maintenance_since == now
    assert actions.set_maintenance(SYSTEM, "checkout", True, now=later).maintenance_since == now
    assert queries.in_maintenance(queries.known_service("checkout"))
    assert actions.set_maintenance(SYSTEM, "checkout", False, now=later).maintenance_since is None
    kinds = list(
        Entry.objects.filter(kind__startswith="service.maintenance").order_by("seq").values_list("kind", flat=True)
    )
    assert kinds == [Kind.SERVICE_MAINTENANCE_BEGAN, Kind.SERVICE_MAINTENANCE_ENDED]
    with pytest.raises(NotAllowed):
        actions.set_maintenance(worlds.actor("tom"), "checkout", True, now=now)


def test_the_catch_all_is_made_once_and_never_removed(now: datetime) -> None:
    with pytest.raises(NotFound):
        queries.catch_all()
    first = actions.ensure_catch_all(now=now)
    assert actions.ensure_catch_all(now=now + timedelta(days=1)) == first
    assert first.is_catch_all
    with pytest.raises(Refused) as refusal:
        actions.remove_service(SYSTEM, "unrouted", now=now)
    assert refusal.value.reason == "catch_all"
    with pytest.raises(IntegrityError), transaction.atomic():
        Service.objects.create(name="second", is_catch_all=True, created_at=now)


def test_a_service_that_nothing_refers_to_can_go(now: datetime) -> None:
    worlds.service("checkout", aliases=["shop"])
    actions.remove_service(SYSTEM, "checkout", now=now)
    assert queries.find_service("shop") is None
    assert Entry.objects.latest("seq").kind == Kind.SERVICE_REMOVED
