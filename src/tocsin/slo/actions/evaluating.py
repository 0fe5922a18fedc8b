"""Judging SLOs: counts become breaches with the priority of their moment, and signals for the room above."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core.access import SYSTEM
from tocsin.core.alert_latch import Reason, Urgency
from tocsin.core.breach_rules import Decision
from tocsin.core.facts import Kind
from tocsin.core.objective_health import HealthReason
from tocsin.core.slo_windows import is_due
from tocsin.platform import db
from tocsin.slo import judging, snapshots
from tocsin.slo.actions.looking import look_at_all
from tocsin.slo.judging import Verdict
from tocsin.slo.models import Breach, Objective, ObjectiveState, PriorityAssignment
from tocsin.slo.queries import counts as count_queries
from tocsin.slo.queries.counts import Judged
from tocsin.slo.queries.objectives import assignments_at
from tocsin.slo.snapshots import RecordedBreach
from tocsin.slo.specs import SignalKind, SloSignal
from tocsin.slo.stamping import Stamp, stamp
from tocsin.slo.wording import breach_summary, data_back_summary, growth_summary, no_data_summary

_LONGEST_FREQUENCY_WINDOW = timedelta(hours=24)
_CASES_AT_ONCE = 5000
_WRITTEN = (
    "health",
    "rule_state",
    "evaluated_at",
    "next_at",
    "remaining",
    "burn_rates",
    "exhausts_at",
    "episode",
    "breaching",
    "alerting",
    "counts_base",
    "counts_from",
)
_KINDS = {
    Reason.OPENED: SignalKind.OPENED,
    Reason.RENOTIFIED: SignalKind.RENOTIFIED,
    Reason.GROWN: SignalKind.GROWN,
    Reason.REOPENED: SignalKind.REOPENED,
    Reason.CALM: SignalKind.CLOSED,
}


@dataclass(slots=True)
class _Case:
    """An SLO on its way through one evaluation."""

    state: ObjectiveState
    verdict: Verdict
    earlier: list[RecordedBreach] = field(default_factory=list)
    assignment: PriorityAssignment | None = None
    stamp: Stamp | None = None
    breach: Breach | None = None
    new_episode: bool = False

    @property
    def objective(self) -> Objective:
        return self.state.objective


def evaluate(objective_ids: Iterable[int], *, now: datetime) -> list[SloSignal]:
    """Judge these SLOs at `now`, inside the caller's transaction; retired ones are passed over.

    Writes breaches (at each tick of the SLO's grid, at the start of a run and whenever people are told) and the
    state of each SLO. Returns what the alerts room has to know, in order of objective. All are looked at side by side;
    only those of which something might be said are judged one by one.
    """
    counted = look_at_all(sorted(set(objective_ids)), now=now)
    cases = _judged(counted, now=now)
    if not cases:
        return []
    _load_moments([case for case in cases if case.verdict.breaching or _speaks(case)], now=now)
    _record_breaches(cases, now=now)
    signals = [signal for case in cases for signal in _signals(case)]
    _record_silences(signals, now=now)
    _write_states(cases, now=now)
    return signals


def _judged(counted: Mapping[int, Judged | None], *, now: datetime) -> list[_Case]:
    """The verdicts on SLOs whose counts are at hand; those of which they are not are asked for."""
    states = [
        state
        for begin in range(0, len(counted), _CASES_AT_ONCE)
        for state in _states(list(counted)[begin : begin + _CASES_AT_ONCE])
    ]
    lacking = [state.objective for state in states if counted[state.pk] is None]
    counted = {**counted, **count_queries.counts_to_judge(lacking, now=now)}
    cases = []
    for state in states:
        found = counted[state.pk]
        assert found is not None, "whatever was lacking has been asked for"  # noqa: S101 - for the type checker
        windows, period = found
        cases.append(_Case(state, judging.judge(state.objective, state, windows, period, now=now)))
    return cases


def _states(objective_ids: Sequence[int]) -> list[ObjectiveState]:
    rows = ObjectiveState.objects.filter(objective_id__in=objective_ids, objective__retired_at=None)
    rows = rows.select_related("objective__service__team", "objective__source").order_by("objective_id")
    return list(db.lock(rows))


def _speaks(case: _Case) -> bool:
    told = any(decision.reason in _KINDS for decision in case.verdict.evaluation.decisions)
    return told or _data_kind(case) is not None


def _load_moments(cases: Sequence[_Case], *, now: datetime) -> None:
    """Find assignments and earlier breaches for those SLOs that may need a priority: two queries for all."""
    if not cases:
        return
    ids = [case.state.pk for case in cases]
    assignments = assignments_at(ids, now)
    earlier = _earlier(ids, now=now)
    for case in cases:
        case.assignment = assignments.get(case.state.pk)
        case.earlier = earlier[case.state.pk]
        case.new_episode = case.verdict.breaching and _begins_a_run(case, now=now)
        case.stamp = stamp(
            case.objective,
            case.assignment,
            case.earlier,
            episode=case.state.episode + case.new_episode,
            fallback_rank=case.verdict.fallback_rank,
            now=now,
        )


def _earlier(objective_ids: Sequence[int], *, now: datetime) -> defaultdict[int, list[RecordedBreach]]:
    found: defaultdict[int, list[RecordedBreach]] = defaultdict(list)
    rows = Breach.objects.filter(objective_id__in=objective_ids, at__gt=now - _LONGEST_FREQUENCY_WINDOW, at__lte=now)
    for objective_id, at, episode, priority in rows.order_by("at").values_list(
        "objective_id", "at", "episode", "priority"
    ):
        found[objective_id].append(RecordedBreach(at, episode, priority))
    return found


def _begins_a_run(case: _Case, *, now: datetime) -> bool:
    if case.state.breaching:
        return False
    last = case.earlier[-1] if case.earlier else None
    # Good and bad again within one tick of the grid is one run: neighbours on the grid belong together.
    return last is None or now - last.at > case.objective.evaluate_every


def _record_breaches(cases: Sequence[_Case], *, now: datetime) -> None:
    for case in cases:
        if case.verdict.breaching and case.stamp is not None and _is_recorded(case, now=now):
            case.breach = _breach(case, case.stamp, now=now)
    Breach.objects.bulk_create([case.breach for case in cases if case.breach is not None])


def _is_recorded(case: _Case, *, now: datetime) -> bool:
    if not case.verdict.evaluation.breached or (case.earlier and case.earlier[-1].at == now):
        return False
    told = any(decision.notify for decision in case.verdict.evaluation.decisions)
    return case.new_episode or told or is_due(case.state.evaluated_at, every=case.objective.evaluate_every, now=now)


def _breach(case: _Case, stamped: Stamp, *, now: datetime) -> Breach:
    return Breach(
        objective=case.objective,
        at=now,
        window=case.verdict.own_window,
        valid=case.verdict.own.valid,
        bad=case.verdict.own.bad,
        episode=case.state.episode + case.new_episode,
        priority=stamped.breach.rank,
        priority_state=stamped.breach.state.value,
        priority_rule=stamped.rule,
        revision=case.objective.revision,
    )


def _signals(case: _Case) -> list[SloSignal]:
    decisions = case.verdict.evaluation.decisions
    signals = [
        _alert_signal(case, decision, _KINDS[decision.reason]) for decision in decisions if _is_told(case, decision)
    ]
    kind = _data_kind(case)
    if kind is not None:
        signals.append(_data_signal(case, kind))
    firing = next((decision for decision in decisions if decision.firing), None)
    if firing is not None and not signals and _adds_to_story(case):
        signals.append(_alert_signal(case, firing, SignalKind.BREACHED))
    return signals


def _is_told(case: _Case, decision: Decision) -> bool:
    """Whether a decision is news. The end of an alert nobody ever heard of is none."""
    if decision.reason is not Reason.CALM:
        return decision.reason in _KINDS
    return snapshots.rule_state_of(case.state).alert(decision.urgency).notified_at is not None


def _adds_to_story(case: _Case) -> bool:
    """Whether a recorded breach is more than the continuation of what the alert already said."""
    if case.breach is None:
        return False
    last = case.earlier[-1] if case.earlier else None
    return case.new_episode or (last is not None and last.priority != case.breach.priority)


def _alert_signal(case: _Case, decision: Decision, kind: SignalKind) -> SloSignal:
    if decision.grown_in is None:
        summary = breach_summary(case.objective, case.verdict, decision.urgency)
    else:
        summary = growth_summary(case.verdict, decision.grown_in)
    return _signal(case, decision.urgency.value, kind, summary, decision.explanation)


def _data_kind(case: _Case) -> SignalKind | None:
    """Whether the data were lost, or came back after people were told of the loss, at this evaluation."""
    silent = bool(case.state.rule_state.get("silent"))
    lost = case.verdict.health is HealthReason.NO_DATA and case.state.first_data_at is not None
    if lost and not silent:
        return SignalKind.NO_DATA
    return SignalKind.DATA_BACK if silent and not lost else None


def _data_signal(case: _Case, kind: SignalKind) -> SloSignal:
    lost = kind is SignalKind.NO_DATA
    summary = no_data_summary(case.objective, case.state) if lost else data_back_summary(case.objective)
    return _signal(case, Urgency.TICKET.value, kind, summary, case.verdict.health.text)


def _signal(case: _Case, urgency: str, kind: SignalKind, summary: str, explanation: str) -> SloSignal:
    assert case.stamp is not None, "whoever speaks has been stamped"  # noqa: S101 - for the type checker
    return SloSignal(
        objective=case.objective,
        urgency=urgency,
        kind=kind,
        breach=case.breach,
        priority=case.stamp.incident.rank,
        priority_state=case.stamp.incident.state.value,
        priority_rule=case.stamp.incident_rule,
        summary=summary,
        explanation=explanation,
        assignment=case.assignment,
    )


def _record_silences(signals: Sequence[SloSignal], *, now: datetime) -> None:
    kinds: dict[str, Kind] = {SignalKind.NO_DATA: Kind.SLO_DATA_LOST, SignalKind.DATA_BACK: Kind.SLO_DATA_BACK}
    facts = [
        Fact(kind=kinds[signal.kind], data={"slo": signal.objective.name, "text": signal.summary})
        for signal in signals
        if signal.kind in kinds
    ]
    if facts:
        audit.record(SYSTEM, facts, now=now)


def _write_states(cases: Sequence[_Case], *, now: datetime) -> None:
    """All states in one statement; what counting writes (data times, rests) stays out of it."""
    for case in cases:
        state, verdict = case.state, case.verdict
        kind = _data_kind(case)
        silent = kind is SignalKind.NO_DATA or (kind is None and bool(state.rule_state.get("silent")))
        state.health = verdict.health.value
        state.rule_state = judging.rule_state_json(verdict.evaluation.state, silent=silent)
        state.evaluated_at, state.next_at = now, verdict.next_at
        state.remaining = None if verdict.budget.left is None else float(verdict.budget.left)
        state.burn_rates = {
            str(int(span.total_seconds())): float(burn) for span, burn in verdict.burns.items() if burn is not None
        }
        state.exhausts_at = verdict.exhausts_at
        state.episode += case.new_episode
        state.counts_base, state.counts_from = state.counts_version, None
        state.breaching, state.alerting = verdict.breaching, verdict.evaluation.state.firing
    ObjectiveState.objects.bulk_create(
        [case.state for case in cases], update_conflicts=True, update_fields=_WRITTEN, unique_fields=["objective"]
    )
