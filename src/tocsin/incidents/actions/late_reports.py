"""The next report that an authority waits for is a row with a time; somebody hears when it is late."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import QuerySet

from tocsin.audit import actions as audit
from tocsin.audit.actions import stamp
from tocsin.core.access import SYSTEM, Actor
from tocsin.core.cadence import is_late
from tocsin.core.facts import Kind
from tocsin.core.regulatory import next_report, reports
from tocsin.core.regulatory_settings import Regime
from tocsin.incidents import page_text, snapshots
from tocsin.incidents.actions import late_rows, paging
from tocsin.incidents.actions.incident_row import fact, held, person_behind
from tocsin.incidents.actions.promising import LATE, answerable
from tocsin.incidents.course import regulatory_events
from tocsin.incidents.models import Incident, OwedReport
from tocsin.platform.questions import Question


def follow_log(actor: Actor, incident: Incident, rule: Regime) -> None:
    """Set the clock to what the log says is owed to that authority. The caller holds the incident.

    A due time that stays was told of already; another one is told of again.
    """
    owed = next_report(reports(rule, regulatory_events(incident.ref)))
    row = OwedReport.objects.filter(incident=incident, regime=rule.code).first()
    if owed is None or owed.due_at is None:
        if row is not None:
            row.delete()
        return
    row = row or OwedReport(incident=incident, regime=rule.code)
    if (row.report, row.due_at) != (owed.kind, owed.due_at):
        row.told_late_at = None
    row.report, row.due_at, row.owner = owed.kind, owed.due_at, person_behind(actor) or row.owner
    row.save()


def tell_late_reports(*, now: datetime, limit: int = 100) -> int:
    """Tell whoever looks after it of each report that is late (due + grace), once for each due time.

    Each in its own transaction; returns how many.
    """
    if not _anything_overdue(now=now):
        return 0
    late = late_rows.past_grace(_overdue(now), now=now)
    return 0 if late is None else late_rows.tell_each(late, partial(_tell, now=now), limit=limit)


def _overdue(now: datetime) -> QuerySet[OwedReport]:
    return OwedReport.objects.filter(told_late_at=None, due_at__lt=now)


_anything_overdue = Question(_overdue)


def _tell(pk: int, *, now: datetime) -> int:
    with transaction.atomic():
        number = OwedReport.objects.filter(pk=pk).values_list("incident__number", flat=True).first()
        if number is None:
            return 0
        incident = held(number)
        definition = snapshots.process_of(incident)
        row = OwedReport.objects.select_related("owner").filter(pk=pk, told_late_at=None).first()
        grace = definition.catalogue.notification.overdue_grace
        if row is None or not is_late(row.due_at, grace, now=now):
            return 0
        row.told_late_at = now
        row.save(update_fields=["told_late_at"])
        name = next((one.name for one in definition.regimes if one.code == row.regime), row.regime)
        said = fact(
            incident,
            Kind.REGULATORY_LATE,
            regime=row.regime,
            name=name,
            report=row.report,
            due=stamp(row.due_at),
        )
        audit.record(SYSTEM, [said], now=now)
        _mail(row, incident, name, now=now)
    return 1


def _mail(row: OwedReport, incident: Incident, name: str, *, now: datetime) -> None:
    who = answerable(row.owner, incident)
    texts = {
        person.pk: page_text.report_late(
            incident.ref,
            incident.title,
            authority=name,
            report=row.report,
            due=page_text.wall(row.due_at, time_zone=person.time_zone, now=now),
            url=f"{paging.incident_url(incident)}/authorities",
        )
        for person in who
    }
    key = f"late-report-{row.pk}-{int(row.due_at.timestamp())}"
    definition = snapshots.process_of(incident)
    paging.tell(incident, who, texts, kind=LATE, key=key, definition=definition, now=now)
