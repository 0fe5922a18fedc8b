"""The wiring of this installation as a graph: from where numbers and alerts come to whose phone rings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from tocsin.alerts import queries as alerts
from tocsin.catalog import queries as catalog
from tocsin.catalog.models import Service
from tocsin.core import on_call_now
from tocsin.core.access import Actor
from tocsin.core.priorities import PriorityState
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.wiring_picture import ALERTS, Edge, Node, Orphan, Stage, Wiring, wiring
from tocsin.oncall import queries as oncall
from tocsin.oncall.models import EscalationPolicy, Rotation
from tocsin.people import queries as people
from tocsin.people.models import Person, Team
from tocsin.process import queries as process
from tocsin.slo import queries as slo
from tocsin.slo.models import Decision, Objective, PriorityAssignment, ResourceAlert

AHEAD = timedelta(days=35)
"""Who is on call within so many days belongs to a rotation."""
COUNT_KINDS = frozenset({"sli", "otlp", "remote-write"})
PUSHED = Node(Stage.SOURCE, "pushed", "counts that are pushed", quiet=True)
_BY_SLO = "one open incident for each SLO"
_BY_RULE = "one open incident for each rule and place"
_BY_KEY = "one open incident for each key of the sender"


def picture(actor: Actor, *, team: str = "", now: datetime) -> Wiring:
    """Everything, or what belongs to the alerts of one team."""
    graph = _Loader(actor, now).load()
    if not team:
        return graph
    following = graph.following()
    own = {node for node in graph.nodes if node.stage in ALERTS and team in _teams(node, following)}
    return graph.part(own)


def _teams(node: Node, following: Mapping[Node, Sequence[Node]]) -> set[str]:
    """Whose alert it is: its service's, or directly its own where nothing opens."""
    near = following.get(node, ())
    beyond = [found for one in near if one.stage is Stage.SERVICE for found in following.get(one, ())]
    return {found.name for found in (*near, *beyond) if found.stage is Stage.TEAM}


class _Loader:
    """Reads each table once and ties rows to nodes."""

    def __init__(self, actor: Actor, now: datetime) -> None:
        self._actor, self._now = actor, now
        self._process = process.current()
        self._nodes: list[Node] = []
        self._edges: list[Edge] = []
        self._persons = {row.username: row for row in people.persons(actor) if row.is_active}
        self._services = catalog.services(actor)
        self._own_policies: dict[str, list[Node]] = {}

    def load(self) -> Wiring:
        self._signals()
        for row in self._services:
            self._service(row)
        rotations = list(oncall.rotations(self._actor))
        for policy in oncall.policies(self._actor):
            self._policy(policy, rotations)
        for rotation in rotations:
            self._rotation(rotation)
        self._groups()
        # Only what a signal can reach, and rotations nobody reaches: a person who is never on call is no part of it.
        return _without_bystanders(wiring(self._nodes, self._edges))

    def _tie(self, start: Node, end: Node, words: str = "") -> None:
        self._edges.append(Edge(start, end, words))

    def _signals(self) -> None:
        objectives = slo.objectives(self._actor)
        decided = slo.assignments_at([one.pk for one in objectives], self._now, with_groups=True)
        senders = list(alerts.integrations(self._actor))
        may_push = any(row.kind in COUNT_KINDS for row in senders)
        self._nodes += [Node(Stage.SOURCE, row.name) for row in slo.sources(self._actor)]
        for one in objectives:
            self._objective(one, decided.get(one.pk), may_push=may_push)
        for alert in slo.resource_alerts(self._actor, in_use=True):
            self._resource_alert(alert)
        for sender in senders:
            if sender.kind not in COUNT_KINDS:
                node = Node(Stage.SENDER, sender.name, f"{sender.name} ({sender.kind})")
                self._nodes.append(node)
                for service in self._of_sender(sender.service):
                    self._tie(node, _node_of(service), _BY_KEY)

    def _objective(self, one: Objective, assignment: PriorityAssignment | None, *, may_push: bool) -> None:
        node = Node(Stage.SLO, one.name, one.label)
        self._nodes.append(node)
        if one.source is not None:
            self._tie(Node(Stage.SOURCE, one.source.name), node)
        elif may_push or one.state.last_data_at is not None:
            self._tie(PUSHED, node)
        self._decision(node, assignment)
        self._opens(node, one.service, assignment, _BY_SLO)

    def _resource_alert(self, row: ResourceAlert) -> None:
        node = Node(Stage.RESOURCE_ALERT, row.name, row.label)
        self._nodes.append(node)
        assignment = slo.alert_assignments_at([row.pk], self._now).get(row.pk)
        self._decision(node, assignment)
        self._opens(node, row.service, assignment, _BY_RULE)

    def _opens(self, node: Node, service: Service, assignment: PriorityAssignment | None, words: str) -> None:
        """To the incidents of its service, or only to the team's notice where none was decided."""
        if assignment is None or assignment.decision == Decision.SET:
            self._tie(node, _node_of(service), words)
        elif service.team is not None:
            self._tie(node, _team(service.team), "recorded only")

    def _decision(self, node: Node, assignment: PriorityAssignment | None) -> None:
        if assignment is None:
            return
        self._tie(node, _priority(self._process, assignment))
        if assignment.escalation_policy:
            self._own_policies.setdefault(assignment.escalation_policy, []).append(node)
        for group in assignment.groups.all():
            self._tie(node, Node(Stage.GROUP, group.code, group.name))

    def _of_sender(self, service: Service | None) -> Iterable[Service]:
        """The service of a sender; one that names it with each alert leads to the catch-all for certain."""
        return [service] if service is not None else [row for row in self._services if row.is_catch_all]

    def _service(self, row: Service) -> None:
        node = _node_of(row)
        if row.team is not None:
            self._tie(node, _team(row.team))

    def _policy(self, policy: EscalationPolicy, rotations: Sequence[Rotation]) -> None:
        node = Node(Stage.ESCALATION, policy.name, policy.display_name)
        for link in policy.services.all():
            self._tie(_node_of(link.service), node)
        for signal in self._own_policies.get(policy.name, ()):
            self._tie(signal, node, "instead of its service's")
        for place, step in enumerate(policy.steps, start=1):
            for target in step.get("targets", ()):
                for end in self._target(target, policy, rotations):
                    self._tie(node, end, f"step {place}")

    def _target(self, target: str, policy: EscalationPolicy, rotations: Sequence[Rotation]) -> list[Node]:
        kind, _, name = target.partition(":")
        if kind == "user":
            return [_person(self._persons[name])] if name in self._persons else []
        if kind == "team":
            return [_person(row) for row in people.members(name)]
        if kind == "role":
            rows = [row for row in rotations if row.role == name]
            own = [row for row in rows if row.team_id is not None and row.team_id == policy.team_id]
            return [_rotation(row) for row in own or [row for row in rows if row.team_id is None]]
        return [_rotation(row) for row in rotations if row.name == name]

    def _rotation(self, row: Rotation) -> None:
        node = _rotation(row)
        self._nodes.append(node)
        if row.team is not None and row.role:
            # A role of the process is called by severity, not by a step: such a rotation is reached through its team.
            self._tie(_team(row.team), node, f"role {row.role}")
        elif row.role:
            self._tie(Node(Stage.TEAM, "", "every team", quiet=True), node, f"role {row.role}")
        shifts = on_call_now.shifts(oncall.schedule(row), start=self._now, end=self._now + AHEAD)
        for name in sorted({user for shift in shifts for user in shift.users}):
            if name in self._persons:
                self._tie(node, _person(self._persons[name]))

    def _groups(self) -> None:
        named = {edge.end.name for edge in self._edges if edge.end.stage is Stage.GROUP}
        for group in process.groups(self._actor):
            if group.code not in named:
                continue
            node = Node(Stage.GROUP, group.code, group.name)
            for member in group.members.all():
                self._tie(node, Node(Stage.PERSON, member.email, member.name or member.email, quiet=True), "by mail")
        for person in self._persons.values():
            self._channels(person)

    def _channels(self, person: Person) -> None:
        if people.readiness(person).reachable:
            for method in person.contact_methods.all():
                if method.enabled:
                    self._tie(_person(person), Node(Stage.CHANNEL, method.channel, quiet=True))


