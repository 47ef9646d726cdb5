"""A function that leaves one effect and ends in the same transaction."""

from __future__ import annotations

import asyncio
from typing import Any

from nodes import until
from sessions import Mine, leave

from modules.core.scheduler import ExecutionContext


class Payment:
    """A function that leaves one effect and completes in the same transaction; told to, it halts before or after."""

    def __init__(self, mine: Mine, kind: str = "AsyncSession") -> None:
        self.mine = mine
        self.kind = kind
        self.raised: list[BaseException] = []
        self.halt_first = self.halt_after_commit = False
        self.halted, self.go_on, self.ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def run(self, context: ExecutionContext) -> str:
        """Pay."""
        await self._halt(self.halt_first)
        try:
            async with self.mine.begin(self.kind) as session:
                await leave(session, f"paid in attempt {context.attempt}")
                await context.complete_in(session, {"paid": context.attempt})
        except BaseException as error:
            self.raised.append(error)
            raise
        finally:
            self.ended.set()
        await self._halt(self.halt_after_commit)
        return "what is returned later"

    async def _halt(self, wanted: bool) -> None:
        if wanted:
            self.halted.set()
            await self.go_on.wait()


async def halted(node: Any, payment: Payment) -> None:
    """Let the node run the payment to where it halts."""
    await node.scheduler.turn()
    await payment.halted.wait()


async def until_true(holds: Any) -> None:
    """Wait until it holds."""

    async def have() -> bool:
        return bool(holds())

    await until(have)
