"""The wiring as six columns of boxes that a page can draw: equal ways are folded by team, what leads nowhere is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Any

from tocsin.core.wiring_picture import ALERTS, Edge, Node, Orphan, Stage, Wiring, wiring

FOLDED_FROM = 11
"""So many alerts are no longer drawn one by one."""
UNDECIDED, AS_SAID, BY_MAIL, ITS_ALERTS = "undecided", "as the alert says", "mail to its members", "its alerts"

JOINED_BY = "one open incident "
"""How the words of a way begin that joins repeats; the column's head says it once."""


class Column(StrEnum):
    """The columns from left to right, in the words over them."""

    SENDERS = "Sources, senders"
    ALERTS = "SLOs, resource alerts"
    JOINED = "One open incident"
    INCIDENTS = "Incidents"
    TARGETS = "Rotations, groups"
    CHANNELS = "Channels"


_OWN_COLUMN = {
    Stage.SOURCE: Column.SENDERS,
    Stage.SENDER: Column.SENDERS,
    Stage.ESCALATION: Column.TARGETS,
    Stage.ROTATION: Column.TARGETS,
    Stage.GROUP: Column.TARGETS,
    Stage.PERSON: Column.CHANNELS,
}
"""Where a node stands that leads nowhere and that no alert leads to."""


@dataclass(frozen=True, slots=True)
class Box:
    """`size` things on one way; `word` says what they lack, empty while they lead somewhere."""

    label: str
    sub: str = ""
    word: str = ""
    size: int = 1


@dataclass(frozen=True, slots=True)
class Way:
    """One line of the table: alerts with an equal way, and what stands in each column of it."""

    cells: Mapping[Column, Sequence[str]]
    word: str


@dataclass(frozen=True, slots=True)
class WiringMap:
    """`links` join a box to one of the next column, by their places. `lost` counts the things that lead nowhere."""

    columns: Mapping[Column, Sequence[Box]]
    links: Mapping[Column, Sequence[tuple[int, int]]]
    ways: Sequence[Way]
    lost: int

    @property
    def finding(self) -> str:
        if not self.lost:
            return "Everything leads somewhere" if any(self.columns.values()) else "Nothing is wired yet"
        return f"{self.lost} {'thing leads' if self.lost == 1 else 'things lead'} nowhere"


def read_wiring(document: Mapping[str, Any]) -> tuple[Wiring, list[Orphan]]:
    """The graph and its orphans from the JSON that the API answers with."""
    nodes = [Node(Stage(one["stage"]), one["name"], one["label"]) for one in document["nodes"]]
    edges = [Edge(nodes[int(one["from"])], nodes[int(one["to"])], one["words"] or "") for one in document["edges"]]
    lost = [Orphan(nodes[int(one["node"])], one["what"], one["do"], one["word"]) for one in document["orphans"]]
    return wiring(nodes, edges), lost


def wiring_map(graph: Wiring, lost: Sequence[Orphan], *, most: int) -> WiringMap:
    """At most `most` boxes in a column; what leads nowhere is folded last, and says so even then."""
    made = _Folding(graph, lost).fold()
    columns = {column: _Cut.of(made.boxes[column], most) for column in Column}
    links: dict[Column, list[tuple[int, int]]] = {}
    order = {Column.SENDERS: list(range(len(columns[Column.SENDERS].boxes)))}
    for column, after in pairwise(Column):
        pairs = {(columns[column].places[a], columns[after].places[b]) for a, b in made.links[column]}
        order[after] = _near(pairs, order[column], len(columns[after].boxes))
        links[column] = sorted((order[column].index(a), order[after].index(b)) for a, b in pairs)
    shown = {column: [columns[column].boxes[place] for place in order[column]] for column in Column}
    return WiringMap(shown, links, made.ways(), len({one.node for one in lost}))


def _near(pairs: Iterable[tuple[int, int]], before: Sequence[int], count: int) -> list[int]:
    """The places of a column so that each stands near what leads to it: fewer lines cross."""
    heights: dict[int, list[int]] = {}
    for start, end in pairs:
        heights.setdefault(end, []).append(before.index(start))
    middle = {end: sum(found) / len(found) for end, found in heights.items()}
    return sorted(range(count), key=lambda place: (middle.get(place, float(count)), place))


