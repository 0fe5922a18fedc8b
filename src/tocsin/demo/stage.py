"""The running demo, as its pages see it: the service with its fault buttons, and the clock."""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.demo.harbor import Harbor
from tocsin.platform.clock import DemoClock


@dataclass(slots=True)
class Stage:
    harbor: Harbor
    clock: DemoClock


_stage: Stage | None = None


def raise_curtain(stage: Stage) -> None:
    """From now on the demo's pages act on `stage`."""
    global _stage  # noqa: PLW0603 - one stage a process, like the clock
    _stage = stage


def stage() -> Stage:
    """The running demo. Raises RuntimeError outside of one."""
    if _stage is None:
        raise RuntimeError("no demo is running in this process")
    return _stage
