"""The composer of a stakeholder update."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django import forms

from tocsin.comms import writing
from tocsin.comms.models import UpdateKind
from tocsin.web.instants import span_text

KINDS = [
    (UpdateKind.OPENING.value, "First update"),
    (UpdateKind.PROGRESS.value, "Progress"),
    (UpdateKind.CLOSING.value, "It works again"),
]
NEXT_MISSING = "Say when the next update comes. Only the closing one may leave it out."
SPANS = tuple(timedelta(minutes=minutes) for minutes in (15, 30, 60, 120, 240, 480))


def minutes_of(span: timedelta | None) -> str:
    return str(int(span.total_seconds() // 60)) if span else ""


def spans_up_to(longest: timedelta | None) -> list[timedelta]:
    """The usual spans that the priority allows, its own longest one among them."""
    if longest is None:
        return list(SPANS)
    return sorted({span for span in SPANS if span <= longest} | {longest})


class Compose(forms.Form):
    """An update. `next_update_at` of the cleaned data is the chosen span from now; a closing one promises nothing.

    The draft names its own next time in its text; when another one is chosen the text follows.
    """

    field_order = ("kind", "next_in", "subject", "text", "groups")  # as on the page
    use_required_attribute = False  # a closing one needs no next time, which a browser cannot know

    kind = forms.ChoiceField(label="What is it?", choices=KINDS)
    subject = forms.CharField(label="Subject", max_length=300)
    text = forms.CharField(
        label="What people read",
        widget=forms.Textarea(attrs={"rows": 9}),
        help_text="What they notice, since when, what is being done, what they can do meanwhile.",
    )
    next_in = forms.ChoiceField(label="Next update by", error_messages={"required": NEXT_MISSING})
    groups = forms.MultipleChoiceField(
        label="Who hears of it?", error_messages={"required": "Choose the stakeholder groups that should hear."}
    )
    draft = forms.IntegerField(required=False, widget=forms.HiddenInput)
    drafted_for = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        *args: Any,
        now: datetime,
        longest: timedelta | None,
        words: Callable[[datetime], str],
        groups: list[tuple[str, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.now = now
        choices = [(minutes_of(span), f"{words(now + span)}, in {span_text(span)}") for span in spans_up_to(longest)]
        self.fields["next_in"].choices = [("", "No further update"), *choices]  # type: ignore[attr-defined]
        self.fields["groups"].choices = groups  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        filled = super().clean() or self.cleaned_data
        minutes = filled.get("next_in")
        filled["next_update_at"] = None
        if filled.get("kind") == UpdateKind.CLOSING.value:
            self.errors.pop("next_in", None)
        elif minutes:
            filled["next_update_at"] = self.now + timedelta(minutes=int(minutes))
            self._follow(filled, filled["next_update_at"])
        return filled

    @staticmethod
    def _follow(filled: dict[str, Any], soon: datetime) -> None:
        """Let subject and text name the chosen time where they named the drafted one."""
        drafted, chosen = filled.get("drafted_for") or "", writing.clock_text(soon)
        if len(drafted) != len(chosen):
            return
        filled["text"] = filled.get("text", "").replace(drafted, chosen)
        filled["subject"] = filled.get("subject", "").replace(f"{drafted[-5:]} UTC", f"{chosen[-5:]} UTC")
