"""A loop is a step, repeated: it survives every error of its step, backing off, and can be woken."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from framework.clock import Clock
from framework.errors import one_line

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
LONGEST_SLEEP = 30.0  # so that a clock step or a suspend is noticed


async def repeat(
    step: Callable[[], Awaitable[float | None]],
    *,
    name: str,
    clock: Clock,
    wake: asyncio.Event,
    passes: Callable[[BaseException], bool] = lambda _: False,
) -> None:
    """Run the step until it returns None; a number is how many seconds to sleep unless `wake` is set meanwhile.

    An error of which `passes` says that it goes away by itself is logged in one line, any other with its traceback.
    """
    failures = 0
    while True:
        wake.clear()
        try:
            seconds = await step()
        except Exception as error:  # the boundary: nothing a step does may end its loop
            failures += 1
            tell_all = failures == 1 and not passes(error)
            log.warning("%s failed, attempt %d: %s", name, failures, one_line(error), exc_info=tell_all)
            await clock.sleep(min(FIRST_PAUSE * 2.0 ** min(failures, 10), LONGEST_PAUSE))
            continue
        if failures:
            log.info("%s works again after %d failure(s)", name, failures)
            failures = 0
        if seconds is None:
            return
        await clock.wait(wake, min(seconds, LONGEST_SLEEP))


async def until_it_passes(
    work: Callable[[], Awaitable[T]], *, clock: Clock, passes: Callable[[BaseException], bool], patience: float
) -> T:
    """Do the work, again after each error of which `passes` says that it goes away by itself.

    After so many seconds of patience the error is raised, as any other is at once.
    """
    give_up, pause = clock.monotonic() + patience, FIRST_PAUSE
    while True:
        try:
            return await work()
        except Exception as error:
            if not passes(error) or clock.monotonic() >= give_up:
                raise
            log.warning("%s; trying again", one_line(error))
        await clock.sleep(min(pause, max(give_up - clock.monotonic(), 0)))
        pause = min(pause * 2, LONGEST_PAUSE)
