"""Sign-in: rules on top of django-allauth, and the link that signs a browser in once."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from tocsin.people import actions as people
from tocsin.web import asking


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by administrators, never by strangers."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


@login_not_required
@never_cache
@require_GET
def login_link(request: HttpRequest, secret: str) -> HttpResponse:
    """The one address whose opening changes something: it is printed on a terminal, not sent, and works once."""
    person = people.use_login_link(secret, now=asking.now(request))
    login(request, person, backend=settings.AUTHENTICATION_BACKENDS[0])
    return redirect("now")


@require_GET
def own_address(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's interface
    """Addresses are kept with the person; allauth's own page about them would write a row when it is looked at."""
    return redirect("me")


urlpatterns = [
    path("login-link/<str:secret>", login_link, name="login-link"),
    path("accounts/email/", own_address),
]
