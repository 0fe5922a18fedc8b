"""Reads about consumers' views: where they differ from the providers' decisions, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from tocsin.catalog import queries as catalog
from tocsin.catalog.models import Service
from tocsin.core import consumer_views as core
from tocsin.core.access import Actor, Right, require
from tocsin.core.consumer_views import Divergence, GapReport, UseCase
from tocsin.people.models import Team
from tocsin.process import queries as process
from tocsin.process.models import StakeholderGroup
from tocsin.slo import snapshots
from tocsin.slo.consumers import Consumer, may_speak_for
from tocsin.slo.models import ConsumerView, FeedbackSession, Objective, PriorityAssignment, ViewRound
from tocsin.slo.queries.objectives import assignments_at, objectives


@dataclass(frozen=True, slots=True)
class FeedbackRow:
    """One SLO with its decision, its consumers' views, how far they lie apart, and the round that is open."""

    objective: Objective
    assignment: PriorityAssignment | None
    views: tuple[ConsumerView, ...]
    case: UseCase
    spread: int
    divergences: tuple[Divergence, ...]
    last_round: ViewRound | None

    @property
    def round_number(self) -> int:
        """The round that goes on now."""
        return self.last_round.number + 1 if self.last_round else 1

    @property
    def worst(self) -> int:
        return max((abs(one.levels) for one in self.divergences), default=0)


def lowest_rank() -> int:
    """The least urgent rank of the process in force; `none` counts as one step below it."""
    return max((one.rank for one in process.current().catalogue.priorities), default=0)


def feedback(actor: Actor, *, team: str | None = None, slo: str | None = None, at: datetime) -> list[FeedbackRow]:
    """SLOs in use that some consumer was asked about or spoke of, those with the largest difference first.

    `team` is the provider's.
    """
    found = {one.pk: one for one in objectives(actor, team=team) if slo is None or one.name == slo}
    views: dict[int, list[ConsumerView]] = {}
    for row in _with_consumers().filter(objective__in=found, valid_until=None).order_by("consumer"):
        views.setdefault(row.objective_id, []).append(row)
    decided = assignments_at(list(views), at)
    last = {row.objective_id: row for row in ViewRound.objects.filter(objective__in=views).order_by("number")}
    lowest = lowest_rank()
    rows = [_row(found[pk], decided.get(pk), views[pk], last.get(pk), lowest=lowest) for pk in views]
    return sorted(rows, key=lambda row: (-row.worst, -_most_urgent(row), row.objective.name))


def _most_urgent(row: FeedbackRow) -> int:
    return max((one.levels for one in row.divergences), default=0)


def _row(
    objective: Objective,
    held: PriorityAssignment | None,
    views: Sequence[ConsumerView],
    last: ViewRound | None,
    *,
    lowest: int,
) -> FeedbackRow:
    case = snapshots.use_case(objective, held, views)
    return FeedbackRow(
        objective=objective,
        assignment=held,
        views=tuple(views),
        case=case,
        spread=core.spread(case, lowest=lowest),
        divergences=tuple(core.divergences([case], lowest=lowest)),
        last_round=last,
    )


def gaps(actor: Actor, *, team: str | None = None, at: datetime) -> GapReport:
    """The gap report: every divergence by provider, and the SLOs nobody has decided on."""
    return core.gap_report([row.case for row in feedback(actor, team=team, at=at)], lowest=lowest_rank())


def _with_consumers() -> QuerySet[ConsumerView]:
    return ConsumerView.objects.select_related("objective", "team", "group", "service__team", "notify")


def view_history(actor: Actor, objective: Objective) -> list[ConsumerView]:
    """Every view on an SLO that there was, newest first."""
    require(actor, Right.SLO_READ)
    return list(_with_consumers().filter(objective=objective).order_by("-valid_from", "-pk"))


def not_asked(actor: Actor, objective: Objective) -> list[Service]:
    """The services that need this SLO's service and have not been asked how they see it."""
    require(actor, Right.SLO_READ)
    heard = ConsumerView.objects.filter(objective=objective, valid_until=None).values_list("service_id", flat=True)
    known = set(heard)
    return [one for one in catalog.consumers(objective.service) if one.pk not in known]


def rounds(actor: Actor, objective: Objective) -> list[ViewRound]:
    """The rounds of feedback that were closed, newest first, with their answers."""
    require(actor, Right.SLO_READ)
    rows = ViewRound.objects.filter(objective=objective)
    answers = ("answers__view__team", "answers__view__group", "answers__view__service")
    return list(rows.prefetch_related(*answers).order_by("-number"))


def sessions(actor: Actor, *, team: str | None = None, limit: int = 50) -> list[FeedbackSession]:
    """Feedback sessions with their outcomes, newest first."""
    require(actor, Right.SLO_READ)
    rows = FeedbackSession.objects.select_related("team").prefetch_related("outcomes__objective")
    return list((rows.filter(team__name=team) if team else rows).order_by("-held_at", "-pk")[:limit])


def consumers_spoken_for(actor: Actor, objective: Objective) -> list[tuple[str, str]]:
    """(key, name) of everybody the actor may speak for on an SLO: the own ones first, of those what depends on it."""
    found = [one for one in _every_consumer(objective) if may_speak_for(actor, one)]
    needs = {service.pk for service in catalog.consumers(objective.service)}

    def distance(one: Consumer) -> tuple[bool, bool, str]:
        own = one.speaker is not None and one.speaker.name in actor.teams
        return not own, one.service is None or one.service.pk not in needs, one.key

    ordered = sorted(found, key=distance)
    return [(one.key, one.label) for one in ordered]


def consumers_to_ask(actor: Actor, objective: Objective) -> list[tuple[str, str]]:
    """(key, name) of everybody who has neither spoken nor been asked, when the actor may ask."""
    team = objective.service.team
    may = actor.may(Right.PRIORITY_ASSIGN, team=team.name if team else None)
    if not may and (team is None or team.name not in actor.teams):
        return []
    heard = set(ConsumerView.objects.filter(objective=objective, valid_until=None).values_list("consumer", flat=True))
    return [(one.key, one.label) for one in _every_consumer(objective) if one.key not in heard]


def _every_consumer(objective: Objective) -> list[Consumer]:
    """Services, teams and groups, except those that own the SLO."""
    services = Service.objects.select_related("team").exclude(pk=objective.service_id).filter(is_catch_all=False)
    teams = Team.objects.exclude(pk=objective.service.team_id or 0)
    return [
        *(Consumer(service=one) for one in services.order_by("name")),
        *(Consumer(team=one) for one in teams.order_by("name")),
        *(Consumer(group=one) for one in StakeholderGroup.objects.prefetch_related("members").order_by("code")),
    ]
