"""What people fill in about somebody else's SLO: how they see it, what the provider answers, what a session brought."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from tocsin.core.consumer_views import Strategy
from tocsin.web.views_words import STRATEGIES

NONE, KEEP = "none", ""
_ROWS_2 = {"rows": 2}


class Say(forms.Form):
    """A consumer's view. Everything but the strategy is asked; the provider reads the reason."""

    consumer = forms.ChoiceField(label="For whom do you speak?")
    priority = forms.ChoiceField(label="When this breaks, to us it is")
    reason = forms.CharField(
        label="What can your users not do then?",
        help_text="One or two sentences. The provider reads them before deciding.",
        widget=forms.Textarea(attrs=_ROWS_2),
    )
    strategy = forms.ChoiceField(
        label="How do you cope while you wait?",
        choices=[("", "Not decided yet"), *((one.value, words) for one, words in STRATEGIES.items())],
        required=False,
        help_text="Worth choosing where you see it as more urgent than the provider does.",
    )
    degrades_to = forms.CharField(
        label="How do your users work on meanwhile?", required=False, widget=forms.Textarea(attrs=_ROWS_2)
    )
    notify = forms.ChoiceField(
        label="Which group is told at once?",
        required=False,
        help_text="Whoever is on call for your team hears as well.",
    )

    def __init__(
        self,
        *args: Any,
        consumers: Sequence[tuple[str, str]],
        priorities: Sequence[tuple[str, str]],
        groups: Sequence[tuple[str, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["consumer"].choices = consumers  # type: ignore[attr-defined]
        self.fields["priority"].choices = [  # type: ignore[attr-defined]
            ("", "Choose"),
            *priorities,
            (NONE, "None: we would not notice"),
        ]
        self.fields["notify"].choices = [("", "A group of our own"), *groups]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """The group goes with its strategy; a choice left over from another one is not held against anybody."""
        cleaned = super().clean() or {}
        if cleaned.get("strategy") != Strategy.OWN_GROUP:
            cleaned["notify"] = ""
        return cleaned


class Close(forms.Form):
    """The provider's word: the priority, why, and an answer to each that sees it otherwise."""

    decision = forms.ChoiceField(label="We decide", required=False)
    rationale = forms.CharField(
        label="Why?", help_text="Every consumer of this SLO can read it.", widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(
        self,
        *args: Any,
        held: str,
        priorities: Sequence[tuple[str, str]],
        differing: Sequence[tuple[str, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["decision"].choices = [  # type: ignore[attr-defined]
            (KEEP, held),
            *priorities,
            (NONE, "None, on purpose"),
        ]
        self.keys = [key for key, _ in differing]
        for key, label in differing:
            field = forms.CharField(
                label=f"Answer to {label}",
                required=False,
                help_text="Owed unless your decision is now what they say.",
                widget=forms.Textarea(attrs=_ROWS_2),
            )
            self.fields[f"answers.{key}"] = field

    @property
    def answers(self) -> dict[str, str]:
        return {key: self.cleaned_data.get(f"answers.{key}", "") for key in self.keys}


class Session(forms.Form):
    """The record of a talk between provider and consumers."""

    held_at = forms.DateTimeField(
        label="When was it?",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    invited = forms.CharField(
        label="Who was invited?", help_text="One name a line.", widget=forms.Textarea(attrs=_ROWS_2)
    )
    attended = forms.CharField(
        label="Who came?", required=False, help_text="One name a line.", widget=forms.Textarea(attrs=_ROWS_2)
    )

    def __init__(self, *args: Any, slos: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.names = [name for name, _ in slos]
        for name, label in slos:
            field = forms.CharField(
                label=f"What came out for {label}?", required=False, widget=forms.Textarea(attrs={"rows": 1})
            )
            self.fields[f"outcome.{name}"] = field

    @property
    def outcomes(self) -> dict[str, str]:
        return {name: self.cleaned_data.get(f"outcome.{name}", "") for name in self.names}
