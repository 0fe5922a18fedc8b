"""OpenSLO v1: reading, checking, and turning it into what we keep."""

from tocsin.slo.openslo.objective_specs import Specs, objective_specs
from tocsin.slo.openslo.parsing import Document, ParsedFile, files_in, parse, validate
from tocsin.slo.openslo.references import dangling

__all__ = ["Document", "ParsedFile", "Specs", "dangling", "files_in", "objective_specs", "parse", "validate"]
