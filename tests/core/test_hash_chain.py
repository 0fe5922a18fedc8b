"""The chain finds what was edited, removed or moved, and survives a redaction."""

from __future__ import annotations

from dataclasses import replace

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.hash_chain import GENESIS, ChainedEntry, ChainFault, data_digest, link, verify


def chain(length: int) -> list[ChainedEntry]:
    entries, head = [], GENESIS
    for sequence in range(1, length + 1):
        data = rfc8785.dumps({"n": sequence})
        canonical = rfc8785.dumps({"seq": sequence, "data_sha256": data_digest(data)})
        head = link(head, canonical)
        entries.append(ChainedEntry(sequence, canonical, head, data_digest(data), data))
    return entries


def test_an_untouched_chain_is_intact_and_knows_its_head() -> None:
    entries = chain(5)
    verdict = verify(entries)
    assert verdict.intact
    assert (verdict.entries, verdict.head, verdict.first_wrong) == (5, entries[-1].stored_hash, None)
    assert verify([]).head == GENESIS


@pytest.mark.req("R-9.1-14")
@given(st.integers(0, 5))
def test_an_edited_entry_is_named(index: int) -> None:
    entries = chain(6)
    entries[index] = replace(entries[index], canonical_json=entries[index].canonical_json + b" ")
    verdict = verify(entries)
    assert (verdict.first_wrong, verdict.fault, verdict.entries) == (index + 1, ChainFault.HASH_DIFFERS, index)


@pytest.mark.req("R-9.1-14")
@given(st.integers(0, 4))
def test_a_removed_entry_shows_at_the_one_after_it(index: int) -> None:
    entries = chain(6)
    del entries[index]
    verdict = verify(entries)
    assert (verdict.first_wrong, verdict.fault) == (index + 2, ChainFault.SEQUENCE_BROKEN)


@pytest.mark.req("R-9.1-14")
def test_reordered_entries_are_found_even_when_they_are_renumbered() -> None:
    entries = chain(4)
    entries[1], entries[2] = entries[2], entries[1]
    assert verify(entries).first_wrong == 3
    renumbered = [replace(entry, sequence=number) for number, entry in enumerate(entries, start=1)]
    assert verify(renumbered).first_wrong == 2


def test_data_edited_beside_the_chain_is_found_and_redacted_data_is_not_missed() -> None:
    entries = chain(3)
    edited = [*entries[:1], replace(entries[1], canonical_data=b"{}"), *entries[2:]]
    assert verify(edited).fault is ChainFault.DATA_DIFFERS
    redacted = [*entries[:1], replace(entries[1], canonical_data=None), *entries[2:]]
    assert verify(redacted).intact


def test_a_part_of_the_chain_is_checked_against_what_came_before() -> None:
    entries = chain(6)
    assert verify(entries[3:], previous_hex=entries[2].stored_hash, first_sequence=4).intact
    assert verify(entries[3:], previous_hex=GENESIS, first_sequence=4).first_wrong == 4


def test_a_recomputed_entry_breaks_the_one_after_it() -> None:
    entries = chain(3)
    forged = rfc8785.dumps({"seq": 2, "data_sha256": data_digest(b"{}")})
    entries[1] = ChainedEntry(2, forged, link(entries[0].stored_hash, forged))
    assert verify(entries).first_wrong == 3
