"""What the recorded past of an SLO would have cost under another target, rule, priority or choice of groups.

Nothing is written: the counts that were recorded are judged once as the SLO stands and once as it is supposed to stand,
by the same rules that judge the present.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tocsin.core import what_if as core
from tocsin.core import what_if_tally as tallies
from tocsin.core.access import SYSTEM, Actor, Right, require
from tocsin.core.breach_frequency import CountedAs, FrequencyRule
from tocsin.core.budget_priorities import CHAPTER_VELOCITY
from tocsin.core.errors import Invalid
from tocsin.core.priorities import AssignMode, PriorityState
from tocsin.core.recorded_past import MINUTE, PastCoverage, RecordedPast, coverage_of, window_at
from tocsin.core.rule_protocol import Rule
from tocsin.core.rule_reach import frequency_warning, rule_warnings
from tocsin.core.what_if import Findings, Judged, Meaning
from tocsin.core.what_if_tally import Asked, Tally
from tocsin.core.what_if_words import compared
from tocsin.incidents import snapshots as incident_snapshots
from tocsin.process import queries as process
from tocsin.slo import judging, queries, snapshots
from tocsin.slo.conditional import checked_rule
from tocsin.slo.models import Decision, Objective, PriorityAssignment
from tocsin.slo.queries import recorded
from tocsin.slo.rules import rule_for

DAYS = 90
_LONGEST_LEAD = timedelta(days=32)
_ROUNDING = timedelta(hours=1)  # a window may begin up to half a bucket earlier than its length


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A decision on priority: `decision` set with a rank, none, or unset. Groups by code."""

    decision: str
    priority: int | None = None
    groups: Sequence[str] = ()
    raise_rule: Mapping[str, Any] | None = None
    fallback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is supposed to be different; None stays as it is."""

    target: Decimal | None = None
    rule: Mapping[str, Any] | None = None
    renotify_after: timedelta | None = None
    choice: Choice | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """Today's numbers and the supposed ones over the same recorded past.

    `recorded_runs` are the runs of breaches that were really written down meanwhile, whatever held then.
    """

    since: datetime
    until: datetime
    days: int
    coverage: PastCoverage
    today: Tally
    changed: Tally
    recorded_runs: int
    warnings: tuple[str, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The difference in words."""
        return compared(self.today, self.changed, days=self.days)


