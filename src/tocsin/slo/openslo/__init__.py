"""OpenSLO v1: reading, checking, and turning it into what we keep."""

from tocsin.slo.openslo.parsing import Document, ParsedFile, files_in, parse, validate
from tocsin.slo.openslo.references import dangling

__all__ = ["Document", "ParsedFile", "dangling", "files_in", "parse", "validate"]
