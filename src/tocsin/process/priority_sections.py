"""What the priorities mean and how to use them, as blocks for people."""

from __future__ import annotations

from collections.abc import Iterable

from tocsin.core.priorities import to_foreign
from tocsin.core.process_definition import ProcessDefinition
from tocsin.platform.documents import Block, Heading, List, Table
from tocsin.process.sentences import consequences

USING = (
    "Look at the SLO from outside: what can its users no longer do when it is breached?",
    "Read the priorities from the top. Take the first one whose actions you would want to happen.",
    "Ask who has to hear of it and choose those stakeholder groups together with the priority.",
    "Decide for none when nothing should follow. It is an answer; undecided is not one.",
    "One breach may be harmless and many may not: let the priority rise after several breaches in a time.",
    "A team need not use every priority. Look at the decisions again when the use of the service changes.",
)


def priority_sections(process: ProcessDefinition) -> list[Block]:
    """What each priority means, what follows from it, and how to use it."""
    ranked = process.catalogue.priorities
    answers = [[text for _, text in consequences(one)] for one in ranked]
    return [
        Heading(2, "What each priority means"),
        Table(
            ("Priority", "Name", "Meaning", "For example"),
            tuple((one.code, one.name, one.meaning, one.generic_example) for one in ranked),
        ),
        Heading(2, "What follows from each priority"),
        *(
            block
            for one, said in zip(ranked, answers, strict=True)
            for block in (Heading(3, f"{one.code} {one.name}"), List(tuple(said)))
        ),
        Heading(2, "How to use them when prioritising an SLO"),
        List(USING, numbered=True),
        Heading(2, "Two words that are no priority"),
        Table(("Word", "Meaning"), tuple(_special_values(process))),
        Heading(2, "Names in other tools"),
        Table(("Priority", *process.catalogue.external_names), tuple(_foreign(process))),
    ]


def _special_values(process: ProcessDefinition) -> Iterable[tuple[str, str]]:
    written = process.document.get("priorities", {}).get("special_values", {})
    return ((str(word), str(meaning)) for word, meaning in written.items())


def _foreign(process: ProcessDefinition) -> Iterable[tuple[str, ...]]:
    catalogue = process.catalogue
    for one in catalogue.priorities:
        names = (to_foreign(catalogue, tool, one.rank) or "" for tool in catalogue.external_names)
        yield (one.code, *names)
