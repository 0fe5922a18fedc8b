"""How a refusal is said on a page. Every page's refusals come through here, so that each is worded once."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.views import redirect_to_login
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from tocsin.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refused, TocsinError

Handler = Callable[[HttpRequest], HttpResponse]

STATUS: dict[type[TocsinError], int] = {NotAllowed: 403, NotFound: 404, Invalid: 422, Refused: 422, Conflict: 409}
TITLES = {
    403: "This is not yours to change",
    404: "There is nothing here",
    409: "Somebody was faster",
    422: "That did not work",
}


class Refusals:
    """Turns a refusal that no form has caught into a page that says what happened and what to do next."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.handler(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, TocsinError) or request.path.startswith("/api/"):
            return None
        if isinstance(error, NotAllowed) and not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")
        return refusal_page(request, error)


def status_of(error: TocsinError) -> int:
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 422)


def refusal_page(request: HttpRequest, error: TocsinError) -> HttpResponse:
    """The whole page of a refusal; the way back is always on it."""
    status = status_of(error)
    context = {
        "title": TITLES[status],
        "sentences": sentences(error),
        "remedy": getattr(error, "remedy", ""),
        "back": _back(request),
    }
    return render(request, "web/error.html", context, status=status)


def sentences(error: TocsinError) -> list[str]:
    """What a refusal says, one sentence for each thing that is wrong."""
    return list(error.fields.values()) if isinstance(error, Invalid) else [error.message]


def put_on(form: BaseForm, error: TocsinError) -> int:
    """Put a refusal beside the fields it is about, what was typed kept; returns the answer's status code."""
    if isinstance(error, Invalid):
        for name, text in error.fields.items():
            form.add_error(name if name in form.fields else None, text)
    else:
        remedy = getattr(error, "remedy", "")
        form.add_error(None, error.message if remedy in error.message else f"{error.message} {remedy}")
    return status_of(error)


def _back(request: HttpRequest) -> str:
    """The page a button was pressed on: one level up from the path that took the press."""
    if request.method == "GET":
        return ""
    parts = request.path.strip("/").split("/")
    return "/" + "/".join(parts[:2]) if parts[0] in {"i", "p"} and len(parts) > 1 else "/"


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - Django's
    """Django's 404, for paths nobody serves."""
    return refusal_page(request, NotFound("This address leads nowhere. It may have been typed wrongly or be old."))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - Django's
    remedy = "Ask an owner of the team or an administrator of this installation."
    return refusal_page(request, NotAllowed("You may look, but not do this.", remedy=remedy))


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's
    remedy = "Go back, reload the page and press the button again. Your text is still in the form."
    return refusal_page(request, NotAllowed("The page was too old, so nothing was changed.", remedy=remedy))


def fault(_request: HttpRequest) -> HttpResponse:
    """A fault of ours. Needs neither database nor session: the page must come up whatever is broken."""
    return HttpResponse(render_to_string("web/error_fault.html"), status=500)
