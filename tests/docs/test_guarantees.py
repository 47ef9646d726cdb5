"""Every guarantee names tests that are there, and every torment is listed with the protection that it has missed."""

from __future__ import annotations

import re

from documents import ROOT

from benchmarks.torture.catalogue import CATALOGUE
from benchmarks.torture.prove import PROOFS
from benchmarks.torture.without import PROTECTIONS

PAGE = (ROOT / "docs" / "guarantees.md").read_text()
ROWS = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]


def test_every_test_that_a_guarantee_names_is_there() -> None:
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", PAGE))

    assert [name for name in sorted(named) if f"def {name}(" not in tests] == []
    assert len(named) > 20


def test_every_guarantee_names_a_test() -> None:
    promises = [
        row for row in ROWS if len(row) == 3 and row[0] != "when" and row[0] not in CATALOGUE and "---" not in row
    ]

    assert [row[0] for row in promises if "`test_" not in row[2]] == ["torment"]


def test_every_protection_that_was_taken_out_is_listed_with_what_found_it_out() -> None:
    listed = {(row[0], row[1]) for row in ROWS if row[0] in CATALOGUE}

    assert listed == {(proof.torment, proof.without) for proof in PROOFS}
    assert {proof.without for proof in PROOFS} == set(PROTECTIONS)


def test_every_torment_is_on_the_page() -> None:
    named = {row[0] for row in ROWS} | set(re.findall(r"^- \*(.+?)\*:", PAGE, re.MULTILINE))

    assert set(CATALOGUE) - named == set()
