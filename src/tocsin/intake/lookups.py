"""What the doors ask of the database, on a thread: who a key belongs to, which SLOs exist."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from datetime import datetime

from django.db import connection

from tocsin.alerts import queries as alerts
from tocsin.core.access import TABLE, Role
from tocsin.intake.keys import Sender
from tocsin.people import queries as people
from tocsin.platform import clock
from tocsin.slo import queries as slo
from tocsin.slo.models import Objective
from tocsin.slo.pushed_series import Selection

SELECTION_KEPT_SECONDS = 5.0
KEPT_SECONDS = 30.0
MOST_KEPT = 200_000


def integration_source(number: int) -> str:
    """How the journal names an integration."""
    return f"integration:{number}"


def sender_of(key: str) -> Sender | None:
    """The sender behind `key`: an integration, or a person by one of their tokens."""
    try:
        integration = alerts.integration_for_key(key)
        if integration is not None:
            return Sender(
                source=integration_source(integration.pk),
                kind=integration.kind,
                rights=TABLE[Role.INTEGRATION],
                service_id=integration.service_id,
            )
        actor = people.actor_for_token(key, now=clock.now())
        return None if actor is None else Sender(source=f"person:{actor.ident}", kind="", rights=TABLE[actor.role])
    except Exception:
        connection.close()  # the next question opens a new connection instead of failing on a dead one
        raise


def present() -> datetime:
    """The present moment without a question to the database: the machine's clock, or the demo's or a test's."""
    installed = clock.installed()
    return clock.wall_now() if isinstance(installed, clock.SystemClock) else installed.now()


class ObjectiveNames:
    """Remembers for a while which names are SLOs; only names not seen lately cost a question."""

    def __init__(self, threads: Executor, monotonic: Callable[[], float]) -> None:
        self._threads = threads
        self._monotonic = monotonic
        self._known: dict[str, tuple[float, int, int]] = {}

    async def __call__(self, names: Sequence[str], service_id: int | None) -> Mapping[str, int]:
        """The ids of those of `names` that are SLOs (of the service `service_id` when given)."""
        oldest = self._monotonic() - KEPT_SECONDS
        asked = set(names)
        unknown = [name for name in asked if self._known.get(name, (oldest, 0, 0))[0] <= oldest]
        if unknown:
            await self._learn(unknown)
        found = {name: self._known[name] for name in asked if name in self._known}
        return {name: pk for name, (_, pk, service) in found.items() if service_id in {None, service}}

    async def _learn(self, names: Sequence[str]) -> None:
        rows = await asyncio.get_running_loop().run_in_executor(self._threads, _objectives, names)
        if len(self._known) > MOST_KEPT:
            self._known.clear()
        now = self._monotonic()
        for name in names:
            self._known.pop(name, None)
        self._known.update({name: (now, pk, service_id) for name, pk, service_id in rows})


def _objectives(names: Sequence[str]) -> list[tuple[str, int, int]]:
    try:
        rows = Objective.objects.filter(name__in=names, retired_at__isnull=True)
        return list(rows.values_list("name", "pk", "service_id"))
    except Exception:
        connection.close()
        raise


class Selections:
    """Remembers for a few seconds which counters the SLIs name, so that a new SLO counts soon after it is saved."""

    def __init__(self, threads: Executor, monotonic: Callable[[], float]) -> None:
        self._threads = threads
        self._monotonic = monotonic
        self._known: tuple[float, Selection] | None = None

    async def __call__(self) -> Selection:
        """Raises what the database raises."""
        now = self._monotonic()
        if self._known is None or now - self._known[0] >= SELECTION_KEPT_SECONDS:
            found = await asyncio.get_running_loop().run_in_executor(self._threads, _selection)
            self._known = (now, found)
        return self._known[1]


def _selection() -> Selection:
    try:
        return Selection(slo.wanted_counters())
    except Exception:
        connection.close()
        raise
