"""What a policy of files deletes, and why the rest stays, checked against brute force over all rules."""

from __future__ import annotations

import fnmatch
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aged_files import later, names, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modules.core.scheduler.cleanup import FilesPolicy, clean_files, cuts, files
from modules.core.scheduler.cleanup.space import Disk

HOUR = timedelta(hours=1)
DISK = 1_000_000
PERIODS = {"hourly": "%Y%m%d%H", "daily": "%Y%m%d", "weekly": "%G%V", "monthly": "%Y%m", "yearly": "%Y"}

FILES = st.lists(
    st.tuples(
        st.sampled_from(["", "a/", "a/b/", "c/"]),
        st.sampled_from([".log", ".txt"]),
        st.one_of(st.integers(0, 40), st.sampled_from([100, 1_000, 10_000])).map(lambda hours: hours * HOUR),
        st.sampled_from([0, 1, 3_000, 7_000]),
    ),
    max_size=8,
)
POLICIES = st.fixed_dictionaries(
    {"recursive": st.booleans(), "pattern": st.sampled_from(["*", "*.log", "f[0-3]*"])},
    optional={
        "max_age": st.integers(1, 30).map(lambda hours: hours * HOUR),
        "max_files": st.integers(0, 6),
        "max_size_mb": st.sampled_from([0, 0.003, 0.01, 0.021]),
        "start_below_free": st.sampled_from(["1%", "50%"]),
        "stop_at_free": st.just("51%"),
        "age_by": st.sampled_from(["mtime", "ctime", "later"]),
        "min_age": st.integers(0, 20).map(lambda hours: hours * HOUR),
        "min_kept": st.integers(1, 5),
        "exclude": st.sampled_from([["f1*"], ["a"], ["*.txt", "b"]]),
        "keep_newest": st.fixed_dictionaries(
            {"count": st.integers(1, 3)},
            optional={"per": st.sampled_from(["folder", "suffix", "*.log", "f*.???", "f?*"])},
        ),
        "tiers": st.dictionaries(st.sampled_from(sorted(PERIODS)), st.integers(1, 3), min_size=1),
        "max_files_per_run": st.integers(1, 4),
    },
).filter(lambda limits: "start_below_free" in limits or "stop_at_free" not in limits)


@dataclass
class File:
    name: str
    path: Path
    moment: datetime
    age: timedelta
    size: int
    allocated: int
    rank: tuple[int, ...]
    reason: str | None = None


