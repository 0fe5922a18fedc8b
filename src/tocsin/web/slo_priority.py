"""The form in which a team decides what a breach of its SLO means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpRequest

from tocsin.adoption import queries as adopted
from tocsin.core.access import Right
from tocsin.core.breach_frequency import FrequencyRule
from tocsin.core.errors import Invalid
from tocsin.core.priorities import AssignMode
from tocsin.core.rule_reach import frequency_warning, velocity_warnings
from tocsin.oncall import queries as oncall
from tocsin.process import queries as process
from tocsin.process.sentences import consequences
from tocsin.slo import queries
from tocsin.slo.models import Decision, Objective
from tocsin.web import asking

NONE = "none"
_HOUR = 3600
FALLBACKS = (
    ("", "Off: an alert asks for a decision"),
    ("remaining", "By what is left of the budget, if it ends too soon"),
    ("velocity", "By how fast the budget goes"),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """One priority with what follows from it, so that the effect is read before it is chosen."""

    rank: int
    code: str
    name: str
    effects: tuple[str, ...]


def choices() -> list[Choice]:
    """The priorities of the process in force, each with what it asks for."""
    return [
        Choice(one.rank, one.code, one.name, tuple(text for holds, text in consequences(one) if holds))
        for one in process.current().catalogue.priorities
    ]


def codes() -> dict[int, str]:
    """Ranks to the codes people know them by."""
    return {one.rank: one.code for one in process.current().catalogue.priorities}


def filters() -> list[tuple[str, str]]:
    """What the list can be narrowed to."""
    ranks = [(str(one.rank), one.code) for one in process.current().catalogue.priorities]
    return [("", "Any priority"), ("unset", "Undecided"), *ranks, (NONE, "None, on purpose")]


def form(request: HttpRequest, objective: Objective, *, given: dict[str, Any] | None = None) -> dict[str, Any]:
    """The decision in force, all earlier ones, and the form with what was typed or what holds."""
    actor, now = asking.actor(request), asking.now(request)
    current = queries.assignment_at(objective, now)
    team = objective.service.team
    held: dict[str, Any] = {"priority": "", "groups": [], "reason": "", "raise_to": "", "more_than": "", "hours": ""}
    held |= {"manual": "", "severity": "", "escalation_policy": ""}
    if current is not None:
        rule = current.raise_rule or {}
        held["priority"] = str(current.priority) if current.decision == Decision.SET else NONE
        held["groups"] = [group.code for group in current.groups.all()]
        held["manual"] = "yes" if current.assign_mode == AssignMode.MANUAL else ""
        held["severity"], held["escalation_policy"] = current.severity, current.escalation_policy
        held["raise_to"] = str(rule.get("to", ""))
        held["more_than"] = str(rule.get("more_than", ""))
        held["hours"] = f"{rule['within_seconds'] / _HOUR:g}" if rule else ""
    return {
        "assignment": current,
        "decisions": queries.assignments(actor, objective),
        "may_assign": actor.may(Right.PRIORITY_ASSIGN, team=team.name if team else None),
        "owners": team.label if team else "an administrator",
        "choices": choices(),
        "groups": process.groups(actor),
        "severities": process.current().severities,
        "policies": oncall.policy_names(),
        "given": given or held,
        "fallbacks": FALLBACKS,
        "reach": velocity_warnings(objective.target, objective.period, codes()),
        "may_write": actor.may(Right.SLO_WRITE, team=team.name if team else None),
        "step_hidden": _is_hidden(request, objective, decided=current is not None, typed=given is not None),
        "stage_warning": adopted.priority_warning(team, now=now) if current is None else "",
    }


def _is_hidden(request: HttpRequest, objective: Objective, *, decided: bool, typed: bool) -> bool:
    """While a team is at the initial stage nobody is asked for a priority; whoever wants to decide says so."""
    asked = typed or decided or "decide" in request.GET
    return not asked and adopted.hides_priorities(objective.service.team)


def given(request: HttpRequest) -> dict[str, Any]:
    """What was typed, as it was typed."""
    names = ("priority", "reason", "raise_to", "more_than", "hours", "manual", "severity", "escalation_policy")
    return {**{name: request.POST.get(name, "") for name in names}, "groups": request.POST.getlist("groups")}


def wanted(typed: dict[str, Any], objective: Objective) -> dict[str, Any]:
    """The decision the form says. Raises Invalid for an empty choice and for numbers nobody can read."""
    choice = typed["priority"]
    if choice == NONE:
        return {"decision": NONE, "reason": typed["reason"], "groups": typed["groups"]}
    if not choice.isdecimal():
        raise Invalid({"priority": f"Choose what a breach of {objective.label} means."})
    return {
        "decision": Decision.SET.value,
        "priority": int(choice),
        "groups": typed["groups"],
        "reason": typed["reason"],
        "raise_rule": _reachable(_raise_rule(typed), objective),
        "severity": typed["severity"],
        "escalation_policy": oncall.known_policy(typed["escalation_policy"]),
        "assign_mode": (AssignMode.MANUAL if typed["manual"] == "yes" else AssignMode.AUTOMATIC).value,
    }


def _reachable(rule: dict[str, Any] | None, objective: Objective) -> dict[str, Any] | None:
    """The rule, unless it could never speak. Raises Invalid saying why."""
    if rule is None or rule["within_seconds"] <= 0 or rule["more_than"] <= 0:
        return rule
    asked = FrequencyRule(
        base=0, raised=0, more_than=rule["more_than"], window=timedelta(seconds=rule["within_seconds"])
    )
    warning = frequency_warning(asked, every=objective.evaluate_every)
    if warning is not None:
        raise Invalid({"raise_rule": warning})
    return rule


def _raise_rule(typed: dict[str, Any]) -> dict[str, Any] | None:
    asked = {name: typed[name].strip() for name in ("raise_to", "more_than", "hours")}
    if not any(asked.values()):
        return None
    if not (asked["raise_to"].isdecimal() and asked["more_than"].isdecimal()):
        raise Invalid(
            {"raise_rule": "To raise it after several breaches, say how many, in which time, and to which priority."}
        )
    try:
        seconds = round(float(asked["hours"]) * _HOUR)
    except (ValueError, OverflowError):
        raise Invalid({"raise_rule": "Give the hours as a number, for example 1 or 0.5."}) from None
    return {"to": int(asked["raise_to"]), "more_than": int(asked["more_than"]), "within_seconds": seconds}
