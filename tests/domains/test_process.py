"""The process as published versions: one in force, checked before, compared after, changed by nobody else."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from tests.domains import worlds
from tocsin.audit.models import Entry
from tocsin.core.access import ANONYMOUS, SYSTEM, Role
from tocsin.core.document_diff import Change
from tocsin.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.process import actions, queries, snapshots
from tocsin.process.defaults import default_document
from tocsin.process.models import ProcessVersion, StakeholderGroup, VersionState

pytestmark = pytest.mark.django_db


def slower(minutes: int) -> dict[str, Any]:
    """The shipped process with another pace of updates for its first priority."""
    document = copy.deepcopy(default_document())
    document["priorities"]["priorities"][0]["criteria"]["update_every_minutes"] = minutes
    return document


def test_the_first_start_publishes_the_shipped_process_and_its_groups(now: datetime) -> None:
    version = actions.ensure_default(now=now)
    assert (version.number, version.state, version.published_at) == (1, VersionState.PUBLISHED, now)
    groups = queries.groups(worlds.administrator())
    assert {group.code for group in groups} == {group.code for group in queries.current().groups}
    assert [group.ring for group in groups] == sorted(group.ring for group in groups)
    assert Entry.objects.filter(kind=Kind.PROCESS_PUBLISHED).count() == 1


def test_later_starts_change_nothing(now: datetime) -> None:
    first = actions.ensure_default(now=now)
    entries = Entry.objects.count()
    assert actions.ensure_default(now=now + timedelta(days=1)) == first
    assert (ProcessVersion.objects.count(), Entry.objects.count()) == (1, entries)


def test_management_is_the_group_the_process_calls_so(now: datetime) -> None:
    actions.ensure_default(now=now)
    assert [group.code for group in queries.management_groups()] == ["management"]
    actions.add_group_member(SYSTEM, group="management", email="lea@harbor.example", name="Lea", now=now)
    [management] = queries.management_groups()
    assert [member.email for member in management.members.all()] == ["lea@harbor.example"]


@pytest.mark.req("R-9.2-1")
def test_exactly_one_catalogue_is_in_force_and_a_team_cannot_add_a_priority(now: datetime) -> None:
    actions.ensure_default(now=now)
    actions.publish_version(SYSTEM, slower(60), note="Hourly", now=now)
    published = ProcessVersion.objects.filter(state=VersionState.PUBLISHED)
    assert [version.number for version in published] == [2]
    with pytest.raises(IntegrityError), transaction.atomic():
        ProcessVersion.objects.filter(number=1).update(state=VersionState.PUBLISHED)
    wider = slower(60)
    wider["priorities"]["priorities"].append({**wider["priorities"]["priorities"][-1], "code": "P5", "rank": 5})
    owner = worlds.actor("mara", in_team="tickets", is_owner=True, role=Role.TEAM_OWNER.value)
    for actor in (owner, worlds.actor("tom"), ANONYMOUS):
        with pytest.raises(NotAllowed):
            actions.publish_version(actor, wider, note="Our own", now=now)


def test_a_new_version_supersedes_the_former_and_old_incidents_keep_theirs(now: datetime) -> None:
    first = actions.ensure_default(now=now)
    second = actions.publish_version(SYSTEM, slower(60), note="Hourly", now=now + timedelta(days=1))
    first.refresh_from_db()
    assert (first.state, second.number) == (VersionState.SUPERSEDED, 2)
    assert queries.current_version().pk == second.pk

    def pace(version: ProcessVersion | int) -> timedelta | None:
        return queries.definition(version).catalogue.priorities[0].criteria.update_every

    assert (pace(first), pace(second)) == (timedelta(hours=2), timedelta(hours=1))
    assert (pace(first.pk), pace(second.pk)) == (timedelta(hours=2), timedelta(hours=1))


def test_the_log_names_every_place_that_changed(now: datetime) -> None:
    actions.ensure_default(now=now)
    document = slower(60)
    del document["messages"]["blame"][0]
    actions.publish_version(worlds.actor("olga", role=Role.PROCESS_OWNER.value), document, note="Hourly", now=now)
    entry = Entry.objects.filter(kind=Kind.PROCESS_PUBLISHED).latest("seq")
    assert entry.actor == "olga"
    assert "priorities.priorities[P1].criteria.update_every_minutes" in entry.data["changed"]
    assert entry.data["number"] == 2
    assert entry.data["supersedes"] == 1
    assert entry.data["sha256"] == snapshots.document_digest(document)


def test_the_changes_between_two_versions_can_be_read(now: datetime) -> None:
    actions.ensure_default(now=now)
    actions.publish_version(SYSTEM, slower(60), note="Hourly", now=now)
    [change] = queries.version_changes(worlds.actor("rita", role=Role.READER.value), 1, 2)
    assert (change.change, change.before, change.after) == (Change.CHANGED, 120, 60)
    with pytest.raises(NotFound):
        queries.version(worlds.administrator(), 3)


def test_a_faulty_document_is_refused_with_its_places_and_nothing_changes(now: datetime) -> None:
    actions.ensure_default(now=now)
    document = slower(60)
    document["priorities"]["priorities"][0]["criteria"]["update_every_minutes"] = "soon"
    with pytest.raises(Invalid) as refusal:
        actions.publish_version(SYSTEM, document, note="Soon", now=now)
    assert any("update_every_minutes" in place for place in refusal.value.fields)
    assert ProcessVersion.objects.count() == 1


def test_publishing_needs_a_note_a_change_and_the_version_one_has_read(now: datetime) -> None:
    actions.ensure_default(now=now)
    with pytest.raises(Invalid):
        actions.publish_version(SYSTEM, slower(60), note=" ", now=now)
    with pytest.raises(Refused) as refusal:
        actions.publish_version(SYSTEM, default_document(), note="Same", now=now)
    assert refusal.value.reason == "unchanged"
    actions.publish_version(SYSTEM, slower(60), note="Hourly", based_on=1, now=now)
    with pytest.raises(Conflict):
        actions.publish_version(SYSTEM, slower(90), note="Mine", based_on=1, now=now)


def test_a_definition_is_read_once_and_never_taken_for_another(now: datetime, django_assert_num_queries: Any) -> None:
    version = actions.ensure_default(now=now)
    first = queries.definition(version)
    with django_assert_num_queries(0):
        assert queries.definition(version) is first
    with django_assert_num_queries(1):
        assert queries.current() is first
    # Another database may hold another document under the same number: after a restore, or in the next test.
    other = slower(60)
    ProcessVersion.objects.filter(pk=version.pk).update(document=other, sha256=snapshots.document_digest(other))
    assert queries.current().catalogue.priorities[0].criteria.update_every == timedelta(hours=1)


def test_a_version_without_a_content_name_is_still_read(now: datetime) -> None:
    version = actions.ensure_default(now=now)
    ProcessVersion.objects.update(sha256="")
    assert queries.definition(version.pk) == queries.definition(version)


def test_without_a_published_process_the_question_says_what_to_do() -> None:
    with pytest.raises(NotFound, match="publish"):
        queries.current()
    with pytest.raises(NotFound):
        queries.definition(17)


def test_a_new_version_brings_its_groups_and_takes_none_away(now: datetime) -> None:
    actions.ensure_default(now=now)
    actions.add_group_member(SYSTEM, group="product-owners", email="po@harbor.example", now=now)
    document = default_document()
    groups = document["stakeholders"]["stakeholder_groups"]
    document["stakeholders"]["stakeholder_groups"] = [
        {**group, "name": "Leadership"} if group["code"] == "management" else group
        for group in groups
        if group["code"] != "product-owners"
    ] + [{"code": "crews", "name": "Crews", "ring": 3, "for": "boarding"}]
    actions.publish_version(SYSTEM, document, note="Crews want to hear", now=now)
    assert queries.group("crews").ring == 3
    assert queries.group("management").name == "Leadership"
    assert queries.group("product-owners").members.count() == 1
    assert Entry.objects.latest("seq").data["groups"] == ["management", "crews"]


def test_a_group_beside_the_process_needs_a_fit_code_and_a_known_ring(now: datetime) -> None:
    actions.ensure_default(now=now)
    owner = worlds.actor("olga", role=Role.PROCESS_OWNER.value)
    group = actions.add_group(owner, code="harbour-office", name="Harbour office", ring=2, is_management=True, now=now)
    assert group in queries.management_groups()
    for code, ring in (("harbour-office", 2), ("Not A Code", 2), ("far-away", 9)):
        with pytest.raises(Invalid):
            actions.add_group(owner, code=code, name="x", ring=ring, now=now)
    with pytest.raises(NotAllowed):
        actions.add_group(worlds.actor("tom"), code="friends", name="Friends", now=now)
    with pytest.raises(NotFound):
        queries.group("friends")


def test_a_member_joins_once_is_renamed_and_leaves_once(now: datetime) -> None:
    actions.ensure_default(now=now)
    worlds.person("mara")
    member = actions.add_group_member(SYSTEM, group="product-owners", email="Mara@harbor.example", name="Mara", now=now)
    assert member.person is not None
    entries = Entry.objects.count()
    actions.add_group_member(SYSTEM, group="product-owners", email="Mara@harbor.example", name="Mara", now=now)
    assert Entry.objects.count() == entries
    actions.add_group_member(SYSTEM, group="product-owners", email="Mara@harbor.example", name="Mara K.", now=now)
    actions.remove_group_member(SYSTEM, group="product-owners", email="mara@HARBOR.example", now=now)
    actions.remove_group_member(SYSTEM, group="product-owners", email="mara@HARBOR.example", now=now)
    changes = [entry.data["change"] for entry in Entry.objects.filter(kind=Kind.GROUP_SAVED).order_by("seq")]
    assert changes == ["added", "renamed", "removed"]
    with pytest.raises(Invalid):
        actions.add_group_member(SYSTEM, group="product-owners", email="nowhere", now=now)
    with pytest.raises(NotAllowed):
        actions.add_group_member(worlds.actor("tom"), group="product-owners", email="t@harbor.example", now=now)


def test_publishing_fails_as_a_whole(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    actions.ensure_default(now=now)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the log is full")

    monkeypatch.setattr(actions.audit, "record", broken)
    with pytest.raises(RuntimeError):
        actions.publish_version(SYSTEM, slower(60), note="Hourly", now=now)
    assert queries.current_version().number == 1
    assert StakeholderGroup.objects.count() == len(queries.current().groups)
