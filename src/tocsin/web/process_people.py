"""Who is prepared for a response, how it went so far, and what an organisation is like: the people of the process."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tocsin.core.access import Right, require
from tocsin.core.errors import Conflict, Invalid, NotFound, Refused
from tocsin.insights import process_people
from tocsin.people import actions as people
from tocsin.people import queries as persons
from tocsin.people.models import Person
from tocsin.process import briefing_actions, queries, review_actions, role_schemes, survey_actions
from tocsin.process.defaults import sizing_questions
from tocsin.web import asking
from tocsin.web.errors import sentences
from tocsin.web.form_pages import answer

TIME_TO_ANSWER = timedelta(days=14)
LATEST = 100


class TrainingForm(forms.Form):
    """A person learnt something."""

    person = forms.ChoiceField(label="Who")
    subject = forms.CharField(
        label="In what",
        max_length=63,
        help_text="A role or a skill, by its word in the process.",
        widget=forms.TextInput(attrs={"list": "known-subjects", "autocomplete": "off"}),
    )
    on = forms.DateField(label="On", widget=forms.DateInput(attrs={"type": "date"}))
    valid_until = forms.DateField(
        label="Holds until",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Empty: for good.",
    )
    note = forms.CharField(label="Note", max_length=300, required=False)


@require_GET
def preparation(request: HttpRequest) -> HttpResponse:
    """Who is trained for what they are on call for, and which leaders know what a response expects of them."""
    actor, now = asking.actor(request), asking.now(request)
    leaders = briefing_actions.leaders(actor)
    rotations = process_people.training_gaps(actor, now=now)
    mail = queries.address_of(actor).lower()
    context = {
        "rotations": [(one, [gap.sentence(one.role.display_name) for gap in one.gaps]) for one in rotations],
        "lacking": sum(len(one.gaps) for one in rotations),
        "leaders": leaders,
        "missing": sum(one.acknowledged_at is None for one in leaders),
        "own_mail": mail,
        "trainings": persons.trainings(actor)[:LATEST],
        "may_record": actor.may(Right.PEOPLE_WRITE),
        "may_write": actor.may(Right.PROCESS_WRITE),
    }
    return render(request, "web/process_preparation.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def add_training(request: HttpRequest) -> HttpResponse:
    """Write down that somebody was trained."""
    actor = asking.actor(request)
    require(actor, Right.PEOPLE_WRITE)
    form = TrainingForm(
        request.POST or None, initial={"on": asking.now(request).astimezone(asking.zone(request)).date()}
    )
    active = Person.objects.filter(is_active=True).order_by("username")
    form.fields["person"].choices = [(one.username, one.label) for one in active]  # type: ignore[attr-defined]
    scheme = queries.current().roles
    words = [role.display_name for role in scheme.roles if not role.optional]
    words += sorted({skill for role in scheme.roles for skill in role.skills})

    def act(given: dict[str, Any]) -> object:
        return people.record_training(
            actor,
            username=given["person"],
            subject=given["subject"],
            on=given["on"],
            valid_until=given["valid_until"],
            note=given["note"],
            now=asking.now(request),
        )

    context = {"words": words}
    template, then = "web/process_training.html", reverse("process-preparation")
    return answer(request, form, act, template=template, context=context, then=then)


@require_POST
def brief(request: HttpRequest, verb: str) -> HttpResponse:
    """A leader was briefed, or acknowledged it."""
    actor, now, email = asking.actor(request), asking.now(request), request.POST.get("email", "")
    try:
        if verb == "done":
            briefing_actions.brief(actor, email=email, now=now)
        elif verb == "acknowledge":
            briefing_actions.acknowledge_briefing(actor, email=email, now=now)
        else:
            raise NotFound("There is no such step.")
    except (Invalid, Refused) as refusal:
        messages.error(request, " ".join(sentences(refusal)))
    return redirect("process-preparation")


@require_POST
def look(request: HttpRequest) -> HttpResponse:
    """The process in force was looked at as a whole."""
    try:
        review_actions.look_again(asking.actor(request), note=request.POST.get("note", ""), now=asking.now(request))
        messages.success(request, "Written down. The next look is due in a year.")
    except (Invalid, Refused) as refusal:
        messages.error(request, " ".join(sentences(refusal)))
    return redirect("process")


@require_http_methods(["GET", "HEAD", "POST"])
def survey(request: HttpRequest, survey: int) -> HttpResponse:
    """How it went so far, said by one of those who were asked."""
    actor, now = asking.actor(request), asking.now(request)
    mine = queries.reply_of(actor, survey)
    form = forms.Form(request.POST or None)
    for one in mine.survey.questions:
        form.fields[one["code"]] = forms.CharField(
            label=one["ask"],
            required=False,
            max_length=survey_actions.LONGEST,
            initial=mine.answers.get(one["code"], ""),
            widget=forms.Textarea(attrs={"rows": 3}),
        )

    def act(given: dict[str, Any]) -> object:
        return survey_actions.answer_survey(actor, survey, answers=given, now=now)

    context = {"survey": mine.survey, "mine": mine, "closed": now >= mine.survey.closes_at}
    template, then = "web/process_survey.html", reverse("process-survey", args=[survey])
    return answer(request, form, act, template=template, context=context, then=then)


@require_GET
def survey_answers(request: HttpRequest, number: int) -> HttpResponse:
    """What was said for a draft, question by question."""
    actor = asking.actor(request)
    require(actor, Right.PROCESS_WRITE)
    row = queries.survey_of(actor, number)
    replies = list(row.replies.select_related("person").order_by("person__username"))
    answered = [one for one in replies if one.answered_at]
    questions = [
        (
            one["ask"],
            [(reply.person.label, reply.answers[one["code"]]) for reply in answered if reply.answers.get(one["code"])],
        )
        for one in row.questions
    ]
    context = {"survey": row, "questions": questions, "asked": len(replies), "answered": len(answered)}
    return render(request, "web/process_survey_answers.html", context)


@require_POST
def open_survey(request: HttpRequest, number: int) -> HttpResponse:
    """Ask everyone who has been on call for a draft."""
    actor, now = asking.actor(request), asking.now(request)
    try:
        asked = process_people.ever_on_call(actor, now=now)
        survey_actions.open_survey(actor, number, respondents=asked, closes_at=now + TIME_TO_ANSWER, now=now)
    except (Invalid, Refused, Conflict) as refusal:
        messages.error(request, " ".join(sentences(refusal)))
        return redirect("process-version", number=number)
    return redirect("process-survey-answers", number=number)


@require_http_methods(["GET", "HEAD", "POST"])
def sizing(request: HttpRequest, number: int) -> HttpResponse:
    """What the organisation is like, the role scheme that was chosen, and why it fits."""
    actor = asking.actor(request)
    require(actor, Right.PROCESS_WRITE)
    row = queries.version(actor, number)
    form = forms.Form(request.POST or None)
    kept = row.sizing.get("answers", {})
    for one in sizing_questions():
        widget = forms.NumberInput(attrs={"min": 0}) if one["kind"] == "number" else forms.Textarea(attrs={"rows": 2})
        form.fields[one["code"]] = forms.CharField(
            label=one["ask"], required=False, initial=kept.get(one["code"], ""), widget=widget
        )
    schemes = role_schemes.schemes()
    form.fields["scheme"] = forms.ChoiceField(
        label="Roles",
        choices=[*((one.code, f"{one.name}. {one.fits}") for one in schemes), ("own", "Roles of our own")],
        initial=row.sizing.get("scheme", role_schemes.scheme_of(queries.definition(row)) or "own"),
        widget=forms.RadioSelect,
    )
    form.fields["reason"] = forms.CharField(
        label="Why these roles?", max_length=survey_actions.LONGEST, initial=row.sizing.get("reason", "")
    )

    def act(given: dict[str, Any]) -> object:
        scheme, reason = given.pop("scheme"), given.pop("reason")
        return survey_actions.save_sizing(
            actor, number, answers=given, scheme=scheme, reason=reason, now=asking.now(request)
        )

    context = {"version": row}
    then = reverse("process-version", args=[number])
    return answer(request, form, act, template="web/process_sizing.html", context=context, then=then)


urlpatterns = [
    path("process/preparation", preparation, name="process-preparation"),
    path("process/preparation/training", add_training, name="process-training"),
    path("process/preparation/briefing/<slug:verb>", brief, name="process-brief"),
    path("process/look", look, name="process-look"),
    path("process/surveys/<int:survey>", survey, name="process-survey"),
    path("process/drafts/<int:number>/survey", survey_answers, name="process-survey-answers"),
    path("process/drafts/<int:number>/survey/open", open_survey, name="process-survey-open"),
    path("process/drafts/<int:number>/sizing", sizing, name="process-sizing"),
]
