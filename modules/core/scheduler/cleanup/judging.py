"""Which files go: each is judged by the limits and by what keeps it, once what concerns all of them is known."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from modules.core.scheduler.cleanup.cuts import cut_of
from modules.core.scheduler.cleanup.files_by_age import Old
from modules.core.scheduler.cleanup.files_policy import MEGABYTE, FilesPolicy
from modules.core.scheduler.cleanup.groups import MOST_TRACKED, NewestKeeper, TooManyGroupsError, group_of
from modules.core.scheduler.cleanup.moving import BLOCK
from modules.core.scheduler.cleanup.tiers import TierKeeper

COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".zip", ".7z", ".gz.partial")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_64_BITS = 64
_NOTHING = -(1 << 192)  # below every rank
_STAMPS: dict[str, Callable[[os.stat_result], int]] = {
    "mtime": lambda seen: seen.st_mtime_ns,
    "ctime": lambda seen: seen.st_ctime_ns,
    "later": lambda seen: max(seen.st_mtime_ns, seen.st_ctime_ns),
}


class Found(NamedTuple):
    """A regular file that a walk came upon, as it was then."""

    folder: Path
    name: str
    seen: os.stat_result


Look = Callable[[], Iterable[Found]]


class Judge:
    """Judges files by a policy. `learn` first; then `verdict` names what keeps a file, or returns None where it goes.

    The newest files are those of the latest mtime, or with `age_by` `ctime` of the latest ctime. What keeps a file is
    the first of: `filtered`; `young` or `newest`, as no limit condemns it; `min_age`; `newest` of its group; `tier`;
    `min_kept`; `budget`, that of the policy or `most`, whichever is less.
    """

    def __init__(self, policy: FilesPolicy, now: datetime, most: int | None = None) -> None:
        self._policy = policy
        budgets = [budget for budget in (policy.max_files_per_run, most) if budget is not None]
        self._most = min(budgets, default=None)
        self._now = nanoseconds(now - _EPOCH)
        self._changed = _STAMPS[policy.age_by]
        self._by_ctime = policy.age_by == "ctime"
        self._filters = bool(policy.exclude) or policy.action == "compress"
        self._age_limit = None if policy.age_limit is None else nanoseconds(policy.age_limit)
        self._grace = nanoseconds(policy.grace)
        self._cut: int | None = None
        """The newest file that is too many or too much; it and all older ones are condemned. So are these:"""
        self._space_cut: int | None = None
        self._spared_above: int | None = None
        self._last_of_run: int | None = None
        self._newest = None if policy.keep_newest is None else NewestKeeper(policy.keep_newest.count)
        self._group = group_of(None if policy.keep_newest is None else policy.keep_newest.per)
        self._tiers: dict[str | None, TierKeeper] = {}
        self._tier_group = group_of(policy.tiers_per)

    def learn(self, look: Look, needed: float = 0) -> None:
        """Look at all files as often as the policy's rules need it; `needed` bytes of the disk are to become free.

        Raises `TooManyGroupsError`.
        """
        self._learn_groups(look)
        self._cut = self._cut_of_limits(look)
        if needed > 0:
            self._space_cut = self._cut_for_space(look, needed)
        self._spare(look)
        self._end_of_run(look)

    def verdict(self, found: Found) -> str | None:
        """Return the reason that keeps a file, or None where it goes."""
        if self._filters and self._is_filtered(found.name):
            return "filtered"
        rank = self.rank(found.seen)
        if not (self._is_condemned(found.seen, rank) or _reaches(self._space_cut, rank)):
            return "newest" if self._age_limit is None else "young"
        if reason := self._keeper(found, rank):
            return reason
        if self._spared_above is not None and rank > self._spared_above:
            return "min_kept"
        return "budget" if self._last_of_run is not None and rank > self._last_of_run else None

    def rank(self, seen: os.stat_result) -> int:
        """Return a number by which files are told apart and sorted, the newest highest."""
        times = (seen.st_mtime_ns, seen.st_ctime_ns)
        first, second = reversed(times) if self._by_ctime else times
        return (((first << _64_BITS) + second) << _64_BITS) + seen.st_ino

    def told(self, seen: os.stat_result) -> int:
        """Return the moment by which a file is ranked, in nanoseconds since 1970."""
        return seen.st_ctime_ns if self._by_ctime else seen.st_mtime_ns

    def by_age_alone(self) -> Old | None:
        """Return which files go where nothing but their age says so; None where other rules have a say."""
        policy, limit = self._policy, self._age_limit
        others = (self._cut, self._space_cut, self._spared_above, self._last_of_run, policy.keep_newest, policy.tiers)
        if limit is None or limit < self._grace or self._filters or any(each is not None for each in others):
            return None
        return Old(self._changed, self._now - limit, self.told)

    def age(self, seen: os.stat_result) -> int:
        """Return the nanoseconds since the change that the policy counts from."""
        return self._now - self._changed(seen)

    def is_old(self, seen: os.stat_result) -> bool:
        """Tell whether an empty directory may go: unchanged for the age limit, or for `min_age` where there is none."""
        return self.age(seen) > max(self._age_limit or 0, self._grace)

    def _is_filtered(self, name: str) -> bool:
        if self._policy.action == "compress" and name.endswith(COMPRESSED):
            return True
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self._policy.exclude)

    def _is_condemned(self, seen: os.stat_result, rank: int) -> bool:
        too_old = self._age_limit is not None and self.age(seen) > self._age_limit
        return too_old or _reaches(self._cut, rank)

    def _keeper(self, found: Found, rank: int) -> str | None:
        if self.age(found.seen) < self._grace:
            return "min_age"
        folder, name, _ = found
        if self._newest is not None and self._newest.keeps(self._group(folder, name), rank):
            return "newest"
        return "tier" if self._policy.tiers is not None and self._is_in_tier(folder, name, rank) else None

    def _is_in_tier(self, folder: Path, name: str, rank: int) -> bool:
        keeper = self._tiers.get(self._tier_group(folder, name))
        return keeper is None or keeper.keeps(moment_of(rank >> 2 * _64_BITS), rank)

    def _learn_groups(self, look: Look) -> None:
        if self._newest is None and self._policy.tiers is None:
            return
        for folder, name, seen in self._unfiltered(look):
            rank = self.rank(seen)
            if self._newest is not None:
                self._newest.add(self._group(folder, name), rank)
            if self._policy.tiers is not None:
                self._learn_tier(self._tier_group(folder, name), rank)

    def _learn_tier(self, group: str | None, rank: int) -> None:
        tiers = self._policy.tiers or {}
        if group is None:
            return
        if group not in self._tiers and (len(self._tiers) + 1) * sum(tiers.values()) > MOST_TRACKED:
            raise TooManyGroupsError
        self._tiers.setdefault(group, TierKeeper(tiers)).add(moment_of(rank >> 2 * _64_BITS), rank)

    def _cut_of_limits(self, look: Look) -> int | None:
        policy, cuts = self._policy, []
        if (max_files := policy.max_files) is not None:
            cuts.append(cut_of(lambda: self._weighed(look, lambda _: 1), lambda _: max_files))
        if (max_size_mb := policy.max_size_mb) is not None:
            cuts.append(
                cut_of(lambda: self._weighed(look, lambda seen: seen.st_size), lambda _: max_size_mb * MEGABYTE)
            )
        return max((cut for cut in cuts if cut is not None), default=None)

    def _cut_for_space(self, look: Look, needed: float) -> int | None:
        """Condemn the oldest of the files that would stay, until with those that go anyway enough is freed."""
        going_anyway = 0

        def spare() -> Iterator[tuple[int, int]]:
            nonlocal going_anyway
            going_anyway = 0
            for found in self._unfiltered(look):
                rank = self.rank(found.seen)
                if self._keeper(found, rank) is not None:
                    continue
                if self._is_condemned(found.seen, rank):
                    going_anyway += found.seen.st_blocks * BLOCK
                else:
                    yield rank, found.seen.st_blocks * BLOCK

        return cut_of(spare, lambda total: total + going_anyway - needed)

    def _spare(self, look: Look) -> None:
        min_kept = self._policy.min_kept
        if min_kept is None:
            return
        staying = 0

        def going() -> Iterator[tuple[int, int]]:
            nonlocal staying
            staying = 0
            for found in self._unfiltered(look):
                if self.verdict(found) is None:
                    yield self.rank(found.seen), 1
                else:
                    staying += 1

        cut = cut_of(going, lambda _: max(min_kept - staying, 0))
        self._spared_above = _NOTHING if cut is None else cut

    def _end_of_run(self, look: Look) -> None:
        most = self._most
        if most is None:
            return

        def going() -> Iterator[tuple[int, int]]:
            return ((self.rank(each.seen), 1) for each in look() if self.verdict(each) is None)

        cut = cut_of(going, lambda total: max(total - most, 0))
        self._last_of_run = _NOTHING if cut is None else cut

    def _weighed(self, look: Look, weigh: Callable[[os.stat_result], int]) -> Iterator[tuple[int, int]]:
        return ((self.rank(each.seen), weigh(each.seen)) for each in self._unfiltered(look))

    def _unfiltered(self, look: Look) -> Iterator[Found]:
        return (found for found in look() if not self._is_filtered(found.name))


def moment_of(nanoseconds_since_1970: int) -> datetime:
    """Return the moment, to the microsecond."""
    return _EPOCH + timedelta(microseconds=nanoseconds_since_1970 // 1000)


def nanoseconds(duration: timedelta) -> int:
    """Return a duration in nanoseconds."""
    return duration // _MICROSECOND * 1000


def _reaches(cut: int | None, rank: int) -> bool:
    return cut is not None and rank <= cut
