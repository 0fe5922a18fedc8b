"""What people fill in about an incident."""

from __future__ import annotations

from typing import Any

from django import forms

LONG = forms.Textarea(attrs={"rows": 3})
IMPACTS = [("actual", "People notice it now"), ("potential", "Nobody notices it yet")]
KINDS = [("real", "A real incident"), ("exercise", "An exercise: real process, nobody outside is told")]
NOTE_KINDS = [("note", "Note"), ("decision", "Decision"), ("observation", "Observation"), ("state", "Where it stands")]


class Declare(forms.Form):
    """Two fields; everything else has a start value and can be changed later."""

    title = forms.CharField(
        label="What do people notice?",
        max_length=300,
        help_text="The fact first, for example: 38% of log-ons fail in the EU.",
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off"}),
    )
    service = forms.ChoiceField(label="Which service?")
    description = forms.CharField(label="What else is known?", required=False, widget=forms.Textarea(attrs={"rows": 3}))
    priority = forms.TypedChoiceField(
        label="Priority", coerce=int, empty_value=None, required=False, help_text="Says what has to be done."
    )
    severity = forms.ChoiceField(label="Severity", required=False, help_text="Says how many people the response needs.")
    impact_state = forms.ChoiceField(label="Does anybody feel it?", choices=IMPACTS, required=False)
    kind = forms.ChoiceField(label="Is it real?", choices=KINDS, required=False)
    caused_by = forms.CharField(
        label="Does it follow from something upstream?",
        max_length=100,
        required=False,
        help_text="An incident (INC-7) or an SLO (slo:NAME). Priority, groups and updates stay your own.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    reason = forms.CharField(
        label="Why this priority and severity?",
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    exception = forms.BooleanField(required=False)

    def __init__(
        self,
        *args: Any,
        services: list[tuple[str, str]],
        priorities: list[tuple[str, str]],
        severities: list[tuple[str, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["service"].choices = [("", "Choose a service"), *services]  # type: ignore[attr-defined]
        self.fields["priority"].choices = [("", "Not decided yet"), *priorities]  # type: ignore[attr-defined]
        self.fields["severity"].choices = [("", "As the process starts it"), *severities]  # type: ignore[attr-defined]


class Reason(forms.Form):
    """A reason in one line, with the version the form was made from."""

    reason = forms.CharField(
        label="Why?",
        max_length=300,
        required=False,
        help_text="One line. It is shown on the timeline.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    exception = forms.BooleanField(required=False)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)


class Priority(Reason):
    field_order = ("priority", "reason")

    learnt = forms.CharField(max_length=1000, required=False)
    priority = forms.CharField(required=True, error_messages={"required": "Choose a priority."})


class Severity(Reason):
    field_order = ("severity", "reason")

    severity = forms.CharField(required=True, error_messages={"required": "Choose a severity."})


class Resolve(forms.Form):
    field_order = ("note", "category", "service")  # as on the page

    service = forms.ChoiceField(label="Which service was it?", required=False)
    category = forms.CharField(
        label="What kind of incident was it?",
        max_length=63,
        required=False,
        widget=forms.TextInput(attrs={"list": "categories", "autocomplete": "off"}),
    )
    note = forms.CharField(
        label="What ended it?",
        required=False,
        help_text="One or two sentences. The next person with the same trouble reads them.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, services: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["service"].choices = [("", "Choose a service"), *services]  # type: ignore[attr-defined]


class Note(forms.Form):
    text = forms.CharField(label="Note", widget=forms.Textarea(attrs={"rows": 2}))
    kind = forms.ChoiceField(choices=NOTE_KINDS, required=False)


class Waiver(forms.Form):
    reason = forms.CharField(
        label="Why is it not needed this time?",
        help_text="It is kept as an exception with your name and counted apart from what was missed.",
        widget=forms.Textarea(attrs={"rows": 2, "autofocus": True}),
    )


class CheckWaiver(forms.Form):
    reason = forms.CharField(
        label="Why is it not held against the incident?",
        max_length=1000,
        help_text="It is kept as an exception with your name and counted apart from what was missed.",
        widget=forms.Textarea(attrs={"rows": 2, "autofocus": True}),
    )


class WaiverWithdrawal(forms.Form):
    reason = forms.CharField(
        label="Why does it count again?",
        max_length=1000,
        help_text="The exception and its withdrawal both stay in the record.",
        widget=forms.Textarea(attrs={"rows": 2, "autofocus": True}),
    )


class Fulfilment(forms.Form):
    reference = forms.CharField(
        label="What shows it?",
        max_length=300,
        required=False,
        help_text="A link, a change, a ticket: whatever somebody can look at later.",
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off"}),
    )


class Assignment(forms.Form):
    role = forms.ChoiceField(label="Role")
    username = forms.ChoiceField(label="Person")

    def __init__(self, *args: Any, roles: list[tuple[str, str]], persons: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = roles  # type: ignore[attr-defined]
        self.fields["username"].choices = persons  # type: ignore[attr-defined]


class Snooze(forms.Form):
    minutes = forms.TypedChoiceField(
        label="Page nobody for",
        coerce=int,
        choices=[
            (15, "15 minutes"),
            (30, "30 minutes"),
            (60, "1 hour"),
            (120, "2 hours"),
            (240, "4 hours"),
            (480, "8 hours"),
        ],
    )


class Groups(forms.Form):
    groups = forms.MultipleChoiceField(label="Who hears of it?", required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, groups: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["groups"].choices = groups  # type: ignore[attr-defined]


class Cancel(forms.Form):
    reason = forms.CharField(
        label="Why was it no incident?", max_length=300, widget=forms.TextInput(attrs={"autofocus": True})
    )


class Merge(forms.Form):
    into = forms.ChoiceField(label="Into which incident?")

    def __init__(self, *args: Any, others: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["into"].choices = others  # type: ignore[attr-defined]
