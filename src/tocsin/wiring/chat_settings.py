"""Which chat tool and which video tool belong to this installation, from the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured

OWN = "tocsin"
Read = Callable[..., str]


def chat(read: Read) -> dict[str, dict[str, Any]]:
    """The tools that are set up, by adapter, in the order in which one is chosen when several are."""
    found: dict[str, dict[str, Any]] = {
        "matrix": {
            "url": read("TOCSIN_MATRIX_URL").rstrip("/"),
            "token": read("TOCSIN_MATRIX_TOKEN"),
            "invite": _names(read("TOCSIN_MATRIX_INVITE")),
        },
        "slack": {
            "url": read("TOCSIN_SLACK_URL", "https://slack.com/api").rstrip("/"),
            "token": read("TOCSIN_SLACK_TOKEN"),
            "signing_secret": read("TOCSIN_SLACK_SIGNING_SECRET"),
            "invite": _names(read("TOCSIN_SLACK_INVITE")),
        },
        "mattermost": {
            "url": read("TOCSIN_MATTERMOST_URL").rstrip("/"),
            "token": read("TOCSIN_MATTERMOST_TOKEN"),
            "team": read("TOCSIN_MATTERMOST_TEAM"),
            "hook_tokens": _names(read("TOCSIN_MATTERMOST_HOOK_TOKENS")),
            "invite": _names(read("TOCSIN_MATTERMOST_INVITE")),
        },
        "teams": {"url": read("TOCSIN_TEAMS_WORKFLOW_URL")},
        "file": {"folder": read("TOCSIN_CHAT_FOLDER")},
    }
    needed = {
        "matrix": ("url", "token"),
        "slack": ("token",),
        "mattermost": ("url", "token", "team"),
        "teams": ("url",),
        "file": ("folder",),
    }
    return {name: part for name, part in found.items() if all(part[key] for key in needed[name])}


def chosen(read: Read, tools: Mapping[str, Any]) -> str:
    """The tool in which rooms are opened: `TOCSIN_CHAT`, else the first that is set up, else Tocsin itself."""
    wanted = read("TOCSIN_CHAT").strip().lower()
    if wanted in {OWN, "none"}:
        return OWN
    if not wanted:
        return next(iter(tools), OWN)
    if wanted not in tools:
        known = ", ".join(tools) or "none"
        raise ImproperlyConfigured(f"TOCSIN_CHAT names {wanted!r}, which is not set up (set up: {known})")
    return wanted


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.replace(",", " ").split() if name)
