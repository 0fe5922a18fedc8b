"""Slack and Mattermost as they speak on the wire, and strict: what nobody announced is answered 500 and fails the test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from pytest_httpserver import HTTPServer

from tocsin.channels.protocol import Message
from tocsin.core import chat_slack
from tocsin.core.response_channel import ROOM_INVITE, ROOM_OPEN, ROOM_POST

DEADLINE = timedelta(seconds=10)
SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


@pytest.fixture
def server(httpserver: HTTPServer) -> Iterator[HTTPServer]:
    yield httpserver
    httpserver.check()


def opening(at: datetime, **more: Any) -> Message:
    payload = {
        "room": "tocsin-1a2b3c4d-inc-7",
        "name": "INC-7 Log-on fails",
        "topic": "https://t.example/i/7",
        "text": "",
    }
    return Message(key="room-7", kind=ROOM_OPEN, address=payload["room"], payload=payload, due_at=at, at=at, **more)


def posting(room: str, text: str, at: datetime, **more: Any) -> Message:
    return Message(key="room-7-first", kind=ROOM_POST, address=room, payload={"text": text}, due_at=at, at=at, **more)


def inviting(room: str, account: str, at: datetime, **more: Any) -> Message:
    payload = {"account": account}
    return Message(key="room-7-guest-1-1", kind=ROOM_INVITE, address=room, payload=payload, due_at=at, at=at, **more)


def signed_by_slack(body: bytes, *, at: datetime, secret: str = SIGNING_SECRET) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    return {
        "HTTP_X_SLACK_REQUEST_TIMESTAMP": stamp,
        "HTTP_X_SLACK_SIGNATURE": chat_slack.signature(secret, timestamp=stamp, body=body),
    }


def slack_event(event: dict[str, Any], *, at: datetime, retry: int = 0, secret: str = SIGNING_SECRET) -> Any:
    document = {
        "token": "legacy",
        "team_id": "T061EG9R6",
        "api_app_id": "A0MDYCDME",
        "type": "event_callback",
        "event_id": "Ev0MDYHUEL",
        "event_time": int(at.timestamp()),
        "event": event,
    }
    body = json.dumps(document).encode()
    headers = signed_by_slack(body, at=at, secret=secret)
    if retry:
        headers |= {"HTTP_X_SLACK_RETRY_NUM": str(retry), "HTTP_X_SLACK_RETRY_REASON": "http_timeout"}
    return Client().post("/chat/slack/events", body, content_type="application/json", **headers)  # type: ignore[arg-type]


def slack_command(text: str, *, user: str, channel: str, at: datetime, secret: str = SIGNING_SECRET) -> Any:
    form = {
        "token": "legacy",
        "team_id": "T061EG9R6",
        "channel_id": channel,
        "channel_name": "privategroup",
        "user_id": user,
        "user_name": "somebody",
        "command": "/tocsin",
        "text": text,
        "response_url": "https://hooks.slack.com/commands/1234/5678",
        "trigger_id": "13345224609.738474920.8088930838d88f008e0",
    }
    body = urlencode(form).encode()
    headers = signed_by_slack(body, at=at, secret=secret)
    return Client().post(
        "/chat/slack/command",
        body,
        content_type="application/x-www-form-urlencoded",
        **headers,  # type: ignore[arg-type]
    )
