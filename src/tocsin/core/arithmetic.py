"""The sums behind a number, step by step, so that a reader can reckon them again from the counts shown.

Decisions are made with exact fractions elsewhere; here the same fractions are written out, rounded only where a line
says "about".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from tocsin.core.burn_rate import burn_rate
from tocsin.core.error_budget import allowed_ratio, error_ratio
from tocsin.core.rule_protocol import EVENTS, Unit, span_text
from tocsin.core.slo_windows import WindowCounts

_DIGITS = 6


@dataclass(frozen=True, slots=True)
class WindowReading:
    """One window: its counts, its share of bad events, and that share against what is allowed; None without events."""

    span: timedelta
    counts: WindowCounts
    ratio: Fraction | None
    burn: Fraction | None


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a sum: what is reckoned, and the reckoning."""

    what: str
    sum: str


def read_windows(windows: Mapping[timedelta, WindowCounts], target: Decimal) -> tuple[WindowReading, ...]:
    """Return what each window says, shortest first."""
    return tuple(
        WindowReading(
            span,
            counts,
            error_ratio(counts.valid, counts.bad),
            burn_rate(target, counts.valid, counts.bad),
        )
        for span, counts in sorted(windows.items())
    )


def breach_steps(counts: WindowCounts, *, window: timedelta, target: Decimal, unit: Unit = EVENTS) -> tuple[Step, ...]:
    """Return why a window is, or is not, a breach: its share of bad events against the allowed one."""
    allowed, ratio = allowed_ratio(target), error_ratio(counts.valid, counts.bad)
    may = Step("May fail", f"100 % − {percent(Fraction(target))} = {percent(allowed)}")
    if ratio is None:
        return (may, Step("Failed", f"no {unit.word} in the last {span_text(window)}, so nothing can be said"))
    burn = ratio / allowed
    sign = ">" if burn > 1 else "=" if burn == 1 else "<"
    verdict = "more than allowed, so a breach" if burn > 1 else "not more than allowed, so no breach"
    failed = f"{unit.shown(counts.bad)} ÷ {unit.shown(counts.valid)} {unit.word}{about(100 * ratio)} %"
    return (
        may,
        Step(f"Failed in the last {span_text(window)}", failed),
        Step("Burn rate", f"{percent(ratio)} ÷ {percent(allowed)}{about(burn)}"),
        Step("Verdict", f"{number(burn)} {sign} 1: {verdict}"),
    )


def budget_steps(
    counts: WindowCounts, *, grant: Fraction, target: Decimal, unit: Unit = EVENTS, elapsed: Fraction | None = None
) -> tuple[Step, ...]:
    """Return how a budget came to what is left of it.

    ``elapsed`` is the share of a calendar period that has passed; the grant is then that of a forecast whole period.
    """
    allowed = allowed_ratio(target)
    steps = [Step("May fail", f"100 % − {percent(Fraction(target))} = {percent(allowed)}")]
    valid = f"{unit.shown(counts.valid)} {unit.word}"
    if counts.valid == 0:
        return (*steps, Step("Granted", f"no {unit.word} yet, so there is no budget to speak of"))
    if elapsed is not None and elapsed > 0:
        whole = counts.valid / elapsed
        forecast = f"{unit.shown(counts.valid)} ÷ {number(100 * elapsed)} % of the period"
        steps.append(Step("Expected in the whole period", f"{forecast}{about(whole / unit.parts)} {unit.word}"))
        valid = f"{number(whole / unit.parts)} {unit.word}"
    share = Fraction(counts.bad) / grant
    granted = number(grant / unit.parts)
    spent = number(100 * share)
    # From the rounded number shown, so that a reader's subtraction comes out.
    left = Decimal(100) - Decimal(spent.replace(",", ""))
    return (
        *steps,
        Step("Granted", f"{valid} × {percent(allowed)}{about(grant / unit.parts)} may fail"),
        Step("Spent", f"{unit.shown(counts.bad)} ÷ {granted}{about(100 * share)} %"),
        Step("Left", f"100 % − {spent} % = {left:,f} %" + (": overspent" if share > 1 else "")),
    )


def sentences(steps: Sequence[Step]) -> tuple[str, ...]:
    """Return each step as one line of text."""
    return tuple(f"{step.what}: {step.sum}" for step in steps)


def about(value: Fraction) -> str:
    """Return "= 2.5" for what can be written out, "≈ 0.333333" for what cannot, with a blank before it."""
    return f" {'=' if is_exact(value) else '≈'} {number(value)}"


def is_exact(value: Fraction) -> bool:
    """Return whether ``number`` writes the whole of it."""
    return Fraction(number(value).replace(",", "")) == value


def percent(share: Fraction) -> str:
    """Return a share as percent."""
    return f"{number(100 * share)} %"


def number(value: Fraction) -> str:
    """Return a number with six digits that matter, whole ones in full."""
    if value.denominator == 1:
        return f"{value.numerator:,}"
    whole = len(str(abs(int(value)))) if abs(value) >= 1 else 0
    places = max(2, _DIGITS - whole) if whole else _DIGITS + _leading_zeros(value)
    text = f"{_rounded(value, places):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _rounded(value: Fraction, places: int) -> Decimal:
    scaled = round(value * 10**places)
    return Decimal(scaled).scaleb(-places)


def _leading_zeros(value: Fraction) -> int:
    small, zeros = abs(value), 0
    while 0 < small < Fraction(1, 10) and zeros < _DIGITS:
        small, zeros = small * 10, zeros + 1
    return zeros
