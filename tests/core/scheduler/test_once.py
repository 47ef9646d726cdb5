"""A request with a key is carried out once, on both databases, whatever becomes of whoever began it."""

from __future__ import annotations

from typing import Any

import pytest

from modules.core.scheduler.once import Answered, Begun, Once

MINUTE = 60.0


@pytest.fixture
def once(node: Any) -> Once:
    return Once(node.app_context)


async def test_one_that_was_cut_off_begins_anew_and_its_late_answer_is_not_kept(once: Once, node: Any) -> None:
    first = (await once.begin("ada", "key", "asked")).unwrap()
    node.clock.advance(9 * MINUTE)
    waiting = await once.begin("ada", "key", "asked")
    node.clock.advance(MINUTE)
    second = (await once.begin("ada", "key", "asked")).unwrap()
    assert isinstance(first, Begun)
    assert isinstance(second, Begun)

    await once.answered(first, Answered(200, {}, "late"))
    await once.refused(first)
    still = await once.begin("ada", "key", "asked")
    await once.answered(second, Answered(201, {"Location": "/x"}, "done"))

    assert waiting.error is not None
    assert still.error is not None
    assert {waiting.error.code, still.error.code} == {"IDEMPOTENCY_IN_PROGRESS"}
    assert (await once.begin("ada", "key", "asked")).unwrap() == Answered(201, {"Location": "/x"}, "done")


async def test_callers_have_keys_of_their_own(once: Once) -> None:
    for name in ("ada", "eve"):
        assert isinstance((await once.begin(name, "key", name)).unwrap(), Begun)

    other = await once.begin("ada", "key", "something else")

    assert other.error is not None
    assert other.error.code == "IDEMPOTENCY_KEY_REUSED"
