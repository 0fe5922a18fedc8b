"""Every public action writes to the event log, itself or through a function of its domain. Shown to fail, too."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "tocsin"
WRITES = "record"
"""`audit.record`, imported by whatever name; nothing else in the house is called so."""

ALLOWED: Mapping[str, str] = {
    "slo.add_counts": "measurements are journalled with their own digest, not chained (requirements 4.12)",
    "slo.count_errors": "only says what is wrong with counts",
    "slo.mark_invalid": "a measurement that could not be taken; the journal holds what arrived",
    "slo.forget_counts": "old measurements give way; what they led to stays in the log",
    "slo.close_periods": "adds up measurements of a period that is over",
    "slo.claim_due": "a lease on a source for the time of asking it",
    "slo.note_failure": "the state of asking a source; an SLO without data says so by a signal of its own",
    "slo.take_answers": "measurements, as above",
    "slo.take_series": "measurements, as above",
    "alerts.end_overdue": "the end of an alert is written on the timeline of its incident, by the room that has it",
    "alerts.has_overdue": "only asks",
    "alerts.hear_unsilenced": "what is heard opens an incident, and that is written",
    "alerts.note_seen": "when a sender was last heard of; the journal holds what it said",
    "incidents.record_update": "a part of sending an update; whoever sends it has written update.sent in the same change",
    "incidents.tell_channels": "says in the rooms of the chat what the log says already",
    "comms.invite_responders": "asks a chat tool; what becomes of it is written by note_guest and note_absent_guest",
    "comms.obey": "does what is commanded in a chat by the actions of incidents and updates, which write it",
    "comms.take_message": "what was said is written by incidents.annotate, what was commanded by its own action",
    "comms.take_news": "takes messages, as above",
    "comms.trial": "only words a test",
    "comms.claim_place": "a lease on a chat tool for the time of asking it",
    "comms.note_silence": "the state of asking a chat tool; the setup page shows it",
    "comms.draft_update": "only words a proposal",
    "comms.enqueue_events": "carries entries of the log to webhooks; it has nothing of its own to say",
}
"""Public functions of action modules that change nothing worth a log entry, each with its reason."""


@dataclass
class Domain:
    """The functions of one domain's action modules, what each of them calls, and which are offered to the house."""

    name: str
    public: set[str] = field(default_factory=set)
    calls: dict[str, set[str]] = field(default_factory=dict)

    def reaches_the_log(self, name: str) -> bool:
        seen: set[str] = set()
        ahead = [name]
        while ahead:
            here = ahead.pop()
            if here == WRITES:
                return True
            if here not in seen:
                seen.add(here)
                ahead += self.calls.get(here, ())
        return False


def action_files(source: Path) -> Iterable[tuple[str, Path]]:
    """(domain, file) of every module that holds actions: `actions.py`, `actions/*.py`, `*_actions.py`."""
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source).parts
        if len(parts) > 1 and ("actions" in parts[1:-1] or path.stem == "actions" or path.stem.endswith("_actions")):
            yield parts[0], path


def read_domains(source: Path) -> dict[str, Domain]:
    found: dict[str, Domain] = {}
    called = called_from_outside(source)
    for name, path in action_files(source):
        domain = found.setdefault(name, Domain(name))
        offered = offered_by(path.parent) if path.parent.name == "actions" else None
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                domain.calls.setdefault(node.name, set()).update(called_names(node))
                reached = offered is None or node.name in offered or (name, path.stem, node.name) in called
                if is_action(node) and reached:
                    domain.public.add(node.name)
    return found


def offered_by(folder: Path) -> set[str] | None:
    """What a folder of actions offers in its `__init__`; the rest are parts that its actions are made of.

    None when it names nothing, and then everything public in it counts.
    """
    front = folder / "__init__.py"
    tree = ast.parse(front.read_text(encoding="utf-8")) if front.exists() else ast.Module([], [])
    names = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    return names - {"annotations"} or None


