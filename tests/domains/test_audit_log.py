"""The event log: appended only, chained, told once, emptied or corrected by new entries, and checked to the last row."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from tests.append_only import lifted
from tests.domains import worlds
from tocsin.audit import actions, chain, queries
from tocsin.audit.actions import Fact
from tocsin.audit.models import Entry
from tocsin.core.access import ANONYMOUS, SYSTEM, Actor, ActorKind, Role
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.core.hash_chain import GENESIS
from tocsin.platform.models import Counter

AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def told(*kinds: str, incident: str = "INC-1", now: datetime = AT, **data: Any) -> list[Entry]:
    with transaction.atomic():
        return actions.record(SYSTEM, [Fact(kind=kind, incident=incident, data=data) for kind in kinds], now=now)


def tamper(sql: str, parameters: tuple[object, ...] = ()) -> None:
    """Change rows as somebody could who owns the database: triggers aside, change, triggers back."""
    aside, back = lifted(connection.vendor)
    with connection.cursor() as cursor:
        for statement in aside:
            cursor.execute(statement)
        cursor.execute(sql, parameters or None)
        for statement in back:
            cursor.execute(statement)


def refused_by_database(sql: str) -> None:
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.django_db
def test_the_chain_is_the_one_that_was_published_as_an_example() -> None:
    alice, bob = (Actor(kind=ActorKind.PERSON, ident=name, role=Role.RESPONDER) for name in ("alice", "bob"))
    with transaction.atomic():
        [first] = actions.record(
            alice, [Fact(kind="incident.declared", incident="INC-1", data={"priority": 1})], now=AT
        )
        [second] = actions.record(
            bob, [Fact(kind="incident.acknowledged", incident="INC-1")], now=AT + timedelta(minutes=3)
        )
    assert first.hash == "e19707ebd141079577c85bcdb646b43437fe0ec4fa3440b9914e6a26dfeb4cbe"
    assert second.hash == "9369d1ac25f7062888721b101165d4207e285891b7f1f3e11036d6a5b728152b"
    verdict = queries.verify()
    assert (verdict.ok, verdict.count, verdict.head) == (True, 2, second.hash)
    assert queries.head() == (2, second.hash)


@pytest.mark.django_db
def test_an_empty_log_fits() -> None:
    assert queries.verify() == chain.Verdict(True, 0, GENESIS)
    assert queries.head() == (0, GENESIS)


@pytest.mark.django_db(transaction=True)
def test_nothing_is_written_outside_the_transaction_of_the_change() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        actions.record(SYSTEM, [Fact(kind="incident.noted")], now=AT)


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_leaves_no_entry_and_no_gap() -> None:
    told("incident.opened")
    with transaction.atomic():
        actions.record(SYSTEM, [Fact(kind="incident.noted")], now=AT)
        transaction.set_rollback(True)
    told("incident.noted")
    assert list(Entry.objects.order_by("seq").values_list("seq", flat=True)) == [1, 2]
    assert queries.verify().ok


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_time_make_one_chain() -> None:
    faults: list[BaseException] = []

    def write(name: str) -> None:
        try:
            for n in range(15):
                told("incident.noted", "incident.noted", incident=name, n=n)
        except BaseException as error:  # noqa: BLE001 - the main thread reports it
            faults.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(f"INC-{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    verdict = queries.verify()
    assert (verdict.ok, verdict.count) == (True, 90), verdict.why


@pytest.mark.django_db
def test_an_outside_event_is_told_once_for_each_incident() -> None:
    def tell(incident: str) -> int:
        fact = Fact(kind="incident.noted", incident=incident, source_id="$room:event")
        with transaction.atomic():
            return len(actions.record(SYSTEM, [fact, fact], now=AT))

    assert [tell("INC-1"), tell("INC-1"), tell("INC-2")] == [1, 0, 1]
    assert queries.verify().ok


@pytest.mark.django_db
def test_who_acts_for_somebody_is_written_with_the_entry() -> None:
    robot = Actor(kind=ActorKind.PERSON, ident="ada", role=Role.ADMIN, on_behalf_of="mara")
    with transaction.atomic():
        [entry] = actions.record(robot, [Fact(kind="incident.acknowledged", data={"x": 1})], now=AT)
    assert entry.data == {"x": 1, "on_behalf_of": "mara"}


@pytest.mark.django_db
def test_times_of_any_zone_and_fraction_are_chained_as_utc() -> None:
    tokyo = datetime(2026, 1, 5, 18, 0, 0, 120000, tzinfo=timezone(timedelta(hours=9)))
    with transaction.atomic():
        actions.record(SYSTEM, [Fact(kind="incident.noted", occurred_at=tokyo - timedelta(hours=2))], now=tokyo)
    assert queries.verify().ok
    assert actions.stamp(tokyo) == "2026-01-05T09:00:00.120000Z"


@pytest.mark.django_db
def test_data_of_every_kind_is_the_same_after_a_round_trip() -> None:
    data = {
        "ä": "Zug ß  \u0001",
        "list": [1, -2, None, True, {"b": 1, "a": []}],
        "share": 0.1,
        "whole": 2.0,
        "big": 2**53 - 1,
    }
    told("incident.noted", **data)
    told("incident.noted", **{"\U0001f514": 1, "\ufb33": 2})  # sorted otherwise by code units than by characters
    verdict = queries.verify()
    assert verdict.ok, verdict.why


@given(
    st.dictionaries(
        st.text("abcdefgh_", min_size=1, max_size=5),
        st.text(st.characters(exclude_categories=["Cs"])) | st.integers(-(2**53) + 1, 2**53 - 1),
    )
)
def test_the_quick_canonical_text_is_the_exact_one(document: dict[str, str | int]) -> None:
    assert chain.canonical_flat(document) == chain.canonical(document)


@pytest.mark.django_db
@pytest.mark.req("R-9.1-14")
@pytest.mark.parametrize(
    ("sql", "first_wrong"),
    [
        ("UPDATE audit_entry SET actor = 'mallory' WHERE seq = 3", 3),
        ("UPDATE audit_entry SET kind = 'incident.closed' WHERE seq = 3", 3),
        ("UPDATE audit_entry SET incident = 'INC-9' WHERE seq = 3", 3),
        ("UPDATE audit_entry SET source_id = 'x' WHERE seq = 3", 3),
        ("UPDATE audit_entry SET at = '2026-01-05 10:00:00+00:00' WHERE seq = 3", 3),
        ("UPDATE audit_entry SET occurred_at = '2026-01-05 08:00:00+00:00' WHERE seq = 3", 3),
        ("UPDATE audit_entry SET data = '{\"n\": 99}' WHERE seq = 3", 3),
        ("UPDATE audit_entry SET data = NULL WHERE seq = 3", 3),
        ("UPDATE audit_entry SET data_sha256 = '0' WHERE seq = 3", 3),
        ("UPDATE audit_entry SET previous_hash = '0' WHERE seq = 3", 3),
        ("UPDATE audit_entry SET hash = '0' WHERE seq = 3", 3),
        ("DELETE FROM audit_entry WHERE seq = 1", 2),
        ("DELETE FROM audit_entry WHERE seq = 3", 4),
        ("DELETE FROM audit_entry WHERE seq = 5", 5),
        ("DELETE FROM audit_entry WHERE seq >= 4", 4),
        ("DELETE FROM audit_entry", 1),
    ],
)
def test_an_entry_that_was_edited_or_removed_is_named(sql: str, first_wrong: int) -> None:
    for n in range(5):
        told("incident.noted", n=n)
    assert queries.verify().ok
    tamper(sql)
    verdict = queries.verify()
    assert (verdict.ok, verdict.first_wrong) == (False, first_wrong)
    assert verdict.why
    assert queries.verify(upto=first_wrong - 2).ok or "seq = 1" in sql or first_wrong < 3


@pytest.mark.django_db
@pytest.mark.req("R-9.1-14")
def test_entries_that_changed_places_are_found() -> None:
    for n in range(4):
        told("incident.noted", n=n)
    tamper("UPDATE audit_entry SET seq = -2 WHERE seq = 2")
    tamper("UPDATE audit_entry SET seq = 2 WHERE seq = 3")
    tamper("UPDATE audit_entry SET seq = 3 WHERE seq = -2")
    assert queries.verify().first_wrong == 2


@pytest.mark.django_db
def test_an_entry_that_was_added_past_the_program_is_found() -> None:
    [entry] = told("incident.noted")
    forged = {"seq": 2, "ts": actions.stamp(AT), "actor": "mallory", "kind": "incident.closed"}
    document = {**forged, "data_sha256": actions.data_digest({})}
    own = chain.hash_chain.link(entry.hash, chain.canonical(document))
    Entry.objects.create(
        seq=2, at=AT, occurred_at=AT, actor="mallory", kind="incident.closed", data={},
        data_sha256=document["data_sha256"], previous_hash=entry.hash, hash=own,
    )  # fmt: skip
    verdict = queries.verify()
    assert (verdict.ok, verdict.first_wrong) == (False, 2)
    Counter.objects.filter(name=queries.WRITTEN).update(value=2)
    assert queries.verify().ok, "the forged entry was well made; only the count gave it away"


@pytest.mark.django_db
@pytest.mark.sqlite  # PostgreSQL's types refuse such values
@pytest.mark.parametrize(
    ("column", "value"), [("at", "soon"), ("occurred_at", "soon"), ("data", "null"), ("data", "[1e999]")]
)
def test_what_is_no_time_and_no_data_of_ours_is_named_and_does_not_end_the_check(column: str, value: str) -> None:
    told("incident.noted", "incident.noted")
    tamper(f"UPDATE audit_entry SET {column} = '{value}' WHERE seq = 2")
    assert queries.verify().first_wrong == 2


@pytest.mark.django_db
def test_the_check_goes_over_the_borders_of_its_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tocsin.audit.snapshots.BATCH", 3)
    told(*["incident.noted"] * 10)
    assert queries.verify().count == 10
    assert queries.verify(upto=6).count == 6
    tamper("UPDATE audit_entry SET actor = 'mallory' WHERE seq = 7")
    assert queries.verify().first_wrong == 7


@pytest.mark.django_db
@pytest.mark.req("R-X-7")
def test_the_database_refuses_to_change_what_was_written() -> None:
    told("incident.noted", "incident.noted", n=1)
    refused_by_database("DELETE FROM audit_entry WHERE seq = 1")
    refused_by_database("UPDATE audit_entry SET actor = 'mallory' WHERE seq = 1")
    refused_by_database("UPDATE audit_entry SET data = '{}' WHERE seq = 1")
    refused_by_database("UPDATE audit_entry SET data = NULL, kind = 'x' WHERE seq = 1")
    if connection.vendor == "sqlite":
        refused_by_database("INSERT OR REPLACE INTO audit_entry SELECT * FROM audit_entry WHERE seq = 1")
    else:
        refused_by_database("TRUNCATE audit_entry")
    with pytest.raises(DatabaseError), transaction.atomic():
        Entry.objects.all().delete()
    assert queries.verify().count == 2


@pytest.mark.django_db
@pytest.mark.req("R-X-7")
def test_a_mistake_is_corrected_by_a_new_entry_that_names_it() -> None:
    [wrong] = told("incident.noted", text="The database was at fault")
    mara = worlds.actor("mara")
    correction = actions.correct_entry(mara, wrong.seq, "It was the queue", now=AT + timedelta(hours=1))
    assert correction.data == {"corrects": wrong.seq, "text": "It was the queue"}
    assert (correction.kind, correction.incident, correction.actor) == (Kind.INCIDENT_CORRECTED, "INC-1", "mara")
    assert Entry.objects.get(seq=wrong.seq).data == {"text": "The database was at fault"}
    [setting] = told("setting.changed", incident="")
    with pytest.raises(NotAllowed):
        actions.correct_entry(mara, setting.seq, "Not so", now=AT)
    with pytest.raises(Invalid):
        actions.correct_entry(mara, wrong.seq, "  ", now=AT)
    with pytest.raises(NotFound):
        actions.correct_entry(mara, 999, "Not so", now=AT)


@pytest.mark.django_db
@pytest.mark.req("R-X-6")
def test_redacted_data_is_gone_and_the_chain_still_fits() -> None:
    [entry] = told("incident.noted", text="Her phone number is 0123")
    told("incident.noted", text="after it")
    removal = actions.redact(worlds.administrator(), entry.seq, "A private number", now=AT + timedelta(hours=1))
    assert Entry.objects.get(seq=entry.seq).data is None
    assert (removal.actor, removal.incident, removal.kind) == ("ada", "INC-1", Kind.ENTRY_REDACTED)
    assert removal.data["entry"] == entry.seq
    assert removal.data["reason"] == "A private number"
    assert removal.data["data_sha256"] == entry.data_sha256
    assert not [row for row in Entry.objects.all() if "0123" in str(row.data)]
    verdict = queries.verify()
    assert verdict.ok, verdict.why


@pytest.mark.django_db
@pytest.mark.parametrize("role", [role for role in Role if role in {Role.RESPONDER, Role.PROCESS_OWNER, Role.AUDITOR}])
def test_only_an_administrator_redacts_once_with_a_reason_and_never_the_record_of_it(role: Role) -> None:
    [entry] = told("incident.noted", text="x")
    ada = worlds.administrator()
    with pytest.raises(NotAllowed):
        actions.redact(worlds.actor("tom", role=role.value), entry.seq, "I say so", now=AT)
    with pytest.raises(Invalid):
        actions.redact(ada, entry.seq, "", now=AT)
    removal = actions.redact(ada, entry.seq, "private", now=AT)
    for seq, reason in ((entry.seq, "redacted_already"), (removal.seq, "record_of_removal")):
        with pytest.raises(Refused) as refusal:
            actions.redact(ada, seq, "again", now=AT)
        assert refusal.value.reason == reason
    with pytest.raises(NotFound):
        actions.redact(ada, 999, "private", now=AT)


@pytest.mark.django_db
def test_a_timeline_is_one_incidents_entries_in_order() -> None:
    told("incident.opened", "incident.acknowledged", incident="INC-1")
    told("incident.opened", incident="INC-10")
    told("incident.resolved", incident="INC-1")
    assert [entry.seq for entry in queries.timeline_entries("INC-1")] == [1, 2, 4]
    assert [entry.seq for entry in queries.timeline_entries("INC-1", 1, 1)] == [2]


@pytest.mark.django_db
def test_auditors_search_the_log_and_responders_do_not() -> None:
    auditor = worlds.actor("otto", role=Role.AUDITOR.value)
    start = Entry.objects.count()
    told("slo.applied", incident="", now=AT)
    told("incident.opened", now=AT + timedelta(hours=1))
    assert [entry.kind for entry in queries.entries(auditor, limit=2)] == ["incident.opened", "slo.applied"]
    assert [entry.kind for entry in queries.entries(auditor, kind="slo.")] == ["slo.applied"]
    assert [entry.kind for entry in queries.entries(auditor, incident="INC-1")] == ["incident.opened"]
    within = queries.entries(auditor, from_at=AT, to_at=AT + timedelta(hours=1))
    assert [entry.kind for entry in within] == ["slo.applied"]
    assert [entry.seq for entry in queries.entries(auditor, before=start + 2, limit=1)] == [start + 1]
    for actor in (ANONYMOUS, worlds.actor("tom"), worlds.actor("rita", role=Role.READER.value)):
        with pytest.raises(NotAllowed):
            queries.entries(actor)
