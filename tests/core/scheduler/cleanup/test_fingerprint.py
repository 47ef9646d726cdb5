"""The fingerprint of a dry run: by it another one is told from it, whatever the order, in little room."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from modules.core.scheduler.cleanup import fingerprinting
from modules.core.scheduler.cleanup.fingerprint import SAMPLE, Fingerprint, difference, wanted


def taken(things: Iterable[object]) -> dict[str, object]:
    fingerprint = Fingerprint()
    for thing in things:
        fingerprint.add(str(thing))
    return fingerprint.to_json()


def test_the_order_makes_no_difference() -> None:
    things = list(range(3 * SAMPLE))
    shuffled = random.Random(1).sample(things, len(things))

    assert taken(things) == taken(shuffled)
    assert len(taken(things)["smallest"]) == SAMPLE


@pytest.mark.parametrize(("gone", "come"), [(0, 0), (10, 10), (0, 25), (40, 0), (100, 100)])
def test_what_was_replaced_is_told_exactly_as_long_as_all_fit(gone: int, come: int) -> None:
    planned, now = range(100), [*range(gone, 100), *range(1_000, 1_000 + come)]

    assert difference(taken(planned), taken(now)) == max(gone, come) / 100


def test_a_single_one_that_was_replaced_among_very_many_is_noticed() -> None:
    assert difference(taken(range(20_000)), taken([*range(1, 20_000), "another"])) > 0


def test_among_very_many_the_part_is_estimated_closely() -> None:
    planned, now = range(20_000), range(2_000, 22_000)

    assert difference(taken(planned), taken(now)) == pytest.approx(0.1, abs=0.04)


def test_names_that_are_no_text_are_taken_in_as_well() -> None:
    assert taken(["a\udcff"]) != taken(["a"])


def test_it_is_taken_only_where_it_is_asked_for() -> None:
    before = wanted()
    with fingerprinting() as fingerprint:
        within = wanted()

    assert (before, within, wanted()) == (None, fingerprint, None)
