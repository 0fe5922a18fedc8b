"""The whole product under a wound clock: intake, engine turns and a phone that fails on anything unannounced."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.domains import worlds
from tocsin.alerts import actions as alerts
from tocsin.alerts.models import Integration
from tocsin.channels.fake import FakePhone
from tocsin.channels.protocol import Channel
from tocsin.core.access import SYSTEM
from tocsin.engine import deliver, turns
from tocsin.incidents.models import Incident
from tocsin.intake import journal
from tocsin.oncall import actions as oncall
from tocsin.platform.clock import WoundClock


@dataclass(slots=True)
class Stage:
    """Time passes by `pass_time`; at each tick the engine takes its turns as in production."""

    clock: WoundClock
    phone: FakePhone = field(default_factory=FakePhone)
    sources: dict[str, Integration] = field(default_factory=dict)
    mail: Channel | None = None  # a real way out for mail instead of the phone

    def __post_init__(self) -> None:
        worlds.process(now=self.clock.now())

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def on_call(self, service: str, *usernames: str, wait_minutes: int = 5) -> None:
        """The service pages these people one after the other."""
        for name in usernames:
            worlds.person(name, in_team="tickets", is_owner=name == usernames[0], now=self.now)
        worlds.service(service, of_team="tickets", now=self.now)
        steps = [{"wait_minutes": wait_minutes, "targets": [f"user:{name}"]} for name in usernames]
        oncall.save_policy(SYSTEM, {"name": f"{service}-chain", "steps": steps}, now=self.now)
        oncall.set_service_escalation(SYSTEM, service=service, policy=f"{service}-chain", now=self.now)

    def send(self, kind: str, rows: list[dict[str, Any]]) -> None:
        """Post `rows` to the intake as an authorised sender and let the engine see them."""
        if kind not in self.sources:
            self.sources[kind], _ = alerts.add_integration(SYSTEM, kind=kind, name=kind, now=self.now)
        journal.append_now([(kind, f"integration:{self.sources[kind].pk}", json.dumps(rows).encode())])
        self.cycle()

    def count(self, slo: str, *, good: int, bad: int) -> None:
        self.send("sli", [{"slo": slo, "good": good, "bad": bad, "at": self.now.isoformat()}])

    def alert(self, name: str, *, ends: bool = False, **labels: str) -> None:
        told: dict[str, Any] = {"labels": {"alertname": name, **labels}, "annotations": {"summary": f"{name} fires"}}
        told |= {"startsAt": self.now.isoformat(), "endsAt": (self.now + timedelta(hours=4)).isoformat()}
        if ends:
            told["startsAt"] = (self.now - timedelta(minutes=30)).isoformat()
            told["endsAt"] = self.now.isoformat()
        self.send("alertmanager", [told])

    def pass_time(self, span: timedelta, *, step: timedelta = timedelta(minutes=1)) -> None:
        end = self.now + span
        while self.now < end:
            self.clock.wind_to(min(self.now + step, end))
            self.cycle()

    def cycle(self) -> None:
        """One cycle of the engine; a turn that fails fails the test."""
        main, _ = turns.loops(deliver=_nothing)
        for turn in main.turns:
            turn.act(now=self.now)
        channels: dict[str, Channel] = {"email": self.mail or self.phone, "webhook": self.phone}
        while deliver.turn(channels, now=self.now):
            pass

    def incident(self) -> Incident:
        return Incident.objects.latest("number")

    def link_of(self, index: int = -1) -> str:
        """The secret in the link of a page that arrived."""
        text = str(self.phone.received[index].payload["text"])
        return text.split("/p/")[1].split(maxsplit=1)[0].rstrip(".")


def _nothing(*, now: datetime) -> int:
    return 0
