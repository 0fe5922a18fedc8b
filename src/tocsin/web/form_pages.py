"""A page of one form: shown, checked, sent to one action, shown again with the text kept when it was refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from tocsin.core.errors import Conflict, Invalid, Refused
from tocsin.web.errors import put_on

Act = Callable[[dict[str, Any]], object]


def answer(
    request: HttpRequest,
    form: Form,
    act: Act,
    *,
    template: str,
    context: Mapping[str, Any],
    then: str | Callable[[Any], str],
    first: Callable[[], object] | None = None,
) -> HttpResponse:
    """Show the form, or run `act` on what was filled in and go to `then` (a path, or what makes one of the result).

    `first` asks for the right before what was typed is judged, where a form may be wrong for want of it.
    """
    status = 200
    if request.method == "POST":
        status = 422
        if first is not None:
            first()
        if form.is_valid():
            try:
                result = act(form.cleaned_data)
            except (Invalid, Refused, Conflict) as error:
                status = put_on(form, error)
            else:
                return redirect(then if isinstance(then, str) else then(result))
    return render(request, template, {**context, "form": form}, status=status)
