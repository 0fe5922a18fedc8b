"""A supposed past beside the one as it stands, in sentences."""

from tocsin.core.what_if_tally import Tally


def compared(today: Tally, changed: Tally, *, days: int) -> tuple[str, ...]:
    """Say what would be different; the first sentence is the one about pages."""
    return (
        f"{_pages(changed)} in {counted(days, 'day')}, {_pages_now(today, changed)}.",
        _line(changed.updates, today.updates, "update", "owed"),
        _line(changed.postmortems, today.postmortems, "postmortem", "owed"),
        _line(changed.incidents, today.incidents, "incident", "opened"),
    )


def alone(one: Tally, *, days: int) -> str:
    """Say what one choice would have cost, in one sentence."""
    return (
        f"{_pages(one)} in {counted(days, 'day')}, {counted(one.updates, 'update')} and "
        f"{counted(one.postmortems, 'postmortem')} owed."
    )


def counted(count: int, word: str) -> str:
    """Say a number of things."""
    return f"{count:,} {word}{'' if count == 1 else 's'}" if count else f"no {word}"


def _pages(one: Tally) -> str:
    if not one.pages:
        return "No page"
    night = "none at night" if not one.pages_by_night else f"{one.pages_by_night:,} at night"
    return f"{counted(one.pages, 'page').capitalize()} ({night})"


def _pages_now(today: Tally, changed: Tally) -> str:
    if (today.pages_by_day, today.pages_by_night) == (changed.pages_by_day, changed.pages_by_night):
        return "as it stands"
    said = _pages(today)
    return f"instead of {said[0].lower()}{said[1:]}"


def _line(count: int, now: int, word: str, what: str) -> str:
    said = counted(count, word)
    today = "as it stands" if count == now else f"instead of {counted(now, word)}"
    return f"{said[0].upper()}{said[1:]} {what}, {today}."
