"""Was the process followed? The checks of requirement 5.6 by their ids, and their verdicts on one incident.

A verdict depends on the entries of the incident's log, on the process version that it pinned, and on the moment up to
which one looks; nothing else. A check is a function from `Record` to `Outcome`; its name begins with its id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Protocol

from tocsin.core import adherence_classification as classification
from tocsin.core import adherence_learning as learning
from tocsin.core import adherence_response as response
from tocsin.core import adherence_telling as telling
from tocsin.core.adherence_outcomes import Outcome, Verdict, not_applicable, not_checked, waived
from tocsin.core.adherence_promises import TELLING
from tocsin.core.adherence_record import CLASSIFYING, LIFE, Event, Record
from tocsin.core.facts import Kind
from tocsin.core.process_definition import ProcessDefinition

RECORDED = frozenset(kind.value for kind in Kind)
"""The kinds of entries that this version of the software writes."""


class Judge(Protocol):
    def __call__(self, record: Record, /) -> Outcome:
        """The verdict on one incident; decides on `record` alone."""
        ...


@dataclass(frozen=True)
class Check:
    """One statement about the handling of an incident.

    `reads` are the kinds of entries it decides on beside the life of the incident; `needs` those without which it
    cannot be shown. A check whose evidence nothing writes yet says "not checked".
    """

    code: str
    title: str
    judge: Judge
    reads: frozenset[str]
    needs: frozenset[str] = frozenset()


def _check(code: str, title: str, judge: Judge, reads: Iterable[str] = (), *, needs: Iterable[str] = ()) -> Check:
    own = frozenset(needs)
    return Check(code, title, judge, frozenset(reads) | own, own)


_ACKNOWLEDGED = (*CLASSIFYING, Kind.INCIDENT_ACKNOWLEDGED)
_ROLES = (Kind.SEVERITY_CHANGED, Kind.SEVERITY_CONFIRMED, Kind.ROLE_TAKEN, Kind.ROLE_RELEASED)
_TOLD = (*CLASSIFYING, *TELLING)
_ITEMS = (Kind.ACTION_ADDED, Kind.ACTION_CHANGED, Kind.POSTMORTEM_DRAFTED, Kind.POSTMORTEM_MOVED)
_PROMISED = (Kind.OBLIGATION_FULFILLED, Kind.OBLIGATION_WAIVED)

_ALL = (
    _check("AC01", "Priority set or confirmed in time", classification.ac01_priority_decided_in_time, _ACKNOWLEDGED),
    _check(
        "AC02",
        "Changes of priority carry a reason",
        classification.ac02_priority_changes_have_reasons,
        [Kind.PRIORITY_CHANGED],
    ),
    _check(
        "AC03",
        "Severity set by a person in time",
        classification.ac03_severity_set_by_a_person_in_time,
        _ACKNOWLEDGED,
    ),
    _check(
        "AC04",
        "Priority and severity go together, or the condition is explained",
        classification.ac04_pair_allowed_or_explained,
        CLASSIFYING,
    ),
    _check(
        "AC05",
        "Acknowledged within the escalation policy",
        response.ac05_acknowledged_within_the_chain,
        [*response.TAKING, Kind.PAGE_CREATED, Kind.ESCALATION_EXHAUSTED],
    ),
    _check(
        "AC06",
        "Roles that the severity calls filled in time",
        response.ac06_roles_filled_in_time,
        [*CLASSIFYING, *_ROLES, Kind.OBLIGATION_WAIVED],
    ),
    _check("AC07", "Dedicated roles were not doubled", response.ac07_dedicated_roles_not_doubled, _ROLES),
    _check(
        "AC08",
        "Channel opened for a coordinated response",
        response.ac08_channel_opened,
        CLASSIFYING,
        needs=[response.CHANNEL_OPENED],
    ),
    _check("AC09", "First update to all groups in time", telling.ac09_groups_told_in_time, _TOLD),
    _check("AC10", "Management told when the priority asks for it", telling.ac10_management_told, _TOLD),
    _check("AC11", "Updates within the cadence", telling.ac11_updates_within_cadence, _TOLD),
    _check("AC12", "The end was told", telling.ac12_closing_sent, _TOLD),
    _check("AC13", "Fix recorded or waived", learning.ac13_hotfix_recorded, [*CLASSIFYING, *_PROMISED]),
    _check(
        "AC14",
        "Decisions have addressees and a reported result",
        response.ac14_decisions_have_addressees_and_results,
        [Kind.INCIDENT_NOTED, response.DECISION_REPORTED],
        needs=[response.DECISION_RECORDED],
    ),
    _check(
        "AC15", "Hand-overs are complete", response.ac15_handovers_complete, _ROLES, needs=[response.HANDOVER_RECORDED]
    ),
    _check(
        "AC16",
        "Well-being list answered in a coordinated response",
        response.ac16_wellbeing_answered,
        CLASSIFYING,
        needs=[response.WELLBEING_ANSWERED],
    ),
    _check(
        "AC17",
        "Postmortem held in time when required",
        learning.ac17_postmortem_in_time,
        [*CLASSIFYING, *_PROMISED, Kind.POSTMORTEM_DRAFTED, Kind.POSTMORTEM_MOVED],
    ),
    _check(
        "AC18",
        "Postmortem checklist done or explained",
        learning.ac18_postmortem_items_done,
        [Kind.POSTMORTEM_DRAFTED, Kind.POSTMORTEM_MOVED, learning.ITEM_EXPLAINED, learning.ITEM_REOPENED],
        needs=[learning.ITEM_DONE],
    ),
    _check(
        "AC19",
        "Action items have a driver and a review date",
        learning.ac19_actions_have_driver_and_review_date,
        [*CLASSIFYING, *_ITEMS],
    ),
    _check(
        "AC20", "Reviews held on their dates", learning.ac20_reviews_on_their_dates, [*_ITEMS, learning.ACTION_REVIEWED]
    ),
    _check(
        "AC21",
        "External statements approved before they went out",
        telling.ac21_external_statements_approved,
        [Kind.UPDATE_SENT],
        needs=[telling.UPDATE_APPROVED],
    ),
    _check(
        "AC22",
        "Rank protection was respected",
        response.ac22_rank_protection_respected,
        [*CLASSIFYING, response.RANK_OVERRIDDEN],
        needs=[response.RANK_REFUSED],
    ),
    _check(
        "AC23",
        "Record complete: category, service, impact, cause",
        classification.ac23_record_complete,
        [Kind.INCIDENT_CATEGORIZED, Kind.INCIDENT_IDENTIFIED, classification.CAUSE_STATED],
    ),
    _check(
        "AC24",
        "Clocks of authorities met where they apply",
        telling.ac24_regulatory_clocks_met,
        [telling.REGULATORY_CLASSIFIED, telling.REGULATORY_REPORTED],
    ),
)

CHECKS: Mapping[str, Check] = {check.code: check for check in _ALL}

READ_KINDS = (
    frozenset(LIFE)
    | {kind for check in _ALL for kind in check.reads}
    | {
        Kind.CHECK_WAIVED,
        Kind.CHECK_WAIVER_WITHDRAWN,
        Kind.INCIDENT_UNDONE,
    }
)
"""All kinds of entries that verdicts depend on."""


def judge(
    ref: str,
    events: Iterable[Event],
    process: ProcessDefinition,
    *,
    as_of: datetime,
    recorded: frozenset[str] = RECORDED,
) -> dict[str, Outcome]:
    """The verdict of each check on the incident `ref`, from its entries up to `as_of`."""
    known = sorted((one for one in events if one.at <= as_of and one.kind in READ_KINDS), key=lambda one: one.seq)
    record = Record(ref, tuple(known), process, as_of, recorded)
    return {code: _with_waiver(record, code, _judge_one(record, check)) for code, check in CHECKS.items()}


def _judge_one(record: Record, check: Check) -> Outcome:
    if record.began is None or record.began.data is None:
        return not_checked("The log does not tell how it began.")
    if record.void is not None:
        merged = record.void.kind == Kind.INCIDENT_MERGED
        why = f"It went on in {record.void.text('into')}." if merged else "It was no incident."
        return not_applicable(why, record.void.seq)
    removed = [one.seq for one in record.events if one.data is None and one.kind in check.reads]
    if removed:
        return not_checked("The content of an entry it depends on was removed.", *removed)
    found = check.judge(record)
    blind = check.needs and not any(record.records(kind) for kind in check.needs)
    if blind and found.verdict is not Verdict.NOT_APPLICABLE:
        return not_checked("Nothing records this yet.", *found.evidence)
    return found


_WAIVABLE = frozenset({Verdict.FAILED, Verdict.NOT_DUE, Verdict.NOT_CHECKED})


def _with_waiver(record: Record, code: str, found: Outcome) -> Outcome:
    """A waiver stands for what is missing; what passed or did not apply needs none."""
    waiver = record.waived_checks.get(code)
    if waiver is None or found.verdict not in _WAIVABLE:
        return found
    return waived(found.why, waiver, *found.evidence)


def recheck_at(outcomes: Mapping[str, Outcome]) -> datetime | None:
    """When a verdict can change without a new entry; None when only a new one changes any."""
    dues = [one.due_at for one in outcomes.values() if one.verdict is Verdict.NOT_DUE and one.due_at is not None]
    return min(dues, default=None)


def adherence(verdicts: Iterable[Verdict]) -> Fraction | None:
    """The share of what passed in what passed or failed; None when nothing did either (V47: 11 of 12)."""
    known = list(verdicts)
    good, bad = known.count(Verdict.PASSED), known.count(Verdict.FAILED)
    return Fraction(good, good + bad) if good + bad else None
