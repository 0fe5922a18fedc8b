"""Reads about SLOs, their sources, priorities and breaches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import NotFound
from tocsin.slo import buckets, pulling
from tocsin.slo.models import Breach, DataSource, Health, Objective, ObjectiveState, PriorityAssignment
from tocsin.slo.pulling import Progress
from tocsin.slo.pushed_series import Wanted, selector_of
from tocsin.slo.specs import PUSH


def objectives(
    actor: Actor, *, team: str | None = None, service: str | None = None, include_retired: bool = False
) -> list[Objective]:
    """SLOs by service and name, with service, team, source and state at hand."""
    require(actor, Right.SLO_READ)
    rows = _with_neighbours()
    if team is not None:
        rows = rows.filter(service__team__name=team)
    if service is not None:
        rows = rows.filter(service__name=service)
    if not include_retired:
        rows = rows.filter(retired_at=None)
    return list(rows.order_by("service__name", "name"))


def objective(actor: Actor, name: str) -> Objective:
    """The SLO of that name, retired or not. Raises NotFound."""
    require(actor, Right.SLO_READ)
    found = _with_neighbours().filter(name=name).first()
    if found is None:
        raise NotFound(f"There is no SLO called {name!r}.")
    return found


def _with_neighbours() -> QuerySet[Objective]:
    return Objective.objects.select_related("service__team", "source", "state")


def without_data(*, now: datetime) -> list[ObjectiveState]:
    """SLOs in use that once had data and have none now, with source, service and objective at hand.

    One whose source is telling what was missed meanwhile is not among them.
    """
    rows = states_without_data().select_related("objective__source", "objective__service").order_by("objective_id")
    return [state for state in rows if not _catches_up(state, now=now)]


def states_without_data() -> QuerySet[ObjectiveState]:
    """SLOs in use that once had data and have none now, whatever the reason."""
    return ObjectiveState.objects.filter(
        health=Health.NO_DATA, first_data_at__isnull=False, objective__retired_at__isnull=True
    )


def _catches_up(state: ObjectiveState, *, now: datetime) -> bool:
    source, until = state.objective.source, state.pulled_until
    if source is None or source.kind == PUSH or source.last_error or until is None:
        return False
    return not pulling.is_current(buckets.epoch_seconds(until), now=now)


def reading_past(objective: Objective, *, now: datetime) -> Progress | None:
    """How far the reading of an SLO's past has come, None when it has been read (or need not be)."""
    state = getattr(objective, "state", None)
    return None if state is None else pulling.progress(state.reading_from, state.pulled_until, now=now)


def wanted_counters() -> list[Wanted]:
    """The counters that SLIs name and that nobody pulls: those are the ones that may be pushed."""
    rows = Objective.objects.filter(Q(source=None) | Q(source__kind=PUSH), retired_at=None)
    found = []
    for pk, service_id, *queries in rows.values_list("pk", "service_id", "good_query", "bad_query", "total_query"):
        for role, query in zip(("good", "bad", "total"), queries, strict=True):
            selector = selector_of(query) if query else None
            if selector is not None:
                found.append(Wanted(pk, service_id, role, selector))
    return found


def ids_by_name(names: Iterable[str]) -> dict[str, int]:
    """Names of SLOs in use to their ids, for the doors counts come in by; unknown names are absent."""
    return dict(Objective.objects.filter(name__in=set(names), retired_at=None).values_list("name", "pk"))


def sources(actor: Actor) -> list[DataSource]:
    require(actor, Right.SLO_READ)
    return list(DataSource.objects.order_by("name"))


def source(actor: Actor, name: str) -> DataSource:
    """The data source of that name. Raises NotFound."""
    require(actor, Right.SLO_READ)
    found = DataSource.objects.filter(name=name).first()
    if found is None:
        raise NotFound(f"There is no data source called {name!r}.")
    return found


def _in_force(at: datetime) -> Q:
    return Q(valid_from__lte=at) & (Q(valid_until=None) | Q(valid_until__gt=at))


def assignments_at(
    objective_ids: Sequence[int], at: datetime, *, with_groups: bool = False
) -> dict[int, PriorityAssignment]:
    """The assignment in force at an instant for each objective that has one; its first instant belongs to it."""
    rows = PriorityAssignment.objects.filter(_in_force(at), objective_id__in=objective_ids)
    if with_groups:
        rows = rows.prefetch_related("groups")
    return {row.objective_id: row for row in rows.order_by("valid_from") if row.objective_id is not None}


def planned_assignments(objective_ids: Sequence[int], at: datetime) -> dict[int | None, PriorityAssignment]:
    """The decision that begins after an instant, for each objective that has one."""
    rows = PriorityAssignment.objects.filter(valid_from__gt=at, objective_id__in=objective_ids)
    return {row.objective_id: row for row in rows.order_by("-valid_from")}


def assignment_at(objective: Objective, at: datetime) -> PriorityAssignment | None:
    """The assignment of an SLO in force at an instant, its groups at hand; None means undecided."""
    rows = PriorityAssignment.objects.filter(_in_force(at), objective=objective)
    return rows.prefetch_related("groups").order_by("-valid_from").first()


def assignments(actor: Actor, objective: Objective) -> list[PriorityAssignment]:
    """Every decision on an SLO's priority, newest first."""
    require(actor, Right.SLO_READ)
    return list(objective.assignments.prefetch_related("groups").order_by("-valid_from", "-pk"))


def undecided(actor: Actor, *, at: datetime, team: str | None = None) -> list[Objective]:
    """SLOs for which nobody has decided on a priority: the to-do list of a team."""
    found = objectives(actor, team=team)
    decided = assignments_at([one.pk for one in found], at)
    return [one for one in found if one.pk not in decided]


def breaches(objective: Objective, since: datetime, *, limit: int = 1000) -> list[Breach]:
    """Breaches of an SLO from an instant on, newest first."""
    return list(objective.breaches.filter(at__gte=since).order_by("-at")[:limit])


def breach_runs(actor: Actor, *, since: datetime) -> dict[int, list[tuple[int | None, str, int]]]:
    """For each SLO with breaches since then: (priority of the moment, its state, runs of neighbouring breaches)."""
    require(actor, Right.SLO_READ)
    found: dict[int, list[tuple[int | None, str, int]]] = {}
    rows = Breach.objects.filter(at__gte=since).order_by().values("objective_id", "priority", "priority_state")
    for row in rows.annotate(runs=Count("episode", distinct=True)).order_by("objective_id", "priority"):
        found.setdefault(row["objective_id"], []).append((row["priority"], row["priority_state"], row["runs"]))
    return found
