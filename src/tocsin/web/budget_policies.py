"""What a team agreed to do when its error budget goes, what holds now, and what followed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import yaml
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tocsin.core.access import Right, require
from tocsin.core.errors import Invalid, Refused
from tocsin.insights import budget_policies as insights
from tocsin.people import queries as people
from tocsin.slo import actions
from tocsin.slo import queries as slo
from tocsin.slo.defaults import REVIEW_AFTER, default_policy
from tocsin.web import asking, policy_pictures
from tocsin.web.form_pages import answer

LONGEST = 20_000


class PolicyForm(forms.Form):
    """The policy as its file says it, with the revision it was made from."""

    text = forms.CharField(
        label="The policy",
        max_length=LONGEST,
        help_text="YAML, the same text that `tocsin policy set` takes. All seven parts are needed.",
        widget=forms.Textarea(attrs={"rows": 30, "spellcheck": "false", "class": "code"}),
    )
    based_on = forms.IntegerField(widget=forms.HiddenInput)

    def clean_text(self) -> dict[str, Any]:
        """The document; a fault of the YAML is named with its line."""
        try:
            found = yaml.safe_load(self.cleaned_data["text"])
        except yaml.MarkedYAMLError as wrong:
            line = wrong.problem_mark.line + 1 if wrong.problem_mark else 1
            raise forms.ValidationError(f"Line {line}: {wrong.problem}.") from None
        except (yaml.YAMLError, RecursionError, ValueError):
            raise forms.ValidationError("This is no YAML.") from None
        if not isinstance(found, dict):
            raise forms.ValidationError("Begin with the names of the parts: scope, purpose, clauses ...")
        return found


@require_GET
def shown(request: HttpRequest, name: str) -> HttpResponse:
    """The policy, judged now."""
    return _page(request, name)


def _page(request: HttpRequest, name: str, *, wrong: dict[str, str] | None = None, about: str = "") -> HttpResponse:
    """`about` names the form that `wrong` belongs to."""
    actor, now = asking.actor(request), asking.now(request)
    team = people.team(name)
    row = slo.budget_policy(actor, name)
    view = insights.view(actor, name, now=now) if row else None
    in_force = view if view and not view.row.ended_at else None
    context = {
        "team": team,
        "view": view,
        "budgets": policy_pictures.budgets_of(request, actor, in_force) if in_force else None,
        "decisions": policy_pictures.decisions_of(request, actor, in_force) if in_force else None,
        "files": policy_pictures.addresses(name),
        "may_write": actor.may(Right.SLO_WRITE, team=team.name),
        "errors": wrong or {},
        "about": about,
        "given": request.POST if wrong else {},
    }
    return render(request, "web/team_policy.html", context, status=422 if wrong else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, name: str) -> HttpResponse:
    """Agree on a policy or change it; a team without one begins with the shipped text."""
    actor, now = asking.actor(request), asking.now(request)
    team = people.team(name)
    require(actor, Right.SLO_WRITE, team=team.name)
    row = slo.budget_policy(actor, name)
    document = row.document if row else _first(now.date())
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
    form = PolicyForm(request.POST or None, initial={"text": text, "based_on": row.revision if row else 0})
    return answer(
        request,
        form,
        lambda given: _save(request, name, given),
        template="web/team_policy_edit.html",
        context={"team": team, "row": row},
        then=reverse("team-policy", args=[name]),
    )


def _first(today: date) -> dict[str, Any]:
    return {**default_policy(), "next_review": (today + REVIEW_AFTER).isoformat()}


def _save(request: HttpRequest, name: str, given: dict[str, Any]) -> None:
    try:
        actions.save_budget_policy(
            asking.actor(request),
            team=name,
            document=given["text"],
            based_on=given["based_on"],
            now=asking.now(request),
        )
    except Invalid as refusal:  # every place is inside the one field, so its name goes with the sentence
        raise Invalid({"text": "; ".join(f"{place}: {text}" for place, text in refusal.fields.items())}) from None
    messages.success(request, "In force from now on. It is looked at every five minutes.")


@require_POST
def done(request: HttpRequest, name: str, consequence: int) -> HttpResponse:
    """Say what was done about a consequence."""
    try:
        actions.answer_consequence(
            asking.actor(request),
            consequence,
            note=request.POST.get("note", ""),
            url=request.POST.get("url", ""),
            now=asking.now(request),
        )
    except Invalid as refusal:
        return _page(request, name, wrong=refusal.fields, about=f"done-{consequence}")
    messages.success(request, "Written down beside the consequence.")
    return redirect("team-policy", name=name)


@require_POST
def begun(request: HttpRequest, name: str) -> HttpResponse:
    """Say that a clause which people judge holds."""
    clause, why, named = (request.POST.get(field, "") for field in ("clause", "why", "slo"))
    return _decided(
        request,
        name,
        about=f"begin-{clause}",
        act=lambda: actions.begin_clause(
            asking.actor(request), team=name, clause=clause, slo=named, why=why, now=asking.now(request)
        ),
        done="In force from now on. Who agreed to hear is told.",
    )


@require_POST
def over(request: HttpRequest, name: str, consequence: int) -> HttpResponse:
    """Say that a consequence which people began is over."""
    why = request.POST.get("why", "")
    return _decided(
        request,
        name,
        about=f"over-{consequence}",
        act=lambda: actions.end_clause(asking.actor(request), consequence, why=why, now=asking.now(request)),
        done="It is over.",
    )


@require_POST
def ended(request: HttpRequest, name: str) -> HttpResponse:
    """Take the policy out of force."""
    reason = request.POST.get("reason", "")
    return _decided(
        request,
        name,
        about="end",
        act=lambda: actions.end_budget_policy(asking.actor(request), team=name, reason=reason, now=asking.now(request)),
        done="The policy is no longer in force. Its text and what followed are kept.",
    )


def _decided(request: HttpRequest, name: str, *, about: str, act: Callable[[], object], done: str) -> HttpResponse:
    try:
        act()
    except Invalid as refusal:
        return _page(request, name, wrong=refusal.fields, about=about)
    except Refused as refusal:
        return _page(request, name, wrong={"": str(refusal)}, about=about)
    messages.success(request, done)
    return redirect("team-policy", name=name)


urlpatterns = [
    *policy_pictures.urlpatterns,
    path("teams/<slug:name>/policy", shown, name="team-policy"),
    path("teams/<slug:name>/policy/edit", edit, name="team-policy-edit"),
    path("teams/<slug:name>/policy/consequences/<int:consequence>", done, name="team-policy-done"),
    path("teams/<slug:name>/policy/consequences/<int:consequence>/over", over, name="team-policy-over"),
    path("teams/<slug:name>/policy/begin", begun, name="team-policy-begin"),
    path("teams/<slug:name>/policy/end", ended, name="team-policy-end"),
]
