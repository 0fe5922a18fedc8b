"""Teams on their way to SLOs, built by the real actions."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.domains import slo_worlds, worlds
from tocsin.core.access import SYSTEM
from tocsin.oncall import actions as oncall
from tocsin.people.models import Team
from tocsin.process import actions as process

DAY = timedelta(days=1)


def team(name: str = "tickets", *, now: datetime = worlds.NOW) -> Team:
    """A team with an owner (bo) and nothing else."""
    worlds.process(now=now)
    worlds.person("bo", in_team=name, is_owner=True, now=now)
    return worlds.team(name)


def service(of_team: str = "tickets", *, now: datetime = worlds.NOW) -> None:
    worlds.service("checkout", of_team=of_team, now=now)


def rotation(of_team: str = "tickets", *, now: datetime = worlds.NOW) -> None:
    """Bo is on call round the clock."""
    layer = {"name": "all", "start": (now - DAY).isoformat(), "rotation": {"unit": "week"}, "users": [["bo"]]}
    oncall.save_rotation(
        SYSTEM, {"name": f"{of_team}-primary", "time_zone": "UTC", "layers": [layer]}, team=of_team, now=now
    )


def somebody_hears(*, now: datetime = worlds.NOW) -> None:
    process.add_group_member(SYSTEM, group="customer-support", email="desk@harbor.example", now=now)


def complete(name: str = "tickets", *, now: datetime = worlds.NOW) -> Team:
    """A team whose policy can be in force."""
    row = team(name, now=now)
    service(name, now=now)
    slo_worlds.objective(now=now)
    rotation(name, now=now)
    somebody_hears(now=now)
    return row
