"""SLOs and sources: what may be saved, who may, what a change means, and what the log tells."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from tests.domains import slo_worlds, worlds
from tests.domains.slo_worlds import MINUTE, NOON
from tocsin.audit.models import Entry
from tocsin.core.access import ANONYMOUS, SYSTEM, Role
from tocsin.core.alert_latch import Urgency
from tocsin.core.depletion_rule import DepletionBasis, DepletionRule
from tocsin.core.errors import Invalid, NotAllowed, NotFound
from tocsin.core.facts import Kind
from tocsin.core.ladder_rule import LadderRule
from tocsin.core.workbook_rule import WorkbookRule
from tocsin.engine import forget_counts
from tocsin.slo import actions, queries
from tocsin.slo.models import Bucket, DataSource, Objective
from tocsin.slo.rules import rule_for
from tocsin.slo.specs import ObjectiveSpec

pytestmark = pytest.mark.django_db


@pytest.mark.req("R-9.2.11-3")
def test_the_chapters_sample_is_kept_with_every_setting() -> None:
    slo = slo_worlds.objective(
        "get-data-availability",
        display_name="Availability of get data API",
        endpoint="@GET/api/data/{tenant}",
        sli_kind="availability",
        target=Decimal("0.997"),
        rule={"name": "depletion", "threshold_percent": "200", "window_seconds": 3600, "every_seconds": 300},
        evaluate_every=timedelta(minutes=5),
        renotify_after=timedelta(minutes=120),
    )
    kept = queries.objective(SYSTEM, slo.name)
    assert (kept.label, kept.endpoint, kept.sli_kind) == (
        "Availability of get data API",
        "@GET/api/data/{tenant}",
        "availability",
    )
    assert kept.target == Decimal("0.997")
    rule = rule_for(kept.rule, period=kept.period, renotify_after=kept.renotify_after)
    assert isinstance(rule, DepletionRule)
    assert (rule.threshold_percent, rule.window, rule.every, rule.renotify_after) == (
        Fraction(200),
        timedelta(minutes=60),
        timedelta(minutes=5),
        timedelta(minutes=120),
    )


def test_a_new_slo_is_unknown_due_at_the_next_tick_and_in_the_log() -> None:
    slo = slo_worlds.objective(now=NOON + timedelta(seconds=20))
    assert slo_worlds.state(slo).next_at == NOON + MINUTE
    entry = Entry.objects.latest("seq")
    assert (entry.kind, entry.data["change"], entry.data["fields"]["target"]) == (Kind.SLO_APPLIED, "added", "0.997")


def test_saving_the_same_again_writes_nothing_and_a_change_counts_up_the_revision() -> None:
    slo_worlds.objective()
    before = Entry.objects.count()
    slo_worlds.objective()
    assert Entry.objects.count() == before
    changed = slo_worlds.objective(target=Decimal("0.99"), now=NOON)
    assert changed.revision == 2
    assert Entry.objects.latest("seq").data["fields"] == {"target": "0.99"}
    assert slo_worlds.state(changed).next_at == NOON


def test_what_was_measured_survives_a_change_and_breaches_keep_their_revision() -> None:
    slo = slo_worlds.objective()
    slo_worlds.push(slo, NOON, good=0, bad=100)
    slo_worlds.judge(slo, NOON)
    slo_worlds.objective(target=Decimal("0.99"))
    slo_worlds.push(slo, NOON + MINUTE, good=0, bad=100)
    slo_worlds.judge(slo, NOON + MINUTE)
    assert [breach.revision for breach in queries.breaches(slo, NOON)] == [2, 1]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "with space"}, "name"),
        ({"name": "a" * 64}, "name"),
        ({"target": Decimal(1)}, "target"),
        ({"target": Decimal(0)}, "target"),
        ({"target": Decimal("1.5")}, "target"),
        ({"target": Decimal("NaN")}, "target"),
        ({"target": Decimal("0.99999999999")}, "target"),
        ({"period": timedelta(minutes=1)}, "period"),
        ({"evaluate_every": timedelta(0)}, "evaluate_every"),
        ({"renotify_after": timedelta(seconds=-1)}, "renotify_after"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../etc/passwd"}, "time_zone"),
        ({"budgeting": "Sometimes"}, "budgeting"),
        ({"budgeting": "RatioTimeslices"}, "slice_window"),
        ({"raw_query": "sum(", "raw_type": "success"}, "raw_query"),
        ({"raw_query": "errors", "raw_type": "mostly"}, "raw_type"),
        ({"raw_query": "errors", "raw_type": "failure", "good_query": "sum(a)"}, "raw_query"),
        ({"rule": {"name": "burnrate", "conditions": []}}, "rule.conditions"),
        ({"rule": {"name": "burnrate", "conditions": [{"op": "about"}]}}, "rule.op"),
        ({"rule": {"name": "burnrate", "conditions": [{"threshold": "-1"}]}}, "rule.threshold"),
        (
            {"rule": {"name": "burnrate", "conditions": [{"threshold": "1", "lookback_seconds": 90}]}},
            "rule.lookback_seconds",
        ),
        ({"budgeting": "Timeslices"}, "slice_window"),
        ({"budgeting": "Timeslices", "slice_window": timedelta(seconds=90)}, "slice_window"),
        ({"fallback": "guess"}, "fallback"),
        ({"total_query": "sum("}, "total_query"),
        ({"good_query": "sum(a offset 1h)"}, "good_query"),
        ({"rule": {"name": "psychic"}}, "rule"),
        ({"rule": {"name": "depletion", "window_seconds": 90}}, "rule.window_seconds"),
        ({"rule": {"name": "depletion", "threshold_percent": "0"}}, "rule.threshold_percent"),
        ({"rule": {"name": "depletion", "basis": "moon"}}, "rule.basis"),
        ({"rule": {"name": "burnrate", "pairs": []}}, "rule.pairs"),
        ({"rule": {"name": "burnrate", "pairs": [{"long_seconds": 3600}]}}, "rule.threshold"),
        ({"source": "nobody"}, "source"),
    ],
)
def test_a_wrong_field_is_refused_by_name(fields: dict[str, Any], field: str) -> None:
    worlds.service("checkout")
    settings = {"name": "slo", "service": "checkout", "target": Decimal("0.99"), "period": timedelta(days=28)}
    with pytest.raises(Invalid) as refused:
        actions.save_objective(SYSTEM, ObjectiveSpec(**{**settings, **fields}), now=NOON)
    assert field in refused.value.fields
    assert not Objective.objects.exists()


def test_the_database_itself_refuses_a_target_without_budget() -> None:
    slo = slo_worlds.objective()
    with pytest.raises(IntegrityError), transaction.atomic():
        Objective.objects.filter(pk=slo.pk).update(target=1)


def test_an_unknown_service_is_refused() -> None:
    spec = ObjectiveSpec(name="slo", service="nobody", target=Decimal("0.99"), period=timedelta(days=28))
    with pytest.raises(Invalid, match="no service"):
        actions.save_objective(SYSTEM, spec, now=NOON)


def test_owners_write_the_slos_of_their_team_and_no_others() -> None:
    worlds.service("checkout", of_team="tickets")
    owner = worlds.actor("olga", in_team="tickets", is_owner=True)
    other = worlds.actor("otto", in_team="search", is_owner=True)
    spec = ObjectiveSpec(name="slo", service="checkout", target=Decimal("0.99"), period=timedelta(days=28))
    with pytest.raises(NotAllowed):
        actions.save_objective(other, spec, now=NOON)
    actions.save_objective(owner, spec, now=NOON)
    with pytest.raises(NotAllowed):
        actions.retire_objective(other, "slo", now=NOON)
    worlds.service("search", of_team="search")
    moved = ObjectiveSpec(name="slo", service="search", target=Decimal("0.99"), period=timedelta(days=28))
    with pytest.raises(NotAllowed):
        actions.save_objective(owner, moved, now=NOON)
    with pytest.raises(NotAllowed):
        queries.objectives(ANONYMOUS)
    assert queries.objectives(worlds.actor("rita", role=Role.READER.value), team="tickets")


def test_retiring_is_told_once() -> None:
    slo_worlds.objective()
    for _ in range(2):
        actions.retire_objective(SYSTEM, "checkout-availability", now=NOON)
    assert Entry.objects.filter(kind=Kind.SLO_RETIRED).count() == 1
    with pytest.raises(NotFound):
        actions.retire_objective(SYSTEM, "nobody", now=NOON)


def test_names_lead_to_slos_in_use_only() -> None:
    slo = slo_worlds.objective()
    gone = slo_worlds.objective("gone")
    actions.retire_objective(SYSTEM, gone.name, now=NOON)
    assert queries.ids_by_name([slo.name, "gone", "never"]) == {slo.name: slo.pk}


# --- sources


def _save(now: datetime = NOON, **fields: Any) -> DataSource:
    return actions.save_source(SYSTEM, now=now, **{"name": "prometheus", "url": "http://prometheus:9090", **fields})


def test_a_source_is_asked_at_once_and_its_secrets_stay_out_of_the_log() -> None:
    source = _save(headers={"X-Team": "Bearer s3cret"})
    assert source.next_at == NOON
    entry = Entry.objects.latest("seq")
    assert entry.kind == Kind.SOURCE_SAVED
    assert "s3cret" not in str(entry.data)
    before = Entry.objects.count()
    _save(headers={"X-Team": "Bearer s3cret"})
    assert Entry.objects.count() == before
    _save(every=timedelta(seconds=5))
    assert Entry.objects.latest("seq").data["changed"] == ["every", "headers"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "carrier-pigeon"}, "kind"),
        ({"url": ""}, "url"),
        ({"url": "ftp://prometheus"}, "url"),
        ({"url": "http://"}, "url"),
        ({"url": "http://user:secret@prometheus"}, "url"),
        ({"every": timedelta(milliseconds=100)}, "every"),
        ({"name": "a b"}, "name"),
    ],
)
def test_a_wrong_source_is_refused(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        _save(**fields)
    assert field in refused.value.fields


def test_a_pushed_source_needs_no_address_and_is_never_due() -> None:
    assert _save(kind="push", url="").next_at is None


# --- rules


def test_rules_have_names_and_know_the_slos_period() -> None:
    day = timedelta(days=28)
    assert isinstance(rule_for({}, period=day, renotify_after=MINUTE), LadderRule)
    assert isinstance(rule_for({"name": "workbook"}, period=day, renotify_after=MINUTE), WorkbookRule)
    pro_rata = rule_for({"name": "depletion", "basis": "period_pro_rata"}, period=day, renotify_after=MINUTE)
    assert isinstance(pro_rata, DepletionRule)
    assert (pro_rata.basis, pro_rata.period) == (DepletionBasis.PERIOD_PRO_RATA, day)


def test_a_burn_rate_pair_keeps_its_threshold_exactly_whatever_the_period() -> None:
    document = {
        "name": "burnrate",
        "pairs": [
            {"urgency": "page", "threshold": "14.4", "long_seconds": 3600, "short_seconds": 300},
            {"urgency": "ticket", "threshold": "3", "long_seconds": 86400},
        ],
    }
    for days in (7, 28, 30):
        rule = rule_for(document, period=timedelta(days=days), renotify_after=MINUTE)
        assert isinstance(rule, WorkbookRule)
        page, ticket = rule.pairs
        assert page.limit(rule.period) == Fraction("14.4")
        assert (ticket.limit(rule.period), ticket.short, ticket.urgency) == (3, timedelta(days=1), Urgency.TICKET)


def test_outdated_counts_are_dropped_once_an_hour_some_slos_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forget_counts, "_round", forget_counts._Round())
    slo = slo_worlds.objective()
    slo_worlds.push(slo, NOON - timedelta(days=10), good=1, bad=0, now=NOON)
    done = [forget_counts.turn(now=NOON + second * timedelta(seconds=1)) for second in range(5)]
    assert done == [1, 1, 0, 0, 0]
    assert sorted(Bucket.objects.values_list("width", flat=True)) == [3600]
    assert forget_counts.turn(now=NOON + timedelta(hours=1)) == 1
