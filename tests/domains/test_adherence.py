"""Was the process followed: real incidents, judged from what the real actions wrote into the log."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.domains import worlds
from tests.domains.incident_worlds import HOUR, MINUTE, House, alert, change, entries, obligation
from tocsin.audit import actions as audit
from tocsin.audit.bundle import verify_bundle
from tocsin.audit.exports import export_bundle
from tocsin.audit.models import Entry
from tocsin.comms import actions as comms
from tocsin.core.access import SYSTEM
from tocsin.core.adherence import CHECKS
from tocsin.core.adherence_outcomes import Verdict
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.core.report_periods import quarter_of
from tocsin.core.wellbeing import AnswerState
from tocsin.incidents import actions
from tocsin.incidents.models import Incident
from tocsin.insights import adherence, adherence_evidence, scorecard, wellbeing
from tocsin.postmortems import actions as postmortems
from tocsin.process import actions as processes
from tocsin.process import queries as process
from tocsin.process.models import ProcessVersion, StakeholderGroup

pytestmark = pytest.mark.django_db

PASSED, FAILED, NA, WAIVED = Verdict.PASSED, Verdict.FAILED, Verdict.NOT_APPLICABLE, Verdict.WAIVED


@pytest.fixture
def house() -> House:
    scorecard.MEMORY.forget()
    made = House()
    for code in ("management", "product-owners"):
        processes.add_group_member(SYSTEM, group=code, email=f"{code}@harbor.example", now=made.now)
    return made


def said(house: House, incident: Incident) -> dict[str, Verdict]:
    found = adherence.of_incident(house.ada, incident.ref, now=house.now)
    return {code: outcome.verdict for code, outcome in found.outcomes.items()}


def why(house: House, incident: Incident, code: str) -> str:
    return adherence.of_incident(house.ada, incident.ref, now=house.now).outcomes[code].why


def lived_well(house: House) -> Incident:
    """A grave incident, handled as the process asks."""
    incident = house.declare(severity="error", groups=["product-owners"])
    house.run(MINUTE)
    actions.acknowledge(house.ada, incident.ref, now=house.now)
    actions.assign_role(house.ada, incident.ref, role="incident_coordinator", username="ben", now=house.now)
    house.run(5 * MINUTE)
    soon = house.now + 2 * HOUR
    comms.send_update(house.ben, incident.ref, text="Log-on fails for a third.", next_update_at=soon, now=house.now)
    house.run(30 * MINUTE)
    actions.move(house.ada, incident.ref, "identified", now=house.now)
    prompt = wellbeing.people_of(house.ben, incident.ref, now=house.now).unanswered[0]
    actions.answer_prompt(house.ben, incident.ref, prompt, answer=AnswerState.DONE, now=house.now)
    hotfix = obligation(incident, "hotfix")
    actions.fulfil_obligation(house.ada, hotfix.pk, reference="release 42", deployed_at=house.now, now=house.now)
    actions.resolve(house.ada, incident.ref, category="deploy", note="Rolled back.", now=house.now)
    comms.send_update(house.ben, incident.ref, text="Log-on works again since now.", kind="closing", now=house.now)
    return incident


@pytest.mark.req("R-9.1-11")
def test_an_incident_handled_as_the_process_asks_passes_and_names_its_entries(house: House) -> None:
    incident = lived_well(house)
    house.run(HOUR)
    found = adherence.of_incident(house.ada, incident.ref, now=house.now)
    passed = {code for code, outcome in found.outcomes.items() if outcome.verdict is PASSED}
    assert passed == {f"AC{n:02}" for n in (1, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 16, 22, 23)}
    assert not [code for code, outcome in found.outcomes.items() if outcome.verdict is FAILED]
    kinds = {code: {found.entries[seq].kind for seq in found.outcomes[code].evidence} for code in passed}
    assert kinds["AC09"] == {Kind.INCIDENT_DECLARED, Kind.UPDATE_SENT}
    assert kinds["AC13"] == {Kind.OBLIGATION_FULFILLED}
    assert kinds["AC06"] >= {Kind.ROLE_TAKEN}


def test_what_did_not_come_up_does_not_apply_and_nothing_is_left_unchecked(house: House) -> None:
    verdicts = said(house, lived_well(house))
    assert {verdicts[code] for code in ("AC14", "AC21")} == {NA}  # nothing was decided, nothing went outside
    assert Verdict.NOT_CHECKED not in verdicts.values()


@pytest.mark.req("R-9.1-11")
def test_an_incident_left_alone_fails_what_it_missed(house: House) -> None:
    [incident] = change(alert(now=house.now), now=house.now)
    house.run(40 * MINUTE)
    actions.acknowledge(house.ada, incident.ref, now=house.now)
    house.run(30 * MINUTE)
    verdicts = said(house, incident)
    failed = {code for code, verdict in verdicts.items() if verdict is FAILED}
    assert failed == {"AC03", "AC05", "AC06", "AC09", "AC10"}
    assert "was due at" in why(house, incident, "AC10")


def test_leaving_the_severity_as_it_is_is_a_decision_that_is_written_down_once(house: House) -> None:
    [incident] = change(alert(now=house.now), now=house.now)
    actions.acknowledge(house.ada, incident.ref, now=house.now)
    for _ in range(2):
        actions.change_severity(house.ada, incident.ref, severity=incident.severity, reason="One team", now=house.now)
    assert len(entries(incident, Kind.SEVERITY_CONFIRMED)) == 1
    assert said(house, incident)["AC03"] is PASSED


def test_a_pair_that_needs_a_reason_is_explained_by_the_description_of_who_declared(house: House) -> None:
    explained = house.declare(severity="warning", description="Data of three users; Ada runs the review")
    assert said(house, explained)["AC04"] is PASSED
    [by_machine] = change(alert(now=house.now), now=house.now)
    end_of = house.now
    actions.acknowledge(house.ada, by_machine.ref, now=end_of)
    actions.resolve(house.ada, by_machine.ref, category="data", now=end_of)
    assert said(house, by_machine)["AC04"] is FAILED


def test_groups_are_told_as_a_whole_or_not_at_all(house: House) -> None:
    incident = house.declare(groups=["product-owners", "customer-support"])
    soon = house.now + HOUR
    comms.send_update(
        house.ada, incident.ref, text="A third fail.", groups=["product-owners"], next_update_at=soon, now=house.now
    )
    house.run(30 * MINUTE)
    assert said(house, incident)["AC09"] is FAILED
    assert StakeholderGroup.objects.filter(code="customer-support").exists()


def test_an_action_item_completed_later_is_complete_and_one_reviewed_on_its_date_is_reviewed(house: House) -> None:
    incident = lived_well(house)
    item = postmortems.add_action(house.ada, incident.ref, title="Add a fuse", now=house.now)
    assert said(house, incident)["AC19"] is Verdict.NOT_DUE
    day = (house.now + timedelta(days=7)).date()
    postmortems.change_action(house.ada, item.pk, driver="ben", review_date=day, now=house.now)
    assert said(house, incident)["AC19"] is PASSED
    assert said(house, incident)["AC20"] is Verdict.NOT_DUE
    house.pass_time(timedelta(days=7))
    postmortems.change_action(house.ada, item.pk, status="done", now=house.now)
    assert said(house, incident)["AC20"] is PASSED


def test_the_day_of_the_postmortem_is_the_one_the_team_was_told(house: House) -> None:
    incident = lived_well(house)
    row = postmortems.start_postmortem(house.ada, incident.ref, now=house.now)
    [told] = entries(incident, Kind.POSTMORTEM_DRAFTED)
    assert datetime.fromisoformat(told["meeting_due_at"]) == row.meeting_due_at
    assert said(house, incident)["AC17"] is Verdict.NOT_DUE
    house.pass_time(timedelta(days=40))
    assert said(house, incident)["AC17"] is FAILED


def test_an_obligation_waived_in_the_response_is_a_waived_check(house: House) -> None:
    incident = house.declare()
    actions.waive_obligation(house.ada, obligation(incident, "hotfix").pk, reason="Nothing to roll out", now=house.now)
    found = adherence.of_incident(house.ada, incident.ref, now=house.now).outcomes["AC13"]
    assert found.verdict is WAIVED
    assert found.waiver is not None
    assert (found.waiver.by, found.waiver.reason) == ("ada", "Nothing to roll out")


@pytest.mark.req("R-9.1-11")
def test_the_owner_of_the_process_waives_a_check_with_a_reason_and_may_withdraw_it(house: House) -> None:
    [incident] = change(alert(now=house.now), now=house.now)
    house.run(HOUR)
    owner = worlds.actor("olga", role="process_owner", now=house.now)
    assert said(house, incident)["AC10"] is FAILED
    actions.waive_check(owner, incident.ref, check="ac10", reason="A drill; management knew", now=house.now)
    found = adherence.of_incident(house.ada, incident.ref, now=house.now).outcomes["AC10"]
    assert found.verdict is WAIVED
    assert found.waiver is not None
    assert (found.waiver.by, found.waiver.reason) == ("olga", "A drill; management knew")
    assert entries(incident, Kind.CHECK_WAIVED) == [
        {"check": "AC10", "title": CHECKS["AC10"].title, "reason": "A drill; management knew"}
    ]
    with pytest.raises(Refused):
        actions.waive_check(owner, incident.ref, check="AC10", reason="Again", now=house.now)
    actions.withdraw_waiver(owner, incident.ref, check="AC10", reason="It was no drill", now=house.now)
    assert said(house, incident)["AC10"] is FAILED
    with pytest.raises(Refused):
        actions.withdraw_waiver(owner, incident.ref, check="AC10", reason="Again", now=house.now)


@pytest.mark.parametrize(
    ("check", "reason", "field"), [("AC99", "Why", "check"), ("", "Why", "check"), ("AC10", "  ", "reason")]
)
def test_a_waiver_without_a_reason_or_of_no_check_is_refused_by_field(
    house: House, check: str, reason: str, field: str
) -> None:
    incident = house.declare()
    with pytest.raises(Invalid) as refused:
        actions.waive_check(house.admin, incident.ref, check=check, reason=reason, now=house.now)
    assert set(refused.value.fields) == {field}


def test_who_responds_cannot_waive_what_is_held_against_the_response(house: House) -> None:
    incident = house.declare()
    with pytest.raises(NotAllowed):
        actions.waive_check(house.ada, incident.ref, check="AC10", reason="It was night", now=house.now)
    with pytest.raises(NotFound):
        actions.waive_check(house.admin, "INC-999", check="AC10", reason="It was night", now=house.now)
    assert not entries(incident, Kind.CHECK_WAIVED)


def test_a_removed_entry_makes_what_rests_on_it_unchecked(house: House) -> None:
    incident = lived_well(house)
    entry = Entry.objects.get(incident=incident.ref, kind=Kind.ROLE_TAKEN, data__role_code="incident_coordinator")
    audit.redact(house.admin, entry.seq, "Names a guest", now=house.now)
    verdicts = said(house, incident)
    assert verdicts["AC06"] is verdicts["AC07"] is Verdict.NOT_CHECKED
    assert verdicts["AC09"] is PASSED


# The scorecard


def card(house: House) -> scorecard.Scorecard:
    return scorecard.scorecard(house.ada, quarter_of(house.now), now=house.now)


def rows(house: House) -> dict[str, scorecard.Row]:
    return {row.code: row for row in card(house).rows}


def test_an_empty_quarter_has_all_rules_and_no_figures(house: House) -> None:
    found = card(house)
    assert [row.code for row in found.rows] == list(CHECKS)
    assert found.incidents == found.exercises == found.void == 0
    assert {row.quarter.judged for row in found.rows} == {0}
    assert found.last == found.exceptions == found.changes == ()


def test_each_rule_counts_passed_of_judged_and_exceptions_apart(house: House) -> None:
    good = lived_well(house)
    [bad] = change(alert("am:2", now=house.now), now=house.now)
    [excused] = change(alert("am:3", now=house.now), now=house.now)
    house.run(HOUR)
    actions.waive_check(house.admin, excused.ref, check="AC10", reason="A drill", now=house.now)
    found = card(house)
    row = rows(house)["AC10"]
    assert (row.quarter.passed, row.quarter.judged, row.quarter.failed, row.quarter.waived) == (1, 2, 1, 1)
    assert [(mark.number, verdict) for mark, verdict in row.marks] == [
        (good.number, PASSED),
        (bad.number, FAILED),
        (excused.number, WAIVED),
    ]
    [made] = found.exceptions
    assert made.outcome.waiver is not None
    assert (made.card.number, made.code, made.outcome.waiver.reason) == (excused.number, "AC10", "A drill")


def test_exercises_and_what_was_no_incident_are_left_out_and_counted(house: House) -> None:
    house.declare(kind="exercise")
    actions.cancel(house.ada, house.declare().ref, reason="A test", now=house.now)
    house.run(HOUR)
    found = card(house)
    assert (found.incidents, found.exercises, found.void) == (0, 1, 1)


def test_a_new_version_of_the_process_is_marked_where_incidents_begin_under_it(house: House) -> None:
    first = house.declare()
    document = dict(ProcessVersion.objects.get(pk=process.current_version().pk).document)
    document["priorities"] = document["priorities"] | {"unset": {"pages_as": "P2", "decide_within_minutes": 5}}
    house.pass_time(HOUR)
    processes.publish_version(house.admin, document, note="Decide sooner", now=house.now)
    second = house.declare()
    found = card(house)
    assert [(one.number, one.at) for one in found.changes] == [(1, first.created_at), (2, second.created_at)]


def test_the_last_ten_reach_back_before_the_quarter_where_it_had_few(house: House) -> None:
    for _ in range(3):
        house.declare(priority=4, severity="warning")
    earlier = [one.number for one in Incident.objects.order_by("number")]
    house.now = datetime(2027, 1, 4, 9, tzinfo=UTC)
    now_one = house.declare(priority=4, severity="warning")
    found = card(house)
    assert (found.quarter.name, found.incidents) == ("2027-Q1", 1)
    assert [one.number for one in found.last] == [*earlier, now_one.number]


def test_what_was_kept_in_memory_is_what_would_be_computed(house: House) -> None:
    for number in range(4):
        change(alert(f"am:{number}", now=house.now), now=house.now)
    for step in (5, 10, 15, 30, 300):
        house.run(step * MINUTE)
        warm = card(house)
        scorecard.MEMORY.forget()
        assert warm == card(house)
        actions.acknowledge(house.ada, f"INC-{step % 4 + 1}", now=house.now)


def counted(house: House) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        card(house)
    return len(queries)


def test_the_scorecard_asks_as_often_for_forty_incidents_as_for_four(house: House) -> None:
    for number in range(4):
        change(alert(f"am:{number}", now=house.now), now=house.now)
    few = counted(house)
    for number in range(4, 40):
        change(alert(f"am:{number}", now=house.now), now=house.now)
    scorecard.MEMORY.forget()
    cold = counted(house)
    warm = counted(house)
    # Fewer than ten incidents make it look for earlier ones.
    assert (few, cold, warm) == (7, 6, 4)


# Evidence


def bundle(house: House, path: Path, start: datetime, finish: datetime) -> Path:
    more = adherence.bundle_files(house.admin, start=start, end=finish, now=house.now)
    path.write_bytes(export_bundle(house.admin, from_at=start, to_at=finish, more=more))
    return path


@pytest.fixture
def told(house: House) -> House:
    lived_well(house)
    change(alert("am:2", now=house.now), now=house.now)
    house.run(HOUR)
    return house


@pytest.mark.req("R-9.1-12")
def test_a_bundle_holds_the_verdicts_and_they_follow_from_its_entries_without_the_server(
    told: House, tmp_path: Path
) -> None:
    start, finish = told.now - timedelta(days=1), told.now + timedelta(days=1)
    first = bundle(told, tmp_path / "a.zip", start, finish)
    told.pass_time(2 * HOUR)
    second = bundle(told, tmp_path / "b.zip", start, finish)
    assert first.read_bytes() == second.read_bytes()
    assert verify_bundle(first).ok
    found = adherence_evidence.verify(first)
    assert found is not None
    assert (found.ok, found.verdicts) == (True, 2 * len(CHECKS))
    with zipfile.ZipFile(first) as archive:
        table = archive.read(adherence_evidence.TABLE).decode()
        summary = archive.read(adherence_evidence.SUMMARY).decode()
    assert ",AC10,Management told when the priority asks for it,fail," in table
    assert "| AC10 | Management told when the priority asks for it | 1 of 2 |" in summary


def test_a_bundle_of_a_past_period_is_judged_as_of_its_end(told: House, tmp_path: Path) -> None:
    start, finish = told.now - timedelta(days=1), told.now - 55 * MINUTE
    found = bundle(told, tmp_path / "a.zip", start, finish)
    with zipfile.ZipFile(found) as archive:
        basis = json.loads(archive.read(adherence_evidence.BASIS))
        table = archive.read(adherence_evidence.TABLE).decode()
    assert datetime.fromisoformat(basis["as_of"]) == finish
    assert list(basis["process_versions"]) == ["1"]
    assert ",AC10,Management told when the priority asks for it,not_due," in table


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        (adherence_evidence.TABLE, b",fail,", b",pass,"),
        (adherence_evidence.SUMMARY, b"1 of 2", b"2 of 2"),
    ],
)
def test_a_verdict_changed_in_a_bundle_is_found(
    told: House, tmp_path: Path, name: str, before: bytes, after: bytes
) -> None:
    whole = bundle(told, tmp_path / "a.zip", told.now - timedelta(days=1), told.now + HOUR)
    changed = tmp_path / "b.zip"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(changed, "w") as target:
        for member in source.namelist():
            content = source.read(member)
            target.writestr(member, content.replace(before, after, 1) if member == name else content)
    found = adherence_evidence.verify(changed)
    assert found is not None
    assert not found.ok
    assert found.why.startswith(f"{name}: line ")


def test_a_bundle_without_verdicts_has_none_to_compare(told: House, tmp_path: Path) -> None:
    path = tmp_path / "plain.zip"
    path.write_bytes(export_bundle(told.admin, from_at=told.now - HOUR, to_at=told.now))
    assert adherence_evidence.verify(path) is None


def test_a_cell_that_looks_like_a_formula_is_shown_as_text(house: House) -> None:
    [incident] = change(alert(now=house.now), now=house.now)
    house.run(HOUR)
    actions.waive_check(house.admin, incident.ref, check="AC10", reason="=1+1", now=house.now)
    found = adherence.of_period(house.admin, start=house.now - timedelta(days=1), end=house.now + MINUTE, now=house.now)
    assert ",'=1+1\r\n" in "".join(adherence_evidence.as_csv(found))
