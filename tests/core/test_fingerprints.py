"""Fingerprints equal Alertmanager's, whatever the order in which the labels come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.fingerprints import canonical_labels, fingerprint, fingerprint_of_pairs, fnv1a_64

label_sets = st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=6)


def test_the_fingerprint_that_a_real_alertmanager_gave_is_found() -> None:
    assert fingerprint({"severity": "critical", "alertname": "ToPD"}) == "74342b4f08d3f939"


def test_the_published_values_of_the_hash_are_found() -> None:
    assert fnv1a_64(b"") == 0xCBF29CE484222325
    assert fnv1a_64(b"a") == 0xAF63DC4C8601EC8C
    assert fnv1a_64(b"foobar") == 0x85944171F73967E8


def test_no_labels_have_the_basis_as_their_fingerprint() -> None:
    assert fingerprint({}) == "cbf29ce484222325"


def test_an_empty_value_is_no_label() -> None:
    assert fingerprint({"alertname": "a", "team": ""}) == fingerprint({"alertname": "a"})


def test_a_boundary_between_name_and_value_counts() -> None:
    assert fingerprint({"ab": "c"}) != fingerprint({"a": "bc"})


def test_half_a_surrogate_pair_is_hashed_rather_than_refused() -> None:
    assert len(fingerprint({"alertname": "\ud800"})) == 16


@given(label_sets)
def test_the_order_of_the_labels_does_not_matter(labels: dict[str, str]) -> None:
    assert fingerprint(dict(reversed(labels.items()))) == fingerprint(labels)
    assert fingerprint_of_pairs(canonical_labels(labels)) == fingerprint(labels)


@given(label_sets)
def test_names_are_sorted_as_bytes_as_the_original_does(labels: dict[str, str]) -> None:
    names = [name for name, _ in canonical_labels(labels)]
    assert names == sorted(names, key=lambda name: name.encode("utf-8"))
