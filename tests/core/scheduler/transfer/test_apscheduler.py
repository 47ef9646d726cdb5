"""A job store made by APScheduler 3 itself (apscheduler/make_store.py) becomes tasks with the same times; and a store
that somebody has tampered with is read, told about, and runs nothing."""

from __future__ import annotations

import os
import pickle  # noqa: TID251  # to make the pickles that are never loaded
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from modules.core.scheduler.task import TaskConfig
from modules.core.scheduler.transfer.apscheduler import Job, read_job
from modules.core.scheduler.transfer.inert_pickle import MAX_BYTES, PickleError, read_pickle
from modules.core.scheduler.trigger import parse

STORE = Path(__file__).with_name("apscheduler") / "jobs.db"
NOW = datetime(2026, 11, 21, tzinfo=UTC)
FUNCTIONS = {"os:getcwd": ("acme.jobs", "run"), "json:dumps": ("acme.jobs", "dump"), "os:chdir": ("acme.jobs", "go")}


def stored() -> dict[str, tuple[float | None, bytes]]:
    connection = sqlite3.connect(f"file:{STORE}?mode=ro", uri=True)
    try:
        rows = connection.execute("SELECT id, next_run_time, job_state FROM apscheduler_jobs").fetchall()
    finally:
        connection.close()
    return {job_id: (following, state) for job_id, following, state in rows}


STATES = stored()


def job(job_id: str) -> Job:
    return read_job(job_id, STATES[job_id][1], FUNCTIONS)


def config(job_id: str) -> dict[str, Any]:
    read = job(job_id)
    assert read.config is not None, read.reason
    TaskConfig.model_validate(read.config)
    return read.config


@pytest.mark.parametrize(
    "job_id",
    [
        "date",
        "cron",
        "cron from crontab",
        "last day",
        "second monday",
        "weekday steps",
        "week",
        "both days",
        "any",
        "seconds",
    ],
)
def test_a_job_runs_next_when_apscheduler_would_run_it(job_id: str) -> None:
    seconds, _ = STATES[job_id]
    assert seconds is not None
    expected = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)

    trigger = parse(config(job_id)["trigger"], zone="UTC", now=NOW)

    assert trigger.next_after(expected - timedelta(microseconds=1)) == expected
    assert trigger.next_after(NOW) <= expected


def test_every_field_of_an_interval_is_carried_over() -> None:
    read = config("interval")

    assert read["trigger"] == {
        "type": "interval",
        "seconds": 5400.0,
        "start_date": "2040-05-06T07:08:09.123456+00:00",
        "end_date": "2040-05-15T07:08:09.123456+00:00",
        "timezone": "UTC",
    }
    assert (read["jitter"], read["key"], read["name"]) == (30, "apscheduler:interval", "interval")


def test_every_field_of_a_cron_is_carried_over() -> None:
    trigger = config("cron")["trigger"]
    window = config("second monday")["trigger"]

    assert trigger == {
        "type": "cron",
        "year": "*",
        "month": "*",
        "day": "*",
        "week": "*",
        "day_of_week": "mon-fri,sun",
        "hour": "8-18/2",
        "minute": "*/15",
        "second": "0",
        "timezone": "Europe/Berlin",
    }
    assert (window["day"], window["start_date"][:10], window["end_date"][:10]) == (
        "2nd mon",
        "2040-05-06",
        "2040-08-04",
    )


def test_triggers_that_are_joined_are_carried_over_with_those_inside() -> None:
    both, either = config("all")["trigger"], config("any")["trigger"]

    assert (both["type"], [each["type"] for each in both["triggers"]]) == ("all", ["cron", "cron"])
    assert (either["type"], [each["type"] for each in either["triggers"]]) == ("any", ["cron", "interval"])


