"""The doors at which chat tools say what people write and command: signed, quick, and safe to knock at twice."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from tocsin.comms import actions as comms
from tocsin.comms import chat_queries
from tocsin.core import chat_mattermost, chat_slack
from tocsin.core.chat_commands import typed
from tocsin.platform import clock

MOST_BYTES = 256 * 1024


def _refuse(status: int, detail: str) -> JsonResponse:
    return JsonResponse({"title": detail, "status": status, "detail": detail}, status=status,
                        content_type="application/problem+json")  # fmt: skip


def _slack_problem(request: HttpRequest) -> JsonResponse | None:
    """Why this is not taken for Slack's; None when it is signed as Slack signs."""
    tool: Mapping[str, Any] = settings.CHAT.get("slack", {})
    if not tool.get("signing_secret"):
        return _refuse(404, "Slack is not set up here.")
    if len(request.body) > MOST_BYTES:
        return _refuse(413, "This is longer than Slack's messages are.")
    signed = chat_slack.is_signed(
        tool["signing_secret"],
        timestamp=request.headers.get("X-Slack-Request-Timestamp", ""),
        given=request.headers.get("X-Slack-Signature", ""),
        body=request.body,
        now=clock.now(),
    )
    return None if signed else _refuse(401, "The signature is not Slack's, or it is older than five minutes.")


@csrf_exempt
@require_POST
def slack_events(request: HttpRequest) -> JsonResponse:
    """Slack's Events API. A message that Slack sends again (`X-Slack-Retry-Num`) is kept once, by its own name."""
    problem = _slack_problem(request)
    if problem is not None:
        return problem
    try:
        document = json.loads(request.body)
    except ValueError:
        return _refuse(400, "This is no JSON.")
    if not isinstance(document, dict):
        return _refuse(400, "This is no event.")
    if document.get("type") == "url_verification":
        return JsonResponse({"challenge": str(document.get("challenge", ""))})
    event = document.get("event")
    heard = chat_slack.heard(event) if isinstance(event, dict) else None
    kept = heard is not None and comms.take_message("slack", heard, now=clock.now())
    return JsonResponse({"kept": kept})


@csrf_exempt
@require_POST
def slack_command(request: HttpRequest) -> JsonResponse:
    """`/tocsin ...` in Slack; the answer is seen by whoever asked."""
    problem = _slack_problem(request)
    return problem or _answer("slack", request)


def _mattermost_problem(given: str) -> JsonResponse | None:
    """Why this is not taken for Mattermost's; None when the token is one of ours."""
    tokens = settings.CHAT.get("mattermost", {}).get("hook_tokens", ())
    if not tokens:
        return _refuse(404, "Commands of Mattermost are not set up here.")
    known = [hmac.compare_digest(token.encode(), given.encode()) for token in tokens]
    return None if any(known) else _refuse(401, "The token is none of TOCSIN_MATTERMOST_HOOK_TOKENS.")


@csrf_exempt
@require_POST
def mattermost_command(request: HttpRequest) -> JsonResponse:
    """`/tocsin ...` in Mattermost; the answer is seen by whoever asked."""
    problem = _mattermost_problem(request.POST.get("token", ""))
    return problem or _answer("mattermost", request)


@csrf_exempt
@require_POST
def mattermost_hook(request: HttpRequest) -> JsonResponse:
    """An outgoing webhook of Mattermost, as a form or as JSON. What is read by asking as well is kept once."""
    form: Mapping[str, Any] = request.POST.dict()
    if request.content_type == "application/json":
        try:
            document = json.loads(request.body[:MOST_BYTES])
        except ValueError:
            return _refuse(400, "This is no JSON.")
        form = document if isinstance(document, dict) else {}
    problem = _mattermost_problem(str(form.get("token") or ""))
    if problem is not None:
        return problem
    heard = chat_mattermost.hooked(form)
    kept = heard is not None and comms.take_message("mattermost", heard, now=clock.now())
    return JsonResponse({} if kept else {"text": ""})


def _answer(adapter: str, request: HttpRequest) -> JsonResponse:
    """Do what was typed after `/tocsin`, in the channel of an incident about that incident."""
    form = request.POST
    channel = chat_queries.channel_in(adapter, form.get("channel_id", ""))
    text = comms.obey(
        comms.Speaker(adapter, form.get("user_id", ""), form.get("user_name", "")),
        ref=channel.incident.ref if channel is not None else "",
        command=typed(form.get("text", "")),
        now=clock.now(),
    )
    shown = chat_slack.escape(text) if adapter == "slack" else text
    return JsonResponse({"response_type": "ephemeral", "text": shown})


urlpatterns = [
    path("chat/slack/events", slack_events),
    path("chat/slack/command", slack_command),
    path("chat/mattermost/command", mattermost_command),
    path("chat/mattermost/hook", mattermost_hook),
]
