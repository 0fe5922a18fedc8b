"""The picture of the wiring: small whatever the house, inside its box, whole for any name, and it says what is lost."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.test_wiring_picture import PERSON, ROTATION, SLO, WAY
from tocsin.core.wiring_map import Column, read_wiring, wiring_map
from tocsin.core.wiring_picture import Edge, Node, Stage, Wiring, orphans, wiring
from tocsin.insights.wiring_picture import document
from tocsin.web.pictures import alone
from tocsin.web.pictures.drawing import Picture
from tocsin.web.pictures.wiring_map import wiring_picture

HOSTILE = ("<script>alert(1)</script>", '"><b onload="x">', "]]>&amp;", "ы" * 200, "a\x00b\x1b[31m", "\u202egnp.exe")
ORDER = list(Stage)

nodes = st.builds(
    Node,
    st.sampled_from(ORDER),
    st.text(max_size=30) | st.sampled_from(HOSTILE),
    st.text(max_size=60) | st.sampled_from(HOSTILE),
    st.booleans(),
)


@st.composite
def graphs(draw: st.DrawFn) -> Wiring:
    """Any nodes with ways from left to right, as dense as it likes."""
    found = draw(st.lists(nodes, max_size=40, unique=True))
    ends = st.sampled_from(found) if found else st.nothing()
    pairs = draw(st.lists(st.tuples(ends, ends), max_size=120)) if found else []
    ways = [Edge(a, b, "step") for a, b in pairs if ORDER.index(a.stage) < ORDER.index(b.stage)]
    return wiring(found, ways)


def drawn(graph: Wiring) -> Picture:
    return wiring_picture(graph, orphans(graph))


def house(teams: int, each: int) -> Wiring:
    """So many teams with so many SLOs each; a third of the SLOs has no priority, the last team no escalation."""
    edges = []
    for team in range(teams):
        owner, service = Node(Stage.TEAM, f"team-{team}", quiet=True), Node(Stage.SERVICE, f"service-{team}")
        edges.append(Edge(service, owner))
        if team < teams - 1:
            chain, rotation = Node(Stage.ESCALATION, f"chain-{team}"), Node(Stage.ROTATION, f"primary-{team}")
            person = Node(Stage.PERSON, f"person-{team}")
            edges += [Edge(service, chain), Edge(chain, rotation), Edge(rotation, person)]
            edges.append(Edge(person, Node(Stage.CHANNEL, "email", quiet=True)))
        for number in range(each):
            node = Node(Stage.SLO, f"slo-{team}-{number}")
            edges += [Edge(Node(Stage.SOURCE, "prometheus"), node), Edge(node, service, "one for each SLO")]
            if number % 3:
                edges.append(Edge(node, Node(Stage.PRIORITY, f"P{number % 3}", quiet=True)))
    return wiring([], edges)


def inside(svg: str) -> None:
    """Every frame and every end of a line stands in the picture; a text begins in it and ends in it by reckoning."""
    root = ET.fromstring(svg)  # noqa: S314 - we drew it
    _, _, width, height = (float(one) for one in root.attrib["viewBox"].split())
    for one in root.iter():
        if one.tag.endswith("rect") and "x" in one.attrib:
            x, y = float(one.attrib["x"]), float(one.attrib["y"])
            assert x >= 0
            assert y >= 0
            assert x + float(one.attrib["width"]) <= width
            assert y + float(one.attrib["height"]) <= height
        if one.tag.endswith("text"):
            assert 0 <= float(one.attrib["x"]) <= width
            assert 0 <= float(one.attrib["y"]) <= height
        if one.tag.endswith("path"):
            numbers = [float(found) for found in re.findall(r"-?[\d.]+", one.attrib["d"])]
            assert all(0 <= x <= width for x in numbers[::2])
            assert all(0 <= y <= height for y in numbers[1::2])


@pytest.mark.req("R-9.2.10-1")
def test_a_way_from_source_to_phone_is_drawn_through_every_column() -> None:
    shown = wiring_map(wiring([], WAY), [], most=16)
    labels = [[one.label for one in boxes] for boxes in shown.columns.values()]
    assert labels == [
        ["prometheus"],
        ["People can log on"],
        ["for each SLO"],
        ["P1 Act now"],
        ["primary"],
        ["email"],
    ]
    assert all(list(shown.links[column]) == [(0, 0)] for column, _ in pairwise(Column))
    assert shown.finding == "Everything leads somewhere"


@pytest.mark.req("R-9.2.10-1")
def test_what_leads_nowhere_is_dashed_hatched_and_named_with_its_word_and_counted_in_the_title() -> None:
    empty = Node(Stage.ROTATION, "empty", "Nights")
    graph = wiring([empty], [edge for edge in WAY if edge.start != PERSON])
    picture = drawn(graph)
    assert picture.finding == "2 things lead nowhere"
    for svg in (picture.desk, picture.phone):
        assert svg.count('class="box-lost"') == 2
        assert svg.count('fill="url(#') == 2
        assert "no people, in no e" in svg
        assert "unreachable" in svg
    assert "unreachable" in picture.table.rows[0][-1]


def test_many_alerts_are_folded_by_team_and_none_of_them_is_lost_from_the_count() -> None:
    shown = wiring_map(house(3, 9), orphans(house(3, 9)), most=40)
    alerts = shown.columns[Column.ALERTS]
    assert sum(one.size for one in alerts) == 27
    assert {one.label for one in alerts} == {"3 SLOs"}
    assert {one.sub for one in alerts} == {"team-0", "team-1", "team-2"}
    assert [one.word for one in alerts].count("no priority") == 3
    assert "no escalation" in {one.word for one in shown.columns[Column.INCIDENTS]}


@pytest.mark.parametrize(("teams", "each"), [(1, 1), (4, 6), (40, 25), (120, 9)])
def test_a_picture_stays_under_thirty_kilobytes_however_big_the_house(teams: int, each: int) -> None:
    picture = drawn(house(teams, each))
    assert len(picture.desk.encode()) < 30_000
    assert len(picture.phone.encode()) < 30_000
    assert len(alone.standalone(picture.desk, picture.finding).encode()) < 30_000 + 4_000
    if teams > 20:
        assert "lead nowhere" in picture.desk
        assert " more<" in picture.desk


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_any_graph_is_a_whole_small_picture_inside_its_box(graph: Wiring) -> None:
    picture = drawn(graph)
    for svg in (picture.desk, picture.phone):
        assert len(svg.encode()) < 30_000
        inside(svg)
        assert "<script" not in svg
    named = {node for node in graph.nodes if node in {one.node for one in orphans(graph)}}
    assert picture.finding.startswith(str(len(named))) or not named


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_what_the_api_answers_draws_the_same_picture(graph: Wiring) -> None:
    lost = orphans(graph)
    again, found = read_wiring(document(graph, lost))
    assert len(again.edges) <= len(graph.edges)
    assert {one.word for one in found} == {one.word for one in lost}
    inside(wiring_picture(again, found).desk)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_breaks_out_of_the_picture_or_of_its_file(name: str) -> None:
    graph = wiring([Node(Stage.ROTATION, "r", name)], [Edge(SLO, Node(Stage.SERVICE, "s", name), name)])
    picture = drawn(graph)
    file = alone.standalone(picture.desk, f"Wiring: {picture.finding}")
    ET.fromstring(file)  # noqa: S314 - we drew it
    assert "<script" not in file
    assert "<b " not in file
    assert "\x1b" not in file


def test_the_persons_that_one_escalation_names_stand_in_one_box_in_a_big_house() -> None:
    chain, email = Node(Stage.ESCALATION, "chain-0"), Node(Stage.CHANNEL, "email", quiet=True)
    known = [Node(Stage.PERSON, name) for name in ("ana", "bo", "gus")]
    lone = Node(Stage.PERSON, "lone")
    edges = [edge for one in known for edge in (Edge(chain, one), Edge(one, email))]
    graph = wiring([], [*house(2, 9).edges, *edges, Edge(chain, lone)])
    targets = wiring_map(graph, orphans(graph), most=40).columns[Column.TARGETS]
    assert [(one.label, one.size) for one in targets if one.sub == "person" and not one.word] == [("3 persons", 3)]
    assert [one.label for one in targets if one.word == "unreachable"] == ["lone"]


def test_an_empty_house_draws_empty_columns() -> None:
    picture = drawn(wiring([], []))
    assert picture.finding == "Nothing is wired yet"
    inside(picture.desk)
    inside(picture.phone)


def test_a_long_name_is_cut_and_whole_in_its_hint() -> None:
    name = "A rotation whose name goes on and on"
    svg = drawn(wiring([], [Edge(ROTATION, PERSON), Edge(Node(Stage.ROTATION, "long", name), PERSON)])).desk
    assert f"<title>{name} (rotation) in no escalation</title>" in svg
