"""What an adapter would send, or would make of what it is sent, shown without doing it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from tocsin.alerts import posted_alerts, posted_events
from tocsin.comms import chat_queries
from tocsin.comms import queries as comms
from tocsin.comms.actions.trying import trial
from tocsin.core import chat_matrix, chat_mattermost, chat_slack, chat_teams
from tocsin.core.access import Actor, Right, require
from tocsin.core.adapters import adapter
from tocsin.core.chat_calls import Call
from tocsin.core.errors import NotFound
from tocsin.core.response_channel import bridge_url
from tocsin.platform import installation
from tocsin.slo import queries as slos

_SAMPLE_KEY = "0" * 32


@dataclass(frozen=True, slots=True)
class Shown:
    """One thing that would go out (or come in): where to or where from, and what it says."""

    what: str
    body: str = ""


def dry_run(actor: Actor, code: str, *, now: datetime) -> list[Shown]:
    """Each thing that a test of the adapter would send, in order; nothing is sent or written. Raises NotFound."""
    require(actor, Right.CATALOG_READ)
    found = adapter(code)
    if found is None:
        raise NotFound(f"There is no adapter {code}; tocsin adapter list shows them.")
    if code in _CALLS:
        tool = chat_queries.tools().get(code, {})
        return [_of_call(str(tool.get("url") or "(address)"), call) for call in _CALLS[code](tool, now)]
    if code in _OTHERS:
        return _OTHERS[code](actor, now)
    return [Shown(f"{found.name}: nothing is sent anywhere; it is kept here.")]


def _of_call(url: str, call: Call) -> Shown:
    body = "" if call.body is None else json.dumps(call.body, ensure_ascii=False, indent=2)
    return Shown(f"{call.method} {url}{call.path}", body)


def _matrix(tool: Mapping[str, Any], now: datetime) -> list[Call]:
    payload, key = trial(now=now)
    room = "!ROOM"
    guests = [chat_matrix.invite(room, account) for account in tool.get("invite", ())]
    return [chat_matrix.create_room(payload), *guests, chat_matrix.send(room, payload["text"], key=key)]


def _slack(tool: Mapping[str, Any], now: datetime) -> list[Call]:
    payload, key = trial(now=now)
    room = "CHANNEL"
    guests = [chat_slack.invite(room, account) for account in tool.get("invite", ())]
    made = [chat_slack.create_room(payload), chat_slack.set_topic(room, payload)]
    return [*made, *guests, chat_slack.post(room, payload["text"], key=key)]


def _mattermost(tool: Mapping[str, Any], now: datetime) -> list[Call]:
    payload, key = trial(now=now)
    guests = tool.get("invite", ())
    asked = [chat_mattermost.people_named(guests)] if guests else []
    made = [chat_mattermost.team(str(tool.get("team") or "TEAM")), chat_mattermost.create_room(payload, team_id="TEAM")]
    return [*made, *asked, chat_mattermost.post("CHANNEL", payload["text"], key=key)]


def _teams(_actor: Actor, now: datetime) -> list[Shown]:
    """The address holds the workflow's secret; what is posted is what there is to see."""
    payload, _ = trial(now=now)
    return [_of_call("(the workflow's address)", chat_teams.post(payload["text"])), Shown(chat_teams.CANNOT)]


_CALLS: Mapping[str, Callable[[Mapping[str, Any], datetime], list[Call]]] = {
    "matrix": _matrix,
    "slack": _slack,
    "mattermost": _mattermost,
}


def _file(_actor: Actor, now: datetime) -> list[Shown]:
    payload, key = trial(now=now)
    folder = chat_queries.tools().get("file", {}).get("folder") or "(TOCSIN_CHAT_FOLDER)"
    line = json.dumps({"key": key, "text": payload["text"]}, ensure_ascii=False)
    return [Shown(f"write to {folder}/{payload['room']}.jsonl", line)]


def _email(actor: Actor, now: datetime) -> list[Shown]:
    payload, _ = trial(now=now)
    server = "the mail server" if settings.SMTP_URL else "the console, because TOCSIN_SMTP_URL names no server"
    return [Shown(f"mail to {actor.ident} by {server}", f"Subject: {payload['name']}\n\n{payload['text']}")]


