"""Cleanup configs become policies, or every offending field is named."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from modules.core.scheduler.cleanup import FilesPolicy, FunctionPolicy, PolicyError, RowsPolicy, parse_policy

ROOTS = [Path("/srv/data")]
ROWS = {"table_name": "sessions", "date_column": "expires_at"}
FILES = {"directory": "/srv/data/uploads"}


def parse(config, roots=ROOTS):
    return parse_policy(config, default_interval=timedelta(hours=1), allowed_roots=roots)


def problems(config):
    with pytest.raises(PolicyError) as caught:
        parse(config)
    return {problem["field"]: problem["message"] for problem in caught.value.problems}


def test_the_three_kinds_are_told_apart_by_their_first_key():
    assert isinstance(parse(ROWS), RowsPolicy)
    assert isinstance(parse(FILES), FilesPolicy)
    assert isinstance(parse({"function_name": "prune"}), FunctionPolicy)


def test_a_config_of_no_kind_or_of_two_is_refused():
    assert "table_name, directory, function_name" in problems({"tabel_name": "sessions"})["config"]
    assert "'table_name'" in problems({"tabel_name": "sessions"})["tabel_name"]
    assert set(problems(ROWS | FILES)) == {"table_name", "directory"}


def test_the_default_interval_holds_where_no_timetable_is_given():
    assert parse(FILES).cleanup_interval == timedelta(hours=1)
    assert parse(FILES | {"cleanup_interval": "6 hours"}).cleanup_interval == timedelta(hours=6)
    assert parse(FILES | {"cron": "0 3 * * *"}).cleanup_interval is None
    assert "cron" in problems(FILES | {"cron": "0 3 * * *", "cleanup_interval": 60})


def test_thirty_days_hold_and_show_where_files_have_no_limit():
    policy = parse(FILES)

    assert policy.age_limit == timedelta(days=30)
    assert policy.to_config()["max_age"] == "30d"
    assert parse(FILES | {"max_files": 3}).age_limit is None


@pytest.mark.parametrize(
    "limit", [{"max_age_hours": 36}, {"max_age": "1 day 12 hours"}, {"retention_days": 1.5}, {"max_age": 129600}]
)
def test_an_age_may_be_given_in_hours_days_or_words(limit):
    assert parse(FILES | limit).age_limit == timedelta(hours=36)


def test_an_effective_config_parses_to_the_same_policy():
    for config in (
        ROWS | {"max_age": "90 days", "where": {"state": ["done", None], "kind": 3}},
        FILES | {"max_size_mb": 1.5, "max_files": 0, "min_age": 0, "recursive": True},
        {"function_name": "prune", "parameters": {"keep": [1, 2]}, "cron": "0 3 * * *"},
    ):
        policy = parse(config)

        assert parse(policy.to_config()) == policy


def test_a_misspelt_key_is_refused_with_the_near_name():
    assert "'where'" in problems(ROWS | {"were": {"state": "done"}})["were"]
    assert "'max_files'" in problems(FILES | {"max_flies": 3})["max_flies"]


def test_every_offending_field_is_named_at_once():
    found = problems({"table_name": "a b", "date_column": "x;y", "max_age": -1, "batch_size": 0, "wher": {}})

    assert set(found) == {"table_name", "date_column", "max_age", "batch_size", "wher"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_age", 0),
        ("max_age", "0 days"),
        ("max_age", "soon"),
        ("max_age", float("inf")),
        ("max_age", True),
        ("max_age_hours", 0),
        ("max_age_hours", -1),
        ("max_age_hours", float("nan")),
        ("max_age_hours", float("inf")),
        ("max_age_hours", 1e-12),
        ("retention_days", 1e300),
        ("max_files", -1),
        ("max_files", 1.5),
        ("max_files", True),
        ("max_size_mb", -1),
        ("max_size_mb", float("nan")),
        ("min_age", -1),
        ("cleanup_interval", 0),
        ("recursive", "yes"),
        ("priority", "high"),
    ],
)
def test_an_impossible_limit_is_refused(field, value):
    assert field in problems(FILES | {field: value})


def test_two_ages_at_once_are_refused():
    assert "not both" in problems(FILES | {"max_age": "1 day", "retention_days": 30})["retention_days"]


@pytest.mark.parametrize(
    "directory",
    [
        "uploads",
        "~/uploads",
        "",
        "/srv/data/../../etc",
        "/srv/data/..",
        "/srv/data/a\0b",
        "/srv/data/a\nb",
        "//srv/data/uploads",
        "/srv/data",
        "/srv/data/",
        "/srv/data/.",
        "/srv/database/uploads",
        "/etc",
        "/",
        7,
        None,
    ],
)
def test_a_directory_not_strictly_below_an_allowed_root_is_refused(directory):
    assert "directory" in problems({"directory": directory})


@pytest.mark.parametrize("pattern", ["../x/*", "/etc/*", "a/b", "..", "**/*", "a\0", "", "x" * 256, 5])
def test_a_pattern_that_is_not_one_file_name_is_refused(pattern):
    assert "pattern" in problems(FILES | {"pattern": pattern})


def test_without_allowed_roots_every_directory_is_refused():
    with pytest.raises(PolicyError):
        parse(FILES, roots=[])


@pytest.mark.parametrize("name", ["sessions; drop table x", 'a"b', "1st", "", "a" * 64, "main.sessions", "schön"])
def test_a_name_that_is_not_plain_is_refused(name):
    assert "table_name" in problems(ROWS | {"table_name": name})
    assert "date_column" in problems(ROWS | {"date_column": name})
    assert any(field.startswith("where") for field in problems(ROWS | {"where": {name: 1}}))


@pytest.mark.parametrize(
    "name", ["scheduler_events", "Scheduler_Executions", "sqlite_master", "pg_class", "alembic_version_core_scheduler"]
)
def test_catalogues_and_the_schedulers_own_tables_are_refused(name):
    assert "table_name" in problems(ROWS | {"table_name": name})


@pytest.mark.parametrize("value", [{}, [], float("nan"), {"$ne": 1}, [[1]], 2**63, object()])
def test_a_filter_that_is_not_an_equality_is_refused(value):
    assert "where.state" in problems(ROWS | {"where": {"state": value}})


def test_an_empty_filter_is_refused_rather_than_read_as_every_row():
    assert "where" in problems(ROWS | {"where": {}})


@pytest.mark.parametrize("size", [0, 10_001, True, "100"])
def test_a_batch_has_between_one_and_ten_thousand_rows(size):
    assert "batch_size" in problems(ROWS | {"batch_size": size})


def test_parameters_that_are_not_json_are_refused():
    assert "parameters" in problems({"function_name": "prune", "parameters": {"keep": {1, 2}}})


def test_a_policy_is_frozen():
    policy = parse(FILES)

    with pytest.raises(ValidationError):
        policy.directory = Path("/etc")


@pytest.mark.parametrize("model", [RowsPolicy, FilesPolicy, FunctionPolicy])
def test_every_field_of_a_policy_is_documented(model):
    assert [name for name, field in model.model_fields.items() if not field.description] == []
