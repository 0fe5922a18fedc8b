"""What people fill in about the course of an incident: whom they ask, what is known, who reported it, the closing."""

from __future__ import annotations

from typing import Any

from django import forms

TEAM, MANAGEMENT = "team", "management"
KNOWLEDGE = [("known", "Known"), ("unknown", "Not known")]
MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
SHORT = forms.TextInput(attrs={"autocomplete": "off"})


class Ask(forms.Form):
    """Another team or management, and what is needed of them."""

    team = forms.ChoiceField(label="Whom do you ask?", error_messages={"required": "Choose whom you ask."})
    reason = forms.CharField(
        label="What do you need of them?",
        max_length=300,
        help_text="One line. It is in the message and on the timeline.",
        error_messages={"required": "Say in a few words what you need of them."},
        widget=SHORT,
    )

    def __init__(
        self, *args: Any, teams: list[tuple[str, str]], managers: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].choices = [  # type: ignore[attr-defined]
            ("", "Choose"),
            ("Another team, for its skill", teams),
            ("Management, to decide or to help", managers),
        ]


class Known(forms.Form):
    """Cause and workaround, each for itself; what is left open stays as it was."""

    cause_state = forms.ChoiceField(label="The cause", choices=[("", "Not said"), *KNOWLEDGE], required=False)
    cause = forms.CharField(
        label="What is the cause?", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )
    work_item = forms.CharField(
        label="Where does looking for it go on?",
        required=False,
        max_length=300,
        help_text="A link or the number of a work item, when the cause is not known.",
        widget=SHORT,
    )
    workaround_state = forms.ChoiceField(label="A workaround", choices=[("", "Not said"), *KNOWLEDGE], required=False)
    workaround = forms.CharField(
        label="What helps until then?",
        required=False,
        max_length=2000,
        help_text="It restores the service and does not remove the cause.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class Impact(forms.Form):
    reason = forms.CharField(
        label="Why?", max_length=300, help_text="One line. It is shown on the timeline.", widget=SHORT
    )


class CustomerReport(forms.Form):
    reported_at = forms.DateTimeField(label="When did it come?", widget=MOMENT)
    text = forms.CharField(
        label="What did the customer say?",
        required=False,
        max_length=2000,
        help_text="The fact, without names.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    source_id = forms.CharField(label="Which ticket?", required=False, max_length=200, widget=SHORT)


class Close(forms.Form):
    """What the record still lacks. A cause that was not found is no obstacle."""

    cause_state = forms.ChoiceField(label="Is the cause known?", choices=[("", "Not said"), *KNOWLEDGE], required=False)
    cause = forms.CharField(
        label="What was the cause?", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )
    work_item = forms.CharField(
        label="Where does looking for it go on?",
        required=False,
        max_length=300,
        help_text="A link or the number of a work item, when the cause is not known.",
        widget=SHORT,
    )
    service = forms.ChoiceField(label="Which service was it?", required=False)
    category = forms.CharField(label="What kind of incident was it?", required=False, max_length=63, widget=SHORT)

    def __init__(self, *args: Any, services: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["service"].choices = [("", "Choose a service"), *services]  # type: ignore[attr-defined]


class Fix(forms.Form):
    """A fix is done when it is rolled out: which change, and when."""

    reference = forms.CharField(
        label="Which change was rolled out?",
        max_length=300,
        required=False,
        help_text="The id of the change or release, or a link to it.",
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off"}),
    )
    deployed_at = forms.DateTimeField(label="When was it rolled out?", required=False, widget=MOMENT)
