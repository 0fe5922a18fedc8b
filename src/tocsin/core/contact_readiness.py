"""Whether a person can be reached when it counts, and what is missing when not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Gap(StrEnum):
    """Why somebody may not be reached; the value is what people read."""

    DISABLED = "the account is disabled"
    NO_CONTACT = "there is no way to reach this person"
    ALL_FAILING = "no way to reach this person works at present"
    SOME_FAILING = "one of the ways fails at present"
    NOT_VERIFIED = "no way has been tried out by the person"
    SINGLE_CHANNEL = "all ways lead through one channel"


_HARMLESS = frozenset({Gap.SOME_FAILING, Gap.NOT_VERIFIED, Gap.SINGLE_CHANNEL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One way to reach a person; `delay` counts from the page, None is the channel's own."""

    channel: str
    address: str
    delay: timedelta | None = None
    enabled: bool = True
    verified: bool = False
    failing: bool = False

    @property
    def usable(self) -> bool:
        return self.enabled and not self.failing


@dataclass(frozen=True, slots=True)
class Readiness:
    """`reachable`: a page has somewhere to go. `gaps` are in order of weight, empty when nothing is missing."""

    reachable: bool
    gaps: tuple[Gap, ...] = ()

    @property
    def ready(self) -> bool:
        """Reachable, and the person has tried out at least one way."""
        return self.reachable and Gap.NOT_VERIFIED not in self.gaps


def contact_readiness(contacts: Sequence[Contact], *, active: bool) -> Readiness:
    """Judge the ways to reach one person; what was switched off by hand does not count."""
    if not active:
        return Readiness(False, (Gap.DISABLED,))
    enabled = [contact for contact in contacts if contact.enabled]
    if not enabled:
        return Readiness(False, (Gap.NO_CONTACT,))
    gaps = tuple(gap for gap in Gap if _has(gap, enabled))
    return Readiness(all(gap in _HARMLESS for gap in gaps), gaps)


def _has(gap: Gap, enabled: Sequence[Contact]) -> bool:
    failing = [contact for contact in enabled if contact.failing]
    match gap:
        case Gap.ALL_FAILING:
            return len(failing) == len(enabled)
        case Gap.SOME_FAILING:
            return 0 < len(failing) < len(enabled)
        case Gap.NOT_VERIFIED:
            return not any(contact.verified for contact in enabled)
        case Gap.SINGLE_CHANNEL:
            return len({contact.channel for contact in enabled}) == 1
        case _:
            return False
