"""Which severity the known facts suggest, and how severities are ordered. Who suggests does not decide: people do."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from tocsin.core.errors import Invalid, Refused
from tocsin.core.process_parts import SeverityDefinition, SeverityScheme
from tocsin.core.reasons import Reason


class SuggestionReason(Reason):
    """The criterion that decided: the worst one."""

    USERS_SHARE = "users_share", "The share of users affected decided."
    TEAMS = "teams", "The number of teams needed decided."
    NOTHING_KNOWN = "nothing_known", "Neither users nor teams are known yet."


@dataclass(frozen=True)
class SeveritySuggestion:
    """A suggested severity. `prompt` asks a person, because an unknown fact could still make it graver."""

    severity: str
    reason: SuggestionReason
    prompt: bool


def suggest(scheme: SeverityScheme, *, users_share: Fraction | Decimal | None, teams: int | None) -> SeveritySuggestion:
    """The severity of the worst known criterion (users: exact share from 0 to 1; teams: how many are needed).

    Unknown facts are left out; with nothing known it is the start severity. An unknown fact prompts only while the
    known ones point to the mildest severity, for a graver one calls people who will look anyway.
    """
    found = [
        (band.rank, band.code, reason)
        for band, reason in (
            (_users_band(scheme, users_share), SuggestionReason.USERS_SHARE),
            (_teams_band(scheme, teams), SuggestionReason.TEAMS),
        )
        if band is not None
    ]
    if not found:
        return SeveritySuggestion(scheme.start, SuggestionReason.NOTHING_KNOWN, prompt=True)
    _, code, reason = min(found, key=lambda one: one[0])
    unknown = users_share is None or teams is None
    return SeveritySuggestion(code, reason, prompt=unknown and code == scheme.severities[-1].code)


def _users_band(scheme: SeverityScheme, share: Fraction | Decimal | None) -> SeverityDefinition | None:
    if share is None:
        return None
    exact = Fraction(share)
    return next((s for s in scheme.severities if exact >= s.users_share_min), scheme.severities[-1])


def _teams_band(scheme: SeverityScheme, teams: int | None) -> SeverityDefinition | None:
    if teams is None:
        return None
    return next((s for s in scheme.severities if teams >= s.teams_min), scheme.severities[-1])


def required_severity(scheme: SeverityScheme, code: str) -> SeverityDefinition:
    """The severity of that code; raises `Invalid` naming what there is when the scheme lacks it."""
    found = scheme.by_code(code)
    if found is None:
        raise Invalid({"severity": f"there is no severity {code!r}; the process has {', '.join(scheme.codes)}"})
    return found


def require_severities(scheme: SeverityScheme) -> None:
    """Raise Refused where the process works without severities: then nobody sets one."""
    if scheme.switched_off:
        raise Refused(
            "This process works without severities.",
            reason="severities_off",
            remedy="Ask for a coordinator by hand: it is one of the roles.",
        )


def severity_rank(scheme: SeverityScheme, code: str) -> int:
    """The rank of a severity, 1 the gravest; raises `Invalid` for an unknown one."""
    return required_severity(scheme, code).rank


def is_graver(scheme: SeverityScheme, one: str, other: str) -> bool:
    """Whether severity `one` is graver than `other`."""
    return severity_rank(scheme, one) < severity_rank(scheme, other)
