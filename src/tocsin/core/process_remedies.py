"""What mends a broken rule of the process, by the rule's name: one sentence that says what to do."""

from __future__ import annotations

from collections.abc import Mapping

_ANY = "Write what the sentence asks for at this place."

_REMEDIES: Mapping[str, str] = {
    "present": "Add what is missing; `tocsin process -o yaml` prints a whole document to copy from.",
    "kind": "Write the value in the form that the sentence names.",
    "json": "Use texts, numbers, true, false, null, lists and mappings only.",
    "max_priorities": "Join two priorities, or drop the one that is used least.",
    "max_criteria_per_priority": "Drop a criterion; five can be weighed on the spot.",
    "known_criterion": "Use one of the named criteria.",
    "known_priority": "Use the code of a priority of the catalogue, or add the priority.",
    "known_severity": "Use the code of a severity of the section severities, or add the severity.",
    "known_role": "Use the code of a role of the section roles, or add the role.",
    "known_ring": "Use the number of a ring of the section stakeholders, or add the ring.",
    "distinct_ranks": "Give each its own rank.",
    "distinct_codes": "Give each its own code.",
    "distinct_names": "Give each its own name.",
    "distinct_criteria": "Let them differ in at least one criterion, or keep one of them.",
    "ranks_without_gap": "Number them 1, 2, 3 and so on.",
    "which_actions": "Say which action it asks for, or write `actions: none`.",
    "who_is_informed": "Say who is informed, or write `informed: none`.",
    "interval_for_the_informed": "Set update_every_minutes where somebody is informed, and null where nobody is.",
    "bands_apart": "Let a graver severity begin at a larger share and at more teams than the milder one.",
    "bands_complete": "Let the mildest band begin at 0.",
    "complete": "Add the missing cell.",
    "usable_priority": "Allow it with at least one severity.",
    "once": "Keep one of the rows.",
    "area_has_a_role": "Give the area to a role that is called.",
    "somebody_responds": "Call at least the role that does the work.",
    "fill_limit": "Say within how many minutes the role has to be filled.",
    "coordinator_called": "Call a role of the area coordination, or set coordinator_required to false.",
    "gravest_calls_all": "Call every role, or mark the role as optional.",
    "the_products_table": "Take the table as `tocsin process -o yaml` prints it.",
    "the_products_statuses": "Take the statuses as the sentence lists them.",
    "covers_all": "Add a last row without priorities and severities.",
    "management_is_a_target": "Mark one group with `management: true`.",
    "template_for_each": "Write the template, or set the interval of updates to null.",
    "promises_the_next": "Add {next_update_at} to the text.",
    "placeholders": "Use the names listed under messages.variables.",
    "ten_answers": "Answer it under its own number, with an answer for people and one to act on.",
    "answer_for_each": "Answer for each severity.",
    "criterion_length": "Say it in twelve words or fewer.",
    "ambiguous_word": "Say what can be observed, with a number where there is one.",
    "answered_role_is_called": "Call the role at this severity, or answer with a role that is called there.",
    "coordinated_has_a_coordinator": "Call a role of the area coordination there, or take the severity out of answer 1.",
    "coordinated_as_required": "Add the severity to answer 1, or set its coordinator_required to false.",
    "called_but_not_coordinated": "Add the severity to answer 1, or do not call the role there.",
    "starts_what_is_coordinated": "Name the same severities in answers 1 and 2.",
    "starter_may_start": "Give the role the right set_severity, or name another role in answer 2.",
    "decider_is_there": "Call the role, or name who decides without it under duties_when_role_absent.decisions.",
    "stand_in_is_called": "Name a stand-in that this severity calls.",
    "postmortem_has_a_leader": "Make the pair conditional, so that somebody is named, or answer 10 with a role.",
    "grave_is_heard_of": "Make the pair not_allowed or conditional, or let the priority tell management.",
    "pair_is_reachable": "Allow a pair next to it, or take this one out.",
    "deadline_is_reachable": "Put the row before the one that covers it, or take it out.",
    "opening_before_the_next": "Let the opening come sooner than the first following update.",
    "grace_within_the_interval": "Make the grace shorter than the shortest interval.",
    "night_for_the_urgent": "Page in business hours only, or make the urgency high.",
    "undecided_wakes": "Let an undecided incident page as a priority that pages at any hour.",
    "milder_calls_no_more": "Call the role at the graver severity, too, or not at the milder one.",
    "ring_has_a_group": "Add a group to the ring, or take the ring out of the priority.",
    "known_word": "Use one of the words that the sentence lists; the software acts on these.",
    "acknowledged_means_received": "Add receive to the duties of answer 7, or set acknowledge in answer 5 to false.",
    "acted_means_executed": "Add execute to the duties of answer 7.",
    "duties_have_times": "Write within how many minutes, as in `within_minutes: {receive: 10, execute: 60}`, or null for never.",
    "working_hours_defined": "Add the section wellbeing; the longest time in a response has to be defined by somebody.",
    "six_aspects": "Write each of the six aspects once.",
    "limits_in_order": "Let break come before hand-over, and hand-over before the limit.",
    "longer_than_nothing": "Write a number above zero.",
    "a_prompt_each": "Give the aspect at least one prompt.",
    "named_once": "Give each its own code.",
    "distinct_rings": "Give each ring its own number.",
    "distinct_sections": "Keep one of the sections of that name.",
    "role_has_a_rotation": "Make a rotation for the role, with `role` in its file: `tocsin oncall import FILE`.",
    "rotation_has_people": "Put somebody into the rotation who can be reached.",
    "team_has_a_rotation": "Give the team a rotation of this role, with `role` and `team` in its file: `tocsin oncall import FILE`.",
    "enough_people": "Bring more people into the rotations; one person cannot hold two dedicated roles.",
}


def remedy(rule: str) -> str:
    """What to do about a broken rule."""
    return _REMEDIES.get(rule, _ANY)


def known_rules() -> frozenset[str]:
    """The rules that have a remedy of their own."""
    return frozenset(_REMEDIES)
