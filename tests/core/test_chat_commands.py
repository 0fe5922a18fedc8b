"""What is a command in a chat and what is only talk; what a tool sends is read without trusting its shape."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core import chat_matrix, chat_mattermost, chat_slack
from tocsin.core.chat_commands import Command, Verb, spoken, typed
from tocsin.core.errors import Invalid
from tocsin.core.response_channel import bridge_url, words_of_state

JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["user", "text", "ts", "posts", "id",
        "content", "body", "msgtype", "m.relates_to", "type", "sender", "event_id", "message", "channel"]), inner, max_size=5),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("!ack", Command(Verb.ACK)),
        ("  !ACK  ", Command(Verb.ACK)),
        ("!tocsin ack INC-42", Command(Verb.ACK, "INC-42")),
        ("!ack inc-007", Command(Verb.ACK, "INC-7")),
        ("!decision We fail over", Command(Verb.DECIDE, "", "We fail over")),
        ("!decide INC-4 We\nfail over", Command(Verb.DECIDE, "INC-4", "We\nfail over")),
        ("!update It is the disk next 2h", Command(Verb.UPDATE, "", "It is the disk", False, timedelta(hours=2))),
        ("!update no change next in 30 min", Command(Verb.UPDATE, "", "", True, timedelta(minutes=30))),
        ("!update no change", Command(Verb.UPDATE, "", "", True)),
        ("!update What next is not known", Command(Verb.UPDATE, "", "What next is not known")),
        ("!who", Command(Verb.WHO)),
        ("!tocsin", Command(Verb.HELP)),
        ("!tocsin make tea", Command(Verb.HELP)),
        ("!wow what a night", None),
        ("ack", None),
        ("I say !ack", None),
        ("!", None),
        ("", None),
    ],
)
def test_what_is_said_in_a_room(text: str, command: Command | None) -> None:
    assert spoken(text) == command


def test_what_is_typed_after_the_slash_is_always_a_command() -> None:
    assert typed("ask INC-9 Who knows the disk?") == Command(Verb.ASK, "INC-9", "Who knows the disk?")
    assert typed("") == typed("nonsense") == Command(Verb.HELP)


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading(text: str) -> None:
    spoken(text)
    assert typed(text).verb in Verb


@given(JSON)
def test_nothing_a_tool_sends_breaks_the_reading(document: Any) -> None:
    chat_matrix.read_events([document], room="!r", me="@me")
    chat_mattermost.read_posts(document, room="r", me="me")
    mapping = document if isinstance(document, dict) else {"message": document}
    chat_slack.heard({"type": "message", **mapping})
    chat_mattermost.hooked(mapping)


@given(st.text(max_size=40))
def test_what_we_post_to_slack_is_what_people_read_and_calls_nobody(text: str) -> None:
    sent = chat_slack.escape(text)
    assert "<" not in sent
    assert chat_slack.plain(sent) == text.strip()


def test_an_answer_in_matrix_is_kept_without_what_it_quotes() -> None:
    event = {
        "type": "m.room.message",
        "event_id": "$2",
        "sender": "@mara:example.org",
        "origin_server_ts": 1000,
        "content": {
            "msgtype": "m.text",
            "body": "> <@ben:example.org> Is it the disk?\n\nYes, it is",
            "m.relates_to": {"m.in_reply_to": {"event_id": "$1"}},
        },
    }
    [heard] = chat_matrix.read_events([event], room="!r", me="@bot:example.org")
    assert (heard.text, heard.name, heard.sent_seconds) == ("Yes, it is", "mara", 1.0)


def test_the_video_link_takes_only_what_it_may() -> None:
    template = "https://meet.example/{installation}/{ref}?n={number}"
    assert bridge_url(template, ref="INC-4", number=4, installation="ab") == "https://meet.example/ab/inc-4?n=4"
    assert bridge_url("", ref="INC-4", number=4, installation="ab") == ""
    for wrong in ("https://x/{title}", "https://x/{ref.__class__}", "https://x/{", "https://x/{}"):
        with pytest.raises(Invalid):
            bridge_url(wrong, ref="INC-4", number=4, installation="ab")


@pytest.mark.parametrize(
    ("told", "state", "word"),
    [
        ("triggered", "acknowledged", ""),
        ("acknowledged", "resolved", "is resolved"),
        ("resolved", "closed", "is closed"),
        ("resolved", "acknowledged", "is open again"),
        ("triggered", "cancelled", "was cancelled"),
        ("triggered", "merged", "was merged"),
        ("resolved", "resolved", ""),
    ],
)
def test_a_room_hears_of_ends_and_new_beginnings_only(told: str, state: str, word: str) -> None:
    said = words_of_state(ref="INC-4", url="https://t.example/i/4", state=state, told=told)
    assert (word in said) if word else said == ""
