"""The picture of one incident's course: on its timeline page, and as a file for reviews, wikis and mails."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from tocsin.core.errors import NotFound
from tocsin.incidents import queries, snapshots
from tocsin.incidents.lanes import lanes_of
from tocsin.incidents.models import Incident
from tocsin.web import asking, slo_pictures
from tocsin.web.pictures.drawing import Picture
from tocsin.web.pictures.incident_timeline import Facts, incident_timeline


def picture_of(request: HttpRequest, incident: Incident) -> Picture | None:
    """The swim lanes on the reader's clock; None where the log does not tell how it began."""
    now = asking.now(request)
    found = lanes_of(asking.actor(request), incident, now=now)
    if found is None:
        return None
    wellbeing = snapshots.process_of(incident).wellbeing
    facts = Facts(
        name=f"{incident.ref} {incident.service.label if incident.service else incident.title}",
        lanes=found.lanes,
        now=now,
        zone=asking.zone(request),
        night=(wellbeing.limits.night_from, wellbeing.limits.night_to) if wellbeing else None,
        left_out=found.left_out,
    )
    return incident_timeline(facts)


@require_safe
def drawn(request: HttpRequest, number: int, form: str) -> HttpResponse:
    """The picture as a file."""
    row = queries.incident(asking.actor(request), number)
    found = picture_of(request, row) if form in slo_pictures.KINDS else None
    if found is None:
        raise NotFound("There is no such picture: an incident has its timeline as .svg or .png.")
    return slo_pictures.answer_picture(request, found, found.finding, form)


urlpatterns = [path("i/<int:number>/timeline.<slug:form>", drawn, name="incident-timeline-picture")]
