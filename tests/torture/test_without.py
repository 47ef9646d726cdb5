"""Every protection can be taken out of a process, so that a torment can show what it is good for."""

from __future__ import annotations

import pytest

from benchmarks.torture.catalogue import CATALOGUE
from benchmarks.torture.prove import PROOFS
from benchmarks.torture.without import PROTECTIONS, can_be_removed


@pytest.mark.parametrize("name", PROTECTIONS)
def test_a_protection_can_be_taken_out_as_the_product_stands_now(name: str) -> None:
    assert can_be_removed(name)


def test_every_protection_has_a_torment_that_misses_it_and_every_torment_one_that_it_misses() -> None:
    assert {proof.without for proof in PROOFS} == set(PROTECTIONS)
    assert {proof.torment for proof in PROOFS} == set(CATALOGUE)