def test_policies_and_parameters_are_carried_over() -> None:
    paused, kwargs = config("paused"), config("kwargs")

    assert (paused["paused"], paused["catch_up"], paused["max_instances"]) == (True, "all", 3)
    assert "misfire_grace_time" not in paused
    assert (kwargs["paused"], kwargs["catch_up"], kwargs["misfire_grace_time"]) == (False, "latest", 1)
    assert kwargs["parameters"] == {"obj": [1, {"b": None}]}
    assert (kwargs["module_id"], kwargs["function_name"]) == ("acme.jobs", "dump")
    assert job("kwargs").notes[0].startswith("what is more than a second late does not run")


@pytest.mark.parametrize(
    ("job_id", "told"),
    [
        ("args", "it has arguments without names"),
        ("object", "its kwargs hold pathlib.PosixPath(…), which is no JSON"),
        ("fixed offset", "a fixed offset of 5:30:00 has no name as a time zone"),
    ],
)
def test_what_has_no_like_here_is_refused_with_the_reason(job_id: str, told: str) -> None:
    read = job(job_id)

    assert read.config is None
    assert told in str(read.reason)


def test_a_function_that_nothing_stands_for_is_named() -> None:
    read = read_job("date", STATES["date"][1], {})

    assert read.reason == "nothing stands for os:getcwd: add --map 'os:getcwd=module:function'"


class Hostile:
    """What an attacker would store: to load it is to run a command."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.file}",)


def variants(file: Path) -> dict[str, Any]:
    good = {"version": 1, "func": "os:getcwd", "args": (), "kwargs": {}, "next_run_time": None, "trigger": None}
    return {
        "the whole state": Hostile(file),
        "its function": good | {"func": Hostile(file)},
        "its trigger": good | {"trigger": Hostile(file)},
        "its kwargs": good | {"kwargs": {"a": Hostile(file)}},
        "its kwargs as a whole": good | {"kwargs": Hostile(file)},
        "its grace": good | {"misfire_grace_time": Hostile(file)},
        "a list of it": [Hostile(file)],
    }


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("where", variants(Path("x")))
def test_a_hostile_pickle_is_refused_and_runs_nothing(tmp_path: Path, where: str, protocol: int) -> None:
    file = tmp_path / "pwned"
    state = pickle.dumps(variants(file)[where], protocol)

    read = read_job("bad", state, FUNCTIONS)

    assert read.config is None
    assert read.reason
    assert not file.exists()
    pickle.loads(state)
    assert file.exists(), "the pickle is as harmful as the test means it to be"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no pickle"),
        (b"garbage", "no pickle"),
        (b"\x80\x05]\x94.", None),
        (b"\x80\x05N", "no pickle"),
        (b"\x80\x05h\x05.", "no pickle"),
        (b"cos\nsystem\n(S'id'\ntR.", "STRING"),
        (b"(S'id'\nios\nsystem\n.", "STRING"),
        (b"(I1\nios\nsystem\n.", "INST"),
        (b"\x80\x02Pabc\n.", "PERSID"),
        (b"\x80\x02\x82\x01.", "EXT1"),
        (b"N0" * 100_001, "more than 200,000 instructions"),
        (b"N" * (MAX_BYTES + 1), "bytes; at most"),
    ],
)
def test_what_is_no_sensible_pickle_is_refused_whatever_it_is(data: bytes, told: str | None) -> None:
    if told is None:
        assert read_pickle(data) == []
        return
    with pytest.raises(PickleError, match=told):
        read_pickle(data)


def test_a_pickle_that_unfolds_without_end_is_refused_at_once() -> None:
    laughs: list[Any] = ["ha"]
    for _ in range(64):
        laughs = [laughs, laughs]
    itself: list[Any] = []
    itself.append(itself)
    good = {"version": 1, "func": "os:getcwd", "trigger": None}

    folded = read_job("bad", pickle.dumps(good | {"kwargs": {"a": laughs}}), FUNCTIONS)
    endless = read_job("bad", pickle.dumps(good | {"kwargs": {"a": itself}}), FUNCTIONS)
    whole = read_job("bad", pickle.dumps(laughs), FUNCTIONS)

    assert folded.reason == endless.reason == "its kwargs hold more than can be carried over"
    assert whole.reason == "its state is no job of APScheduler 3: a list"