def found_in(folder: Path, policy: FilesPolicy, now: datetime) -> list[File]:
    """Return the files that the policy looks at, the newest first."""
    found = []
    for path in folder.rglob("*") if policy.recursive else folder.glob("*"):
        excluded = any(
            fnmatch.fnmatch(part, glob) for part in path.relative_to(folder).parts[:-1] for glob in policy.exclude
        )
        if excluded or not path.is_file() or not fnmatch.fnmatch(path.name, policy.pattern):
            continue
        seen = path.stat()
        stamps = {"mtime": seen.st_mtime_ns, "ctime": seen.st_ctime_ns}
        stamp = stamps.get(policy.age_by, max(stamps.values()))
        first, second = ("ctime", "mtime") if policy.age_by == "ctime" else ("mtime", "ctime")
        moment = datetime.fromtimestamp(stamps[first] // 1000 / 1e6, UTC)
        age = now - datetime.fromtimestamp(stamp // 1000 / 1e6, UTC)
        rank = (stamps[first], stamps[second], seen.st_ino)
        found.append(File(path.name, path, moment, age, seen.st_size, seen.st_blocks * 512, rank))
    return sorted(found, key=lambda file: file.rank, reverse=True)


def group(file: File, per: str | None) -> str | None:
    """Return a file's group by the meaning of `per`, None where its glob does not fit."""
    if per is None or per in ("folder", "suffix"):
        return {None: "", "folder": str(file.path.parent), "suffix": file.path.suffix}[per]
    before, after = per.split("*")
    middles = [file.name[start:end] for start in range(len(file.name) + 1) for end in range(start, len(file.name) + 1)]
    fits = [
        middle
        for middle in middles
        if any(
            fnmatch.fnmatch(file.name[:start], before) and fnmatch.fnmatch(file.name[start + len(middle) :], after)
            for start in range(len(file.name) - len(middle) + 1)
            if file.name[start : start + len(middle)] == middle
        )
    ]
    return fits[0] if fits else None


def tiered(files: list[File], policy: FilesPolicy) -> set[Path]:
    """Return the files that a tier wants: the newest of each of the last so many periods that have any."""
    wanted = set()
    for tier, count in (policy.tiers or {}).items():
        newest: dict[str, File] = {}
        for file in files:
            newest.setdefault(file.moment.strftime(PERIODS[tier]), file)
        wanted |= {file.path for file in list(newest.values())[:count]}
    return wanted


def judge(  # noqa: C901
    files: list[File], policy: FilesPolicy, free: int
) -> None:
    """Give each file the reason that keeps it; those without one go. `files` are sorted, the newest first."""
    for file in files:
        if any(fnmatch.fnmatch(file.name, glob) for glob in policy.exclude):
            file.reason = "filtered"
    files = [file for file in files if file.reason is None]
    condemned, keeper = set(), {}
    in_tier = tiered(files, policy)
    for place, file in enumerate(files, start=1):
        broken = [
            policy.age_limit is not None and file.age > policy.age_limit,
            policy.max_files is not None and place > policy.max_files,
            policy.max_size_mb is not None
            and sum(other.size for other in files[:place]) > policy.max_size_mb * 1_000_000,
        ]
        if any(broken):
            condemned.add(file.path)
        if file.age < policy.grace:
            keeper[file.path] = "min_age"
        elif policy.keep_newest is not None:
            mine = group(file, policy.keep_newest.per)
            before = [other for other in files[: place - 1] if group(other, policy.keep_newest.per) == mine]
            if mine is None or len(before) < policy.keep_newest.count:
                keeper[file.path] = "newest"
        if file.path in in_tier:
            keeper.setdefault(file.path, "tier")
    if policy.start_below_free is not None and free < float(policy.start_below_free.rstrip("%")) / 100 * DISK:
        goal = float((policy.stop_at_free or policy.start_below_free).rstrip("%")) / 100 * DISK
        free += sum(file.allocated for file in files if file.path in condemned and file.path not in keeper)
        for file in reversed(files):
            if free < goal and file.path not in condemned and file.path not in keeper:
                condemned.add(file.path)
                free += file.allocated
    for file in files:
        if file.path not in condemned:
            file.reason = "newest" if policy.age_limit is None else "young"
        else:
            file.reason = keeper.get(file.path)
    spare(files, policy)


def spare(files: list[File], policy: FilesPolicy) -> None:
    """Give those their reason that would go and are left for the number to keep, or for the next run."""
    for file in files:
        staying = sum(other.reason is not None for other in files)
        if file.reason is None and staying < (policy.min_kept or 0):
            file.reason = "min_kept"
    going = [file for file in files if file.reason is None]
    for file in going[: -policy.max_files_per_run] if policy.max_files_per_run else []:
        file.reason = "budget"


def told(kept: Mapping[str, int], policy: FilesPolicy) -> Counter[str]:
    """Where space decides, a file that a tier keeps may stay for that or because others were enough: either is true."""
    merged = {"tier": "newest"} if policy.start_below_free is not None else {}
    counted: Counter[str] = Counter()
    for reason, number in kept.items():
        counted[merged.get(reason, reason)] += number
    return counted


def make(folder: Path, files, now: datetime) -> None:
    for number, (place, suffix, age, size) in enumerate(files):
        path = write(folder / f"{place}f{number}{suffix}", size)
        moment = (now - age + timedelta(minutes=7)).timestamp()
        os.utime(path, (moment, moment))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    made=FILES, limits=POLICIES, free=st.sampled_from([495_000, 505_000, 600_000]), buckets=st.sampled_from([2, 3, 99])
)
def test_what_goes_and_why_the_rest_stays_equal_brute_force_over_the_tree(
    tmp_path_factory, made, limits, free, buckets
):
    folder = tmp_path_factory.mktemp("tree") / "cleaned"
    folder.mkdir()
    now = later(folder, 24 * HOUR)
    make(folder, made, now)
    policy = FilesPolicy(directory=folder, **limits)
    before, expected = names(folder), found_in(folder, policy, now)
    judge(expected, policy, free)
    go = {str(file.path.relative_to(folder)) for file in expected if file.reason is None}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "disk_of", lambda _: Disk(DISK, free))
        patch.setattr(cuts, "MOST_BUCKETS", buckets)
        patch.setattr(cuts, "STEP", 1)
        planned = clean_files(policy, roots=[folder.parent], now=now, dry_run=True)
        report = clean_files(policy, roots=[folder.parent], now=now, dry_run=False)

    assert names(folder) == before - go
    assert told(report.kept, policy) == told(
        Counter(file.reason for file in expected if file.reason is not None), policy
    )
    assert (planned.matched, planned.bytes, planned.freed_bytes, planned.kept, len(planned.samples)) == (
        (report.deleted, report.bytes, report.freed_bytes, report.kept, len(report.samples))
    )
    assert {*planned.samples, *report.samples} <= {str(folder / name) for name in go}
    assert report.matched == report.deleted == len(go)
