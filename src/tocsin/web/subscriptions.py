"""The way out that stands in each status mail: one press, no sign-in; looking (mail scanners look) changes nothing."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from tocsin.comms import actions, queries
from tocsin.core.errors import NotFound
from tocsin.web import asking


@csrf_exempt  # the secret in the path is the proof, and mail programs press for their reader (RFC 8058)
@require_http_methods(["GET", "HEAD", "POST"])
@login_not_required
@never_cache
def unsubscribe(request: HttpRequest, secret: str) -> HttpResponse:
    """Show what one is subscribed to, and end it when pressed."""
    if request.method == "POST":
        row = actions.end_subscription(secret, now=asking.now(request))
    else:
        found = queries.subscription(secret)
        if found is None:
            raise NotFound("This link leads to no subscription. It may be cut off: copy the whole of it.")
        row = found
    response = render(request, "web/unsubscribe.html", {"subscriber": row, "secret": secret})
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


urlpatterns = [path("unsubscribe/<str:secret>", unsubscribe, name="unsubscribe")]
