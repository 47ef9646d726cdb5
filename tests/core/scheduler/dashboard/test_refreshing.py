"""Pages that keep themselves up to date: what is sent, when, and what that costs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from framework.testing.statements import seen_by
from modules.core.scheduler.dashboard.refreshing import A_SECOND, AT_ONCE, LONGEST, UNLOOKED, Refreshing

VIEWERS, ADDRESSES, SECONDS = 20, 7, 120


@pytest.fixture
async def refreshing(node: Any, monkeypatch: pytest.MonkeyPatch) -> Refreshing:
    """Pages whose turns the test takes."""
    monkeypatch.setattr(Refreshing, "_begin", lambda _: None)
    return Refreshing(node.app_context)


async def next_of(node: Any, stream: AsyncIterator[bytes]) -> str:
    """Let time pass until a reader is sent something, and return its kind."""
    coming = asyncio.ensure_future(anext(stream))
    while not coming.done():
        node.clock.advance(1)
        await node.clock.sleep(0)
    return (await coming).decode().partition("\n")[0].removeprefix("event: ")


async def test_however_many_look_all_pages_together_cost_two_statements_a_second(
    node: Any, refreshing: Refreshing, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unknown() -> None:
        return None

    async def make() -> str:
        counts.append((await node.scheduler.status()).unwrap())
        return json.dumps(len(counts))

    monkeypatch.setattr(node.app_context.database, "version", unknown)  # as it is on PostgreSQL
    counts: list[Any] = []
    streams = [refreshing.follow(number % ADDRESSES, make, str) for number in range(VIEWERS)]
    for stream in streams:
        await anext(stream)
    with seen_by(node.app_context.database) as seen:
        for _ in range(SECONDS):
            node.clock.advance(1)
            await refreshing.turn()
    for stream in streams:
        await stream.aclose()

    most_of_a_page = 20
    assert 0.8 * A_SECOND * SECONDS < len(seen.statements) <= A_SECOND * SECONDS + AT_ONCE + most_of_a_page
    assert len(counts) > 2 * ADDRESSES


async def test_a_page_is_sent_again_only_when_something_on_it_has_changed(node: Any, refreshing: Refreshing) -> None:
    made: list[str] = []

    async def make() -> str:
        names = [task["name"] for task in (await node.scheduler.list_tasks(search="seen")).unwrap()["tasks"]]
        made.append(f"<time datetime='x'>{len(made)} s ago</time>{names}")
        return made[-1]

    async with aclosing(refreshing.follow("/tasks", make, str)) as stream:
        await anext(stream)
        told, times = [], []
        for name in (None, None, "another", "seen"):
            if name:
                await node.add_every(60, name=name)
            await refreshing.turn()
            told.append(await next_of(node, stream))
            times.append(len(made))

    assert told == ["page", "beat", "beat", "page"]
    assert times == [1, 1, 2, 3]


async def test_each_reader_gets_a_page_of_its_own_made_once(node: Any, refreshing: Refreshing) -> None:
    made: list[int] = []

    async def make() -> str:
        made.append(1)
        return "form KEY"

    streams = [refreshing.follow("/", make, lambda text, key=key: text.replace("KEY", key)) for key in "ab"]
    for stream in streams:
        await anext(stream)
    await refreshing.turn()
    told = [await anext(stream) for stream in streams]
    for stream in streams:
        await stream.aclose()

    assert told == [b'event: page\ndata: "form a"\n\n', b'event: page\ndata: "form b"\n\n']
    assert len(made) == 1


async def test_what_is_about_time_itself_is_looked_at_again_though_nobody_commits(
    node: Any, refreshing: Refreshing
) -> None:
    made: list[int] = []

    async def make() -> str:
        made.append(1)
        return str(len(made))

    async with aclosing(refreshing.follow("/", make, str)) as stream:
        await anext(stream)
        await refreshing.turn()
        node.clock.advance(UNLOOKED)
        await refreshing.turn()

    assert len(made) == 2


async def test_a_page_that_cannot_be_made_does_not_hold_up_the_others(node: Any, refreshing: Refreshing) -> None:
    async def fail() -> str:
        raise RuntimeError("no")

    async def make() -> str:
        return "made"

    broken, whole = refreshing.follow("/broken", fail, str), refreshing.follow("/whole", make, str)
    for stream in (broken, whole):
        await anext(stream)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            await refreshing.turn()

    told = await anext(whole)
    for stream in (broken, whole):
        await stream.aclose()

    assert told == b'event: page\ndata: "made"\n\n'


async def test_a_stream_ends_by_itself_so_that_the_browser_is_asked_again_who_it_is(
    node: Any, refreshing: Refreshing
) -> None:
    async def make() -> str:
        return ""

    stream = refreshing.follow("/", make, str)
    await anext(stream)
    node.clock.advance(LONGEST - 2)

    told = await next_of(node, stream)
    rest = [each async for each in stream]

    assert (told, rest) == ("beat", [])
    assert await refreshing.turn() is None


async def test_the_same_address_is_a_page_or_a_stream_of_itself(site: Any) -> None:
    async with site.http.stream("GET", "/tasks?tag=none", headers={"Accept": "text/event-stream"}) as answer:
        lines = answer.aiter_lines()
        text = ""
        while not text.startswith("data: "):
            text = await anext(lines)

    page = (await site.http.get("/tasks?tag=none")).text
    main = json.loads(text.removeprefix("data: "))
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "No task fits." in main
    assert main.startswith("<main")
    assert main in page


async def test_a_page_is_made_anew_where_what_it_shows_and_nobody_commits_is_another(
    node: Any, refreshing: Refreshing
) -> None:
    made: list[int] = []

    async def make() -> str:
        made.append(1)
        return "page"

    stream = refreshing.follow("/", make, str)
    await anext(stream)
    numbers = []
    for is_another in (False, False, True, False):
        if is_another:
            refreshing.anew()
        node.clock.advance(1)
        await refreshing.turn()
        numbers.append(len(made))
    await stream.aclose()

    assert numbers == [1, 1, 2, 2]
