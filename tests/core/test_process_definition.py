"""A process is one document: read whole, refused with every fault named, stored and read back alike."""

from __future__ import annotations

import copy
import json
from datetime import timedelta
from typing import Any

import pytest

from tests.core.process_samples import P1, P2, P4, PROCESS, document_with, process_with
from tocsin.core.document_reading import Level
from tocsin.core.errors import Invalid
from tocsin.core.process_definition import parse_process, problems, to_document
from tocsin.core.process_parts import Area, QuestionCode, Verdict
from tocsin.process.defaults import SECTIONS, default_document


def rules(document: dict[str, Any]) -> set[str]:
    return {problem.rule for problem in problems(document) if problem.level is Level.ERROR}


@pytest.mark.req("R-X-3")
def test_the_shipped_process_has_no_fault_and_no_advice() -> None:
    assert problems(default_document()) == []


def test_a_process_comes_back_from_json_as_it_was() -> None:
    stored = json.loads(json.dumps(to_document(PROCESS)))
    assert parse_process(stored) == PROCESS


def test_editing_what_to_document_gives_leaves_the_process_alone() -> None:
    edited = to_document(PROCESS)
    edited["priorities"]["priorities"][0]["name"] = "Other"
    assert PROCESS.document["priorities"]["priorities"][0]["name"] == "Act now"
    assert parse_process(edited) != PROCESS


@pytest.mark.parametrize("section", SECTIONS)
def test_a_missing_section_is_named_instead_of_breaking_the_reader(section: str) -> None:
    document = default_document()
    del document[section]
    found = problems(document)
    assert found
    assert all(problem.where.startswith(section) for problem in found)


@pytest.mark.req("R-X-3")
@pytest.mark.parametrize(
    ("path", "value", "where", "rule"),
    [
        ("priorities.priorities.0.criteria.postmortem", "yes", "priorities.priorities.0.criteria.postmortem", "kind"),
        (
            "severities.severities.1.bands.users_share_min",
            "half",
            "severities.severities.1.bands.users_share_min",
            "kind",
        ),
        (
            "severities.severities.1.bands.users_share_min",
            "1.5",
            "severities.severities.1.bands.users_share_min",
            "kind",
        ),
        ("matrix.permutations.0.verdict", "maybe", "matrix.permutations.0.verdict", "kind"),
        ("roles.roles", "nobody", "roles.roles", "kind"),
        ("questions.process_questions.3.answer", "  ", "questions.process_questions.3.answer", "kind"),
        ("lifecycle.reopen_within_minutes", -1, "lifecycle.reopen_within_minutes", "kind"),
        (
            "priorities.priorities.0.criteria.update_every_minutes",
            0,
            "priorities.priorities.0.criteria.update_every_minutes",
            "kind",
        ),
        ("priorities.unset.pages_as", "P9", "priorities.unset.pages_as", "known_priority"),
        ("priorities.foreign_names.P5", "P9", "priorities.foreign_names.P5", "known_priority"),
    ],
)
def test_a_fault_is_named_with_file_key_and_rule(path: str, value: object, where: str, rule: str) -> None:
    assert (where, rule) in {(problem.where, problem.rule) for problem in problems(document_with(path, value))}
    with pytest.raises(Invalid) as refusal:
        parse_process(document_with(path, value))
    assert where in refusal.value.fields


def test_every_fault_is_told_at_once() -> None:
    document = document_with("matrix.permutations.0.verdict", "maybe")
    document["roles"]["roles"] = 7
    del document["severities"]["start"]
    with pytest.raises(Invalid) as refusal:
        parse_process(document)
    assert {"matrix.permutations.0.verdict", "roles.roles", "severities.start"} <= set(refusal.value.fields)


@pytest.mark.req("R-9.2.3-1")
def test_a_sixth_priority_is_refused_by_the_name_of_its_rule() -> None:
    document = default_document()
    for rank in (5, 6):
        another = copy.deepcopy(document["priorities"]["priorities"][0])
        another |= {"code": f"P{rank}", "rank": rank, "name": f"Another {rank}", "alert_end_asks": False}
        another["criteria"]["update_every_minutes"] = rank
        document["priorities"]["priorities"].append(another)
        document["matrix"]["permutations"] += [
            {"priority": f"P{rank}", "severity": severity, "verdict": "allowed", "why": "usual"}
            for severity in ("critical", "error", "warning")
        ]
        for kind in ("opening", "progress", "closing"):
            document["messages"]["templates"][kind][f"P{rank}"] = "Until {next_update_at}."
        assert rules(document) == (set() if rank == 5 else {"max_priorities"})


