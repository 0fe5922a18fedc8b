"""How facts are shown: instants with their zone, priorities as shapes, states as words. Everything is escaped here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from fractions import Fraction
from typing import Any

from django import template
from django.forms import RadioSelect
from django.template.context import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from tocsin.core import arithmetic
from tocsin.core.cadence import is_late
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.rule_protocol import Unit
from tocsin.slo import snapshots
from tocsin.slo.models import Objective
from tocsin.web import icons, instants, links
from tocsin.web.pictures import drawing

register = template.Library()

RANKS_WITH_COLOUR = 4
SYSTEM = "Tocsin"


def _zone(context: Context) -> tzinfo:
    zone: tzinfo = context.get("zone") or UTC
    return zone


def _now(context: Context) -> datetime:
    now: datetime = context["now"]
    return now


@register.simple_tag(takes_context=True)
def when(context: Context, instant: datetime | None, form: str = "auto", empty: str = "") -> SafeString | str:
    """`instant` in the viewer's zone, zone named; the script swaps to UTC from the second text."""
    if instant is None:
        return empty
    now, zone = _now(context), _zone(context)
    utc = instants.clock_text(instant, UTC, now=now, form=form)
    return format_html(
        '<time datetime="{}" data-utc="{}">{}</time>',
        instants.iso(instant),
        utc,
        utc if str(zone) == "UTC" else instants.clock_text(instant, zone, now=now, form=form),
    )


@register.simple_tag(takes_context=True)
def age(context: Context, instant: datetime | None) -> str:
    """How long ago, for use beside `when`."""
    return "" if instant is None else instants.span_text(_now(context) - instant)


@register.simple_tag(takes_context=True)
def running(context: Context, instant: datetime) -> SafeString:
    """T+h:mm of something that goes on; the script keeps it running."""
    return format_html(
        '<span class="number nowrap" data-since="{}">{}</span>',
        instants.iso(instant),
        instants.clock_age(instant, now=_now(context)),
    )


@register.simple_tag(takes_context=True)
def countdown(context: Context, due: datetime | None, grace: timedelta = timedelta(0)) -> SafeString | str:
    """Written as "in 41 min", "due now" or "12 min late", in the colour that goes with it; the script keeps it counting.

    `grace` is how long after its time something is still in time.
    """
    if due is None:
        return ""
    now = _now(context)
    soon = due - now <= timedelta(minutes=15)
    css = "late" if is_late(due, grace, now=now) else "soon" if soon else ""
    words = instants.countdown_text(due, now=now, grace=grace)
    return format_html(
        '<span class="countdown {}" data-due="{}" data-grace="{}">{}</span>',
        css,
        instants.iso(due),
        int(grace.total_seconds()),
        words,
    )


@register.filter
def span(value: timedelta | None) -> str:
    return "" if value is None else instants.span_text(value)


@register.filter
def percent(share: float | None) -> str:
    """0.18 reads "18%"; small budgets keep one decimal; unknown says so."""
    if share is None:
        return "unknown"
    value = float(share) * 100
    return f"{value:.1f}%" if abs(value) < 10 and value != round(value) else f"{round(value)}%"


@register.filter
def is_unknown(health: str | None, left: float | None) -> bool:
    """Whether nothing can be said of an SLO now: unknown is not green, whatever was left when the data stopped."""
    return left is None or health in {None, "", "no_data", "invalid"}


@register.filter
def target_percent(target: Any) -> str:
    """A target in (0, 1) as people write it: 0.9990 reads "99.9%"."""
    return f"{(target * 100).normalize():f}%"


@register.filter
def words(code: Any) -> str:
    """A code as a reader sees it: "incident_coordinator" reads "Incident coordinator"."""
    text = str(code or "").replace("_", " ").replace("-", " ")
    return text[:1].upper() + text[1:]


@register.simple_tag(takes_context=True)
def name_of(context: Context, ident: str) -> str:
    """Whoever the log names, as people call them: by what the page has at hand, else by what everybody is called."""
    if ident == "system":
        return SYSTEM
    names: dict[str, str] = context.get("names") or {}
    everybody: dict[str, str] = {} if ident in names else context.get("people_called") or {}
    return names.get(ident) or everybody.get(ident, ident)


@register.filter
def coded(text: str) -> SafeString:
    """A sentence whose `commands and words of a file` stand as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return format_html("{}", text)
    pieces = (("<code>{}</code>" if place % 2 else "{}", one) for place, one in enumerate(parts))
    return SafeString("".join(format_html(form, one) for form, one in pieces))


@register.filter
def http_url(url: str) -> str:
    """The address if it may become a link, else nothing: only http and https lead anywhere."""
    return links.safe_url(url)


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """`mapping[key]` for templates; None when it is not there."""
    return mapping.get(key) if mapping else None


@register.simple_tag
def icon(name: str, css: str = "icon") -> SafeString:
    return format_html(
        '<svg class="{}" viewBox="0 0 24 24" aria-hidden="true"><path d="{}"/></svg>', css, icons.path_of(name)
    )


def _definition(context: Context) -> ProcessDefinition | None:
    found: ProcessDefinition | None = context.get("definition") or context.get("process")
    return found


def rank_class(rank: int | None, state: str = "set") -> str:
    """The class that carries a priority's colour."""
    return f"rank-{min(rank, RANKS_WITH_COLOUR)}" if rank is not None else f"rank-{state}"


@register.simple_tag
def rank_css(rank: int | None, state: str = "set") -> str:
    return rank_class(rank, state)


