"""What OpenSLO calls notification targets, as what Tocsin has: escalation policies, and groups that hear of breaches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from tocsin.oncall.models import EscalationPolicy, ServiceEscalation
from tocsin.process.models import StakeholderGroup
from tocsin.slo.models import Objective, PriorityAssignment
from tocsin.slo.specs import ObjectiveSpec, PrioritySpec, TargetSpec

OURSELVES = "tocsin"
Tie = Callable[[str], None]
Warn = Callable[[str, str], None]


class Kind(StrEnum):
    OURSELVES = "Tocsin itself"
    POLICY = "escalation policy"
    GROUP = "stakeholder group"
    UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A target and what it leads to here; `name` is that of the policy or the group."""

    target: TargetSpec
    kind: Kind
    name: str = ""


def resolve(target: TargetSpec) -> Resolved:
    """What a target leads to, by its own name first, then by the word for where it is."""
    for word in filter(None, (target.name, target.target)):
        if word.lower() == OURSELVES:
            return Resolved(target, Kind.OURSELVES)
        if EscalationPolicy.objects.filter(name=word).exists():
            return Resolved(target, Kind.POLICY, word)
        if StakeholderGroup.objects.filter(code=word).exists():
            return Resolved(target, Kind.GROUP, word)
    return Resolved(target, Kind.UNKNOWN)


def targets_of(objective: Objective) -> list[Resolved]:
    """The targets an SLO's document keeps, each with what it leads to now."""
    found = []
    for policy in objective.document.get("spec", {}).get("alertPolicies") or ():
        inside: Any = policy.get("spec", {}) if isinstance(policy, dict) else {}
        for one in inside.get("notificationTargets") or ():
            name = one.get("targetRef") or one.get("metadata", {}).get("name", "")
            found.append(TargetSpec(str(name), str(one.get("spec", {}).get("target", ""))))
    return [resolve(one) for one in dict.fromkeys(found)]


def heard_by(spec: ObjectiveSpec, tie: Tie, warn: Warn) -> PrioritySpec | None:
    """Lead the targets of an SLO to where they belong; returns its decision with the groups they name.

    A policy is tied to the service when it has none (`tie`); what leads nowhere is said, with what to do (`warn`).
    """
    priority = spec.priority
    for found in map(resolve, spec.targets):
        if found.kind is Kind.POLICY:
            _policy(spec, found, tie, warn)
        elif found.kind is Kind.GROUP and priority is not None and priority.decision == "set":
            priority = replace(priority, groups=tuple(dict.fromkeys((*priority.groups, found.name))))
        elif found.kind is Kind.GROUP and not _hears(spec, found.name):
            command = f"tocsin priority set {spec.name} PRIORITY --group {found.name}"
            warn(found.target.origin, f"group {found.name} hears of a breach once the SLO has a priority: {command}")
        elif found.kind is Kind.UNKNOWN:
            warn(found.target.origin, _unknown(spec, found.target))
    return priority


def _policy(spec: ObjectiveSpec, found: Resolved, tie: Tie, warn: Warn) -> None:
    tied = ServiceEscalation.objects.select_related("policy").filter(service__name=spec.service).first()
    if tied is None:
        tie(found.name)
    elif tied.policy.name != found.name:
        command = f"tocsin service set {spec.service} --escalation {found.name}"
        message = f"target {found.name} is kept, but {spec.service} already wakes people by {tied.policy.name}"
        warn(found.target.origin, f"{message}; to change that: {command}")


def _hears(spec: ObjectiveSpec, group: str) -> bool:
    rows = PriorityAssignment.objects.filter(objective__name=spec.name, valid_until=None)
    return rows.filter(groups__code=group).exists()


def _unknown(spec: ObjectiveSpec, target: TargetSpec) -> str:
    word = f" ({target.target})" if target.target else ""
    return (
        f"target {target.name}{word} is kept, but nothing here answers to it: people are paged as service "
        f"{spec.service} says. Call an escalation policy or a stakeholder group {target.name} and apply again"
    )
