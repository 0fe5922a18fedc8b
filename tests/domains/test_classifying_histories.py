"""Whatever people do to priority and severity, obligations follow from the facts, and previews say what happens."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tests.domains import incident_worlds as world
from tests.domains import worlds
from tests.domains.incident_worlds import MONDAY_NIGHT, House
from tocsin.audit.models import Entry
from tocsin.core.errors import TocsinError
from tocsin.core.obligations import obligations
from tocsin.core.process_parts import Verdict
from tocsin.incidents import actions, snapshots
from tocsin.incidents.actions import duties
from tocsin.incidents.models import Incident, Obligation, ObligationState, Page, RoleHeld
from tocsin.incidents.previewing import Preview, Previewer

pytestmark = pytest.mark.django_db

RANKS, SEVERITIES = (1, 2, 3, 4), ("critical", "error", "warning")
ROLES = ("incident_coordinator", "incident_communicator", "technical_expert")
reasons = st.sampled_from(["", "as it looks"])
steps = st.one_of(
    st.tuples(st.just("priority"), st.sampled_from([*RANKS, None]), reasons, st.booleans()),
    st.tuples(st.just("severity"), st.sampled_from(SEVERITIES), reasons, st.booleans()),
    st.tuples(st.just("size"), st.sampled_from(["0.1", "0.45", "0.7", None]), st.sampled_from([None, 1, 2, 3])),
    st.tuples(st.just("team"), st.sampled_from(["payments", "billing"])),
    st.tuples(st.just("suggestion"), st.sampled_from(["severity", "priority"]), st.booleans(), reasons),
    st.tuples(st.just("role"), st.sampled_from(ROLES), st.sampled_from(["ada", "ben", "dana"])),
    st.tuples(st.just("groups"), st.sampled_from([(), ("product-owners",), ("management",)])),
    st.tuples(st.just("undo")),
    st.tuples(st.just("alert"), st.sampled_from(RANKS)),
    st.tuples(st.just("acknowledge")),
    st.tuples(st.just("resolve")),
    st.tuples(st.just("reopen")),
)
BRIEFLY = settings(
    max_examples=15,
    deadline=None,
    # A course is short enough to be read as it was drawn, and each step costs a change of the database.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
moments = st.sampled_from([0, 5, 20, 61 * 60]).map(lambda seconds: timedelta(seconds=seconds))


class Story:
    """One incident that things are done to; what the process refuses is passed over."""

    def __init__(self, priority: int) -> None:
        self.house = House()
        for team, name in (("payments", "dana"), ("billing", "eli")):
            worlds.person(name, in_team=team, now=self.house.now)
        self.house.rotation("coordinators", "incident_coordinator", "cora")
        self.house.rotation("communicators", "incident_communicator", "mia")
        self.alert = world.alert(now=self.house.now, priority=priority)
        [self.incident] = world.change(self.alert, now=self.house.now)

    def fresh(self) -> Incident:
        return world.fresh(self.incident)

    def do(self, step: tuple[object, ...]) -> None:
        try:
            with transaction.atomic():
                self._do(*step)
        except TocsinError:
            pass

    def _do(self, what: object, *given: object) -> None:
        ada, ref, now = self.house.ada, self.incident.ref, self.house.now
        match what, given:
            case "priority", (rank, reason, exception):
                state = "none" if rank is None else "set"
                actions.change_priority(
                    ada, ref, priority=rank, state=state, reason=str(reason), exception=bool(exception), now=now
                )  # type: ignore[arg-type]  # drawn by the strategy
            case "severity", (code, reason, exception):
                actions.change_severity(
                    ada, ref, severity=str(code), reason=str(reason), exception=bool(exception), now=now
                )
            case "size", (share, teams):
                actions.state_scope(ada, ref, {"users_share": share, "teams_needed": teams}, now=now)
            case "team", (team,):
                actions.name_team(ada, ref, str(team), now=now)
            case "suggestion", (subject, accept, reason):
                actions.answer_suggestion(ada, ref, str(subject), accept=bool(accept), reason=str(reason), now=now)
            case "role", (role, name):
                actions.assign_role(ada, ref, role=str(role), username=str(name), now=now)
            case "groups", (groups,):
                actions.choose_groups(ada, ref, groups=groups, now=now)  # type: ignore[arg-type]  # as above
            case "alert", (rank,):
                self.alert.priority = rank  # type: ignore[assignment]  # as above
                world.change(self.alert, world.ChangeKind.REPEATED, now=now)
            case "undo", _:
                actions.undo(ada, ref, now=now)
            case "acknowledge", _:
                actions.acknowledge(ada, ref, now=now)
            case "resolve", _:
                actions.resolve(ada, ref, category="deploy", now=now)
            case "reopen", _:
                actions.reopen(ada, ref, reason="again", now=now)

    def assert_obligations_follow_from_the_facts(self) -> None:
        incident = self.fresh()
        definition = snapshots.process_of(incident)
        facts = snapshots.obligation_facts(incident, duties.latest_rows(incident), definition)
        asked = obligations(facts, definition, now=self.house.now, calendar=snapshots.business_days(incident.team))
        rows = Obligation.objects.filter(incident=incident, state=ObligationState.OPEN)
        assert {(row.key, row.due_at, row.owner_role) for row in rows} == {
            (one.key, one.due_at, one.owner_role) for one in asked
        }

    def assert_a_pair_that_is_not_allowed_is_an_exception(self) -> None:
        incident = self.fresh()
        if incident.priority is None:
            return
        rule = snapshots.process_of(incident).matrix.rule(incident.priority, incident.severity)
        assert rule is not None
        if rule.verdict is Verdict.NOT_ALLOWED:
            kinds = ["priority.changed", "severity.changed"]
            entry = Entry.objects.filter(incident=incident.ref, kind__in=kinds).order_by("-seq")[0]
            assert entry.data is not None
            assert (entry.data["exception"], entry.data["against"][0]) == (True, "matrix")
            assert entry.data["reason"]


@BRIEFLY
@given(first=st.sampled_from(RANKS), course=st.lists(st.tuples(moments, steps), max_size=9))
def test_obligations_are_those_of_the_facts_and_no_course_leads_into_a_forbidden_pair_unseen(
    first: int, course: list[tuple[timedelta, tuple[object, ...]]]
) -> None:
    with transaction.atomic():
        story = Story(first)
        for pause, step in course:
            story.house.pass_time(pause)
            story.do(step)
            story.assert_obligations_follow_from_the_facts()
            story.assert_a_pair_that_is_not_allowed_is_an_exception()
        transaction.set_rollback(True)


def shown_before(found: Preview) -> tuple[set[str], set[str], set[tuple[str, object]], set[str], set[str]]:
    """Begins, ends, new due times, who is asked or woken, what is released."""
    owed = found.obligations
    people = [person.username for call in found.calls for person in call.persons]
    return (
        {one.key for one in owed.begins},
        {one.key for one in owed.ends},
        {(one.after.key, one.after.due_at) for one in owed.moves},
        {*people, *(person.username for person in found.woken)},
        {one.role for one in found.released},
    )


def open_rows(incident: Incident) -> dict[str, object]:
    rows = Obligation.objects.filter(incident=incident, state=ObligationState.OPEN).exclude(kind="fill_role")
    return {row.key: (row.due_at, row.owner_role) for row in rows}


def held(incident: Incident) -> set[str]:
    return set(RoleHeld.objects.filter(incident=incident, until_at=None).values_list("role", flat=True))


@pytest.mark.req("R-9.3.6-1")
@BRIEFLY
@given(
    first=st.sampled_from(RANKS),
    course=st.lists(st.tuples(moments, steps), max_size=5),
    change=st.one_of(st.sampled_from(RANKS), st.sampled_from(SEVERITIES)),
)
@example(first=2, course=[(timedelta(0), ("role", "incident_coordinator", "dana"))], change="warning")
def test_what_is_shown_before_a_change_is_what_it_brings_about(
    first: int, course: list[tuple[timedelta, tuple[object, ...]]], change: int | str
) -> None:
    with transaction.atomic():
        story = Story(first)
        for pause, step in course:
            story.house.pass_time(pause)
            story.do(step)
        story.house.pass_time(timedelta(seconds=1))
        incident, now, ada = story.fresh(), story.house.now, story.house.ada
        previewer = Previewer(ada, incident, now=now)
        found = previewer.severity(change) if isinstance(change, str) else previewer.priority(change)
        before, roles = open_rows(incident), held(incident)
        if isinstance(change, str):
            actions.change_severity(ada, incident.ref, severity=change, reason="x", exception=True, now=now)
        else:
            actions.change_priority(ada, incident.ref, priority=change, reason="x", exception=True, now=now)
        after = open_rows(incident)
        begins, ends, moves, people, released = shown_before(found)
        assert begins == set(after) - set(before)
        # What the change itself fulfils (a priority was to be decided) ends as well.
        assert ends == set(before) - set(after)
        assert moves == {(key, after[key][0]) for key in set(after) & set(before) if after[key] != before[key]}  # type: ignore[index]  # pairs
        paged = Page.objects.filter(incident=incident, created_at=now).exclude(person=None)
        assert people == set(paged.values_list("person__username", flat=True))
        assert released == roles - held(incident)
        transaction.set_rollback(True)


def test_what_is_over_wakes_nobody_whatever_it_is_called_afterwards() -> None:
    story = Story(4)
    story.do(("resolve",))
    story.do(("priority", 1, "it was worse than it looked", False))
    assert story.fresh().priority == 1
    assert not Page.objects.exists()


def test_a_night_on_which_nothing_wakes_anybody_says_whom_the_highest_priority_would_wake() -> None:
    story = Story(4)
    assert story.house.now == MONDAY_NIGHT
    assert not Page.objects.exists()
    found = Previewer(story.house.ada, story.fresh(), now=story.house.now).priority(1)
    assert [person.username for person in found.woken] == ["ada"]
    assert not Page.objects.exists()
