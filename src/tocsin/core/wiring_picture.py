"""How a signal becomes somebody's phone ringing, as a graph: what leads where, what leads nowhere, and how to draw it.

The graph is built from data; an orphan is a node that lacks what its stage needs, each with what to do about it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby


class Stage(StrEnum):
    """The stages from left to right, in the words they are drawn with."""

    SOURCE = "source"
    SLO = "SLO"
    SENDER = "sender"
    RESOURCE_ALERT = "resource alert"
    PRIORITY = "priority"
    SERVICE = "service"
    TEAM = "team"
    ESCALATION = "escalation"
    ROTATION = "rotation"
    PERSON = "person"
    CHANNEL = "channel"
    GROUP = "stakeholder group"


ALERTS = frozenset({Stage.SLO, Stage.SENDER, Stage.RESOURCE_ALERT})
"""Stages that open incidents."""


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """`name` is what commands take; `quiet` says that it leads nowhere on purpose, so it is never an orphan."""

    stage: Stage
    name: str
    label: str = ""
    quiet: bool = False

    @property
    def title(self) -> str:
        return f"{self.stage.value} {self.label or self.name}"


@dataclass(frozen=True, slots=True)
class Edge:
    """`words` say what happens on the way, for example how repeats are put together."""

    start: Node
    end: Node
    words: str = ""


@dataclass(frozen=True, slots=True)
class Orphan:
    """A node that something is missing for: what that means, what to do, and the same in a word or two."""

    node: Node
    what: str
    do: str
    word: str


@dataclass(frozen=True, slots=True)
class _Need:
    """A node of `stage` needs a way to one of `after`, or (when `before`) from one of them."""

    stage: Stage
    ends: frozenset[Stage]
    what: str
    do: str
    word: str
    before: bool = False


_NEEDS = (
    _Need(
        Stage.SLO,
        frozenset({Stage.SOURCE}),
        "has no source, so nobody counts for it",
        "tocsin integration add --kind sli, or name a source in its file",
        "no source",
        before=True,
    ),
    _Need(
        Stage.SLO,
        frozenset({Stage.PRIORITY}),
        "has no priority: nobody has decided what its breach means",
        "tocsin priority set {name} PRIORITY",
        "no priority",
    ),
    _Need(
        Stage.RESOURCE_ALERT,
        frozenset({Stage.PRIORITY}),
        "has no priority: nobody has decided what it means",
        "Decide on its priority as on that of an SLO",
        "no priority",
    ),
    _Need(
        Stage.SENDER,
        frozenset({Stage.SERVICE}),
        "names no service, and there is no catch-all",
        "Give it a service: tocsin integration add --service SERVICE",
        "no service",
    ),
    _Need(
        Stage.SOURCE,
        frozenset({Stage.SLO}),
        "feeds no SLO",
        "Name it in the file of an SLO, or take it out",
        "feeds no SLO",
    ),
    _Need(
        Stage.SERVICE, frozenset({Stage.TEAM}), "belongs to no team", "tocsin service set {name} --team TEAM", "no team"
    ),
    _Need(
        Stage.SERVICE,
        frozenset({Stage.ESCALATION}),
        "has alerts and no escalation, so they wake nobody",
        "tocsin service set {name} --escalation POLICY",
        "no escalation",
    ),
    _Need(
        Stage.ESCALATION,
        frozenset({Stage.ROTATION, Stage.PERSON}),
        "leads to no rotation and to no person",
        "tocsin escalation import FILE, with targets that lead to somebody",
        "leads to nobody",
    ),
    _Need(
        Stage.ROTATION,
        frozenset({Stage.PERSON}),
        "is a rotation without people",
        "tocsin oncall import FILE, with users in its layers",
        "no people",
    ),
    _Need(
        Stage.ROTATION,
        frozenset({Stage.ESCALATION, Stage.TEAM}),
        "is in no escalation and fills no role, so nobody is paged through it",
        "Name rotation:{name} in a step of an escalation",
        "in no escalation",
        before=True,
    ),
    _Need(
        Stage.PERSON,
        frozenset({Stage.CHANNEL}),
        "cannot be reached: a page has nowhere to go",
        "Add a way to reach them, and try it out",
        "unreachable",
    ),
    _Need(
        Stage.GROUP,
        frozenset({Stage.PERSON}),
        "is to be told, and nobody is in it",
        "tocsin group add {name} EMAIL",
        "nobody in it",
    ),
)


@dataclass(frozen=True, slots=True)
class Wiring:
    """The whole graph. Nodes and edges are kept in the order of stages and names, so that two drawings compare."""

    nodes: Sequence[Node]
    edges: Sequence[Edge]

    def following(self) -> dict[Node, list[Node]]:
        """What each node leads to in one step."""
        return _following(self.edges)

    def reached(self, node: Node, stage: Stage, following: Mapping[Node, Sequence[Node]] | None = None) -> list[Node]:
        """Every node of a stage that `node` leads to, by however many steps."""
        following = self.following() if following is None else following
        seen: dict[Node, None] = {}
        ahead = [node]
        while ahead:
            for found in following.get(ahead.pop(0), ()):
                if found not in seen:
                    seen[found] = None
                    ahead.append(found)
        return [found for found in seen if found.stage is stage]

    def part(self, alerts: Collection[Node]) -> Wiring:
        """What leads to these alerts and what they lead to."""
        kept = set(alerts)
        for edge in reversed(self.edges):
            if edge.end in alerts:
                kept.add(edge.start)
        following = _following(self.edges)
        ahead = list(alerts)
        while ahead:
            for found in following.get(ahead.pop(), ()):
                if found not in kept:
                    kept.add(found)
                    ahead.append(found)
        return wiring(kept, [edge for edge in self.edges if edge.start in kept and edge.end in kept])


def _following(edges: Sequence[Edge]) -> dict[Node, list[Node]]:
    found: dict[Node, list[Node]] = {}
    for edge in edges:
        found.setdefault(edge.start, []).append(edge.end)
    return found


def wiring(nodes: Collection[Node], edges: Collection[Edge]) -> Wiring:
    """A graph in its order, each edge once; the ends of edges are nodes whether they were named or not."""
    every = {*nodes, *(edge.start for edge in edges), *(edge.end for edge in edges)}
    order = list(Stage)

    def place(node: Node) -> tuple[int, str, str]:
        return order.index(node.stage), node.label or node.name, node.name

    once = {(edge.start, edge.end): edge for edge in edges}
    return Wiring(
        sorted(every, key=place), sorted(once.values(), key=lambda edge: (place(edge.start), place(edge.end)))
    )


def orphans(graph: Wiring) -> list[Orphan]:
    """What leads nowhere, in the order of stages."""
    after: dict[Node, set[Stage]] = {}
    before: dict[Node, set[Stage]] = {}
    for edge in graph.edges:
        after.setdefault(edge.start, set()).add(edge.end.stage)
        before.setdefault(edge.end, set()).add(edge.start.stage)
    return [
        Orphan(node, need.what, need.do.format(name=node.name), need.word)
        for node in graph.nodes
        if not node.quiet
        for need in _NEEDS
        if need.stage is node.stage and not need.ends & (before if need.before else after).get(node, set())
    ]


def as_text(graph: Wiring) -> str:
    """One block for each node that leads somewhere, then what leads nowhere."""
    lines: list[str] = []
    for node, outgoing in groupby(graph.edges, key=lambda edge: edge.start):  # the edges are in the order of the nodes
        lines.append(node.title)
        lines += [f"  -> {edge.end.title}{f' ({edge.words})' if edge.words else ''}" for edge in outgoing]
    found = orphans(graph)
    lines += ["", f"Leads nowhere: {len(found)}"] if found else ["", "Everything leads somewhere."]
    lines += [f"  ! {one.node.title} {one.what}. {one.do}" for one in found]
    return "\n".join(_line(text) for text in lines).strip() + "\n"


def _line(text: str) -> str:
    """Printable and on one line, whatever somebody called it."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def as_dot(graph: Wiring) -> str:
    """The graph for Graphviz, a column for each stage; orphans are dashed."""
    ids, lost = _ids(graph), {one.node for one in orphans(graph)}
    lines = ["digraph tocsin {", "  rankdir=LR;", '  node [shape=box, fontname="sans-serif"];']
    for stage, nodes in _by_stage(graph):
        lines += [f"  subgraph stage_{ids[nodes[0]]} {{", "    rank=same;", f"    // {stage.value}"]
        for node in nodes:
            dashed = ", style=dashed" if node in lost else ""
            lines.append(f"    {ids[node]} [label={_quoted(node.title)}{dashed}];")
        lines.append("  }")
    for edge in graph.edges:
        words = f" [label={_quoted(edge.words)}]" if edge.words else ""
        lines.append(f"  {ids[edge.start]} -> {ids[edge.end]}{words};")
    return "\n".join([*lines, "}"]) + "\n"


