"""What a priority asks for, in sentences: the same on pages, in exports and in what people are sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from tocsin.core.process_parts import PageWhen, PriorityDefinition, Verdict

PAGED: Mapping[PageWhen, str] = {
    PageWhen.ALWAYS: "People on call are paged at any hour",
    PageWhen.BUSINESS_HOURS: "People on call are paged in business hours only",
    PageWhen.NEVER: "Nobody is paged",
}
VERDICTS: Mapping[Verdict, str] = {
    Verdict.ALLOWED: "Allowed",
    Verdict.CONDITIONAL: "Give a reason",
    Verdict.NOT_ALLOWED: "Never",
}


def interval(span: timedelta) -> str:
    """A pace as people say it: "2 h", "90 min"."""
    minutes = int(span.total_seconds()) // 60
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


def consequences(priority: PriorityDefinition) -> list[tuple[bool, str]]:
    """What follows from a priority, each as (yes or no, a sentence)."""
    asked = priority.criteria
    every = f"An update at least every {interval(asked.update_every)}" if asked.update_every else "No updates are owed"
    return [
        (asked.hotfix_immediately, "A fix is rolled out at once" if asked.hotfix_immediately else "No rushed rollout"),
        (asked.postmortem, "A postmortem follows" if asked.postmortem else "No postmortem is owed"),
        (asked.notify_management, "Management is told" if asked.notify_management else "Management is not told"),
        (
            asked.notify_stakeholder_groups,
            "The chosen groups are told" if asked.notify_stakeholder_groups else "No group is told",
        ),
        (asked.update_every is not None, every),
        (priority.page.when is not PageWhen.NEVER, PAGED[priority.page.when]),
        *_taken_and_quiet(priority),
        *([(True, "A work item is made")] if priority.work_item else []),
    ]


def _taken_and_quiet(priority: PriorityDefinition) -> list[tuple[bool, str]]:
    """What happens when somebody takes it and writes nothing down; unsaid where it stays with them for ever."""
    quiet = priority.acknowledged_quiet
    return [(True, f"Taken and quiet for {interval(quiet)}, its people are paged anew")] if quiet else []
