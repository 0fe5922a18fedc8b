"""What every test may use: a wound clock, the smallest world, and the rule that nothing reaches the network."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings

os.environ.setdefault("TOCSIN_DATA", str(Path(tempfile.gettempdir()) / f"tocsin-tests-{os.getuid()}"))
Path(os.environ["TOCSIN_DATA"]).mkdir(parents=True, exist_ok=True)

from tests.append_only import let_tests_empty_the_log  # noqa: E402 - the data folder is named first
from tocsin.platform import clock as clocks  # noqa: E402

hypothesis.settings.register_profile("house", deadline=None)  # a machine that others use too tells nothing by its speed
hypothesis.settings.load_profile("house")
let_tests_empty_the_log()
settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns of a folder that is not there

START = datetime(2026, 11, 23, 2, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def nothing_of_another_world() -> None:
    """Ids begin anew with each test's database; what a process remembers by id must not outlive it."""
    looking = sys.modules.get("tocsin.slo.actions.looking")
    if looking is not None:
        looking.forget_settings()
        looking.fleet.close()
    pulling = sys.modules.get("tocsin.slo.actions.pulling")
    if pulling is not None:
        pulling.forget_askings()


@pytest.fixture
def clock() -> Iterator[clocks.WoundClock]:
    """A clock that stands at 02:12 UTC on a Monday until the test winds it; it is the process's clock meanwhile."""
    wound = clocks.WoundClock(START)
    former = clocks.install(wound)
    yield wound
    clocks.install(former)


@pytest.fixture
def now(clock: clocks.WoundClock) -> datetime:
    return clock.now()
