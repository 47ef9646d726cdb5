"""Values of results: figures, ratios of them, the highest and the lowest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from benchmarks.environments import OURS, RAW
from benchmarks.measures.limits import NAMES
from benchmarks.results import Results


@dataclass(frozen=True, slots=True)
class Value:
    """A value of some results; `needs` are the measures it is made of, as `case peer`, or a case with all its peers."""

    of: Callable[[Results], float | None]
    needs: tuple[str, ...]

    def __call__(self, results: Results) -> float | None:
        """Return the value, or None where something it needs is missing."""
        return self.of(results)

    def missing(self, results: Results) -> list[str]:
        """Return why what it needs was not measured, as far as the run says."""
        reasons = results.skipped | results.broken
        places = [place for place in reasons if any(f"{place} ".startswith(f"{need} ") for need in self.needs)]
        return [f"{place}: {reasons[place]}" for place in sorted(places)]


def ours(case: str, figure: str | None = None) -> Value:
    """Return a figure of ours, by default that by which a case is judged."""
    return of(case, OURS, figure)


def to(case: str, peer: str, other_case: str | None = None) -> Value:
    """Return ours to a peer's, of another case where one is named."""
    return ratio(ours(case), of(other_case or case, peer))


def to_best(case: str) -> Value:
    """Return ours to the best peer."""
    return ratio(ours(case), Value(lambda results: results.best_peer(case, OURS), (case,)))


def to_ours(case: str, other: str) -> Value:
    """Return ours of one case to ours of another."""
    return ratio(ours(case), ours(other))


def batched(case: str, limit: str) -> Value:
    """Return ours to what the database allows in batches."""
    return ratio(ours(case), of(limit, RAW, NAMES["batched"]))


def of(case: str, peer: str, figure: str | None = None) -> Value:
    """Return a figure of a peer."""
    return Value(lambda results: results.figure(case, peer, figure), (f"{case} {peer}",))


def ratio(one: Value, other: Value) -> Value:
    """Return one value to another."""

    def ratio(results: Results) -> float | None:
        value, to = one(results), other(results)
        return value / to if value is not None and to else None

    return Value(ratio, one.needs + other.needs)


def highest(cases: list[str], figure: str) -> Value:
    """Return the highest of some cases."""
    return over(cases, figure, lambda values: max(values, default=None))


def growth(cases: list[str], figure: str) -> Value:
    """Return by how much the highest of some cases is above the first."""
    return over(cases, figure, lambda values: max(values) - values[0] if len(values) > 1 else None)


def over(cases: list[str], figure: str, combine: Callable[[list[float]], float | None]) -> Value:
    """Return what is made of a figure of several cases."""

    def combined(results: Results) -> float | None:
        values = [results.figure(case, OURS, figure) for case in cases]
        return combine([value for value in values if value is not None])

    return Value(combined, tuple(f"{case} {OURS}" for case in cases))


def lowest(case: str, figures: Iterable[str]) -> Value:
    """Return the lowest of several figures of a case."""
    return least([ours(case, figure) for figure in figures])


def least(values: Sequence[Value]) -> Value:
    """Return the least of several values, where all were measured."""

    def least(results: Results) -> float | None:
        found = [value(results) for value in values]
        return min((value for value in found if value is not None), default=None) if None not in found else None

    return Value(least, tuple({need: None for value in values for need in value.needs}))


def best_of(case: str, peers: Sequence[str], figure: str) -> Value:
    """Return the best figure among some peers."""

    def best(results: Results) -> float | None:
        found = [results.figure(case, peer, figure) for peer in peers]
        return max((value for value in found if value is not None), default=None)

    return Value(best, tuple(f"{case} {peer}" for peer in peers))
