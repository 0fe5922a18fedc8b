"""Tell a person when a source has gone silent: its SLOs cannot be judged, and what cannot be judged is not good.

One alert for each source, whatever the number of its SLOs and services, and one incident: its cause is one, and whoever
mends it mends it for all. It is with the service of the most urgent blind SLO, and the people on call of every service
that is blind are paged, each once: each of them is flying blind, and the first to take it stops the paging of all. It opens when a silence has been seen for a whole minute (a
restart or a clock that jumped is no silence), is repeated while it lasts, and ends when every SLO hears again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from tocsin.alerts import actions as alerts
from tocsin.alerts import queries as alert_queries
from tocsin.alerts.models import Alert, AlertState
from tocsin.alerts.posted_alerts import PostedAlert
from tocsin.incidents import actions as incidents
from tocsin.platform import clock, db
from tocsin.platform.questions import Question
from tocsin.process import queries as process
from tocsin.slo import queries as slo
from tocsin.slo.models import ObjectiveState

LOOK_EVERY = timedelta(seconds=5)
SURE_AFTER = timedelta(minutes=1)
_REALLY_AFTER_SECONDS = 2.0
REPEAT_EVERY = timedelta(minutes=5)
FORGOTTEN_AFTER = timedelta(minutes=20)
PUSHED = "the counts that are pushed"
SILENT = alert_queries.SILENT_SOURCE
_NAMED = 5
_MOST_URGENT = 2
_AFTER_ALL = 1_000
_PAGED = 50  # so many services at most; a source of more is everybody's


@dataclass(slots=True)
class _Watch:
    """What this process has seen: since when each source is silent (by the clock and in real seconds)."""

    looked_at: datetime | None = None
    since: dict[str, tuple[datetime, float]] = field(default_factory=dict)
    told_at: dict[str, datetime] = field(default_factory=dict)


_watch = _Watch()


def turn(*, now: datetime) -> int:
    """Look every few seconds; returns how many sources were told of."""
    if _watch.looked_at is not None and _watch.looked_at <= now < _watch.looked_at + LOOK_EVERY:
        return 0
    _watch.looked_at = now
    if not _watch.since and not _anybody_blind(now=now):
        return 0
    blind = _blind(now=now)
    firing = {row.labels.get("source", ""): row for row in _firing()}
    for gone in _watch.since.keys() - blind.keys():
        del _watch.since[gone]
    posts = [_ended(row, now=now) for name, row in firing.items() if name not in blind]
    for name, states in blind.items():
        if _is_told_now(name, now=now):
            labels = firing[name].labels if name in firing else _labels(name, states, now=now)
            posts.append(_post(labels, _words(name, states), ends_at=now + FORGOTTEN_AFTER, now=now))
            _watch.told_at[name] = now
    if posts:
        _tell(posts, now=now)
    return len(posts)


def _blind(*, now: datetime) -> dict[str, list[ObjectiveState]]:
    """The SLOs without data, by their source."""
    found: defaultdict[str, list[ObjectiveState]] = defaultdict(list)
    for state in slo.without_data(now=now):
        found[state.objective.source.name if state.objective.source else PUSHED].append(state)
    return found


def _firing() -> Sequence[Alert]:
    return list(_told_of())


def _told_of() -> QuerySet[Alert]:
    return Alert.objects.filter(state=AlertState.FIRING, integration=None, labels__kind=SILENT)


_anybody_blind = Question(lambda _: slo.states_without_data(), lambda _: _told_of())


def _is_told_now(name: str, *, now: datetime) -> bool:
    """Whether the silence is certain and was not told of just now."""
    at, real = _watch.since.setdefault(name, (now, clock.monotonic()))
    told = _watch.told_at.get(name)
    if told is not None and told <= now < told + REPEAT_EVERY and told >= at:
        return False
    return now - at >= SURE_AFTER and clock.monotonic() - real >= _REALLY_AFTER_SECONDS * db.patience()


def _labels(name: str, states: Sequence[ObjectiveState], *, now: datetime) -> dict[str, str]:
    """The incident goes to the service with the most urgent blind SLO; `services` names all that are to be paged."""
    ranks = _ranks(states, now)
    services = _by_urgency(states, ranks)
    labels = {
        "alertname": f"No data from {name}",
        "kind": SILENT,
        "source": name,
        "priority": _priority(ranks),
        "service": services[0],
        "services": ",".join(services[:_PAGED]) if len(services) > 1 else "",
    }
    return {key: value for key, value in labels.items() if value}


def _ranks(states: Sequence[ObjectiveState], now: datetime) -> dict[int, int]:
    """The priority of each blind SLO that has one, by its id."""
    rows = slo.assignments_at([state.pk for state in states], now).values()
    return {row.objective_id: row.priority for row in rows if row.priority and row.objective_id}


def _by_urgency(states: Sequence[ObjectiveState], ranks: dict[int, int]) -> list[str]:
    """The services with blind SLOs: first the one whose worst SLO is the most urgent, then by how many are blind."""
    of: defaultdict[str, list[int]] = defaultdict(list)
    for state in states:
        of[state.objective.service.name].append(ranks.get(state.pk, _AFTER_ALL))
    return sorted(of, key=lambda service: (min(of[service]), -len(of[service]), service))


def _priority(ranks: dict[int, int]) -> str:
    """That of the most urgent SLO that is blind, but never the highest: nobody knows that anything is broken."""
    if not ranks:
        return ""
    rank = max(_MOST_URGENT, min(ranks.values()))
    found = next((one for one in process.current().catalogue.priorities if one.rank == rank), None)
    return found.code if found else ""


def _words(name: str, states: Sequence[ObjectiveState]) -> dict[str, str]:
    last = max((state.last_data_at for state in states if state.last_data_at), default=None)
    since = f" since {last:%Y-%m-%d %H:%M} UTC" if last else ""
    many = "1 SLO cannot" if len(states) == 1 else f"{len(states)} SLOs cannot"
    named = ", ".join(sorted(state.objective.label for state in states)[:_NAMED])
    more = f" and {len(states) - _NAMED} more" if len(states) > _NAMED else ""
    source = states[0].objective.source
    why = f" Its last answer: {source.last_error[:300]}." if source is not None and source.last_error else ""
    return {
        "summary": f"No data from {name}{since}; {many} be judged",
        "description": f"Blind: {named}{more}. They show unknown, not green.{why}",
    }


def _post(labels: dict[str, str], words: dict[str, str], *, ends_at: datetime, now: datetime) -> PostedAlert:
    return PostedAlert(
        labels=labels,
        annotations=words,
        starts_at=None,
        ends_at=ends_at,
        generator_url="",
        received_at=now,
    )


def _ended(row: Alert, *, now: datetime) -> PostedAlert:
    return _post(row.labels, row.annotations, ends_at=now, now=now)


def _tell(posts: Sequence[PostedAlert], *, now: datetime) -> None:
    with transaction.atomic():
        changes = alerts.take_alertmanager(None, posts, now=now)
        if changes:
            incidents.take_alert_changes(changes, now=now)
