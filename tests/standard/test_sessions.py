"""A session is found by its token until it expires or is revoked, and what is over goes by itself."""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from types import SimpleNamespace

import pytest
from aged_files import later
from sqlalchemy import select

from modules.standard.sessions import Sessions
from modules.standard.sessions.tables import sessions

HOUR = 3600


@pytest.fixture
async def running(application, database_url):
    """The module at work: its `service`, the `scheduler`, and `rows()` for what is stored."""
    async with application("standard.sessions", database_url, lifetime="1 day") as app:

        async def rows():
            return await app.context.database.read(lambda c: c.execute(select(sessions)).all())

        yield SimpleNamespace(
            service=app.get_service(Sessions),
            by_name=app.context.get_service("standard.sessions.service"),
            scheduler=app.scheduler,
            rows=rows,
        )


async def test_a_session_is_found_by_its_token(running, clock):
    created = await running.service.create("ada")

    found = await running.by_name.find(created.token)

    assert found.unwrap().user_id == "ada"
    assert found.unwrap().expires_at == clock.now() + timedelta(days=1)


async def test_a_token_that_nobody_was_given_finds_nothing(running):
    await running.service.create("ada")

    for token in ("", "guessed", "\udc80", "x" * 100_000):
        found = await running.service.find(token)
        assert found.error.code == "SESSION_NOT_FOUND"


async def test_a_session_ends_at_its_moment_even_while_its_row_is_there(running, clock):
    created = await running.service.create("ada", lifetime=timedelta(minutes=1))

    clock.advance(59.999)
    before = await running.service.find(created.token)
    clock.advance(0.001)
    after = await running.service.find(created.token)

    assert (before.success, after.success) == (True, False)
    assert len(await running.rows()) == 1


async def test_a_revoked_session_is_gone_and_the_others_stay(running):
    revoked, other = await running.service.create("ada"), await running.service.create("ada")

    first = await running.service.revoke(revoked.token)
    second = await running.service.revoke(revoked.token)

    assert (first, second) == (True, False)
    assert not await running.service.find(revoked.token)
    assert await running.service.find(other.token)


async def test_the_token_is_stored_hashed_only_and_shown_nowhere(running):
    created = await running.service.create("ada")

    (row,) = await running.rows()
    assert row.token_hash == hashlib.sha256(created.token.encode()).hexdigest()
    assert created.token not in repr(tuple(row)) + repr(created)


async def test_expired_sessions_are_cleaned_up_and_valid_ones_stay(running, clock):
    await running.service.create("ada", lifetime=timedelta(hours=1))
    valid = await running.service.create("grace", lifetime=timedelta(days=30))

    clock.advance(2 * HOUR)
    await running.scheduler.run_due()

    assert [row.user_id for row in await running.rows()] == ["grace"]
    assert await running.service.find(valid.token)


async def test_temporary_files_go_after_a_day(running, clock, data_dir):
    old, new = data_dir / "tmp" / "old", data_dir / "tmp" / "new"
    for path in (old, new):
        path.touch()
    clock.move_to(later(old.parent, timedelta(hours=25)))
    recently = clock.now().timestamp()
    os.utime(new, (recently, recently))

    await running.scheduler.run_due()

    assert [path.name for path in (data_dir / "tmp").iterdir()] == ["new"]


async def test_both_ways_to_register_a_cleanup_lead_to_one_list(running):
    listed = (await running.scheduler.list_cleanups(module_id="standard.sessions")).unwrap()

    kinds = sorted("rows" if "table_name" in cleanup["config"] else "files" for cleanup in listed)
    assert kinds == ["files", "rows"]
