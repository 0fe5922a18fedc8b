"""What is known of the size of an incident, as core weighs it; and what was suggested from it."""

from __future__ import annotations

from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.severity_weighing import KnownFacts, Weighing, weigh
from tocsin.incidents.classification_models import NamedTeam, Scope, Suggestion, SuggestionState
from tocsin.incidents.models import Incident
from tocsin.people.models import Team


def teams_of(incident: Incident) -> list[Team]:
    """The incident's own team and every other one that was named, in the order of their naming."""
    named = NamedTeam.objects.filter(incident=incident).select_related("team").order_by("named_at", "pk")
    others = [row.team for row in named if row.team_id != incident.team_id]
    return [incident.team, *others] if incident.team else others


def known(incident: Incident) -> KnownFacts:
    """The facts a severity is weighed by."""
    scope = next(iter(Scope.objects.filter(incident=incident)), None)
    return KnownFacts(
        users_share=scope.users_share if scope else None,
        teams_named=len(teams_of(incident)),
        teams_said=scope.teams_said if scope else None,
        signs=dict(scope.signs) if scope else {},
    )


def weighing(incident: Incident, definition: ProcessDefinition) -> Weighing:
    """What the known facts say about the severity, criterion by criterion."""
    return weigh(definition.severities, known(incident))


def suggestions(incident: Incident) -> list[Suggestion]:
    """Everything that was suggested for an incident, the latest first."""
    return list(Suggestion.objects.filter(incident=incident).order_by("-made_at", "-pk"))


def open_suggestions(incident: Incident) -> dict[str, Suggestion]:
    """What waits for an answer, by its subject."""
    rows = Suggestion.objects.filter(incident=incident, state=SuggestionState.OPEN)
    return {row.subject: row for row in rows}