def called_from_outside(source: Path) -> set[tuple[str, str, str]]:
    """(domain, module, function) of what other rooms import past the front of a folder of actions."""
    found = set()
    for path in source.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            parts = (node.module or "").split(".") if isinstance(node, ast.ImportFrom) else []
            if len(parts) == 4 and parts[2] == "actions" and parts[1] != path.relative_to(source).parts[0]:
                found |= {(parts[1], parts[3], alias.name) for alias in node.names}
    return found


def is_action(node: ast.FunctionDef) -> bool:
    """An action takes `now`: it does something at a moment. A public function without it only computes."""
    arguments = [argument.arg for argument in [*node.args.args, *node.args.kwonlyargs]]
    return not node.name.startswith("_") and "now" in arguments


def called_names(node: ast.FunctionDef) -> set[str]:
    """What a function calls, and what it hands on to be called (a plain name among the arguments)."""
    names = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Call):
            target = part.func
            names.add(target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", ""))
            names |= {argument.id for argument in part.args if isinstance(argument, ast.Name)}
    return names


def unaudited(source: Path) -> list[str]:
    """ "domain.function" of each action that never reaches the log."""
    return sorted(
        f"{domain.name}.{name}"
        for domain in read_domains(source).values()
        for name in domain.public
        if not domain.reaches_the_log(name) and f"{domain.name}.{name}" not in ALLOWED
    )


def test_every_action_is_audited() -> None:
    assert unaudited(SOURCE) == []


def test_the_walk_sees_the_actions_of_every_domain_that_has_some() -> None:
    domains = read_domains(SOURCE)
    assert {"audit", "people", "catalog", "process", "oncall", "incidents"} <= set(domains)
    assert {"acknowledge", "declare", "change_priority", "take_page"} <= domains["incidents"].public


def test_nothing_is_excused_that_is_not_there() -> None:
    domains = read_domains(SOURCE)
    names = {f"{name}.{function}" for name, domain in domains.items() for function in domain.calls}
    assert sorted(set(ALLOWED) - names) == []


HOUSE = """
from tocsin.audit import actions as audit


def rename(actor, *, name, now):
    {rename}


def _tell(actor, *, now):
    audit.record(actor, [], now=now)
"""


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("audit.record(actor, [], now=now)", []),
        ("_tell(actor, now=now)", []),
        ("return name", ["shop.rename"]),
        ("print('record')", ["shop.rename"]),
    ],
)
def test_an_action_that_does_not_tell_the_log_is_found(tmp_path: Path, body: str, found: list[str]) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "actions.py").write_text(HOUSE.format(rename=body))
    assert unaudited(tmp_path) == found


@pytest.mark.parametrize("front", [None, "", "from tocsin.shop.actions.renaming import rename\n"])
def test_an_action_in_a_folder_of_actions_is_found(tmp_path: Path, front: str | None) -> None:
    folder = tmp_path / "shop" / "actions"
    folder.mkdir(parents=True)
    (folder / "renaming.py").write_text(HOUSE.format(rename="return name"))
    if front is not None:
        (folder / "__init__.py").write_text(front)
    assert unaudited(tmp_path) == ["shop.rename"]


def test_a_part_that_the_folder_does_not_offer_is_no_action(tmp_path: Path) -> None:
    folder = tmp_path / "shop" / "actions"
    folder.mkdir(parents=True)
    (folder / "renaming.py").write_text(HOUSE.format(rename="return name"))
    (folder / "__init__.py").write_text("from tocsin.shop.actions.selling import sell\n")
    assert unaudited(tmp_path) == []


def test_a_part_that_another_room_calls_is_an_action(tmp_path: Path) -> None:
    folder = tmp_path / "shop" / "actions"
    folder.mkdir(parents=True)
    (folder / "renaming.py").write_text(HOUSE.format(rename="return name"))
    (folder / "__init__.py").write_text("from tocsin.shop.actions.selling import sell\n")
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "pages.py").write_text("from tocsin.shop.actions.renaming import rename\n")
    assert unaudited(tmp_path) == ["shop.rename"]