class Replayer:
    """One SLO's recorded past, loaded once, for as many suppositions as are asked."""

    def __init__(self, actor: Actor, objective: Objective, *, days: int = DAYS, now: datetime) -> None:
        require(actor, Right.SLO_READ)
        if not 1 <= days <= DAYS:
            raise Invalid({"days": f"must be from 1 to {DAYS}: further back there are no counts by the minute"})
        self.objective, self.days, self.now = objective, days, now
        self.assignment = queries.assignment_at(objective, now)
        self._process = process.current()
        self._at_work = incident_snapshots.business_hours(objective.service.team)
        self._management = len(process.management_groups())
        self._found: dict[tuple[Decimal, Rule], Findings] = {}
        self.past: RecordedPast = recorded.recorded_past(
            objective, since=now - timedelta(days=days), until=now, lead=_LONGEST_LEAD
        )

    def compare(self, change: Change) -> WhatIf:
        """Today beside the supposed. Raises Invalid for a target, rule or decision that cannot be."""
        target, rule = self._target(change), self._rule(change)
        choice = change.choice or self.choice_today()
        self._check(choice)
        changed = self.tally(choice, target=target, rule=rule)
        return WhatIf(
            since=self.past.since,
            until=self.past.until,
            days=self.days,
            coverage=coverage_of(self.past),
            today=self.tally(self.choice_today()),
            changed=changed,
            recorded_runs=len(
                {one.episode for one in queries.breaches(self.objective, self.past.since, limit=100_000)}
            ),
            warnings=self._warnings(choice, target, rule),
        )

    def per_choice(self) -> list[tuple[Choice, Tally]]:
        """Each priority there is and a deliberate none, with the groups and the rule that hold today."""
        today = self.choice_today()
        ranks = [one.rank for one in self._process.catalogue.priorities]
        choices = [Choice(decision=Decision.SET.value, priority=rank, groups=today.groups) for rank in ranks]
        return [(one, self.tally(one)) for one in [*choices, Choice(decision=Decision.NONE.value)]]

    def choice_today(self) -> Choice:
        """The decision in force, or that there is none."""
        row = self.assignment
        if row is None:
            return Choice(decision=PriorityState.UNSET.value, fallback=self.objective.fallback)
        return Choice(
            decision=row.decision,
            priority=row.priority,
            groups=tuple(group.code for group in row.groups.all()),
            raise_rule=row.raise_rule,
            fallback=self.objective.fallback,
        )

    def tally(self, choice: Choice, *, target: Decimal | None = None, rule: Rule | None = None) -> Tally:
        """What that choice would have cost, under the SLO's own target and rule unless others are given."""
        target, rule = target or self.objective.target, rule or snapshots.rule_of(self.objective)
        found = self.findings(target, rule)
        opened = core.incidents(
            found, self._meaning(choice, target, found.past), reopen_within=self._process.lifecycle.reopen_within
        )
        asked = Asked(self._process, self._at_work, groups=len(set(choice.groups)), management=self._management)
        return tallies.tally(found, opened, asked)

    def findings(self, target: Decimal, rule: Rule) -> Findings:
        """What a rule finds; the same rule for the same target is replayed once."""
        key = (target, rule)
        if key not in self._found:
            spans = tuple({*rule.windows(), rule.own_window})
            widths = recorded.bucket_widths(spans, sliced=snapshots.slices_of(self.objective) is not None)
            judged = Judged(target, rule, self.objective.evaluate_every)
            past = self.past.with_lead((max(spans) + _ROUNDING) // MINUTE)
            self._found[key] = core.findings(past, judged, widths)
        return self._found[key]

    def _meaning(self, choice: Choice, target: Decimal, past: RecordedPast) -> Meaning:
        if choice.decision == PriorityState.UNSET:
            fallback = self._fallback(choice.fallback, target, past) if choice.fallback else None
            return Meaning(fallback=fallback)
        row = _row(self.objective, choice, self.assignment, now=self.past.since)
        counted = None if choice.raise_rule is None else snapshots.frequency_rule_of(row)
        if counted is not None:
            counted = _as_counted(row, counted)
        return Meaning(snapshots.assignment_of(row), AssignMode(row.assign_mode), counted)

    def _fallback(self, name: str, target: Decimal, past: RecordedPast) -> core.FallbackRank:
        """The table's word at a minute of `past`, reckoned with the whole lead: a budget reaches far back."""
        supposed = copy.copy(self.objective)
        supposed.fallback, supposed.target = name, target
        sliced = snapshots.slices_of(supposed) is not None
        spans = (judging.TREND, *CHAPTER_VELOCITY.windows())
        widths = recorded.bucket_widths((*spans, supposed.period), sliced=sliced)

        offset = self.past.lead - past.lead

        def rank(judged_step: int) -> int | None:
            step = judged_step + offset
            at = self.past.end_of(step)
            period = snapshots.period_of(supposed, now=at)
            length = supposed.period if supposed.calendar_start is None else at - period.starts_at
            width = widths[supposed.period]
            budget = judging.budget_of(supposed, window_at(self.past, step, length, width), now=at)
            counts = {span: window_at(self.past, step, span, widths[span]) for span in spans}
            return judging.fallback_rank(supposed, budget, counts, now=at)

        return rank

    def _target(self, change: Change) -> Decimal:
        target = change.target if change.target is not None else self.objective.target
        if not target.is_finite() or not 0 < target < 1:
            raise Invalid({"target": "must be above 0 and below 100 %: at 100 % nothing may ever fail"})
        return target

    def _rule(self, change: Change) -> Rule:
        if change.rule is None and change.renotify_after is None:
            return snapshots.rule_of(self.objective)
        document = change.rule if change.rule is not None else self.objective.rule
        wait = change.renotify_after or self.objective.renotify_after
        return rule_for(
            document, period=self.objective.period, renotify_after=wait, unit=snapshots.unit_of(self.objective)
        )

    def _check(self, choice: Choice) -> None:
        ranks = [one.rank for one in self._process.catalogue.priorities]
        known = {group.code for group in process.groups(SYSTEM)}
        problems: dict[str, str] = {}
        is_rank = choice.decision != PriorityState.SET or choice.priority in ranks
        if choice.decision not in set(PriorityState) or not is_rank:
            problems["priority"] = f"must be one of {', '.join(map(str, ranks))} or none"
        if missing := [code for code in choice.groups if code not in known]:
            problems["groups"] = f"There is no stakeholder group {missing[0]!r}."
        if choice.fallback not in {"", judging.FALLBACK_REMAINING, judging.FALLBACK_VELOCITY}:
            problems["fallback"] = f"must be {judging.FALLBACK_REMAINING}, {judging.FALLBACK_VELOCITY} or empty"
        if choice.raise_rule is not None and choice.decision == PriorityState.SET:
            checked_rule(choice.raise_rule, choice.priority, ranks, problems)
        if problems:
            raise Invalid(problems)

    def _warnings(self, choice: Choice, target: Decimal, rule: Rule) -> tuple[str, ...]:
        found = [*rule_warnings(rule, target)]
        if choice.raise_rule is not None and choice.decision == Decision.SET:
            row = _row(self.objective, choice, self.assignment, now=self.now)
            counted = snapshots.frequency_rule_of(row)
            warning = counted and frequency_warning(_as_counted(row, counted), every=self.objective.evaluate_every)
            found += [warning] if warning else []
        return tuple(found)


def _row(
    objective: Objective, choice: Choice, current: PriorityAssignment | None, *, now: datetime
) -> PriorityAssignment:
    """The assignment a choice would be, never saved."""
    return PriorityAssignment(
        objective=objective,
        decision=choice.decision,
        priority=choice.priority,
        raise_rule=None if choice.raise_rule is None else dict(choice.raise_rule),
        assign_mode=current.assign_mode if current is not None else AssignMode.AUTOMATIC.value,
        valid_from=now,
    )


def _as_counted(row: PriorityAssignment, rule: FrequencyRule) -> FrequencyRule:
    """A replay counts runs by itself, so the rule must say which of the two counts."""
    counted_as = CountedAs.OCCURRENCES if snapshots.counts_occurrences(row) else CountedAs.EPISODES
    return replace(rule, counted_as=counted_as)


def what_if(actor: Actor, objective: Objective, change: Change, *, days: int = DAYS, now: datetime) -> WhatIf:
    """Replay the last `days` of an SLO as it stands and as it is supposed to stand."""
    return Replayer(actor, objective, days=days, now=now).compare(change)