@register.simple_tag(takes_context=True)
def code_of(context: Context, rank: int | None, state: str = "set") -> str:
    """The organisation's short name of a priority ("P1"), or what its absence means."""
    if rank is None:
        return "undecided" if state == "unset" else "none"
    definition = _definition(context)
    priority = definition.catalogue.by_rank(rank) if definition else None
    return priority.code if priority else str(rank)


@register.simple_tag(takes_context=True)
def mark(context: Context, rank: int | None, state: str = "set", size: str = "") -> SafeString:
    """Shape, digit and short name of a priority: colour never stands alone."""
    code = code_of(context, rank, state)
    drawn = drawing.priority_mark(12, 12, rank, state)
    return format_html(
        '<span class="mark {} {}"><svg viewBox="0 0 24 24" aria-hidden="true">{}</svg>{}</span>',
        rank_class(rank, state),
        size,
        mark_safe(drawn),  # noqa: S308 - drawing escapes its texts
        code if rank is not None else format_html('<span class="small">{}</span>', code),
    )


@register.simple_tag(takes_context=True)
def severity(context: Context, code: str) -> SafeString:
    """A severity is a word; the gravest one stands out."""
    definition = _definition(context)
    gravest = bool(definition and definition.severities.codes[:1] == (code,))
    return format_html('<span class="severity {}">{}</span>', "worst" if gravest else "", code)


@register.simple_tag
def meter(share: float | None, label: str) -> SafeString:
    """A budget as a bar coloured by danger: full is calm. Unknown draws no fill."""
    fill = SafeString("")
    if share is not None:
        css = "bad" if share < 0.2 else "warn" if share < 0.4 else ""
        fill = format_html('<rect class="fill {}" width="{}" height="8"/>', css, round(100 * min(max(share, 0), 1)))
    return format_html(
        '<svg class="meter" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<rect class="track" width="100" height="8"/>{}</svg>',
        label,
        fill,
    )


@register.simple_tag
def options(choices: Any, chosen: Any = "") -> SafeString:
    """<option> elements of (value, words) pairs."""
    return format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        ((value, SafeString(" selected") if str(value) == str(chosen) else "", text) for value, text in choices),
    )


@register.inclusion_tag("web/parts/picture.html")
def picture(
    drawn: drawing.Picture, testid: str, *, titled: bool = True, files: str = "", query: str = "", link: str = ""
) -> dict[str, Any]:
    """A picture with its finding, how to read it, and its numbers as a table.

    `files` is the address without its ending under which the picture stands alone, `link` the one for wikis and mails.
    """
    return {"picture": drawn, "testid": testid, "titled": titled, "files": files, "query": query, "link": link}


@register.inclusion_tag("web/parts/field.html")
def field(bound: Any, testid: str = "", *, needed: bool = False) -> dict[str, Any]:
    """A form field with label, help and errors, wired for screen readers; the first wrong one has the focus.

    `needed` is for what the action behind the form asks for in words of its own: it is not called optional.
    """
    mark = testid or f"field-{bound.html_name}"
    attrs: dict[str, Any] = {} if isinstance(bound.field.widget, RadioSelect) else {"data-testid": f"{mark}-input"}
    if bound.form.errors:
        attrs["autofocus"] = is_first_wrong(bound)
    return {"field": bound, "control": bound.as_widget(attrs=attrs), "testid": mark, "needed": needed}


@register.filter
def is_first_wrong(bound: Any) -> bool:
    """Whether this is the first field of its form, from the top, that has to be put right."""
    wrong = [name for name in bound.form.fields if name in bound.form.errors]
    return wrong[:1] == [bound.name]


@register.simple_tag
def problem(errors: Any, name: str, control: str) -> SafeString:
    """What is wrong with one control, beside it; nothing when it is right."""
    text = (errors or {}).get(name, "")
    if not text:
        return SafeString("")
    return format_html('<p class="errors" id="{}-error" data-testid="{}-error">{}</p>', control, control, text)


@register.simple_tag
def invalid(errors: Any, name: str, control: str) -> SafeString:
    """The attributes that tie a control to its `problem`."""
    if not (errors or {}).get(name):
        return SafeString("")
    return format_html(' aria-invalid="true" aria-describedby="{}-error"', control)


@register.simple_tag
def problems(errors: Any) -> SafeString:
    """Everything that is wrong with a form, as a list above it."""
    if not errors:
        return SafeString("")
    listed = format_html_join("", "<li>{}</li>", ((text,) for text in errors.values()))
    return format_html('<div class="notice error" role="alert" data-testid="problems"><ul>{}</ul></div>', listed)


@register.simple_tag(takes_context=True)
def zone_here(context: Context) -> str:
    """The zone that times on this page are read and written in: "CET", or "UTC+05:45"."""
    return instants.zone_name(_now(context), _zone(context))


@register.simple_tag
def between(start: datetime, end: datetime) -> str:
    """How long something took: "50 min"."""
    return instants.span_text(end - start)


@register.filter
def thousands(number: int) -> str:
    """12345 reads "12,345"."""
    return f"{number:,}"


@register.filter
def counted(number: int, objective: Objective) -> str:
    """Counts of an SLO in what it counts: events, minutes, or slices of which a part may have failed."""
    return snapshots.unit_of(objective).shown(number)


@register.filter
def in_unit(number: int, unit: Unit) -> str:
    """A count in a unit that is known already."""
    return unit.shown(number)


@register.filter
def exact(value: Fraction) -> str:
    """A fraction with the digits that matter."""
    return arithmetic.number(value)


@register.filter
def unit_word(objective: Objective) -> str:
    """What an SLO counts, in a word: events, minutes, slices."""
    return snapshots.unit_of(objective).word


@register.filter
def seconds_span(seconds: int) -> str:
    """A number of seconds, as documents hold it, as people say it."""
    return instants.span_text(timedelta(seconds=int(seconds)))
