"""The wiring as a graph: what is an orphan and what is none, and drawings no name can break."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.wiring_picture import Edge, Node, Stage, as_dot, as_mermaid, as_text, orphans, wiring

SOURCE = Node(Stage.SOURCE, "prometheus")
SLO = Node(Stage.SLO, "log-on", "People can log on")
PRIORITY = Node(Stage.PRIORITY, "P1", "P1 Act now", quiet=True)
INCIDENTS = Node(Stage.SERVICE, "log-on", "Log-on")
TEAM = Node(Stage.TEAM, "identity", quiet=True)
ESCALATION = Node(Stage.ESCALATION, "chain")
ROTATION = Node(Stage.ROTATION, "primary")
PERSON = Node(Stage.PERSON, "ana")
CHANNEL = Node(Stage.CHANNEL, "email", quiet=True)
WAY = (
    Edge(SOURCE, SLO),
    Edge(SLO, PRIORITY),
    Edge(SLO, INCIDENTS, "one open incident for each SLO"),
    Edge(INCIDENTS, TEAM),
    Edge(INCIDENTS, ESCALATION),
    Edge(ESCALATION, ROTATION, "step 1"),
    Edge(ROTATION, PERSON),
    Edge(PERSON, CHANNEL),
)


def test_what_leads_from_a_source_to_a_phone_has_no_orphan() -> None:
    graph = wiring([], WAY)
    assert orphans(graph) == []
    assert graph.reached(SLO, Stage.CHANNEL) == [CHANNEL]
    assert "Everything leads somewhere." in as_text(graph)


@pytest.mark.req("R-9.2.10-1")
@pytest.mark.parametrize(
    ("cut", "lost", "said"),
    [
        (0, SOURCE, "feeds no SLO"),
        (0, SLO, "has no source"),
        (1, SLO, "nobody has decided"),
        (3, INCIDENTS, "belongs to no team"),
        (4, INCIDENTS, "wake nobody"),
        (4, ROTATION, ""),
        (5, ESCALATION, "leads to no rotation"),
        (5, ROTATION, "nobody is paged through it"),
        (6, ROTATION, "rotation without people"),
        (7, PERSON, "cannot be reached"),
    ],
)
def test_each_cut_is_an_orphan_with_what_to_do(cut: int, lost: Node, said: str) -> None:
    graph = wiring([SOURCE, SLO, ROTATION, PERSON, ESCALATION, INCIDENTS], [*WAY[:cut], *WAY[cut + 1 :]])
    found = [one for one in orphans(graph) if one.node == lost]
    if not said:  # an escalation that no service uses still leads to its rotation
        assert found == []
        return
    assert any(said in one.what for one in found)
    assert all(one.do and "{" not in one.do for one in found)


def test_what_leads_nowhere_on_purpose_is_no_orphan() -> None:
    quiet = Node(Stage.SLO, "archive", quiet=True)
    assert orphans(wiring([quiet], [])) == []


def test_a_part_holds_what_leads_to_an_alert_and_what_it_leads_to() -> None:
    other = Node(Stage.SLO, "till")
    graph = wiring([], [*WAY, Edge(SOURCE, other), Edge(other, Node(Stage.SERVICE, "tills"))])
    part = graph.part({SLO})
    assert set(part.nodes) == {SOURCE, SLO, PRIORITY, INCIDENTS, TEAM, ESCALATION, ROTATION, PERSON, CHANNEL}


def test_the_same_graph_is_drawn_the_same_whatever_order_it_was_read_in() -> None:
    one, other = wiring([], WAY), wiring([CHANNEL, SOURCE], [*reversed(WAY), WAY[0]])
    for draw in (as_text, as_dot, as_mermaid):
        assert draw(one) == draw(other)


def test_the_text_names_stages_ways_and_how_repeats_are_put_together() -> None:
    lines = as_text(wiring([], WAY[:-1])).splitlines()
    assert "SLO People can log on" in lines
    assert "  -> service Log-on (one open incident for each SLO)" in lines
    assert any(line.startswith("  ! person ana cannot be reached") for line in lines)


@given(st.text(min_size=1, max_size=40), st.text(max_size=20))
def test_no_name_breaks_out_of_a_drawing(name: str, words: str) -> None:
    graph = wiring([], [Edge(Node(Stage.SLO, name), INCIDENTS, words)])
    dot = as_dot(graph)
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", dot, flags=re.DOTALL)
    assert '"' not in outside
    assert re.fullmatch(r"[\w\s={};\[\],/>.-]*", outside), outside
    for line in as_mermaid(graph).splitlines():
        assert line.count('"') in {0, 2}
        assert not set("<`\\") & set(line)
    assert len(as_text(graph).splitlines()) == len(as_text(wiring([], [Edge(SLO, INCIDENTS)])).splitlines())