def _webhook(actor: Actor, now: datetime) -> list[Shown]:
    payload, _ = trial(now=now)
    body = json.dumps(
        {"type": "adapter.test", "timestamp": payload["date"], "data": {"text": payload["text"]}}, indent=2
    )
    rows = comms.webhooks(actor).filter(disabled_at=None) if actor.may(Right.SETTINGS_WRITE) else []
    found = [Shown(f"POST, signed, to webhook {row.pk} for {row.events}", body) for row in rows]
    return found or [Shown("No webhook is set up; this would be posted to each", body)]


def _alertmanager(_actor: Actor, now: datetime) -> list[Shown]:
    sample = [{"labels": {"alertname": "DiskFull", "severity": "page"}, "annotations": {"summary": "The disk is full"}}]
    text = json.dumps(sample, indent=2)
    decoded = posted_alerts.decode(text.encode(), received_at=now)
    made = [f"an incident from the alert {one.name}: {one.summary}" for one in decoded.alerts]
    return [Shown("POST /api/v2/alerts", text), Shown("It would become " + ", ".join(made))]


def _events(_actor: Actor, now: datetime) -> list[Shown]:  # noqa: ARG001 - the sample has no time
    sample = {
        "routing_key": _SAMPLE_KEY,
        "event_action": "trigger",
        "dedup_key": "disk-full",
        "payload": {"summary": "The disk is full", "source": "db-1", "severity": "critical"},
    }
    text = json.dumps(sample, indent=2)
    judged = posted_events.judge_event(text.encode(), new_key="new")
    verdict = "refused: " + "; ".join(judged.errors) if judged.errors else "an incident: The disk is full"
    return [Shown("POST /v2/enqueue", text), Shown(f"It would become {verdict}")]


def _counts(actor: Actor, now: datetime) -> list[Shown]:
    first = next(iter(slos.objectives(actor)), None)
    sample = [{"slo": first.name if first else "NAME", "good": 995, "bad": 5, "at": now.isoformat()}]
    known = "5 bad of 1000 events of that SLO" if first else "refused: there is no SLO of that name yet"
    return [Shown("POST /api/v1/sli/counts", json.dumps(sample, indent=2)), Shown(f"It would become {known}")]


def _asked(actor: Actor, now: datetime) -> list[Shown]:  # noqa: ARG001 - asked at each source's own time
    rows = [row for row in slos.sources(actor) if row.url]
    found = [Shown(f"GET {row.url}/api/v1/query_range", f"for {row.objectives.count()} SLOs") for row in rows]
    return found or [Shown("No Prometheus is set up, so nobody is asked")]


def _bridge(_actor: Actor, now: datetime) -> list[Shown]:  # noqa: ARG001 - a link has no time
    template = str(settings.BRIDGE_URL)
    if not template:
        return [Shown("No template is set up; an incident has no video link")]
    made = bridge_url(template, ref="INC-42", number=42, installation=installation.known_name())
    return [Shown("The link of INC-42 would be", made)]


def _metrics(path: str, what: str) -> list[Shown]:
    return [Shown(f"POST {path}", what), Shown("Counters that an SLI names are counted; the rest is passed over")]


def as_rows(shown: Sequence[Shown]) -> list[dict[str, str]]:
    return [{"what": one.what, "body": one.body} for one in shown]


_OTHERS: Mapping[str, Callable[[Actor, datetime], list[Shown]]] = {
    "teams": _teams,
    "file": _file,
    "email": _email,
    "webhook": _webhook,
    "alertmanager": _alertmanager,
    "events-v2": _events,
    "sli": _counts,
    "prometheus": _asked,
    "bridge": _bridge,
    "otlp": lambda _actor, _now: _metrics("/v1/metrics", "metrics of OpenTelemetry, protobuf or JSON"),
    "remote-write": lambda _actor, _now: _metrics("/api/v1/write", "Prometheus remote write, snappy"),
}