def as_mermaid(graph: Wiring) -> str:
    """The graph for Mermaid, as wikis and code hosts draw it; orphans are dashed."""
    ids, lost = _ids(graph), [one.node for one in orphans(graph)]
    lines = ["flowchart LR"]
    lines += [f'  {ids[node]}["{_entity(node.title)}"]' for node in graph.nodes]
    for edge in graph.edges:
        arrow = f'-- "{_entity(edge.words)}" -->' if edge.words else "-->"
        lines.append(f"  {ids[edge.start]} {arrow} {ids[edge.end]}")
    if lost:
        named = ",".join(dict.fromkeys(ids[node] for node in lost))
        lines += ["  classDef orphan stroke-dasharray: 5 5", f"  class {named} orphan"]
    return "\n".join(lines) + "\n"


def _by_stage(graph: Wiring) -> Iterator[tuple[Stage, list[Node]]]:
    for stage in Stage:
        nodes = [node for node in graph.nodes if node.stage is stage]
        if nodes:
            yield stage, nodes


def _ids(graph: Wiring) -> Mapping[Node, str]:
    return {node: f"n{place}" for place, node in enumerate(graph.nodes)}


def _quoted(text: str) -> str:
    escaped = " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _entity(text: str) -> str:
    """Text that no drawing program takes for its own signs or for HTML."""
    joined = " ".join(text.split())
    return re.sub(r"[^\w .,:;/@()+\-]", lambda sign: f"#{ord(sign[0])};", joined)
