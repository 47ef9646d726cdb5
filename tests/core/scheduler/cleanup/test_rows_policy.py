"""The rules of rows: what may stand in a policy, and that it comes back as it was."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import MetaData, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from framework.strict_json import dumps
from modules.core.scheduler.cleanup import PolicyError, parse_policy

ROWS = {"table_name": "sessions", "date_column": "expires_at"}


def parse(config):
    return parse_policy(config, default_interval=timedelta(hours=1), allowed_roots=[])


def problems(config):
    with pytest.raises(PolicyError) as caught:
        parse(config)
    return {problem["field"]: problem["message"] for problem in caught.value.problems}


RULES = {
    "max_age": "90 days",
    "max_rows": 1000,
    "keep_newest": {"count": 3, "per": ["user_id"]},
    "tiers": {"daily": 7, "monthly": 12},
    "timezone": "Europe/Vienna",
    "hold_column": "pinned",
    "min_age": "1 day",
    "min_kept": 10,
    "children": "delete",
    "batch_seconds": 0.1,
    "pause": "1s",
    "max_seconds": 60,
    "max_rows_per_run": 5000,
}


def test_all_rules_of_rows_together_are_plain_json_and_come_back_equal():
    policy = parse(ROWS | RULES)

    shown = policy.to_config()

    assert dumps(shown)
    assert (shown["keep_newest"], shown["tiers"]) == (RULES["keep_newest"], RULES["tiers"])
    assert parse(shown) == policy


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_rows", 0),
        ("keep_newest", 3),
        ("keep_newest", {"per": ["a"]}),
        ("keep_newest", {"count": 0}),
        ("keep_newest", {"count": 1, "for": ["a"]}),
        ("keep_newest", {"count": 1, "per": ["a; drop"]}),
        ("tiers", {}),
        ("tiers", {"daily": 501}),
        ("tiers", {"dayly": 7}),
        ("timezone", "Mars/Olympus"),
        ("timezone", "../etc/passwd"),
        ("hold_column", "a b"),
        ("min_age", 0),
        ("min_kept", 0),
        ("children", "ignore"),
        ("batch_seconds", 0),
        ("batch_seconds", float("nan")),
        ("pause", -1),
        ("max_seconds", float("inf")),
        ("max_rows_per_run", 0),
    ],
)
def test_an_impossible_rule_of_rows_is_refused(field, value):
    assert {name.split(".")[0] for name in problems(ROWS | {field: value})} == {field}


def test_a_table_object_or_a_mapped_class_means_its_name():
    class Base(DeclarativeBase):
        pass

    class Session(Base):
        __tablename__ = "sessions"
        id: Mapped[int] = mapped_column(primary_key=True)

    for table in (Session, Session.__table__, Table("sessions", MetaData())):
        assert parse({"table": table, "date_column": "expires_at"}) == parse(ROWS)
    assert "a SQLAlchemy Table" in problems({"table": "sessions", "date_column": "expires_at"})["table"]
    assert "not both" in problems(ROWS | {"table": Session})["table"]
    assert "schema" in problems({"table": Table("x", MetaData(), schema="other"), "date_column": "at"})["table"]
