"""OpenSLO v1: reading, checking, and turning it into what we keep."""

from tocsin.slo.openslo.objective_specs import Specs, objective_specs
from tocsin.slo.openslo.parsing import Document, ParsedFile, files_in, parse
from tocsin.slo.openslo.references import dangling
from tocsin.slo.openslo.validating import validate

__all__ = ["Document", "ParsedFile", "Specs", "dangling", "files_in", "objective_specs", "parse", "validate"]
