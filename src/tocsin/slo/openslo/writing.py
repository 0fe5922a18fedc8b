"""OpenSLO as text: what was read is written so that reading it again says the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from tocsin.slo.openslo.nodes import is_number
from tocsin.slo.openslo.schema_head import API_VERSION

_HEAD = ("apiVersion", "kind", "metadata", "spec")


class _Writer(yaml.SafeDumper):
    """Block style, no aliases."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _text(writer: Any, value: str) -> yaml.ScalarNode:
    if is_number(value) and not _is_canonical(value):
        # Kept as text because it would not come back as it stood (1.10, 007); it stood there without quotes.
        plain: yaml.ScalarNode = yaml.ScalarNode(writer.resolve(yaml.ScalarNode, value, (True, False)), value)
        return plain
    style = "|" if "\n" in value and value == value.rstrip(" ") and " \n" not in value and "\t" not in value else None
    node: yaml.ScalarNode = writer.represent_scalar("tag:yaml.org,2002:str", value, style=style)
    return node


def _is_canonical(text: str) -> bool:
    return text in (str(float(text)), text if text.lstrip("-").isdecimal() and str(int(text)) == text else "")


_Writer.add_representer(str, _text)


def to_yaml(documents: Iterable[Mapping[str, Any]]) -> str:
    """Documents as one file, head first, each behind its own line of dashes."""
    ordered = [_ordered(document) for document in documents]
    return yaml.dump_all(
        ordered, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=4000, default_flow_style=False
    )


def _ordered(document: Mapping[str, Any]) -> dict[str, Any]:
    known = {key: document[key] for key in _HEAD if key in document}
    return {**known, **{key: value for key, value in document.items() if key not in known}}


def an_object(kind: str, name: str, spec: Mapping[str, Any], **metadata: Any) -> dict[str, Any]:
    """An object of OpenSLO; of `metadata` what says nothing is left out."""
    told = {key: value for key, value in metadata.items() if value}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name, **told}, "spec": dict(spec)}
