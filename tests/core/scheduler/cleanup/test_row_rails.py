"""Each rule by which a row stays keeps one alive, and without the rule it goes, on the short road and the long one."""

from __future__ import annotations

import pytest
from aged_rows import DAY, NOW, clean, create, fill, values
from sqlalchemy import Boolean, Column, Integer, String, false, true

from framework.database import UtcDateTime
from modules.core.scheduler.cleanup import RowsPolicy, moments
from modules.core.scheduler.cleanup.table_rows import TableRows


@pytest.fixture(params=[True, False], ids=["rail", "no-rail"])
def rail(request):
    """Whether the rail of the test is there: the row must live exactly then."""
    return request.param


@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize(
    ("rule", "name", "nothing"),
    [
        ({"where": {"owner": 0}}, "fits", true()),
        ({"hold_column": "held"}, "holds", false()),
        ({"keep_where": {"owner": 1}}, "is_tagged", false()),
    ],
    ids=["equality filters", "hold", "tags"],
)
async def test_a_row_that_a_rule_keeps_stays(sqlite_database, monkeypatch, rail, indexed, rule, name, nothing):
    table = await create(
        sqlite_database,
        Column("id", Integer, primary_key=True),
        Column("at", UtcDateTime, index=indexed),
        Column("owner", Integer),
        Column("held", Boolean),
    )
    await fill(sqlite_database, table, [{"id": n, "at": NOW - 9 * DAY, "owner": n, "held": n == 1} for n in (0, 1)])
    if not rail:
        monkeypatch.setattr(TableRows, name, lambda *_: nothing)

    report = await clean(sqlite_database, RowsPolicy(table_name="logs", date_column="at", max_age=DAY, **rule))

    assert report.errors == ()
    assert await values(sqlite_database, table.c.id) == ([1] if rail else [])


@pytest.mark.parametrize(
    ("kind", "value", "rails"),
    [
        (String(40), "", {"_has_shape": lambda _: true(), "_DATE_SHAPE": "%"}),
        (String(40), "1767614400", {"_has_shape": lambda _: true(), "_DATE_SHAPE": "%"}),
        (Integer(), 7, {"_FIRST_SECOND": 0}),
    ],
    ids=["no text", "a number as text", "a small number"],
)
@pytest.mark.parametrize("indexed", [True, False])
async def test_a_value_without_the_shape_of_a_date_keeps_its_row(
    sqlite_database, monkeypatch, rail, indexed, kind, value, rails
):
    table = await create(sqlite_database, Column("id", Integer, primary_key=True), Column("at", kind, index=indexed))
    await fill(sqlite_database, table, [{"id": 1, "at": value}])
    for name, nothing in ({} if rail else rails).items():
        monkeypatch.setattr(moments, name, nothing)

    report = await clean(sqlite_database)

    assert report.errors == ()
    assert await values(sqlite_database, table.c.id) == ([1] if rail else [])
