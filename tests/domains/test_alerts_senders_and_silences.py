"""Integrations, their keys and silences: who may make them, what is refused, what the log says."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.domains import worlds
from tocsin.alerts import actions, queries
from tocsin.alerts.models import Integration, Silence
from tocsin.audit.models import Entry
from tocsin.core.access import ANONYMOUS, SYSTEM, Role
from tocsin.core.errors import Invalid, NotAllowed, NotFound
from tocsin.core.facts import Kind

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def world(now: datetime) -> None:
    worlds.process(now=now)


def test_a_key_has_32_characters_and_is_stored_only_as_a_digest(now: datetime) -> None:
    row, key = actions.add_integration(SYSTEM, kind="events-v2", name="pager", now=now)
    assert len(key) == 32
    assert key not in str(Integration.objects.values().get())
    assert queries.integration_for_key(key) == row
    entry = Entry.objects.latest("seq")
    assert entry.kind == Kind.INTEGRATION_CREATED
    assert key not in str(entry.data)


def test_a_revoked_key_belongs_to_nobody_and_stays_revoked(now: datetime) -> None:
    row, key = actions.add_integration(SYSTEM, kind="alertmanager", now=now)
    first = actions.revoke_integration(SYSTEM, row.pk, now=now)
    again = actions.revoke_integration(SYSTEM, row.pk, now=now + HOUR)
    assert (first.revoked_at, again.revoked_at) == (now, now)
    assert queries.integration_for_key(key) is None
    assert Entry.objects.filter(kind=Kind.INTEGRATION_REVOKED).count() == 1
    assert list(queries.integrations(SYSTEM)) == []


def test_a_team_owner_adds_senders_for_the_teams_own_services_only(now: datetime) -> None:
    worlds.service("checkout", of_team="tickets")
    worlds.service("search", of_team="search")
    owner = worlds.actor("mara", in_team="tickets", is_owner=True)
    row, _ = actions.add_integration(owner, kind="alertmanager", service="checkout", now=now)
    for service in ("search", None):
        with pytest.raises(NotAllowed):
            actions.add_integration(owner, kind="alertmanager", service=service, now=now)
    actions.revoke_integration(owner, row.pk, now=now)


def test_nonsense_is_refused(now: datetime) -> None:
    with pytest.raises(Invalid, match="kind"):
        actions.add_integration(SYSTEM, kind="carrier-pigeon", now=now)
    with pytest.raises(Invalid, match="priority"):
        actions.add_integration(SYSTEM, kind="alertmanager", default_priority=9, now=now)
    with pytest.raises(NotFound):
        actions.add_integration(SYSTEM, kind="alertmanager", service="nobody", now=now)
    with pytest.raises(NotFound):
        actions.revoke_integration(SYSTEM, 999, now=now)
    assert not Integration.objects.exists()


def silence(now: datetime, **more: Any) -> Silence:
    facts = {
        "matchers": [{"name": "alertname", "value": "Do.*", "isRegex": True, "isEqual": True}],
        "starts_at": now,
        "ends_at": now + HOUR,
        "comment": "works",
        "now": now,
    }
    return actions.add_silence(more.pop("actor", SYSTEM), **{**facts, **more})


def test_a_silence_holds_from_its_start_to_before_its_end(now: datetime) -> None:
    silence(now, starts_at=now + HOUR, ends_at=now + 2 * HOUR)
    seen = [queries.is_silenced({"alertname": "Down"}, now=now + hours * HOUR) for hours in (0, 1, 2)]
    assert seen == [False, True, False]
    assert not queries.is_silenced({"alertname": "Up"}, now=now + HOUR)


def test_a_silence_that_ends_early_holds_no_longer(now: datetime) -> None:
    row = silence(now)
    actions.expire_silence(SYSTEM, str(row.uuid), now=now + timedelta(minutes=1))
    assert not queries.is_silenced({"alertname": "Down"}, now=now + timedelta(minutes=1))
    assert [entry.kind for entry in Entry.objects.order_by("seq")][-2:] == [Kind.SILENCE_SAVED, Kind.SILENCE_EXPIRED]


def test_a_changed_silence_takes_the_place_of_the_former(now: datetime) -> None:
    former = silence(now)
    later = silence(now, replaces=str(former.uuid), ends_at=now + 2 * HOUR)
    former.refresh_from_db()
    assert former.ends_at == now
    assert [one.id for one in queries.active_silences(now)] == [str(later.uuid)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"matchers": []},
        {"matchers": [{"name": "a", "value": ".*", "isRegex": True}]},
        {"matchers": [{"name": "a", "value": "(", "isRegex": True}]},
        {"matchers": [{"name": "a"}]},
        {"ends_at": datetime.fromisoformat("2026-11-23T02:12:00+00:00")},
    ],
)
def test_a_silence_of_everything_or_of_nothing_is_refused(now: datetime, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        silence(now, **wrong)
    assert not Silence.objects.exists()


def test_readers_and_strangers_silence_nothing(now: datetime) -> None:
    row = silence(now)
    for actor in (ANONYMOUS, worlds.actor("rita", role=Role.READER.value)):
        with pytest.raises(NotAllowed):
            silence(now, actor=actor)
        with pytest.raises(NotAllowed):
            actions.expire_silence(actor, str(row.uuid), now=now)
    silence(now, actor=worlds.actor("rob"))


@pytest.mark.parametrize("uuid", ["", "nonsense", "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_silence_is_not_found(now: datetime, uuid: str) -> None:
    with pytest.raises(NotFound):
        actions.expire_silence(SYSTEM, uuid, now=now)


def test_strangers_read_nothing() -> None:
    for read in (queries.alerts, queries.silences, queries.integrations, queries.foreign_alerts):
        with pytest.raises(NotAllowed):
            read(ANONYMOUS)
