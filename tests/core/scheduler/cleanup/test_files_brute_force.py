"""What a policy of files deletes, checked against one line of brute force for each rule."""

from __future__ import annotations

import fnmatch
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aged_files import later, names, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modules.core.scheduler.cleanup import FilesPolicy, clean_files

HOUR = timedelta(hours=1)

FILES = st.lists(
    st.tuples(
        st.sampled_from(["", "a/", "a/b/", "c/"]),
        st.sampled_from([".log", ".txt"]),
        st.integers(0, 40).map(lambda hours: hours * HOUR),
        st.sampled_from([0, 1, 300_000, 700_000]),
    ),
    max_size=8,
)
POLICIES = st.fixed_dictionaries(
    {"recursive": st.booleans(), "pattern": st.sampled_from(["*", "*.log", "f[0-3]*"])},
    optional={
        "max_age": st.integers(1, 30).map(lambda hours: hours * HOUR),
        "max_files": st.integers(0, 6),
        "max_size_mb": st.sampled_from([0, 0.3, 1, 2.1]),
        "min_age": st.integers(0, 20).map(lambda hours: hours * HOUR),
    },
)


def expected_to_go(folder: Path, policy: FilesPolicy, now: datetime) -> set[str]:
    """Brute force: every rule as one line over all files."""
    paths = folder.rglob("*") if policy.recursive else folder.glob("*")
    fitting = [path for path in paths if path.is_file() and fnmatch.fnmatch(path.name, policy.pattern)]
    found = {path: path.stat() for path in fitting}
    newest = sorted(fitting, key=lambda p: (found[p].st_mtime_ns, found[p].st_ctime_ns, found[p].st_ino), reverse=True)
    go = set()
    for place, path in enumerate(newest, start=1):
        changed = max(found[path].st_mtime_ns, found[path].st_ctime_ns)
        age = now - datetime.fromtimestamp(changed / 1e9, UTC)
        taken = sum(found[other].st_size for other in newest[:place])
        broken = [
            policy.age_limit is not None and age > policy.age_limit,
            policy.max_files is not None and place > policy.max_files,
            policy.max_size_mb is not None and taken > policy.max_size_mb * 1_000_000,
        ]
        if any(broken) and age >= policy.grace:
            go.add(str(path.relative_to(folder)))
    return go


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=FILES, limits=POLICIES)
def test_what_goes_equals_brute_force_over_the_tree(tmp_path_factory, files, limits):
    folder = tmp_path_factory.mktemp("tree") / "cleaned"
    folder.mkdir()
    now = later(folder, 24 * HOUR)
    for number, (place, suffix, age, size) in enumerate(files):
        path = write(folder / f"{place}f{number}{suffix}")
        os.truncate(path, size)
        moment = (now - age + timedelta(minutes=7)).timestamp()
        os.utime(path, (moment, moment))
    policy = FilesPolicy(directory=folder, **limits)
    before, go = names(folder), expected_to_go(folder, policy, now)

    planned = clean_files(policy, roots=[folder.parent], now=now, dry_run=True)
    report = clean_files(policy, roots=[folder.parent], now=now, dry_run=False)

    assert names(folder) == before - go
    assert planned.matched == report.deleted == len(go)
