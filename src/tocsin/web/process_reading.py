"""Is the written process sound, and what did a version change: the check and the difference of two versions as pages."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET

from tocsin.core.access import Right
from tocsin.core.document_diff import Difference
from tocsin.core.document_reading import Level
from tocsin.core.errors import NotFound
from tocsin.core.process_check import Finding
from tocsin.insights import process_check, process_maps
from tocsin.platform.documents import Contents, anchor, body
from tocsin.process import document as written
from tocsin.process import queries
from tocsin.web import asking
from tocsin.web.process import change_words

MOST_CHANGES = 400


@require_GET
def checked(request: HttpRequest) -> HttpResponse:
    """Every finding about a version, errors first, each with its place and what to do."""
    actor = asking.actor(request)
    number = _number(request, "version") or queries.current_version().number
    shown = queries.version(actor, number)
    found = process_check.check_version(actor, number)
    context = {
        "version": shown,
        "versions": queries.versions(actor),
        "errors": [(one, _rotation_file(request, one)) for one in found if one.level is Level.ERROR],
        "warnings": [one for one in found if one.level is Level.WARNING],
        "may_write": actor.may(Right.PROCESS_WRITE),
    }
    return render(request, "web/process_check.html", context)


def _rotation_file(request: HttpRequest, finding: Finding) -> str:
    """A schedule for the role that nobody is on call for, with whoever looks in it; "" where no rotation is missing."""
    if not finding.role:
        return ""
    monday = asking.now(request).astimezone(asking.zone(request)).date()
    monday -= timedelta(days=monday.weekday())
    team = "team: NAME\n" if finding.rule == "team_has_a_rotation" else ""
    return (
        f"name: {finding.role.replace('_', '-')}\nrole: {finding.role}\n{team}time_zone: {asking.zone(request)}\n"
        f"layers:\n- name: week\n  start: {monday.isoformat()}T09:00:00\n  rotation: {{unit: week, every: 1}}\n"
        f"  users: [[{asking.actor(request).ident}]]\n"
    )


@require_GET
def compared(request: HttpRequest) -> HttpResponse:
    """What differs between two versions, by section; without a choice, the version in force and what it was made from."""
    actor = asking.actor(request)
    current = queries.current_version()
    after = _number(request, "to") or current.number
    last = queries.version(actor, after)
    before = _number(request, "from") or last.based_on or max(after - 1, 1)
    changes = queries.version_changes(actor, before, after)
    context = {
        "versions": queries.versions(actor),
        "before": before,
        "after": after,
        "count": len(changes),
        "sections": [
            (section, [change_words(one) for one in rows])
            for section, rows in groupby(changes[:MOST_CHANGES], key=_section)
        ],
        "left_out": max(0, len(changes) - MOST_CHANGES),
    }
    return render(request, "web/process_diff.html", context)


@require_GET
def document(request: HttpRequest) -> HttpResponse:
    """The complete process to read from top to bottom, or to print."""
    actor = asking.actor(request)
    number = _number(request, "version") or queries.current_version().number
    shown = queries.version(actor, number)
    _, _, contents, *blocks = written.blocks(actor, shown)
    context = {
        "version": shown,
        "facts": written.facts(shown),
        "contents": [(anchor(title), title) for title in contents.titles] if isinstance(contents, Contents) else [],
        "body": mark_safe(body(blocks)),  # noqa: S308 - body escapes every text
    }
    return render(request, "web/process_document.html", context)


@require_GET
def document_file(request: HttpRequest, ending: str) -> HttpResponse:
    """The same as a file."""
    if ending not in written.TYPES:
        raise NotFound(f"There is no such file; there are .{', .'.join(written.TYPES)}.")
    number = _number(request, "version")
    content = written.written(asking.actor(request), form=ending, number=number)
    answer = HttpResponse(content, content_type=written.TYPES[ending])
    answer.headers["Content-Disposition"] = f'attachment; filename="process.{ending}"'
    return answer


@require_GET
def itil(request: HttpRequest) -> HttpResponse:
    """Which step of ITIL each feature serves, and where nothing does."""
    steps = process_maps.itil(asking.actor(request))
    context = {"steps": steps, "gaps": [gap for one in steps for gap in one.gaps]}
    return render(request, "web/process_itil.html", context)


@require_GET
def frameworks(request: HttpRequest) -> HttpResponse:
    """What auditors of each framework ask for, and the evidence that answers it."""
    found = process_maps.frameworks(asking.actor(request))
    gaps = sum(1 for one in found for control in one.controls if control.gap)
    return render(request, "web/process_frameworks.html", {"frameworks": found, "gaps": gaps})


def _section(change: Difference) -> str:
    return change.path.split(".", 1)[0].split("[", 1)[0]


def _number(request: HttpRequest, name: str) -> int | None:
    """The number that was asked for, None for nothing. Raises NotFound for what is no number."""
    text = request.GET.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise NotFound(f"There is no version {text[:20]!r} of the process.")
    return int(text)


urlpatterns = [
    path("process/check", checked, name="process-check"),
    path("process/document", document, name="process-document"),
    path("process/document.<slug:ending>", document_file, name="process-document-file"),
    path("process/itil", itil, name="process-itil"),
    path("process/frameworks", frameworks, name="process-frameworks"),
    path("process/diff", compared, name="process-diff"),
]
