"""The page about the benchmarks says what the suite measures, and the suite fits the page."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from documents import first_cells

from benchmarks import chart, page
from benchmarks.catalogue import NO_STORE, Case, cases
from benchmarks.environments import AT_HOME, PINS
from benchmarks.errors import BrokenError
from benchmarks.goals import GOALS, NOT_MEASURED, Goal, for_terminal, verdicts
from benchmarks.measures.measuring import starts_of
from benchmarks.report import Line
from benchmarks.results import Results, load
from benchmarks.run import measured
from benchmarks.scale import FULL, QUICK, Scale
from benchmarks.stores import Store
from benchmarks.values import Value

CASES = cases(FULL)


def results_of_everything() -> Results:
    results = Results()
    for case in CASES:
        for peer in case.peers:
            results.add(case.id, peer, {"per second": 2.0, "p50 ms": 1.0, "dense": 3.0})
    return results


def test_every_measure_is_explained() -> None:
    explained = set(first_cells("docs/benchmarks.md"))
    kinds = {case.id.removesuffix(f"/{case.store}") for case in CASES}

    assert {kind for kind in kinds if kind not in explained and kind.split("/")[0] not in explained} == set()


def test_every_peer_is_listed_with_the_version_that_is_measured() -> None:
    rows = [line.split(" | ") for line in page.PAGE.read_text().splitlines() if line.startswith("| `")]
    listed = {row[0].strip("| `"): row[1] for row in rows if row[0].strip("| `") in PINS}

    assert listed == {peer: pins[0].split("==")[1] for peer, pins in PINS.items()}


def test_every_case_has_an_id_of_its_own_and_peers_that_are_known() -> None:
    ids = [case.id for case in CASES]

    assert len(ids) == len(set(ids))
    assert {peer for case in CASES for peer in case.peers} <= AT_HOME | set(PINS)
    assert {case.id for case in CASES if case.store == NO_STORE} == {"cron", "cleanup/files"}


def test_the_page_has_a_place_for_everything_that_is_written() -> None:
    written = page.contents(CASES, results_of_everything())

    assert page.marks() == set(written)
    assert "| drain, 100 at once: per second |" in written["results"]


def test_every_chart_draws_cases_that_are_measured_and_is_shown() -> None:
    drawn = {case for each in page.CHARTS for case, _, _ in each.lines}

    assert drawn <= {case.id for case in CASES}
    assert [each.name for each in page.CHARTS if f"(benchmarks/{each.name}.svg)" not in page.PAGE.read_text()] == []


def test_a_chart_is_well_formed_and_escapes_what_it_is_given() -> None:
    group = chart.Group("a < b & c", "a second", {"chamberlain": 10.0, "huey": 5.0}, more_is_better=True)

    svg = ET.fromstring(chart.drawn("a chart", [group]))

    assert len([element for element in svg.iter() if element.tag.endswith("rect")]) == 2
    assert "ours 2.00 x" in "".join(svg.itertext())


def test_a_goal_without_its_measure_says_so_and_why() -> None:
    results = results_of_everything()
    del results.values["burst/sqlite-normal"]["chamberlain"]
    results.skipped["burst/sqlite-normal chamberlain"] = "it took too long"
    results.skipped["burst/sqlite-normal dbos"] = "of no matter here"

    missing = {title: why for title, _, reached, why in verdicts(results) if reached == NOT_MEASURED}

    assert missing["SQLite burst: first start"] == "burst/sqlite-normal chamberlain: it took too long"
    assert "SQLite drain to huey" not in missing
    assert "SQLite burst: last start" in for_terminal(results)


def test_a_run_without_any_measure_reaches_no_goal() -> None:
    nothing = verdicts(Results())

    assert len(nothing) == len(GOALS)
    assert {(reached, why) for _, _, reached, why in nothing} == {(NOT_MEASURED, "not part of this run")}
    assert for_terminal(Results()) == ""


def test_every_goal_needs_cases_that_are_measured() -> None:
    names = {f"{case.id} {peer}" for case in CASES for peer in case.peers} | {case.id for case in CASES}

    assert {need for goal in GOALS for need in goal.value.needs} <= names


@pytest.mark.parametrize(("value", "at_most", "met"), [(3.0, False, True), (2.9, False, False), (2.9, True, True)])
def test_a_goal_is_met_from_its_value_on(value: float, at_most: bool, met: bool) -> None:
    goal = Goal("a goal", Value(lambda _: value, ()), 3.0, at_most=at_most)

    assert goal.met(value, goal.wanted) is met


def test_a_task_that_was_run_twice_breaks_the_measure() -> None:
    with pytest.raises(BrokenError, match="more than once, the first of them 7"):
        starts_of([{"starts": [[7, 1.0], [8, 1.0]]}, {"starts": [[7, 2.0]]}])


@pytest.mark.parametrize(("breaks", "told"), [(1, set()), (2, {"unsteady raw"})])
def test_a_quick_measure_is_broken_if_it_breaks_alone_as_well(breaks: int, told: set[str]) -> None:
    left = iter([True] * breaks)

    def measure(peer: str, store: Store, scale: Scale) -> dict[str, float]:
        if next(left, False):
            raise BrokenError("it broke")
        return {"per second": 1.0}

    case = Case("unsteady", "unsteady", NO_STORE, ("raw",), measure)

    assert set(measured([case], QUICK, print).broken) == told


def test_a_ratio_above_one_means_better_for_rates_and_for_costs() -> None:
    rate = Line("", "", "per second", {"chamberlain": 30.0, "huey": 10.0, "dbos": 1.0})
    cost = Line("", "", "p99 ms", {"chamberlain": 2.0, "huey": 10.0, "dbos": 6.0})

    assert (rate.times_the_best, cost.times_the_best) == (3.0, 3.0)


def test_a_later_run_replaces_whole_cases_only() -> None:
    earlier, later = Results(), Results()
    earlier.add("cron", "croniter", {"dense": 1.0})
    earlier.add("burst/postgres", "pgqueuer", {"last start ms": 2.0})
    later.add("cron", "chamberlain", {"dense": 3.0})

    both = earlier.updated(later)

    assert both.figure("cron", "croniter") is None
    assert (both.figure("cron", "chamberlain"), both.figure("burst/postgres", "pgqueuer")) == (3.0, 2.0)


def test_a_wish_that_is_no_number_of_the_scale_is_refused() -> None:
    changed = FULL.changed(["drain=7", "idle=0,5", "seconds=2"])

    assert (changed.drain, changed.idle, changed.seconds) == (7, (0, 5), 2)
    with pytest.raises(ValueError, match="'drian=7' is no number of the scale"):
        FULL.changed(["drian=7"])


@pytest.mark.parametrize(
    ("rounds", "told"),
    [
        ((1, 1), "Each figure is of one round."),
        ((3, 3), "Each figure is the median of 3 rounds."),
        ((1, 3), "Each figure is the median of 1 to 3 rounds."),
    ],
)
def test_the_page_tells_of_how_many_rounds_its_figures_are(rounds: tuple[int, int], told: str) -> None:
    results = Results()
    for case, count in zip(CASES, rounds, strict=False):
        for _ in range(count):
            results.add(case.id, case.peers[0], {"per second": 2.0})

    assert told in page.contents(CASES, results)["machine"]


def test_the_page_tells_the_rounds_of_the_figures_that_it_shows() -> None:
    assert page.contents(CASES, load(page.LATEST))["machine"] in " ".join(page.PAGE.read_text().split())


@pytest.mark.parametrize("store", ["SQLite", "PostgreSQL"])
def test_a_turn_that_grows_with_what_is_stored_misses_its_goal(store: str) -> None:
    results, key = Results(), {"SQLite": "normal", "PostgreSQL": "postgres"}[store]
    for case in CASES:
        if case.id.startswith("idle/") and case.id.endswith(key):
            results.add(case.id, "chamberlain", {"ms of a turn": 1.0 + int(case.id.split("/")[1]) / 100_000})

    reached = {
        title: verdict for title, _, _, verdict in verdicts(results) if title.startswith(f"{store} idle: a turn")
    }

    assert list(reached.values()) == ["MISSED", "MISSED"]
