"""Ask the sources whose time has come and let what they answer count at once.

The asking happens outside any transaction and side by side, so that a slow server holds up neither writers nor the
other sources by more than its own deadline.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from django.db import transaction

from tocsin.alerts import actions as alerts
from tocsin.incidents import actions as incidents
from tocsin.slo import actions as slo
from tocsin.slo import prometheus, recent_growth
from tocsin.slo.actions.pulling import Errand, Round, claim_due, note_failure, take_answers
from tocsin.slo.prometheus import Growth, Server, SourceFailed


def turn(*, now: datetime) -> int:
    """Ask every due source; returns how many were asked."""
    errands = claim_due(now=now)
    for errand, answers in zip(errands, _asked(errands), strict=True):
        _take(errand, answers, now=now)
    return len(errands)


def _asked(errands: Sequence[Errand]) -> list[Sequence[Sequence[Growth]] | Exception]:
    if len(errands) <= 1:
        return [_ask(errand) for errand in errands]
    with ThreadPoolExecutor(len(errands), thread_name_prefix="ask") as threads:
        return list(threads.map(_ask, errands))


def _ask(errand: Errand) -> Sequence[Sequence[Growth]] | Exception:
    """The answers to all rounds, or what went wrong; a claimed source must be given back whatever happens."""
    try:
        return [_growth(errand.server, one) for one in errand.rounds]
    except Exception as error:  # noqa: BLE001 - the boundary to a foreign server
        return error


def _growth(server: Server, one: Round) -> list[Growth]:
    if one.recent:
        return recent_growth.fetch(server, one.asks, one.spans)
    return [prometheus.fetch(server, one.asks, span) for span in one.spans]


def _take(errand: Errand, answers: Sequence[Sequence[Growth]] | Exception, *, now: datetime) -> None:
    if isinstance(answers, Exception):
        _fail(errand, answers, now=now)
        return
    try:
        _count(errand, answers, now=now)
    except Exception as error:  # whatever hinders the writing, the source must not stay claimed
        _fail(errand, error, now=now)
        raise


def _fail(errand: Errand, error: Exception, *, now: datetime) -> None:
    text = str(error) if isinstance(error, SourceFailed) else f"{type(error).__name__}: {error}"
    with transaction.atomic():
        note_failure(errand, text, now=now)


def _count(errand: Errand, answers: Sequence[Sequence[Growth]], *, now: datetime) -> None:
    with transaction.atomic():
        signals = slo.evaluate(take_answers(errand, answers, now=now), now=now)
        changes = alerts.take_slo_signals(signals, now=now)
        if changes:
            incidents.take_alert_changes(changes, now=now)
