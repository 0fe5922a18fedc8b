"""Error budget policies in the running product: judged by the engine, told once, traced, ended, answered, reviewed."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.domains import slo_worlds, worlds
from tests.domains.worlds import NOW
from tocsin.alerts import actions as alerts
from tocsin.audit.models import Entry
from tocsin.core.access import ANONYMOUS, SYSTEM, Role
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.engine import judge_policies
from tocsin.incidents import actions as incidents
from tocsin.incidents.models import Incident
from tocsin.insights import budget_policies as insights
from tocsin.platform.models import OutboxMessage
from tocsin.process import actions as process
from tocsin.slo import actions, queries
from tocsin.slo.defaults import default_policy
from tocsin.slo.models import ErrorBudgetPolicy, IncidentSpend, Objective, PolicyConsequence

pytestmark = pytest.mark.django_db

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def house() -> None:
    """Olga owns the team identity with one SLO of 99 %; Pia hears as a product owner."""
    worlds.process(now=NOW - 40 * DAY)
    worlds.person("olga", in_team="identity", is_owner=True, display_name="Olga", now=NOW - 40 * DAY)
    worlds.person("tom", in_team="identity", now=NOW - 40 * DAY)
    worlds.service("log-on", of_team="identity", now=NOW - 40 * DAY, display_name="Log-on")
    process.add_group_member(SYSTEM, group="product-owners", email="pia@harbor.example", name="Pia", now=NOW)


def slo(name: str = "log-on") -> Objective:
    made = slo_worlds.objective(
        name, service="log-on", display_name="People can log on", target=Decimal("0.99"), now=NOW - 40 * DAY
    )
    slo_worlds.push(made, NOW - 10 * DAY, good=100_000, bad=0)
    slo_worlds.push(made, NOW - MINUTE, good=1_000, bad=0, now=NOW)
    slo_worlds.judge(made, NOW)
    return made


def policy(*, now: datetime = NOW, **changed: Any) -> ErrorBudgetPolicy:
    document = {**default_policy(), "next_review": "2027-05-23", **changed}
    return actions.save_budget_policy(worlds.actor("olga"), team="identity", document=document, now=now)


def look(now: datetime) -> int:
    """Let the engine look, as it does in its loop."""
    return judge_policies.turn(now=now)


def burn(made: Objective, start: datetime, bad: int, *, minutes: int = 10) -> Incident:
    """So many events fail within some minutes; the alert opens an incident, which is over ten minutes later."""
    for minute in range(minutes):
        at = start + minute * MINUTE
        slo_worlds.push(made, at, good=10, bad=bad // minutes, now=at + MINUTE)
        signals = slo_worlds.judge(made, at + MINUTE)
        with transaction.atomic():
            incidents.take_alert_changes(alerts.take_slo_signals(signals, now=at + MINUTE), now=at + MINUTE)
    return Incident.objects.latest("number")


def facts(kind: Kind) -> list[Any]:
    return [entry.data for entry in Entry.objects.filter(kind=kind).order_by("seq")]


def told(kind: str = "budget_policy") -> list[str]:
    return sorted(OutboxMessage.objects.filter(kind=kind).values_list("address", flat=True))


@pytest.mark.req("R-10-1")
def test_an_incident_that_takes_more_than_agreed_begins_a_consequence_that_can_be_traced() -> None:
    made, _ = slo(), policy()
    incident = burn(made, NOW, 400)
    assert look(NOW + 11 * MINUTE) == 1
    [row] = PolicyConsequence.objects.filter(clause="EB2")
    assert (row.subject, row.refs, row.ended_at) == (incident.ref, [incident.ref], None)
    assert "39." in row.why
    assert row.consequence == default_policy()["clauses"][1]["consequence"]
    assert [one["address"] for one in row.told] == ["olga@harbor.example"]
    [fact] = [one for one in facts(Kind.BUDGET_POLICY_CLAUSE_BEGAN) if one["clause"] == "EB2"]
    assert (fact["slo"], fact["refs"], fact["told"]) == ("log-on", [incident.ref], ["olga@harbor.example"])
    mail = OutboxMessage.objects.get(key=f"budget-policy-{row.pk}-0")
    assert "Measured: " + row.why in mail.payload["text"]
    assert "/teams/identity/policy" in mail.payload["text"]


@pytest.mark.req("R-10-1")
def test_a_spent_budget_freezes_releases_until_the_slo_is_met_again() -> None:
    made, row = slo(), policy()
    burn(made, NOW, 2_000)
    look(NOW + 11 * MINUTE)
    [freeze] = PolicyConsequence.objects.filter(clause="EB1")
    assert [one["address"] for one in freeze.told] == ["olga@harbor.example", "pia@harbor.example"]
    look(NOW + 17 * MINUTE)
    assert PolicyConsequence.objects.filter(clause="EB1").count() == 1
    after = NOW + 29 * DAY
    slo_worlds.push(made, after - MINUTE, good=1_000, bad=0, now=after)
    slo_worlds.judge(made, after)
    look(after)
    freeze.refresh_from_db()
    assert freeze.ended_at == after
    assert [one["clause"] for one in facts(Kind.BUDGET_POLICY_CLAUSE_ENDED)].count("EB1") == 1
    row.refresh_from_db()
    assert {one["clause"]: one["verdict"] for one in row.findings}["EB1"] == "does_not_hold"


def test_looking_again_tells_nobody_again_and_waits_five_minutes() -> None:
    made, _ = slo(), policy()
    burn(made, NOW, 400)
    look(NOW + 11 * MINUTE)
    letters = told()
    assert look(NOW + 15 * MINUTE) == 0
    assert look(NOW + 16 * MINUTE) == 1
    assert told() == letters
    assert letters == ["olga@harbor.example"]


def test_what_an_incident_took_stays_what_it_was_when_its_minutes_are_gone() -> None:
    made, _ = slo(), policy()
    incident = burn(made, NOW, 400)
    slo_worlds.push(made, NOW - 5 * MINUTE, good=0, bad=70, now=NOW + 11 * MINUTE)
    ended = NOW + 30 * MINUTE
    incidents.resolve(SYSTEM, incident.number, category="software", note="rolled back", now=ended)
    look(NOW + 31 * MINUTE)
    [kept] = IncidentSpend.objects.all()
    assert (kept.incident, kept.bad) == (incident.ref, 470)
    actions.forget_counts(0, now=NOW + 6 * DAY)
    slo_worlds.push(made, NOW + 6 * DAY - MINUTE, good=1000, bad=0, now=NOW + 6 * DAY)
    slo_worlds.judge(made, NOW + 6 * DAY)
    look(NOW + 6 * DAY)
    assert [row.bad for row in IncidentSpend.objects.all()] == [kept.bad]
    assert PolicyConsequence.objects.filter(clause="EB2").count() == 1


def test_data_that_stop_end_nothing() -> None:
    made, row = slo(), policy()
    burn(made, NOW, 2_000)
    look(NOW + 11 * MINUTE)
    later = NOW + 3 * HOUR
    slo_worlds.judge(made, later)
    look(later)
    row.refresh_from_db()
    assert {one["verdict"] for one in row.findings if one["clause"] == "EB1"} == {"unknown"}
    assert PolicyConsequence.objects.get(clause="EB1").ended_at is None


def test_exercises_and_cancelled_incidents_cost_nothing() -> None:
    made, _ = slo(), policy()
    burn(made, NOW, 400)
    Incident.objects.update(kind="exercise")
    look(NOW + 11 * MINUTE)
    assert not PolicyConsequence.objects.filter(clause="EB2").exists()


@pytest.mark.req("R-10-1")
def test_what_was_done_is_written_beside_the_consequence_by_the_team_and_nobody_else() -> None:
    made, _ = slo(), policy()
    burn(made, NOW, 400)
    look(NOW + 11 * MINUTE)
    row = PolicyConsequence.objects.get(clause="EB2")
    with pytest.raises(NotAllowed):
        actions.answer_consequence(worlds.actor("tom"), row.pk, note="x", now=NOW)
    for wrong in ({"note": " "}, {"note": "x", "url": "javascript:alert(1)"}):
        with pytest.raises(Invalid):
            actions.answer_consequence(worlds.actor("olga"), row.pk, **wrong, now=NOW)
    done = actions.answer_consequence(
        worlds.actor("olga"), row.pk, note="Postmortem held", url="https://wiki.example.com/pm", now=NOW + HOUR
    )
    assert (done.done_by, done.ended_at) == ("olga", NOW + HOUR)
    assert facts(Kind.BUDGET_POLICY_ANSWERED)[0]["note"] == "Postmortem held"
    with pytest.raises(Refused):
        actions.answer_consequence(worlds.actor("olga"), row.pk, note="again", now=NOW + HOUR)
    look(NOW + 2 * HOUR)
    assert PolicyConsequence.objects.filter(clause="EB2").count() == 1
    with pytest.raises(NotFound):
        actions.answer_consequence(SYSTEM, 0, note="x", now=NOW)


def test_saving_needs_the_team_counts_revisions_and_names_mistakes() -> None:
    first = policy()
    entries = Entry.objects.count()
    assert policy().revision == 1
    assert Entry.objects.count() == entries
    assert policy(scope="Log-on alone").revision == 2
    document = {**default_policy(), "next_review": "2027-05-23"}
    for actor in (worlds.actor("tom"), worlds.actor("rea", role=Role.READER.value), ANONYMOUS):
        with pytest.raises(NotAllowed):
            actions.save_budget_policy(actor, team="identity", document=document, now=NOW)
    with pytest.raises(NotFound):
        actions.save_budget_policy(SYSTEM, team="nobody", document=document, now=NOW)
    with pytest.raises(Refused):
        actions.save_budget_policy(SYSTEM, team="identity", document=document, based_on=1, now=NOW)
    clause = {**default_policy()["clauses"][0], "tell": ["group:nobody"]}
    with pytest.raises(Invalid, match="no stakeholder group 'nobody'"):
        policy(clauses=[clause])
    first.refresh_from_db()
    assert first.document["scope"] == "Log-on alone"


def test_a_clause_that_is_taken_out_ends_what_followed_from_it() -> None:
    made, _ = slo(), policy()
    burn(made, NOW, 2_000)
    look(NOW + 11 * MINUTE)
    policy(clauses=default_policy()["clauses"][1:], now=NOW + 12 * MINUTE)
    look(NOW + 12 * MINUTE)
    assert PolicyConsequence.objects.get(clause="EB1").ended_at == NOW + 12 * MINUTE


@pytest.mark.req("R-10-1")
def test_the_owners_are_asked_once_for_the_review_of_each_date() -> None:
    policy(next_review="2026-11-24")
    look(NOW)
    assert told() == []
    look(NOW + DAY)
    look(NOW + 2 * DAY)
    assert told() == ["olga@harbor.example"]
    assert [one["due"] for one in facts(Kind.BUDGET_POLICY_REVIEW_DUE)] == ["2026-11-24"]
    policy(next_review="2026-11-30", now=NOW + 3 * DAY)
    look(NOW + 8 * DAY)
    assert len(told()) == 2


def test_a_team_without_slos_is_judged_without_findings() -> None:
    row = policy()
    assert look(NOW) == 1
    row.refresh_from_db()
    assert (row.findings, row.judged_at) == ([], NOW)
    assert queries.policy_of(row).tie_breaker == "Head of engineering"


def test_more_slos_cost_few_more_queries() -> None:
    slo()
    policy()
    look(NOW)
    with CaptureQueriesContext(connection) as few:
        look(NOW + 5 * MINUTE)
    for number in range(6):
        slo(f"more-{number}")
    with CaptureQueriesContext(connection) as many:
        look(NOW + 10 * MINUTE)
    assert len(many) <= len(few) + 1


BY_PEOPLE = {
    "code": "EB9",
    "when": {"kind": "by_people"},
    "condition": "The owners see a risk",
    "consequence": "Nothing risky is released",
    "tell": ["owners", "group:product-owners"],
}


def by_people() -> ErrorBudgetPolicy:
    return policy(clauses=[*default_policy()["clauses"], BY_PEOPLE])


@pytest.mark.req("R-10-1")
def test_a_clause_that_people_judge_is_begun_and_ended_by_hand_told_and_audited() -> None:
    slo()
    by_people()
    olga = worlds.actor("olga")
    row = actions.begin_clause(olga, team="identity", clause="EB9", slo="log-on", why="A big sale comes", now=NOW)
    assert (row.began_by, row.why, row.consequence) == ("olga", "A big sale comes", "Nothing risky is released")
    assert told() == ["olga@harbor.example", "pia@harbor.example"]
    assert "olga says: A big sale comes" in OutboxMessage.objects.filter(kind="budget_policy")[0].payload["text"]
    began = Entry.objects.get(kind=Kind.BUDGET_POLICY_CLAUSE_BEGAN)
    assert (began.actor, began.data["clause"], began.data["why"]) == ("olga", "EB9", "A big sale comes")
    look(NOW + 6 * MINUTE)
    row.refresh_from_db()
    assert row.ended_at is None
    shown = insights.view(olga, "identity", now=NOW + 6 * MINUTE)
    assert [one.clause.code for one in shown.clauses if one.word == "holds"] == ["EB9"]
    with pytest.raises(Refused):
        actions.begin_clause(olga, team="identity", clause="EB9", slo="log-on", why="again", now=NOW + HOUR)
    with pytest.raises(Invalid):
        actions.end_clause(olga, row.pk, why=" ", now=NOW + HOUR)
    over = actions.end_clause(olga, row.pk, why="The sale is over", now=NOW + HOUR)
    assert (over.ended_at, over.ended_because) == (NOW + HOUR, "The sale is over")
    ended = Entry.objects.get(kind=Kind.BUDGET_POLICY_CLAUSE_ENDED)
    assert (ended.actor, ended.data["because"]) == ("olga", "The sale is over")
    with pytest.raises(Refused):
        actions.end_clause(olga, row.pk, why="again", now=NOW + HOUR)


def test_what_numbers_judge_is_neither_begun_nor_ended_by_hand_and_wrong_names_are_named() -> None:
    made = slo()
    by_people()
    burn(made, NOW, 400)
    look(NOW + 11 * MINUTE)
    olga, entries = worlds.actor("olga"), Entry.objects.count()
    judged = PolicyConsequence.objects.get(clause="EB2")
    with pytest.raises(Refused):
        actions.end_clause(olga, judged.pk, why="enough", now=NOW)
    with pytest.raises(Refused):
        actions.begin_clause(olga, team="identity", clause="EB1", slo="log-on", why="x", now=NOW)
    with pytest.raises(Invalid) as wrong:
        actions.begin_clause(olga, team="identity", clause="EB0", slo="nothing", why="", now=NOW)
    assert set(wrong.value.fields) == {"clause", "slo", "why"}
    with pytest.raises(Invalid):
        actions.begin_clause(olga, team="identity", clause="EB9", slo="log-on", why="x" * 501, now=NOW)
    for nobody in (worlds.actor("tom"), ANONYMOUS):
        with pytest.raises(NotAllowed):
            actions.begin_clause(nobody, team="identity", clause="EB9", slo="log-on", why="x", now=NOW)
        with pytest.raises(NotAllowed):
            actions.end_clause(nobody, judged.pk, why="x", now=NOW)
        with pytest.raises(NotAllowed):
            actions.end_budget_policy(nobody, team="identity", reason="x", now=NOW)
    with pytest.raises(NotFound):
        actions.end_clause(SYSTEM, 0, why="x", now=NOW)
    assert Entry.objects.count() == entries


@pytest.mark.req("R-10-1")
def test_an_ended_policy_ends_its_consequences_is_not_looked_at_and_can_be_put_back() -> None:
    made, row = slo(), by_people()
    burn(made, NOW, 400)
    look(NOW + 11 * MINUTE)
    olga, at = worlds.actor("olga"), NOW + HOUR
    with pytest.raises(Invalid):
        actions.end_budget_policy(olga, team="identity", reason=" ", now=at)
    actions.end_budget_policy(olga, team="identity", reason="We join another team", now=at)
    row.refresh_from_db()
    assert (row.ended_at, row.ended_by, row.ended_because, row.next_at) == (at, "olga", "We join another team", None)
    assert not PolicyConsequence.objects.filter(ended_at=None).exists()
    [fact] = facts(Kind.BUDGET_POLICY_ENDED)
    assert (fact["reason"], fact["consequences_ended"]) == ("We join another team", 1)
    assert look(at + DAY) == 0
    shown = insights.view(olga, "identity", now=at + DAY)
    assert (shown.holding, shown.review_due, [f for one in shown.clauses for f in one.findings]) == (0, False, [])
    with pytest.raises(NotFound):
        actions.end_budget_policy(olga, team="identity", reason="again", now=at)
    with pytest.raises(NotFound):
        actions.begin_clause(olga, team="identity", clause="EB9", slo="log-on", why="x", now=at)
    again = actions.save_budget_policy(olga, team="identity", document=row.document, now=at + DAY)
    assert (again.ended_at, again.revision, again.next_at) == (None, row.revision + 1, at + DAY)
