"""The wiring: each alert with where it comes from and whom it reaches, and what leads nowhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from tocsin.core import wiring_picture as core
from tocsin.core.errors import NotFound
from tocsin.core.wiring_picture import ALERTS, Node, Stage, Wiring
from tocsin.insights import wiring_picture as insights
from tocsin.people import queries as people
from tocsin.web import asking, slo_pictures
from tocsin.web.pictures.wiring_map import wiring_picture

SHOWN = 50
DRAWN: Mapping[str, tuple[Callable[[Wiring], str], str]] = {
    "txt": (core.as_text, "text/plain; charset=utf-8"),
    "dot": (core.as_dot, "text/vnd.graphviz; charset=utf-8"),
    "mmd": (core.as_mermaid, "text/plain; charset=utf-8"),
}
COLUMNS = (Stage.PRIORITY, Stage.SERVICE, Stage.ESCALATION, Stage.ROTATION, Stage.PERSON, Stage.CHANNEL, Stage.GROUP)


@dataclass(frozen=True, slots=True)
class Row:
    """One alert, and what stands at each stage of its way."""

    node: Node
    sources: Sequence[Node]
    cells: Sequence[tuple[Stage, Sequence[Node], str]]
    """Stage, the nodes there, and what is said when there are none."""


@require_GET
def shown(request: HttpRequest) -> HttpResponse:
    """A line for each alert, the ones that reach nobody first in a list of their own."""
    actor, now = asking.actor(request), asking.now(request)
    team = request.GET.get("team", "")[:100]
    graph = insights.picture(actor, team=team, now=now)
    alerts = [node for node in graph.nodes if node.stage in ALERTS]
    page = Paginator(alerts, SHOWN).get_page(request.GET.get("page"))
    following = graph.following()
    lost = core.orphans(graph)
    context = {
        "picture": wiring_picture(graph, lost),
        "files": reverse("wiring-drawn", args=["svg"]).removesuffix(".svg"),
        "query": f"?{urlencode({'team': team})}" if team else "",
        "page": page,
        "rows": [_row(graph, node, following) for node in page.object_list],
        "columns": COLUMNS,
        "orphans": lost,
        "teams": [("", "Every team"), *((row.name, row.label) for row in people.teams(actor))],
        "team": team,
    }
    return render(request, "web/wiring.html", context)


def _row(graph: Wiring, node: Node, following: Mapping[Node, Sequence[Node]]) -> Row:
    sources = [start for start, ends in following.items() if start.stage is Stage.SOURCE and node in ends]
    groups = [end for end in following.get(node, ()) if end.stage is Stage.GROUP]
    # People and channels are those who are woken; the members of groups are told by other means.
    woken = {end: ends for end, ends in following.items() if end.stage is not Stage.GROUP}
    found = {stage: groups if stage is Stage.GROUP else graph.reached(node, stage, woken) for stage in COLUMNS}
    return Row(node, sources, [(stage, nodes, _absent(node, stage)) for stage, nodes in found.items()])


def _absent(node: Node, stage: Stage) -> str:
    """ "none" is a priority's own word, so what is missing is never called so."""
    if stage is Stage.PRIORITY:
        return "what the alert says" if node.stage is Stage.SENDER else "undecided"
    return "nobody" if stage in {Stage.PERSON, Stage.GROUP} else "nothing"


@require_GET
def drawn(request: HttpRequest, ending: str) -> HttpResponse:
    """The graph as a picture, as text, for Graphviz, or for Mermaid."""
    graph = insights.picture(asking.actor(request), team=request.GET.get("team", "")[:100], now=asking.now(request))
    if ending in slo_pictures.KINDS:
        drawn = wiring_picture(graph, core.orphans(graph))
        return slo_pictures.answer_picture(request, drawn, f"Wiring: {drawn.finding}", ending)
    if ending not in DRAWN:
        raise NotFound("There is no such drawing; there are .svg, .png, .txt, .dot and .mmd.")
    write, kind = DRAWN[ending]
    answer = HttpResponse(write(graph), content_type=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="wiring.{ending}"'
    return answer


urlpatterns = [
    path("setup/wiring", shown, name="wiring"),
    path("setup/wiring.<slug:ending>", drawn, name="wiring-drawn"),
]
