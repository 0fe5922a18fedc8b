"""The rules a process has to obey, each with a name. Every rule yields the places that break it.

They look at a process that could be read; what could not be read is noted while reading.
"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Protocol

from tocsin.core.answer_problems import answer_problems
from tocsin.core.document_reading import Problem
from tocsin.core.incident_lifecycle import STATUS_GROUPS, TRANSITIONS
from tocsin.core.process_parts import (
    Area,
    Lifecycle,
    Matrix,
    MessageSettings,
    PostmortemSettings,
    PriorityCatalogue,
    PriorityDefinition,
    Question,
    Ring,
    RoleNeed,
    RoleScheme,
    SeverityScheme,
    StakeholderGroup,
    Verdict,
)

MAX_PRIORITIES = 5
POSTMORTEM_STATUSES = ("draft", "in_review", "reviewed", "closed")
_PROMISING_KINDS = ("opening", "progress")
_PROMISE = "next_update_at"


class ProcessView(Protocol):
    """What the rules read of a process."""

    @property
    def catalogue(self) -> PriorityCatalogue: ...
    @property
    def severities(self) -> SeverityScheme: ...
    @property
    def matrix(self) -> Matrix: ...
    @property
    def roles(self) -> RoleScheme: ...
    @property
    def questions(self) -> tuple[Question, ...]: ...
    @property
    def lifecycle(self) -> Lifecycle: ...
    @property
    def postmortem(self) -> PostmortemSettings: ...
    @property
    def rings(self) -> tuple[Ring, ...]: ...
    @property
    def groups(self) -> tuple[StakeholderGroup, ...]: ...
    @property
    def messages(self) -> MessageSettings: ...


def rule_problems(process: ProcessView) -> list[Problem]:
    """Every broken rule of a process that could be read."""
    return [
        *_catalogue(process.catalogue),
        *_severities(process.severities),
        *_matrix(process),
        *_roles(process),
        *answer_problems(process.questions, process.roles, process.severities),
        *_lifecycle(process.lifecycle),
        *_postmortem(process.postmortem, process.severities),
        *_stakeholders(process),
        *_messages(process),
    ]


def _twice(where: str, rule: str, what: str, values: Iterable[object]) -> Iterator[Problem]:
    for value, count in Counter(values).items():
        if count > 1:
            yield Problem(where, rule, f"{what} {value!s} is used {count} times")


def _catalogue(catalogue: PriorityCatalogue) -> Iterator[Problem]:
    where, priorities = "priorities.priorities", catalogue.priorities
    if len(priorities) > MAX_PRIORITIES:
        text = f"a catalogue has at most {MAX_PRIORITIES} priorities, this one has {len(priorities)}"
        yield Problem(where, "max_priorities", text)
    yield from _twice(where, "distinct_ranks", "the rank", (p.rank for p in priorities))
    yield from _twice(where, "distinct_codes", "the code", (p.code for p in priorities))
    yield from _twice(where, "distinct_names", "the name", (p.name.casefold() for p in priorities))
    if {p.rank for p in priorities} != set(range(1, len(priorities) + 1)) and len({p.rank for p in priorities}) == len(
        priorities
    ):
        yield Problem(where, "ranks_without_gap", "ranks run 1, 2, 3 and so on without a gap")
    for index, later in enumerate(priorities):
        for earlier in priorities[:index]:
            if earlier.criteria == later.criteria:
                text = f"{earlier.code} and {later.code} ask for the same; nobody could tell them apart"
                yield Problem(f"{where}.{later.code}.criteria", "distinct_criteria", text)
    for priority in priorities:
        yield from _two_questions(f"{where}.{priority.code}", priority)


def _two_questions(where: str, priority: PriorityDefinition) -> Iterator[Problem]:
    """Each priority says which actions it asks for and who is informed, or an explicit none."""
    criteria = priority.criteria
    acts = criteria.hotfix_immediately or criteria.postmortem or priority.work_item
    informs = criteria.notify_management or criteria.notify_stakeholder_groups
    if acts == priority.actions_none:
        text = "asks for actions and says none" if acts else "asks for no action; say `actions: none` if that is meant"
        yield Problem(f"{where}.actions", "which_actions", text)
    if informs == priority.informed_none:
        text = "informs somebody and says none" if informs else "informs nobody; say `informed: none` if that is meant"
        yield Problem(f"{where}.informed", "who_is_informed", text)
    if informs != (criteria.update_every is not None):
        text = "whoever is informed hears again in time, and only they: set the interval to match"
        yield Problem(f"{where}.criteria.update_every_minutes", "interval_for_the_informed", text)


def _severities(scheme: SeverityScheme) -> Iterator[Problem]:
    where, severities = "severities.severities", scheme.severities
    if not severities:
        yield Problem(where, "some_severity", "at least one severity is needed")
        return
    yield from _twice(where, "distinct_ranks", "the rank", (s.rank for s in severities))
    yield from _twice(where, "distinct_codes", "the code", (s.code for s in severities))
    if scheme.start not in scheme.codes:
        yield Problem("severities.start", "known_severity", f"there is no severity {scheme.start!r}")
    for graver, milder in pairwise(severities):
        if graver.users_share_min <= milder.users_share_min or graver.teams_min <= milder.teams_min:
            text = f"the bands of {graver.code} and {milder.code} overlap; a graver one begins higher"
            yield Problem(f"{where}.{graver.code}.bands", "bands_apart", text)
    if severities[-1].users_share_min != 0:
        yield Problem(f"{where}.{severities[-1].code}.bands", "bands_complete", "the mildest band begins at 0")


def _matrix(process: ProcessView) -> Iterator[Problem]:
    where, matrix = "matrix.permutations", process.matrix
    codes = {p.rank: p.code for p in process.catalogue.priorities}
    for priority, code in codes.items():
        for severity in process.severities.codes:
            if matrix.rule(priority, severity) is None:
                yield Problem(where, "complete", f"the pair {code} and {severity} is missing")
        if not any(r.priority == priority and r.verdict is Verdict.ALLOWED for r in matrix.rules):
            yield Problem(where, "usable_priority", f"{code} has no severity it may be paired with")
    pairs = (f"{codes[r.priority]} and {r.severity}" for r in matrix.rules)
    yield from _twice(where, "once", "the pair", pairs)
    for rule in matrix.rules:
        if rule.severity not in process.severities.codes:
            yield Problem(where, "known_severity", f"there is no severity {rule.severity!r}")


def _roles(process: ProcessView) -> Iterator[Problem]:
    scheme, severities = process.roles, process.severities
    called = {role.code for role in scheme.roles if not role.optional}
    yield from _twice("roles.roles", "distinct_codes", "the code", (role.code for role in scheme.roles))
    for area in Area:
        if not any(area in role.areas for role in scheme.roles if not role.optional):
            yield Problem("roles.roles", "area_has_a_role", f"no role covers {area.value}")
    for severity in severities.severities:
        cells = scheme.by_severity.get(severity.code, {})
        where = f"roles.roles_by_severity.{severity.code}"
        needed = {role for role, need in cells.items() if need is not RoleNeed.NONE}
        for role in sorted(called ^ set(cells)):
            text = "is missing" if role in called else "is no role that can be called"
            yield Problem(f"{where}.{role}", "complete", text)
        if not needed:
            yield Problem(where, "somebody_responds", "at least one role has to be called")
        for role in sorted(needed - set(scheme.fill_within)):
            yield Problem(f"roles.fill_role_within_minutes.{role}", "fill_limit", "a called role needs a time limit")
        coordinates = any(Area.COORDINATION in role.areas for role in scheme.roles if role.code in needed)
        if severity.coordinator_required and not coordinates:
            yield Problem(where, "coordinator_called", "this severity requires a coordinator, and none is called")
        if severity is severities.severities[0] and needed != called:
            missing = ", ".join(sorted(called - needed))
            yield Problem(where, "gravest_calls_all", f"the gravest severity calls every role; {missing} is left out")
    for severity_code in sorted(set(scheme.by_severity) - set(severities.codes)):
        yield Problem(f"roles.roles_by_severity.{severity_code}", "known_severity", "is no severity")
    yield from _role_names(scheme)


def _role_names(scheme: RoleScheme) -> Iterator[Problem]:
    known = {role.code for role in scheme.roles}
    for name, role in scheme.six_role_mapping.items():
        if role not in known:
            yield Problem(f"roles.six_role_mapping.{name}", "known_role", f"there is no role {role!r}")
    for duty, cells in scheme.duties_when_absent.items():
        for severity, role in cells.items():
            if role not in known:
                where = f"roles.duties_when_role_absent.{duty}.{severity}"
                yield Problem(where, "known_role", f"there is no role {role!r}")


def _lifecycle(lifecycle: Lifecycle) -> Iterator[Problem]:
    text = "differs from the product's own table, which a process shows and does not change"
    if lifecycle.states != tuple(state.value for state in TRANSITIONS):
        yield Problem("lifecycle.states", "the_products_table", text)
    if lifecycle.transitions != {s.value: tuple(t.value for t in targets) for s, targets in TRANSITIONS.items()}:
        yield Problem("lifecycle.transitions", "the_products_table", text)
    if lifecycle.status != {word.value: tuple(s.value for s in states) for word, states in STATUS_GROUPS.items()}:
        yield Problem("lifecycle.status", "the_products_table", text)


def _postmortem(settings: PostmortemSettings, severities: SeverityScheme) -> Iterator[Problem]:
    where = "postmortem.deadlines.meeting"
    if not any(not row.priorities and not row.severities for row in settings.meeting):
        yield Problem(where, "covers_all", "one row has to fit every incident")
    for row in settings.meeting:
        for severity in sorted(row.severities - set(severities.codes)):
            yield Problem(where, "known_severity", f"there is no severity {severity!r}")
    yield from _twice("postmortem.template", "distinct_sections", "the section", (s.code for s in settings.sections))
    yield from _twice("postmortem.triggers", "distinct_codes", "the trigger", (t.code for t in settings.triggers))
    if settings.statuses != POSTMORTEM_STATUSES:
        text = "the statuses are " + ", ".join(POSTMORTEM_STATUSES)
        yield Problem("postmortem.statuses", "the_products_statuses", text)


def _stakeholders(process: ProcessView) -> Iterator[Problem]:
    rings = {ring.number for ring in process.rings}
    where = "stakeholders.stakeholder_groups"
    yield from _twice("stakeholders.rings", "distinct_rings", "the ring", (ring.number for ring in process.rings))
    yield from _twice(where, "distinct_codes", "the code", (group.code for group in process.groups))
    if not any(group.management for group in process.groups):
        yield Problem(where, "management_is_a_target", "one group has to stand for management")
    for group in process.groups:
        if group.ring not in rings:
            yield Problem(f"{where}.{group.code}.ring", "known_ring", f"there is no ring {group.ring}")
    for priority in process.catalogue.priorities:
        for ring in sorted(set(priority.rings) - rings):
            yield Problem(f"priorities.priorities.{priority.code}.rings", "known_ring", f"there is no ring {ring}")


def _messages(process: ProcessView) -> Iterator[Problem]:
    messages = process.messages
    for priority in process.catalogue.priorities:
        for kind, templates in messages.templates.items():
            if priority.criteria.update_every is not None and priority.rank not in templates:
                yield Problem(f"messages.templates.{kind}", "template_for_each", f"{priority.code} has no template")
    for kind, templates in messages.templates.items():
        for rank, text in templates.items():
            where = f"messages.templates.{kind}.{rank}"
            yield from _template(where, text, messages)
            if kind in _PROMISING_KINDS and f"{{{_PROMISE}}}" not in text:
                message = f"a message that is not the last one says when the next comes ({{{_PROMISE}}})"
                yield Problem(where, "promises_the_next", message)
    for name, text in messages.single_templates.items():
        yield from _template(f"messages.templates.{name}", text, messages)


def _template(where: str, text: str, messages: MessageSettings) -> Iterator[Problem]:
    try:
        used = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError:
        yield Problem(where, "placeholders", "has a brace without its partner")
        return
    unknown = sorted(used - set(messages.variables))
    if unknown:
        yield Problem(where, "placeholders", "has unknown placeholders: " + ", ".join(unknown))
