"""The pictures of an SLO as files: beside its page for people, and under /embed for wikis and mails."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.cache import get_conditional_response
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe

from tocsin.core.access import SYSTEM, Actor
from tocsin.core.errors import NotFound
from tocsin.slo import queries
from tocsin.slo.models import Objective
from tocsin.web import asking, slo_days, slo_page, slo_steps
from tocsin.web.pictures import alone
from tocsin.web.pictures.drawing import Picture

_SALT = "tocsin.embed"
KINDS = {"svg": "image/svg+xml; charset=utf-8", "png": "image/png"}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_PICTURES: Mapping[str, Callable[[HttpRequest, Actor, Objective], Picture]] = {
    "burn-down": slo_page.burn_down_of,
    "burn-rate": slo_page.burn_rate_of,
    "depletion": slo_steps.steps_of,
    "days": slo_days.strip_of,
}


NAMES = tuple(_PICTURES)


def address_of(objective: Objective, picture: str) -> str:
    """Where a picture stands alone, without the ending that says whether it is .svg or .png."""
    return reverse("slo-picture", args=[objective.service.name, objective.name, picture, "svg"]).removesuffix(".svg")


def key_of(objective: Objective) -> str:
    """The secret that lets whoever holds it see this SLO's pictures, and nothing else."""
    return _signature(objective.name)


def _signature(about: str) -> str:
    return signing.Signer(salt=_SALT).signature(about)


def embedded_at(address: str, about: str, **query: str) -> str:
    """The whole address under which a wiki finds pictures of `about`; with the secret only where that is allowed."""
    said = {key: value for key, value in query.items() if value}
    if settings.EMBED_BY_KEY:
        said["key"] = _signature(about)
    return f"{settings.PUBLIC_URL}{address}{f'?{urlencode(said)}' if said else ''}"


def embed_url(objective: Objective, picture: str = "burn-down") -> str:
    """Where a wiki finds a picture of an SLO."""
    address = reverse("embed", args=[objective.service.name, objective.name, picture, "svg"])
    return embedded_at(address, objective.name)


@require_safe
def picture(request: HttpRequest, service: str, name: str, picture: str, form: str) -> HttpResponse:
    """A picture of one SLO as a file, for people who may read it."""
    return _file(request, asking.actor(request), service, name, picture, form)


@login_not_required
@require_safe
def embedded(request: HttpRequest, service: str, name: str, picture: str, form: str) -> HttpResponse:
    """The same for whoever holds its secret, where that is switched on; else only for people who signed in."""
    return _file(request, reader(request, name), service, name, picture, form)


def reader(request: HttpRequest, about: str) -> Actor:
    """Who looks. A right secret reads what it is about; without one, the person's own rights count."""
    given = request.GET.get("key", "")
    if given and settings.EMBED_BY_KEY and constant_time_compare(given, _signature(about)):
        return SYSTEM
    return asking.actor(request)


def _file(request: HttpRequest, actor: Actor, service: str, name: str, picture: str, form: str) -> HttpResponse:
    objective = queries.objective(actor, name)
    if objective.service.name != service or picture not in _PICTURES or form not in KINDS:
        raise NotFound("There is no such picture: burn-down, burn-rate, depletion or days, as .svg or .png.")
    drawn = _PICTURES[picture](request, actor, objective)
    named = drawn.finding.startswith(objective.label)
    title = drawn.finding if named else f"{objective.label}: {drawn.finding}"
    return answer_picture(request, drawn, title, form)


def answer_picture(request: HttpRequest, drawn: Picture, title: str, form: str) -> HttpResponse:
    """A picture as a file under `title`, in the size and the theme that the address asks for."""
    shape = drawn.phone if drawn.phone and request.GET.get("size") == "phone" else drawn.desk
    return answer_file(request, alone.standalone(shape, title, theme=request.GET.get("theme", "light")), form)


def answer_file(request: HttpRequest, text: str, form: str) -> HttpResponse:
    """The file, or 304 when the asker has this very picture; the mark is made of what is drawn."""
    mark = f'"{hashlib.sha256(f"{form}{text}".encode()).hexdigest()[:32]}"'
    headers: dict[str, Any] = {"Cache-Control": "private, no-cache", "Content-Security-Policy": _POLICY, "ETag": mark}
    known = get_conditional_response(request, etag=mark)
    if known is not None:
        for name, value in headers.items():
            known[name] = value
        return known
    body: bytes | str = alone.png(text) if form == "png" else text
    return HttpResponse(body, content_type=KINDS[form], headers=headers)


urlpatterns = [
    path("slos/<slug:service>/<slug:name>/<slug:picture>.<slug:form>", picture, name="slo-picture"),
    path("embed/<slug:service>/<slug:name>/<slug:picture>.<slug:form>", embedded, name="embed"),
]
