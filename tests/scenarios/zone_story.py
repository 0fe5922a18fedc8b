"""A small story for a process of its own: prints what it stored, so that two zones can be compared."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, date, datetime, timedelta


def main() -> None:
    time.tzset()
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    tell_the_story()
    json.dump({"zone": time.tzname[0], "rows": stored()}, sys.stdout, default=str)


def tell_the_story() -> None:
    from tests.domains import worlds
    from tocsin.core.access import SYSTEM
    from tocsin.incidents import actions as incidents
    from tocsin.oncall import actions as oncall
    from tocsin.platform import clock as clocks
    from tocsin.postmortems import actions as postmortems

    clock = clocks.WoundClock(datetime(2026, 10, 24, 22, 30, tzinfo=UTC))  # the night Europe's clocks go back
    clocks.install(clock)
    worlds.process(now=clock.now())
    mara = worlds.actor("mara", in_team="tickets", is_owner=True, now=clock.now())
    worlds.service("checkout", of_team="tickets", now=clock.now())
    layer = {
        "name": "a",
        "start": "2026-10-19T09:00:00+02:00",
        "rotation": {"unit": "day", "every": 1},
        "users": [["mara"]],
    }
    oncall.save_rotation(SYSTEM, {"name": "first", "time_zone": "Europe/Berlin", "layers": [layer]}, now=clock.now())
    incident = incidents.declare(mara, title="Nobody can pay", service="checkout", priority=1, now=clock.now())
    incidents.acknowledge(mara, incident.number, now=clock.wind(timedelta(minutes=90)))
    incidents.resolve(mara, incident.number, category="software", now=clock.wind(timedelta(hours=3)))
    postmortems.draft_missing(now=clock.wind(timedelta(minutes=1)))
    postmortems.add_action(
        mara, incident.number, title="Widen the pool", driver="mara", review_date=date(2026, 11, 8), now=clock.now()
    )


def stored() -> list[object]:
    """Every row that holds a time, in the order it was written. Random secrets are left out."""
    from tocsin.audit.models import Entry
    from tocsin.incidents.models import Escalation, Incident, Obligation
    from tocsin.postmortems.models import ActionItem, Postmortem, TimelineEntry

    rows: list[object] = list(Entry.objects.order_by("seq").values("seq", "at", "occurred_at", "kind", "hash"))
    rows += Incident.objects.values("number", "created_at", "acknowledged_at", "resolved_at", "priority_set_at")
    rows += Obligation.objects.order_by("key").values("key", "due_at", "state", "fulfilled_at")
    rows += Escalation.objects.values("next_at", "position")
    rows += Postmortem.objects.values("created_at", "meeting_due_at")
    rows += TimelineEntry.objects.order_by("at", "id").values("at", "text")
    rows += ActionItem.objects.values("review_date", "created_at")
    return rows


if __name__ == "__main__":
    main()
