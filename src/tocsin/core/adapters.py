"""The list of everything that connects Tocsin with other tools, and what each has to be told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Way(StrEnum):
    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Adapter:
    """One kind of connection. `serves` is what it is good for; `set_up_by` says what makes it work.

    `built_in` ones need nothing from outside: with them alone every function is there. `can_try` ones can be sent a
    test.
    """

    code: str
    name: str
    serves: str
    way: Way
    set_up_by: str
    built_in: bool = False
    can_try: bool = False


INFRASTRUCTURE, ON_CALL, CHAT, VIDEO = "SRE infrastructure", "On-call tool", "Chat", "Video"
WORK_ITEMS, WIKI, STATUS_PAGE, TELLING = "Work items", "Wiki", "Status page", "Telling people"

ADAPTERS: tuple[Adapter, ...] = (
    Adapter("alertmanager", "Prometheus or Alertmanager", INFRASTRUCTURE, Way.IN, "an integration of this kind"),
    Adapter("events-v2", "Events in PagerDuty's format", INFRASTRUCTURE, Way.IN, "an integration of this kind"),
    Adapter("sli", "Counts of good and bad events", INFRASTRUCTURE, Way.IN, "an integration of this kind"),
    Adapter("otlp", "Metrics of OpenTelemetry", INFRASTRUCTURE, Way.IN, "an integration of this kind"),
    Adapter("remote-write", "Prometheus remote write", INFRASTRUCTURE, Way.IN, "an integration of this kind"),
    Adapter("prometheus", "Prometheus, asked by us", INFRASTRUCTURE, Way.IN, "a data source in the SLO files"),
    Adapter("chain", "Rotations and chains of Tocsin", ON_CALL, Way.OUT, "nothing; it is built in", built_in=True),
    Adapter("webhook", "Webhooks, for any other tool", ON_CALL, Way.OUT, "tocsin webhook add", can_try=True),
    Adapter("email", "Mail", TELLING, Way.OUT, "TOCSIN_SMTP_URL; without it mail goes to the console", can_try=True),
    Adapter("tocsin", "The incident's own page", CHAT, Way.OUT, "nothing; it is built in", built_in=True),
    Adapter("file", "Rooms as files in a folder", CHAT, Way.OUT, "TOCSIN_CHAT_FOLDER", built_in=True, can_try=True),
    Adapter("matrix", "Matrix", CHAT, Way.OUT, "TOCSIN_MATRIX_URL, TOCSIN_MATRIX_TOKEN", can_try=True),
    Adapter("slack", "Slack", CHAT, Way.OUT, "TOCSIN_SLACK_TOKEN, TOCSIN_SLACK_SIGNING_SECRET", can_try=True),
    Adapter(
        "mattermost",
        "Mattermost",
        CHAT,
        Way.OUT,
        "TOCSIN_MATTERMOST_URL, TOCSIN_MATTERMOST_TOKEN, TOCSIN_MATTERMOST_TEAM",
        can_try=True,
    ),
    Adapter("teams", "Microsoft Teams", CHAT, Way.OUT, "TOCSIN_TEAMS_WORKFLOW_URL", can_try=True),
    Adapter("bridge", "A video call by template", VIDEO, Way.OUT, "TOCSIN_BRIDGE_URL"),
    Adapter("actions", "Action items of Tocsin", WORK_ITEMS, Way.OUT, "nothing; it is built in", built_in=True),
    Adapter("reviews", "Reviews as Markdown", WIKI, Way.OUT, "nothing; it is built in", built_in=True),
    Adapter("updates", "Updates and status mails", STATUS_PAGE, Way.OUT, "nothing; it is built in", built_in=True),
)
CHAT_TOOLS = frozenset(one.code for one in ADAPTERS if one.serves == CHAT and one.code != "tocsin")


def adapter(code: str) -> Adapter | None:
    return next((one for one in ADAPTERS if one.code == code), None)
