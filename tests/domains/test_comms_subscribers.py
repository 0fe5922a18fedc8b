"""Who subscribes to a service hears of its incidents by itself: at the start, at a steady pace, at the end."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.domains import worlds
from tests.domains.incident_worlds import HOUR, MINUTE, House
from tocsin.audit.models import Entry
from tocsin.comms import actions, queries
from tocsin.comms.models import StatusClock, Subscriber
from tocsin.core.access import SYSTEM, Role
from tocsin.core.errors import Invalid, NotAllowed, NotFound
from tocsin.core.facts import Kind
from tocsin.incidents import actions as incidents
from tocsin.incidents.models import Incident
from tocsin.platform.models import OutboxMessage

pytestmark = pytest.mark.django_db

TEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture
def house() -> House:
    found = House(now=TEN)
    actions.add_subscriber(SYSTEM, email="sub@harbor.example", service="log-on", now=TEN)
    return found


def look(house: House, by: timedelta = timedelta(0), *, every: timedelta = MINUTE) -> None:
    """Let the engine look at each `every` until `by` has gone by."""
    end = house.now + by
    while True:
        actions.advance_status_mails(now=house.now)
        if house.now >= end:
            return
        house.now = min(house.now + every, end)


def told() -> list[tuple[str, datetime]]:
    """X-Update-Kind and Date of each status mail in the order in which they were queued."""
    rows = OutboxMessage.objects.filter(kind__in=["status", "resolved"]).order_by("id")
    return [
        (row.payload["headers"]["X-Update-Kind"], datetime.fromisoformat(row.payload["date"]).astimezone(UTC))
        for row in rows
    ]


def resolve(house: House, incident: Incident) -> None:
    incidents.resolve(house.ada, incident.number, service="log-on", category="deploy", now=house.now)


@pytest.mark.parametrize(("priority", "hours"), [(1, 2), (2, 4), (3, 8)])
def test_subscribers_hear_at_the_declaration_at_the_pace_of_the_priority_and_at_the_end(
    house: House, priority: int, hours: int
) -> None:
    incident = house.declare(priority=priority)
    look(house, timedelta(hours=2 * hours, minutes=30))
    resolve(house, incident)
    look(house, 10 * HOUR, every=HOUR)
    pace = [("status", TEN + n * hours * HOUR) for n in range(3)]
    assert told() == [*pace, ("resolved", TEN + timedelta(hours=2 * hours, minutes=30))]


def test_a_new_priority_is_told_at_once_and_sets_the_pace_from_then(house: House) -> None:
    incident = house.declare(priority=3)
    look(house, HOUR)
    incidents.change_priority(house.ada, incident.number, priority=1, reason="Nobody can log on.", now=house.now)
    look(house, 5 * HOUR)
    assert told() == [
        ("status", TEN),
        ("status", TEN + HOUR),
        ("status", TEN + 3 * HOUR),
        ("status", TEN + 5 * HOUR),
    ]
    second = OutboxMessage.objects.filter(kind="status").order_by("id")[1]
    assert second.payload["subject"] == "Log-on is now P1: 38% of log-ons fail"
    assert "INC-1 is now P1 (was P3) because Nobody can log on." in second.payload["text"]


def test_an_undecided_priority_has_no_pace_until_somebody_decides(house: House) -> None:
    incident = house.declare(priority=None)
    look(house, 9 * HOUR, every=HOUR)
    assert told() == [("status", TEN)]
    incidents.change_priority(house.ada, incident.number, priority=2, reason="Some are affected.", now=house.now)
    look(house, 4 * HOUR)
    assert told()[1:] == [("status", TEN + 9 * HOUR), ("status", TEN + 13 * HOUR)]


def test_when_the_priority_is_taken_away_only_the_end_is_told(house: House) -> None:
    incident = house.declare(priority=1)
    look(house, HOUR)
    incidents.change_priority(
        house.ada, incident.number, priority=None, state="none", reason="Harmless.", now=house.now
    )
    look(house, 9 * HOUR, every=HOUR)
    resolve(house, incident)
    look(house)
    assert [kind for kind, _ in told()] == ["status", "resolved"]


def test_however_short_an_incident_was_its_beginning_and_end_are_told(house: House) -> None:
    incident = house.declare()
    house.pass_time(MINUTE)
    resolve(house, incident)
    house.pass_time(MINUTE)
    look(house, 3 * HOUR, every=HOUR)
    assert told() == [("status", TEN), ("resolved", TEN + MINUTE)]


def test_times_that_nobody_was_there_for_are_told_once(house: House) -> None:
    house.declare()
    look(house)
    house.pass_time(timedelta(hours=7))
    look(house)
    assert told() == [("status", TEN), ("status", TEN + 6 * HOUR)]
    assert StatusClock.objects.get().next_at == TEN + 8 * HOUR


def test_a_second_look_at_the_same_moment_tells_nothing_twice(house: House) -> None:
    house.declare()
    look(house)
    look(house)
    assert len(told()) == 1


def test_a_reopened_incident_is_told_of_again(house: House) -> None:
    incident = house.declare()
    look(house)
    resolve(house, incident)
    look(house, 10 * MINUTE)
    incidents.reopen(house.ada, incident.number, now=house.now)
    look(house, 2 * HOUR)
    resolve(house, incident)
    look(house)
    assert [kind for kind, _ in told()] == ["status", "resolved", "status", "status", "resolved"]


def test_each_mail_has_one_recipient_one_thread_and_a_way_out(house: House) -> None:
    actions.add_subscriber(SYSTEM, email="second@harbor.example", service="log-on", now=house.now)
    incident = house.declare()
    look(house, 2 * HOUR)
    resolve(house, incident)
    look(house)
    rows = list(OutboxMessage.objects.filter(kind__in=["status", "resolved"]).order_by("id"))
    assert len(rows) == len({row.key for row in rows}) == 6
    for row in rows:
        headers = row.payload["headers"]
        assert row.address in {"sub@harbor.example", "second@harbor.example"}
        assert headers["References"] == headers["In-Reply-To"] == "<INC-1@tocsin>"
        assert headers["X-Incident-Id"] == "INC-1"
        assert re.fullmatch(r"<http\S+/unsubscribe/\S+>", headers["List-Unsubscribe"])
        assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert "UTC" in row.payload["text"]
        assert row.lane >= 3
    texts = [row.payload["text"] for row in rows[::2]]
    assert "Next update by 2026-11-23 12:00 UTC" in texts[0]
    assert "Next update by 2026-11-23 14:00 UTC" in texts[1]
    assert "works normally again since 2026-11-23 12:00 UTC" in texts[2]


def test_news_that_newer_news_has_overtaken_is_not_sent_any_more(house: House) -> None:
    house.declare()
    look(house)
    assert OutboxMessage.objects.get(kind="status").expires_at == TEN + 2 * HOUR


def test_the_link_ends_a_subscription_for_good_and_twice_is_no_harm(house: House) -> None:
    house.declare()
    look(house)
    header = OutboxMessage.objects.get(kind="status").payload["headers"]["List-Unsubscribe"]
    secret = header.strip("<>").rpartition("/")[2]
    assert actions.end_subscription(secret, now=house.now).ended_at == house.now
    actions.end_subscription(secret, now=house.now + HOUR)
    assert Entry.objects.filter(kind=Kind.SUBSCRIBER_ENDED).count() == 1
    assert list(queries.subscribers(house.ada)) == []
    look(house, 4 * HOUR)
    assert len(told()) == 1
    with pytest.raises(NotFound):
        actions.end_subscription("1.guessed", now=house.now)


def test_the_secret_of_the_link_is_stored_nowhere_among_the_subscribers(house: House) -> None:
    row = Subscriber.objects.get()
    secret = actions.unsubscribe_secret(row)
    row.refresh_from_db()
    assert secret not in row.unsubscribe_digest
    assert len(row.unsubscribe_digest) == 64


def test_whoever_subscribes_again_hears_again_and_only_once(house: House) -> None:
    row = Subscriber.objects.get()
    actions.remove_subscriber(SYSTEM, row.pk, now=house.now)
    again = actions.add_subscriber(SYSTEM, email="  SUB@harbor.example ", service="log-on", now=house.now)
    assert (again.pk, again.ended_at) == (row.pk, None)
    house.declare()
    look(house)
    assert len(told()) == 1


def test_who_subscribes_during_an_incident_hears_at_the_next_regular_time(house: House) -> None:
    actions.remove_subscriber(SYSTEM, Subscriber.objects.get().pk, now=house.now)
    house.declare()
    look(house, HOUR)
    actions.add_subscriber(SYSTEM, email="late@harbor.example", service="log-on", now=house.now)
    look(house, timedelta(hours=2))
    assert told() == [("status", TEN + 3 * HOUR)]


def test_exercises_and_other_services_are_not_told(house: House) -> None:
    worlds.service("search", of_team="identity")
    house.declare(kind="exercise")
    house.declare(service="search")
    look(house, 3 * HOUR, every=HOUR)
    assert told() == []
    assert not StatusClock.objects.exists()


def test_what_was_merged_or_was_none_ends_with_its_own_words(house: House) -> None:
    first, second, third = house.declare("One"), house.declare("Two"), house.declare("Three")
    look(house)
    incidents.merge(house.ada, second.number, into=first.number, now=house.now)
    incidents.cancel(house.ada, third.number, reason="A drill of the alarm.", now=house.now)
    look(house)
    subjects = [row.payload["subject"] for row in OutboxMessage.objects.filter(kind="resolved").order_by("id")]
    assert subjects == ["Log-on goes on as part of INC-1", "Log-on had no incident after all"]


def test_the_log_of_the_incident_says_how_many_were_told_and_why(house: House) -> None:
    house.declare()
    look(house)
    entry = Entry.objects.get(kind=Kind.STATUS_MAIL_QUEUED)
    assert entry.data is not None
    assert (entry.incident, entry.data["reason"], entry.data["recipients"]) == ("INC-1", "declared", 1)


def test_one_incident_that_cannot_be_told_of_does_not_keep_the_others_from_it(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, fine = house.declare("Broken"), house.declare("Fine")
    write = actions.status_mails.status_text.write

    def fail(incident: Incident, *args: object, **fields: object) -> object:
        if incident.pk == broken.pk:
            raise RuntimeError("no words")
        return write(incident, *args, **fields)  # type: ignore[arg-type]

    monkeypatch.setattr(actions.status_mails.status_text, "write", fail)
    look(house)
    assert [row.incident for row in OutboxMessage.objects.filter(kind="status")] == [fine.ref]
    assert "could not tell subscribers" in caplog.text
    monkeypatch.undo()
    look(house)
    assert OutboxMessage.objects.filter(kind="status", incident=broken.ref).count() == 1


def test_subscribing_needs_an_address_a_service_and_the_right(house: House) -> None:
    with pytest.raises(Invalid):
        actions.add_subscriber(SYSTEM, email="not an address", service="log-on", now=house.now)
    with pytest.raises(NotFound):
        actions.add_subscriber(SYSTEM, email="a@harbor.example", service="unknown", now=house.now)
    reader = worlds.actor("rita", role=Role.READER.value)
    with pytest.raises(NotAllowed):
        actions.add_subscriber(reader, email="a@harbor.example", service="log-on", now=house.now)
    with pytest.raises(NotAllowed):
        actions.remove_subscriber(reader, Subscriber.objects.get().pk, now=house.now)
    with pytest.raises(NotFound):
        actions.remove_subscriber(SYSTEM, 0, now=house.now)


def test_the_digest_of_the_link_follows_when_the_installations_key_is_changed(house: House, settings: object) -> None:
    row = Subscriber.objects.get()
    former = actions.unsubscribe_secret(row)
    settings.SECRET_KEY = "another"  # type: ignore[attr-defined]
    present = actions.unsubscribe_secret(Subscriber.objects.get())
    assert present != former
    assert actions.end_subscription(present, now=house.now).pk == row.pk
