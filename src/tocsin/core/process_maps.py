"""Maps from what others ask to what there is: the steps of ITIL, and the controls of audit frameworks. A gap is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tocsin.core.json_values import items


@dataclass(frozen=True)
class Feature:
    """Something of the product that serves a step: the page it is on, and the states and log entries that show it."""

    feature: str
    where: str
    states: tuple[str, ...] = ()
    events: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """A step (or a part of one), what serves it, and the states of the process that stand for it."""

    step: str
    serves: str
    features: tuple[Feature, ...]
    states: tuple[str, ...]
    parts: tuple[Step, ...] = ()

    @property
    def gaps(self) -> tuple[str, ...]:
        """What of this step nothing serves, in words; () when all of it is served."""
        if self.parts:
            return tuple(gap for part in self.parts for gap in part.gaps)
        found: list[str] = []
        if not self.features:
            found.append(f"Nothing serves {self.step}.")
        if not self.states:
            found.append(f"The process names no state for {self.step}.")
        return tuple(found)


def itil_steps(written: Sequence[Mapping[str, Any]], itil_map: Mapping[str, Sequence[str]]) -> tuple[Step, ...]:
    """The steps with their features. `itil_map` is the process's own: step (or "step/part") to states."""
    return tuple(_step(one, itil_map, "") for one in written)


def _step(one: Mapping[str, Any], itil_map: Mapping[str, Sequence[str]], above: str) -> Step:
    name = str(one["step"])
    path = f"{above}/{name}" if above else name
    return Step(
        step=name,
        serves=str(one.get("serves", "")),
        features=tuple(
            Feature(str(it["feature"]), str(it["where"]), _texts(it.get("states")), _texts(it.get("events")))
            for it in one.get("features", ())
        ),
        states=_texts(itil_map.get(path)),
        parts=tuple(_step(part, itil_map, path) for part in one.get("parts", ())),
    )


@dataclass(frozen=True)
class Evidence:
    """Something that can be shown: its page, the command that prints it, and how many log entries there are of it.

    `entries` is None for evidence that is no entry of the log.
    """

    code: str
    name: str
    where: str
    command: str
    entries: int | None


@dataclass(frozen=True)
class Control:
    """What a framework asks, and the evidence that answers it."""

    ref: str
    asks: str
    evidence: tuple[Evidence, ...]

    @property
    def gap(self) -> str:
        """Why nothing answers it, "" when something does."""
        if not self.evidence:
            return "No evidence is mapped to it."
        if all(one.entries == 0 for one in self.evidence):
            return "Evidence is mapped to it, and there is none of it yet."
        return ""


@dataclass(frozen=True)
class Framework:
    code: str
    name: str
    controls: tuple[Control, ...]


def frameworks(written: Mapping[str, Any], counts: Mapping[str, int]) -> tuple[Framework, ...]:
    """Each framework with its controls; `counts` is how many log entries there are of each kind."""
    evidences = {code: _evidence(code, one, counts) for code, one in written["evidences"].items()}
    return tuple(
        Framework(
            str(one["code"]),
            str(one["name"]),
            tuple(
                Control(str(it["ref"]), str(it["asks"]), tuple(evidences[code] for code in it["evidence"]))
                for it in one["controls"]
            ),
        )
        for one in written["frameworks"]
    )


def _evidence(code: str, one: Mapping[str, Any], counts: Mapping[str, int]) -> Evidence:
    kinds = _texts(one.get("kinds"))
    entries = sum(counts.get(kind, 0) for kind in kinds) if kinds else None
    return Evidence(code, str(one["name"]), str(one["where"]), str(one["command"]), entries)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(one) for one in items(value))
