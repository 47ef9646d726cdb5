"""Every protection can be taken out of a process, so that a torment can show what it is good for."""

from __future__ import annotations

import pytest

from benchmarks.torture.prove import PROOFS
from benchmarks.torture.without import PROTECTIONS, can_be_removed


@pytest.mark.parametrize("name", PROTECTIONS)
def test_a_protection_can_be_taken_out_as_the_product_stands_now(name: str) -> None:
    assert can_be_removed(name)


def test_every_protection_has_a_torment_that_misses_it() -> None:
    assert {proof.without for proof in PROOFS} == set(PROTECTIONS)
