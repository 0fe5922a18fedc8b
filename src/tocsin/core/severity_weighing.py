"""What the facts of an incident say about its severity, criterion by criterion, each with its arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from tocsin.core.process_parts import SeverityScheme
from tocsin.core.severities import SeveritySuggestion, SuggestionReason, is_graver, suggest


@dataclass(frozen=True)
class KnownFacts:
    """What is known about the size of an incident. `teams_named` are those by name, `teams_said` a number of them.

    `signs` maps the code of a sign of complexity to the answer that a person gave.
    """

    users_share: Decimal | None = None
    teams_named: int = 0
    teams_said: int | None = None
    signs: Mapping[str, bool] | None = None

    @property
    def teams(self) -> int | None:
        """How many teams are needed: whichever number is higher, None while there is neither."""
        return max(self.teams_named, self.teams_said or 0) or None

    @property
    def looks_complex(self) -> bool:
        """More than one team, or any sign that a person answered with yes."""
        return (self.teams or 0) > 1 or any((self.signs or {}).values())


@dataclass(frozen=True)
class Weighed:
    """One criterion: what was compared with what, and the severity that comes of it; None while it is not known."""

    criterion: SuggestionReason
    severity: str | None
    arithmetic: str
    decides: bool = False


@dataclass(frozen=True)
class Weighing:
    """The suggestion of the worst criterion, and all criteria as they were weighed."""

    suggestion: SeveritySuggestion
    criteria: tuple[Weighed, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(one.arithmetic for one in self.criteria)


def weigh(scheme: SeverityScheme, known: KnownFacts) -> Weighing:
    """Weigh every criterion; the worst one decides, unknown ones are left out."""
    found = suggest(scheme, users_share=known.users_share, teams=known.teams)
    criteria = (_users(scheme, known.users_share), _teams(scheme, known.teams))
    return Weighing(
        found,
        tuple(
            Weighed(one.criterion, one.severity, one.arithmetic, decides=one.severity == found.severity)
            for one in criteria
        ),
    )


def _users(scheme: SeverityScheme, share: Decimal | None) -> Weighed:
    if share is None:
        return Weighed(SuggestionReason.USERS_SHARE, None, "Users affected: not known yet")
    code = suggest(scheme, users_share=share, teams=None).severity
    bounds = [(one.code, one.users_share_min) for one in scheme.severities]
    compared = _between(bounds, code, percent(share), percent)
    return Weighed(SuggestionReason.USERS_SHARE, code, f"Users affected: {compared}, so {code}")


def _teams(scheme: SeverityScheme, teams: int | None) -> Weighed:
    if teams is None:
        return Weighed(SuggestionReason.TEAMS, None, "Teams needed: not known yet")
    code = suggest(scheme, users_share=None, teams=teams).severity
    bounds = [(one.code, Fraction(one.teams_min)) for one in scheme.severities]
    compared = _between(bounds, code, str(teams), lambda bound: str(int(bound)))
    return Weighed(SuggestionReason.TEAMS, code, f"Teams needed: {compared}, so {code}")


def _between(bounds: list[tuple[str, Fraction]], code: str, value: str, write: Callable[[Fraction], str]) -> str:
    """ "45 % is 40 % or more and less than 60 %": the band's own ends, the gravest first."""
    place = [name for name, _ in bounds].index(code)
    low, high = bounds[place][1], bounds[place - 1][1] if place else None
    least = f"{write(low)} or more" if low > 0 else ""
    most = f"less than {write(high)}" if high is not None else ""
    return f"{value} is {' and '.join(part for part in (least, most) if part)}"


def percent(share: Decimal | Fraction) -> str:
    """A share as people write it, exact: 45 %, 59.99 %."""
    exact = Decimal(share.numerator) / Decimal(share.denominator) if isinstance(share, Fraction) else share
    return f"{(exact * 100).normalize():f} %"


def is_exception(scheme: SeverityScheme, known: KnownFacts, severity: str) -> bool:
    """Whether a person who sets `severity` decides against what the known facts say.

    Milder than they say is against them. Graver is so only once the share of users is known: in doubt people take the
    higher one, and an unknown share is a doubt.
    """
    found = suggest(scheme, users_share=known.users_share, teams=known.teams)
    if found.reason is SuggestionReason.NOTHING_KNOWN or found.severity == severity:
        return False
    return known.users_share is not None or is_graver(scheme, found.severity, severity)