def _without_bystanders(graph: Wiring) -> Wiring:
    """Without persons whom nothing leads to, and without services that no alert leads to."""
    led_to = {edge.end for edge in graph.edges}
    idle = {Stage.PERSON, Stage.SERVICE}
    kept = {node for node in graph.nodes if node.stage not in idle or node in led_to}
    edges = [edge for edge in graph.edges if edge.start in kept and edge.end in kept]
    used = {end for edge in edges for end in (edge.start, edge.end)}
    lone = {Stage.CHANNEL, Stage.TEAM}
    return wiring([node for node in kept if node.stage not in lone or node in used], edges)


def _node_of(row: Service) -> Node:
    return Node(Stage.SERVICE, row.name, row.label)


def _team(row: Team) -> Node:
    return Node(Stage.TEAM, row.name, row.label, quiet=True)


def _rotation(row: Rotation) -> Node:
    return Node(Stage.ROTATION, row.name, row.display_name)


def _person(row: Person) -> Node:
    return Node(Stage.PERSON, row.username, row.label)


def _priority(definition: ProcessDefinition, row: PriorityAssignment) -> Node:
    """The catalogue's words; none is an answer, too."""
    found = definition.catalogue.by_rank(row.priority) if row.decision == Decision.SET and row.priority else None
    if found is None:
        return Node(Stage.PRIORITY, PriorityState.NONE.value, "none: recorded, no incident", quiet=True)
    return Node(Stage.PRIORITY, found.code, f"{found.code} {found.name}", quiet=True)


def document(graph: Wiring, lost: Sequence[Orphan]) -> dict[str, Any]:
    """The graph as JSON values: nodes, edges by their places, and what leads nowhere."""
    places = {node: place for place, node in enumerate(graph.nodes)}
    return {
        "nodes": [
            {"stage": node.stage.value, "name": node.name, "label": node.label or node.name} for node in graph.nodes
        ],
        "edges": [{"from": places[e.start], "to": places[e.end], "words": e.words or None} for e in graph.edges],
        "orphans": [{"node": places[one.node], "what": one.what, "do": one.do, "word": one.word} for one in lost],
    }