@dataclass(frozen=True, slots=True)
class _Cut:
    """The boxes that are kept, and for each former place the one it has now."""

    boxes: Sequence[Box]
    places: Sequence[int]

    @classmethod
    def of(cls, boxes: Sequence[Box], most: int) -> _Cut:
        if len(boxes) <= most:
            return cls(boxes, range(len(boxes)))
        ranked = sorted(range(len(boxes)), key=lambda place: (not boxes[place].word, -boxes[place].size, place))
        kept = sorted(ranked[: most - 1])
        rest = [boxes[place] for place in ranked[most - 1 :]]
        lost = sum(one.size for one in rest if one.word)
        word = f"{lost} of them lead nowhere" if lost else ""
        shown = [*(boxes[place] for place in kept), Box(f"{sum(one.size for one in rest)} more", "", word, len(rest))]
        now = {former: place for place, former in enumerate(kept)}
        return cls(shown, [now.get(place, len(kept)) for place in range(len(boxes))])


@dataclass(slots=True)
class _Group:
    """What is folded into one box: the nodes, and whom they belong to."""

    nodes: list[Node] = field(default_factory=list)
    label: str = ""
    sub: str = ""
    word: str = ""


class _Folding:
    """Walks each alert's way once; boxes with the same key become one."""

    def __init__(self, graph: Wiring, lost: Sequence[Orphan]) -> None:
        self._graph = graph
        self._following = graph.following()
        self._words: dict[Node, str] = {}
        for one in lost:
            former = self._words.get(one.node)
            self._words[one.node] = f"{former}, {one.word}" if former else one.word
        self._edges = {(edge.start, edge.end): edge.words for edge in graph.edges}
        self._before: dict[Node, list[Node]] = {}
        for edge in graph.edges:
            self._before.setdefault(edge.end, []).append(edge.start)
        self._alerts = [node for node in graph.nodes if node.stage in ALERTS]
        self._folds = len(self._alerts) >= FOLDED_FROM
        self._groups: dict[Column, dict[tuple[Any, ...], _Group]] = {column: {} for column in Column}
        self.links: dict[Column, set[tuple[int, int]]] = {column: set() for column in Column}

    def fold(self) -> _Folding:
        for node in self._alerts:
            self._alert(node)
        for node in self._words:  # what leads nowhere is drawn even where no alert leads to it
            column = _OWN_COLUMN.get(node.stage)
            if column is not None:
                self._put(column, (node,), node, sub=node.stage.value)
        return self

    @property
    def boxes(self) -> Mapping[Column, Sequence[Box]]:
        return {
            column: [Box(one.label, one.sub, one.word, len(one.nodes)) for one in groups.values()]
            for column, groups in self._groups.items()
        }

    def ways(self) -> list[Way]:
        """A line for each box of alerts, with everything its links lead to."""
        boxes = self.boxes
        found: list[Way] = []
        for place, box in enumerate(boxes[Column.ALERTS]):
            senders = [a for a, b in sorted(self.links[Column.SENDERS]) if b == place]
            at = {Column.SENDERS: senders, Column.ALERTS: [place]}
            for column, after in list(pairwise(Column))[1:]:
                at[after] = sorted({b for a, b in self.links[column] if a in at[column]})
            words = {word: None for column in at for one in at[column] if (word := boxes[column][one].word)}
            cells = {column: [_said(boxes[column][one]) for one in places] for column, places in at.items()}
            found.append(Way(cells, box.word or ", ".join(words)))
        return found

    def _put(self, column: Column, key: tuple[Any, ...], node: Node, *, label: str = "", sub: str = "") -> int:
        """The place of the box with this key, which holds the node from now on."""
        groups = self._groups[column]
        group = groups.setdefault(key, _Group(sub=sub, word=self._words.get(node, "")))
        if node not in group.nodes:
            group.nodes.append(node)
        group.label = label or (_named(node) if len(group.nodes) == 1 else f"{len(group.nodes)} {node.stage.value}s")
        return list(groups).index(key)

    def _alert(self, node: Node) -> None:
        opened = [end for end in self._next(node) if end.stage in {Stage.SERVICE, Stage.TEAM}]
        incidents = [(self._incident(node, end), self._edges[node, end]) for end in opened]
        team = self._team(opened)
        if node.stage is Stage.SENDER:
            senders = [self._put(Column.SENDERS, (node,), node, sub=node.stage.value)]
            key: tuple[Any, ...] = (ITS_ALERTS, tuple(incidents)) if self._folds else (ITS_ALERTS, node)
            mine = self._put(Column.ALERTS, key, Node(Stage.SENDER, node.name), label=ITS_ALERTS, sub=_named(node))
        else:
            fed = [one for one in self._before.get(node, ()) if one.stage is Stage.SOURCE]
            senders = [self._put(Column.SENDERS, (one,), one, sub=one.stage.value) for one in fed]
            same = (node.stage, team, self._words.get(node, ""), tuple(incidents)) if self._folds else (node,)
            mine = self._put(Column.ALERTS, same, node, sub=team or node.stage.value)
        self.links[Column.SENDERS] |= {(one, mine) for one in senders}
        for place, words in incidents:
            joined = self._put(
                Column.JOINED, (words, place), Node(Stage.SERVICE, words), label=words.removeprefix(JOINED_BY)
            )
            self.links[Column.ALERTS].add((mine, joined))
            self.links[Column.JOINED].add((joined, place))

    def _incident(self, alert: Node, end: Node) -> int:
        """The box of the incidents that open there: by priority, by team, and by whom they reach."""
        decided = [one for one in self._next(alert) if one.stage is Stage.PRIORITY]
        otherwise = AS_SAID if alert.stage is Stage.SENDER else UNDECIDED
        label = _named(decided[0]) if decided else otherwise
        groups = [one for one in self._next(alert) if one.stage is Stage.GROUP]
        targets = self._targets(end) if end.stage is Stage.SERVICE else []
        team, word = self._team([end]), self._words.get(end, "")
        key = (label, team, word, tuple(targets), tuple(groups)) if self._folds else (label, end, tuple(groups))
        place = self._put(Column.INCIDENTS, key, end, label=label)
        group = self._groups[Column.INCIDENTS][key]
        services = f"{len(group.nodes)} services{f' of {team}' if team else ''}"
        group.sub = _named(end) if len(group.nodes) == 1 else services
        for target in [*targets, *groups]:
            reached = self._put(Column.TARGETS, self._together(target, targets), target, sub=target.stage.value)
            self.links[Column.INCIDENTS].add((place, reached))
            self._channels(target, reached)
        return place

    def _together(self, target: Node, targets: Sequence[Node]) -> tuple[Node, ...]:
        """In a big house the persons that one escalation names stand in one box, except who cannot be reached."""
        if not self._folds or target.stage is not Stage.PERSON or target in self._words:
            return (target,)
        return tuple(one for one in targets if one.stage is Stage.PERSON and one not in self._words)

    def _targets(self, service: Node) -> list[Node]:
        """Whom a service's incidents wake: by its escalation, or by the roles of its team."""
        found: dict[Node, None] = {}
        for end in self._next(service):
            after = [one for one in self._next(end) if one.stage in {Stage.ROTATION, Stage.PERSON}]
            found |= dict.fromkeys([end] if end in self._words and end.stage is Stage.ESCALATION else after)
        return list(found)

    def _channels(self, target: Node, place: int) -> None:
        persons = (
            [target] if target.stage is Stage.PERSON else [p for p in self._next(target) if p.stage is Stage.PERSON]
        )
        if target.stage is Stage.GROUP and persons:
            mail = self._put(Column.CHANNELS, (BY_MAIL,), Node(Stage.CHANNEL, BY_MAIL))
            self.links[Column.TARGETS].add((place, mail))
            return
        for person in persons:
            ends = [person] if person in self._words else self._next(person)
            for end in ends:
                sub = "" if end.stage is Stage.CHANNEL else end.stage.value
                self.links[Column.TARGETS].add((place, self._put(Column.CHANNELS, (end,), end, sub=sub)))

    def _team(self, ends: Iterable[Node]) -> str:
        for end in ends:
            for one in (end, *self._next(end)):
                if one.stage is Stage.TEAM:
                    return _named(one)
        return ""

    def _next(self, node: Node) -> Sequence[Node]:
        return self._following.get(node, ())


def _named(node: Node) -> str:
    return node.label or node.name


def _said(box: Box) -> str:
    return f"{box.label} ({box.sub})" if box.sub else box.label
