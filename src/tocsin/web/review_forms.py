"""What people fill in about what was learned."""

from __future__ import annotations

from typing import Any

from django import forms

from tocsin.postmortems.models import ActionStatus

HORIZONS = [("immediate", "Immediate: this system, soon"), ("systemic", "Systemic: how we work")]
STATUS_WORDS = {
    ActionStatus.PROPOSED: "Proposed",
    ActionStatus.AGREED: "Agreed",
    ActionStatus.IN_PROGRESS: "In progress",
    ActionStatus.DONE: "Done",
    ActionStatus.DROPPED: "Dropped",
}
DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class Section(forms.Form):
    """One section of a review, with the version it was made from."""

    text = forms.CharField(label="Text", required=False, widget=forms.Textarea(attrs={"rows": 10, "autofocus": True}))
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)


class Line(forms.Form):
    """A line of the timeline from somebody's own view."""

    at = forms.DateTimeField(
        label="When",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    text = forms.CharField(label="What happened", widget=forms.Textarea(attrs={"rows": 2}))


class Action(forms.Form):
    """An action item. Driver and review date may come later, but before the review leaves draft."""

    title = forms.CharField(
        label="What is to be done?",
        max_length=300,
        help_text="Begin with a verb; say where it ends.",
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off"}),
    )
    driver = forms.ChoiceField(label="Who drives it?", required=False)
    review_date = forms.DateField(label="When do we look at it together?", required=False, widget=DAY)
    horizon = forms.ChoiceField(label="How far does it reach?", choices=HORIZONS)
    definition_of_done = forms.CharField(
        label="How do we know that it is done?", required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, persons: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["driver"].choices = [("", "Nobody yet"), *persons]  # type: ignore[attr-defined]


class ChangedAction(Action):
    """An action item that exists: its status and where else it is tracked come with it."""

    status = forms.ChoiceField(label="Status", choices=[(status.value, text) for status, text in STATUS_WORDS.items()])
    external_url = forms.URLField(
        label="Where else is it tracked?",
        required=False,
        assume_scheme="https",
        help_text="An item with a work item of its own counts as settled here.",
    )

    field_order = ("title", "status", "driver", "review_date", "horizon", "definition_of_done", "external_url")