@pytest.mark.req("R-9.2.3-2")
def test_a_sixth_criterion_is_refused_by_the_name_of_its_rule() -> None:
    document = document_with("priorities.priorities.1.criteria.call_the_press", True)
    assert "max_criteria_per_priority" in rules(document)


def test_a_criterion_the_software_does_not_know_is_refused() -> None:
    document = default_document()
    criteria = document["priorities"]["priorities"][0]["criteria"]
    criteria["call_the_press"] = criteria.pop("postmortem")
    assert {"known_criterion", "present"} <= rules(document)


@pytest.mark.req("R-9.2.1-1")
@pytest.mark.parametrize(
    ("path", "value", "rule"),
    [
        ("priorities.priorities.1.rank", 1, "distinct_ranks"),
        ("priorities.priorities.1.name", "ACT NOW", "distinct_names"),
        ("priorities.priorities.1.criteria.update_every_minutes", None, "interval_for_the_informed"),
        ("priorities.priorities.3.rank", 5, "ranks_without_gap"),
    ],
)
def test_priorities_that_could_be_taken_for_each_other_are_refused(path: str, value: object, rule: str) -> None:
    assert rule in rules(document_with(path, value))


@pytest.mark.req("R-9.2.1-1")
def test_two_priorities_that_ask_for_the_same_are_refused() -> None:
    document = default_document()
    priorities = document["priorities"]["priorities"]
    priorities[2]["criteria"] = copy.deepcopy(priorities[1]["criteria"])
    assert rules(document) == {"distinct_criteria"}


@pytest.mark.req("R-9.2.3-4")
def test_each_priority_says_which_actions_and_who_is_informed_or_an_explicit_none() -> None:
    silent = default_document()
    del silent["priorities"]["priorities"][1]["actions"]
    del silent["priorities"]["priorities"][3]["informed"]
    assert rules(silent) == {"which_actions", "who_is_informed"}
    assert rules(document_with("priorities.priorities.0.actions", "none")) == {"which_actions"}


@pytest.mark.req("R-9.2.3-3")
def test_a_criterion_of_more_than_twelve_words_brings_advice_and_no_refusal() -> None:
    text = "one two three four five six seven eight nine ten eleven twelve"
    assert problems(document_with("priorities.criteria_texts.postmortem", text)) == []
    (advice,) = problems(document_with("priorities.criteria_texts.postmortem", text + " thirteen"))
    assert (advice.rule, advice.level) == ("criterion_length", Level.WARNING)
    parse_process(document_with("priorities.criteria_texts.postmortem", text + " thirteen"))


@pytest.mark.req("R-9.2.3-18")
@pytest.mark.parametrize("word", ["serious", "some", "important"])
@pytest.mark.parametrize("sentence", ["After {} incidents.", "{}, and nothing else", "It was ({})"])
def test_an_ambiguous_word_in_a_criterion_brings_advice(word: str, sentence: str) -> None:
    written = sentence.format(word).capitalize()
    (advice,) = problems(document_with("priorities.criteria_texts.postmortem", written))
    assert (advice.rule, advice.where) == ("ambiguous_word", "priorities.criteria_texts.postmortem")
    assert (advice.level, repr(word) in advice.message) == (Level.WARNING, True)


@pytest.mark.req("R-9.2.3-18")
def test_the_list_of_ambiguous_words_is_data_of_the_process() -> None:
    document = document_with("priorities.criteria_texts.postmortem", "After a handsome but serious incident.")
    document["priorities"]["ambiguous_words"] = ["handsome"]
    assert [advice.rule for advice in problems(document)] == ["ambiguous_word"]
    document["priorities"]["ambiguous_words"] = []
    assert problems(document) == []


@pytest.mark.req("R-9.3.6-2")
def test_a_matrix_without_one_of_its_pairs_is_refused() -> None:
    document = default_document()
    removed = document["matrix"]["permutations"].pop(4)
    (problem,) = problems(document)
    assert problem.rule == "complete"
    assert removed["severity"] in problem.message


def test_a_pair_judged_twice_is_refused() -> None:
    document = default_document()
    document["matrix"]["permutations"].append(dict(document["matrix"]["permutations"][0], verdict="not_allowed"))
    assert rules(document) == {"once"}


def test_the_shipped_matrix_allows_eight_pairs_sets_a_condition_for_two_and_forbids_two() -> None:
    verdicts = [rule.verdict for rule in PROCESS.matrix.rules]
    assert [verdicts.count(verdict) for verdict in Verdict] == [8, 2, 2]


