"""A report tells plainly what a run did; a partial failure is a failure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from framework.strict_json import dumps
from modules.core.scheduler.cleanup import Report, Tally, total
from modules.core.scheduler.cleanup.report import MAX_SAMPLES

START = datetime(2026, 1, 5, 12, tzinfo=UTC)


def report(**values) -> Report:
    return Report(kind="files", dry_run=False, started_at=START, **values)


def test_one_error_makes_a_run_a_failure():
    tally = Tally()
    tally.deleted = 99
    tally.fail("cannot delete 'x'")

    assert not tally.report("files", started_at=START, dry_run=False).success


def test_errors_are_bounded_in_number_and_length_but_all_are_counted():
    tally = Tally()
    for _ in range(1000):
        tally.fail("x" * 10_000)

    found = tally.report("files", started_at=START, dry_run=False)

    assert (len(found.errors), len(found.errors[0]), found.error_count) == (20, 500, 1000)


def test_a_total_is_the_sum_of_its_reports():
    first = report(examined=5, matched=3, deleted=2, bytes=20, kept={"young": 1}, ended_at=START)
    second = report(examined=1, matched=1, batches=4, kept={"young": 2}, errors=("no",), error_count=1)

    found = total([first, second], started_at=START, dry_run=False)

    assert (found.examined, found.matched, found.deleted, found.bytes, found.batches) == (6, 4, 2, 20, 4)
    assert found.kept == {"young": 3}
    assert (found.errors, found.success, found.ended_at) == (("no",), False, START)


def test_a_report_is_plain_json_with_moments_in_utc():
    found = report(skipped={"symlink": 1}).ended(START + timedelta(seconds=1.5)).to_dict()

    assert dumps(found)
    assert (found["started_at"], found["ended_at"]) == ("2026-01-05T12:00:00Z", "2026-01-05T12:00:01.500000Z")
    assert (found["success"], found["seconds"]) == (True, 1.5)


def test_a_sum_spans_the_moments_of_its_reports_and_adds_what_went_with_them():
    hour = timedelta(hours=1)
    first = report(oldest=START, newest=START + hour, cascades={"lines": 2}, done={"archived": 1}, freed_bytes=5)
    second = report(oldest=START - hour, newest=START, cascades={"lines": 1}, done={"archived": 1}, freed_bytes=6)

    found = total([first, second, report()], started_at=START, dry_run=False)

    assert (found.oldest, found.newest) == (START - hour, START + hour)
    assert (found.cascades, found.done, found.freed_bytes) == ({"lines": 3}, {"archived": 2}, 11)


def test_only_the_first_samples_are_kept():
    tally = Tally()
    for number in range(MAX_SAMPLES + 5):
        tally.sample(f"file-{number}")

    found = tally.report("files", started_at=START, dry_run=True)

    assert len(found.samples) == MAX_SAMPLES
    assert found.samples[0] == "file-0"
