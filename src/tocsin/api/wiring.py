"""The wiring of the installation over JSON, and drawn as text, for Graphviz or for Mermaid."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from tocsin.api.auth import actor
from tocsin.core import wiring_picture as core
from tocsin.core.errors import Invalid
from tocsin.insights import wiring_picture as insights
from tocsin.platform import clock

router = Router(tags=["wiring"])
DRAWINGS = {"text": core.as_text, "dot": core.as_dot, "mermaid": core.as_mermaid}


@router.get("/wiring")
def wiring(request: HttpRequest, team: str = "", format: str = "json") -> Any:  # noqa: A002 - the name in the address
    """Sources, alerts, priorities, services, teams, escalations, rotations, people, channels; and what leads nowhere."""
    if format != "json" and format not in DRAWINGS:
        raise Invalid({"format": f"Choose json, {', '.join(DRAWINGS)}."})
    graph = insights.picture(actor(request), team=team, now=clock.now())
    if format == "json":
        return insights.document(graph, core.orphans(graph))
    return HttpResponse(DRAWINGS[format](graph), content_type="text/plain; charset=utf-8")