@pytest.mark.req("R-9.3.7-1")
@pytest.mark.parametrize("area", list(Area))
def test_an_area_without_a_role_is_refused(area: Area) -> None:
    document = default_document()
    for role in document["roles"]["roles"]:
        role["areas"] = [name for name in role["areas"] if name != area.value]
    assert "area_has_a_role" in rules(document)


@pytest.mark.req("R-9.3.2-2")
@pytest.mark.parametrize("number", range(1, 11))
def test_a_process_that_leaves_one_of_the_ten_questions_open_is_refused_by_its_number(number: int) -> None:
    document = default_document()
    document["questions"]["process_questions"].pop(number - 1)
    (problem,) = problems(document)
    assert problem.where.endswith(f".{number}")
    assert problem.rule == "ten_answers"


@pytest.mark.parametrize(
    ("number", "machine", "rule"),
    [
        (1, {"severities": ["apocalyptic"]}, "known_severity"),
        (1, {"severities": "critical"}, "known_severity"),
        (2, {"who": ["butler"], "to": []}, "known_role"),
        (3, {"role": "butler"}, "known_role"),
        (3, {"role": ["incident_coordinator"]}, "known_role"),
        (4, {}, "ten_answers"),
        (8, {"critical": "incident_communicator", "error": "incident_coordinator"}, "answer_for_each"),
        (9, {"critical": "named", "error": "technical_expert", "warning": "technical_expert"}, "known_role"),
    ],
)
def test_an_answer_nobody_can_act_on_is_refused(number: int, machine: object, rule: str) -> None:
    assert rule in rules(document_with(f"questions.process_questions.{number - 1}.machine", machine))


def test_the_gravest_severity_calls_every_role_that_is_not_optional() -> None:
    path = "roles.roles_by_severity.critical.incident_communicator"
    assert rules(document_with(path, "none")) == {"gravest_calls_all"}


def test_a_severity_that_requires_a_coordinator_has_to_call_one() -> None:
    path = "roles.roles_by_severity.error.incident_coordinator"
    assert rules(document_with(path, "none")) == {"coordinator_called"}


def test_a_called_role_needs_a_time_limit() -> None:
    document = default_document()
    del document["roles"]["fill_role_within_minutes"]["technical_expert"]
    assert rules(document) == {"fill_limit"}


def test_severity_bands_may_not_overlap() -> None:
    assert rules(document_with("severities.severities.1.bands.users_share_min", "0.60")) == {"bands_apart"}


def test_the_table_of_transitions_is_the_products_and_not_the_documents() -> None:
    assert rules(document_with("lifecycle.transitions.closed", ["triggered"])) == {"the_products_table"}


def test_a_postmortem_deadline_has_to_fit_every_incident() -> None:
    assert rules(document_with("postmortem.deadlines.meeting", [{"priorities": ["P1"], "calendar_days": 3}])) == {
        "covers_all"
    }


@pytest.mark.parametrize(
    ("path", "text", "rule"),
    [
        ("messages.templates.progress.P1", "{service} is {mood}. {next_update_at}", "placeholders"),
        ("messages.templates.progress.P1", "{service {next_update_at}", "placeholders"),
        ("messages.templates.opening.P3", "{service} is slow.", "promises_the_next"),
    ],
)
def test_a_template_that_cannot_be_filled_or_promises_nothing_is_refused(path: str, text: str, rule: str) -> None:
    assert rule in rules(document_with(path, text))


def test_a_priority_that_informs_somebody_needs_templates() -> None:
    document = default_document()
    del document["messages"]["templates"]["closing"]["P2"]
    assert rules(document) == {"template_for_each"}


def test_management_has_to_be_a_target_of_its_own() -> None:
    assert rules(document_with("stakeholders.stakeholder_groups.0.management", False)) == {"management_is_a_target"}


def test_what_json_cannot_say_is_refused() -> None:
    assert "json" in rules({**default_document(), "extra": {1, 2}})


def test_one_changed_cell_changes_one_value() -> None:
    other = process_with("priorities.priorities.1.criteria.update_every_minutes", 90)
    changed = other.catalogue.by_rank(P2)
    assert changed is not None
    assert changed.criteria.update_every == timedelta(minutes=90)
    assert other.catalogue.by_rank(P1) == PROCESS.catalogue.by_rank(P1)
    assert other.catalogue.by_code("P4") == PROCESS.catalogue.by_rank(P4)
    assert (other.matrix, other.roles, other.questions) == (PROCESS.matrix, PROCESS.roles, PROCESS.questions)


def test_an_unanswered_question_has_an_empty_answer() -> None:
    assert PROCESS.answer(QuestionCode.HOW_MADE_KNOWN)["create"] == "automatic"
    assert [question.number for question in PROCESS.questions] == list(range(1, 11))
