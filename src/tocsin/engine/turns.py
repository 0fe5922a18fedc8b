"""Which turns the engine's loops take, in which order. The fold comes first: what arrived is what may wake somebody.

Each turn asks the rows what is due, so that any of them may be left out (tests, demo) or run by another node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Min, QuerySet

from tocsin.alerts import actions as alerts
from tocsin.alerts.actions.overdue import has_overdue
from tocsin.engine import close_periods, fold, forget_counts
from tocsin.engine.deliver import oldest_unsent_seconds
from tocsin.engine.run import Loop, Turn
from tocsin.incidents.models import Escalation
from tocsin.platform import db
from tocsin.platform.questions import Question
from tocsin.slo.models import ObjectiveState

SLOS_AT_ONCE = 5000


def evaluate(*, now: datetime) -> int:
    """Judge the SLOs whose time has come; returns how many."""
    from tocsin.incidents import actions as incidents
    from tocsin.slo import actions as slo

    if not _any_slo_due(now=now):
        return 0
    with transaction.atomic():
        states = db.lock_due(_slos_due(now).order_by("next_at").only("pk"), limit=SLOS_AT_ONCE)
        signals = slo.evaluate([state.pk for state in states], now=now)
        changes = alerts.take_slo_signals(signals, now=now)
        if changes:
            incidents.take_alert_changes(changes, now=now)
    return len(states)


def _slos_due(now: datetime) -> QuerySet[ObjectiveState]:
    return ObjectiveState.objects.filter(next_at__lte=now, objective__retired_at__isnull=True)


_any_slo_due = Question(_slos_due)


def let_time_pass(*, now: datetime) -> int:
    """End alerts that are overdue and hear those whose silence is over; returns how many changed."""
    from tocsin.incidents import actions as incidents

    if not has_overdue(now=now):
        return 0
    with transaction.atomic():
        changes = [*alerts.end_overdue(now=now), *alerts.hear_unsilenced(now=now)]
        if changes:
            incidents.take_alert_changes(changes, now=now)
    return len(changes)


def silences(*, now: datetime) -> int:
    from tocsin.engine import silent_sources

    return silent_sources.turn(now=now)


def escalate(*, now: datetime) -> int:
    from tocsin.incidents import actions as incidents

    return incidents.advance_escalations(now=now)


def tell_late(*, now: datetime) -> int:
    from tocsin.incidents import actions as incidents

    return incidents.tell_late_obligations(now=now) + incidents.tell_late_reports(now=now)


def remind(*, now: datetime) -> int:
    from tocsin.incidents import actions as incidents

    return incidents.remind_of_decisions(now=now)


def staff(*, now: datetime) -> int:
    """Roles that were asked for and not answered, and roles that nobody fills."""
    from tocsin.incidents import actions as incidents

    return incidents.settle_take_overs(now=now) + incidents.press_unfilled_roles(now=now)


def reopen(*, now: datetime) -> int:
    from tocsin.incidents import actions as incidents

    return incidents.reopen_still_burning(now=now)


def status_mails(*, now: datetime) -> int:
    from tocsin.comms import actions as comms

    return comms.advance_status_mails(now=now)


def consumer_notices(*, now: datetime) -> int:
    from tocsin.comms import actions as comms

    return comms.tell_consumers(now=now)


def channels(*, now: datetime) -> int:
    """What the rooms are told, and who is invited to them."""
    from tocsin.comms import actions as comms
    from tocsin.incidents import actions as incidents

    return incidents.tell_channels(now=now) + comms.invite_responders(now=now)


def webhook_events(*, now: datetime) -> int:
    from tocsin.comms import actions as comms

    return comms.enqueue_events(now=now)


def postmortem_drafts(*, now: datetime) -> int:
    from tocsin.postmortems import actions as postmortems

    return postmortems.draft_missing(now=now)


def process_versions(*, now: datetime) -> int:
    from tocsin.process import proposal_actions, review_actions

    return proposal_actions.enter_scheduled(now=now) + review_actions.remind_of_reviews(now=now)


def budget_policies(*, now: datetime) -> int:
    from tocsin.engine import judge_policies

    return judge_policies.turn(now=now)


def pull(*, now: datetime) -> int:
    from tocsin.engine import pull_sources

    return pull_sources.turn(now=now)


def loops(
    *, deliver: Callable[..., int], pull: Callable[..., int] | None = None, listen: Callable[..., int] | None = None
) -> list[Loop]:
    """The loops of a node: the main one, delivery, and (when there is something to ask) the pulling of counts and chat."""
    main = Loop(
        "main",
        [
            Turn("process", process_versions),
            Turn("fold", fold.turn),
            Turn("evaluate", evaluate),
            Turn("alerts", let_time_pass),
            Turn("silences", silences),
            Turn("escalate", escalate),
            Turn("promises", tell_late),
            Turn("decisions", remind),
            Turn("roles", staff),
            Turn("reopen", reopen),
            Turn("status_mails", status_mails),
            Turn("consumers", consumer_notices),
            Turn("channels", channels),
            Turn("webhooks", webhook_events),
            Turn("postmortems", postmortem_drafts),
            Turn("budget_policies", budget_policies),
            Turn("budget_periods", close_periods.turn),
            Turn("forget_counts", forget_counts.turn),
        ],
    )
    found = [main, Loop("deliver", [Turn("deliver", deliver)])]
    beside = {"pull": pull, "listen": listen}
    return found + [Loop(name, [Turn(name, act)]) for name, act in beside.items() if act is not None]


def overdue(*, now: datetime) -> Mapping[str, Any]:
    """What `/health/engine` says of work that should have been done: ages in seconds, 0 when nothing is late."""
    waiting, oldest = fold.lag(now=now)
    due = Escalation.objects.filter(next_at__lte=now).aggregate(first=Min("next_at"))["first"]
    return {
        "oldest_due_seconds": round((now - due).total_seconds(), 3) if due else 0.0,
        "oldest_unsent_seconds": round(oldest_unsent_seconds(now=now), 3),
        "journal_waiting": waiting,
        "journal_oldest_seconds": round(oldest, 3),
    }
