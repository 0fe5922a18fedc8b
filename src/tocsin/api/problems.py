"""Refusals as problem+json (RFC 9457): what, where, why, what to do; never a traceback."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from tocsin.core import errors


def problem(status: int, detail: str, **more: Any) -> HttpResponse:
    """A problem document; `more` adds members such as `fields` or `reason`."""
    title = HTTPStatus(status).phrase
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        **{k: v for k, v in more.items() if v},
    }
    return JsonResponse(body, status=status, content_type="application/problem+json")


def _place(path: Sequence[Any]) -> str:
    """The field's name as the sender wrote it: neither "query" nor the name of our own argument."""
    return ".".join(map(str, path[1:])).removeprefix("body.")


def _said(error: Mapping[str, Any]) -> str:
    kind = str(error.get("type", ""))
    if kind.startswith("date_"):
        return "write a date such as 2026-12-01"
    if kind.startswith("datetime_"):
        return "write a time such as 2026-11-23T09:00:00Z"
    return str(error["msg"])


def register(api: NinjaAPI) -> None:
    """Teach `api` to say each of core's refusals and the framework's own."""

    @api.exception_handler(errors.Invalid)
    def invalid(_request: HttpRequest, error: errors.Invalid) -> HttpResponse:
        return problem(422, error.message, fields=error.fields)

    @api.exception_handler(errors.Refused)
    def refused(_request: HttpRequest, error: errors.Refused) -> HttpResponse:
        return problem(409, error.message, reason=error.reason, remedy=error.remedy)

    @api.exception_handler(errors.Conflict)
    def conflict(_request: HttpRequest, error: errors.Conflict) -> HttpResponse:
        return problem(409, error.message, reason="changed_meanwhile")

    @api.exception_handler(errors.NotAllowed)
    def not_allowed(_request: HttpRequest, error: errors.NotAllowed) -> HttpResponse:
        return problem(403, error.message, remedy=error.remedy)

    @api.exception_handler(errors.NotFound)
    def not_found(_request: HttpRequest, error: errors.NotFound) -> HttpResponse:
        return problem(404, error.message)

    @api.exception_handler(Http404)
    def no_page(_request: HttpRequest, _error: Http404) -> HttpResponse:
        return problem(404, "There is nothing at this address.")

    @api.exception_handler(AuthenticationError)
    def who_asks(request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
        detail = (
            "This token is unknown, expired or revoked."
            if "Authorization" in request.headers
            else "Say who asks: send an API token as `Authorization: Bearer tocsin_...`."
        )
        answer = problem(401, detail)
        answer.headers["WWW-Authenticate"] = 'Bearer realm="Tocsin"'
        return answer

    @api.exception_handler(ValidationError)
    def wrong_shape(_request: HttpRequest, error: ValidationError) -> HttpResponse:
        fields = {_place(one["loc"]): _said(one) for one in error.errors}
        return problem(422, "The request does not have the shape this needs.", fields=fields)

    @api.exception_handler(HttpError)
    def other(_request: HttpRequest, error: HttpError) -> HttpResponse:
        return problem(error.status_code, str(error))
