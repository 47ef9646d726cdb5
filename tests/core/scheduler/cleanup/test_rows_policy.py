"""The rules of rows: what may stand in a policy, and that it comes back as it was."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Boolean, Column, Integer, MetaData, String, Table, func, or_, select
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
    "max_size_mb": 2.5,
    "size_column": "bytes",
    "keep_where": {"label": ["legal", "audit"], "closed_by": None},
    "keep_newest": {"count": 3, "per": ["user_id"]},
    "tiers": {"daily": 7, "monthly": 12},
    "timezone": "Europe/Vienna",
    "hold_column": "pinned",
    "min_age": "1 day",
    "min_kept": 10,
    "children": "delete",
    "batch_seconds": "100 ms",
    "pause": "1s",
    "max_seconds": "5 minutes",
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
        ("keep_where", {}),
        ("keep_where", {"label": []}),
        ("keep_where", {"label": {"like": "%"}}),
        ("max_size_mb", -1),
        ("size_column", "a b"),
        ("batch_seconds", 0),
        ("batch_seconds", "2 minutes"),
        ("max_seconds", "25 hours"),
        ("batch_seconds", float("nan")),
        ("pause", -1),
        ("max_seconds", float("inf")),
        ("max_rows_per_run", 0),
    ],
)
def test_an_impossible_rule_of_rows_is_refused(field, value):
    assert {name.split(".")[0] for name in problems(ROWS | {field: value})} == {field}


@pytest.mark.parametrize("rule", ["max_size_mb", "max_bytes"])
def test_bytes_need_the_column_that_tells_them(rule):
    assert problems(ROWS | {rule: 1}) == {"size_column": f"{rule} needs it: nothing else tells how large a row is"}
    assert parse(ROWS | {rule: 1, "size_column": "bytes"}).size_column == "bytes"


def test_partitions_have_a_size_without_a_column():
    assert parse(ROWS | {"max_age": "1 day", "action": "drop_partition", "max_bytes": 1}).max_bytes == 1


def test_spans_of_a_run_are_words_or_seconds_as_everywhere():
    policy = parse(ROWS | {"batch_seconds": 0.5, "max_seconds": "1 minute"})

    assert (policy.batch_seconds, policy.max_seconds) == (timedelta(seconds=0.5), timedelta(minutes=1))


def test_a_table_object_or_a_mapped_class_means_its_name():
    class Base(DeclarativeBase):
        pass

    class Session(Base):
        __tablename__ = "sessions"
        id: Mapped[int] = mapped_column(primary_key=True)

    for table in (Session, Session.__table__, Table("sessions", MetaData())):
        assert parse({"table": table, "date_column": "expires_at"}) == parse(ROWS)
    assert parse({"table": select(Session).where(Session.id.in_([1, 2])), "date_column": "expires_at"}) == parse(
        ROWS | {"where": {"id": [1, 2]}}
    )
    assert "a SQLAlchemy Table" in problems({"table": "sessions", "date_column": "expires_at"})["table"]
    assert "not both" in problems(ROWS | {"table": Session})["table"]
    assert "schema" in problems({"table": Table("x", MetaData(), schema="other"), "date_column": "at"})["table"]


SESSIONS = Table(
    "sessions",
    MetaData(),
    Column("id", Integer),
    Column("state", String),
    Column("kept", Boolean),
    Column("n", Integer),
)
OTHERS = Table("others", MetaData(), Column("id", Integer), Column("state", String))
THIRD = Table("third", MetaData(), Column("id", Integer))
OURS = SESSIONS.c


@pytest.mark.parametrize(
    ("selected", "where"),
    [
        (select(SESSIONS), None),
        (select(OURS.id), None),
        (select(SESSIONS).where(OURS.state == "done"), {"state": "done"}),
        (
            select(SESSIONS).where(OURS.state.in_(["done", "void"]), OURS.n.is_(None), OURS.kept.is_(False)),
            {"state": ["done", "void"], "n": None, "kept": False},
        ),
        (select(SESSIONS).where((OURS.id == 1) & (OURS.n == None)), {"id": 1, "n": None}),  # noqa: E711
    ],
)
def test_a_select_is_stored_as_its_table_and_its_filters(selected, where):
    policy = parse({"table": selected, "date_column": "expires_at"})

    assert (policy.table_name, policy.where) == ("sessions", where)
    assert parse(policy.to_config()) == policy


CLOSED = OTHERS.c.state == "closed"


@pytest.mark.parametrize(
    "selected",
    [
        select(SESSIONS).join(OTHERS, OURS.n == OTHERS.c.id).where(OURS.kept.is_(None), CLOSED),
        select(SESSIONS).join(OTHERS, (OTHERS.c.id == OURS.n) & CLOSED).where(OURS.kept.is_(None)),
        select(OURS.id).where(OURS.n == OTHERS.c.id, CLOSED, OURS.kept.is_(None)),
        select(SESSIONS).where(OURS.kept.is_(None), OURS.n.in_(select(OTHERS.c.id).where(CLOSED))),
    ],
    ids=str,
)
def test_a_select_that_joins_is_stored_as_where_a_column_is_found(selected):
    policy = parse({"table": selected, "date_column": "expires_at"})
    found = {"n": {"table_name": "others", "column": "id", "where": {"state": "closed"}}}

    assert policy == parse(ROWS | {"where": {"kept": None}, "where_in": found})
    assert parse(policy.to_config()) == policy


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"table_name": "scheduler_tasks", "column": "id"}, "where_in.n.table_name"),
        ({"table_name": "others"}, "where_in.n.column"),
        ({"table_name": "others", "column": "id; --"}, "where_in.n.column"),
        ({"table_name": "others", "column": "id", "where": {}}, "where_in.n.where"),
        ({"table_name": "others", "column": "id", "sql": "1"}, "where_in.n.sql"),
    ],
)
def test_filters_on_other_tables_are_as_strict(rule, field):
    assert list(problems(ROWS | {"where_in": {"n": rule}})) == [field]


@pytest.mark.parametrize(
    "selected",
    [
        select(SESSIONS, OTHERS),
        select(SESSIONS.join(OTHERS, OURS.id == OTHERS.c.id)),
        select(SESSIONS).join(OTHERS, OURS.id == OTHERS.c.id, isouter=True),
        select(SESSIONS).join(OTHERS, (OURS.id == OTHERS.c.id) & (OURS.n == OTHERS.c.id)),
        select(SESSIONS).join(OTHERS, OURS.id > OTHERS.c.id),
        select(SESSIONS).join(OTHERS, OURS.id == OTHERS.c.id).join(THIRD, THIRD.c.id == OTHERS.c.id),
        select(SESSIONS).join(OTHERS, OURS.id == OTHERS.c.id).join(THIRD, THIRD.c.id == OURS.id),
        select(SESSIONS).where(OTHERS.c.state == "closed"),
        select(SESSIONS).where(OURS.id.not_in(select(OTHERS.c.id))),
        select(SESSIONS).where(OURS.id.in_(select(OTHERS.c.id).limit(1))),
        select(SESSIONS).where(OURS.id.in_(select(OTHERS.c.id).where(OTHERS.c.id.in_(select(THIRD.c.id))))),
        select(SESSIONS).where(OURS.id.in_(select(OTHERS.c.id).where(OTHERS.c.id == OURS.n))),
        select(SESSIONS).where(or_(OURS.id == 1, OURS.n == 2)),
        select(SESSIONS).where(OURS.state != "done"),
        select(SESSIONS).where(OURS.id > 5),
        select(SESSIONS).where(OURS.state.not_in(["done"])),
        select(SESSIONS).where(OURS.kept),
        select(SESSIONS).where(func.lower(OURS.state) == "done"),
        select(SESSIONS).where(OURS.id == func.now()),
        select(SESSIONS).where(OURS.id == 1, OURS.id == 2),
        select(SESSIONS).limit(5),
        select(SESSIONS).offset(5),
        select(SESSIONS).order_by(OURS.id),
        select(SESSIONS).distinct(),
        select(OURS.state).group_by(OURS.state),
        select(func.count()).select_from(SESSIONS),
        select(SESSIONS.alias()),
    ],
    ids=str,
)
def test_a_select_that_says_more_than_equality_is_refused_with_what_is_possible(selected):
    refusal = problems({"table": selected, "date_column": "expires_at"})["table"]

    assert any(word in refusal for word in ("is possible", "column == value", "twice", "by one column"))


def test_filters_stand_in_one_place_only():
    config = {"table": select(SESSIONS).where(OURS.n == 1), "date_column": "expires_at", "where": {"state": "done"}}

    assert "not both" in problems(config)["where"]
