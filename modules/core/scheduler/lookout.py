"""The lookout: beside the loop, it looks for what should have succeeded, sends alerts, and pings."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Any

from sqlalchemy import Connection

from framework.context import AppContext
from framework.database import is_transient
from framework.outgoing import Outgoing
from framework.repeat import repeat
from framework.result import Result
from modules.core.scheduler import alerting, deadlines
from modules.core.scheduler.alert_channels import deliver
from modules.core.scheduler.alert_rules import Incident
from modules.core.scheduler.pinging import Pings
from modules.core.scheduler.runner import Runner
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.status import longest_silence
from modules.core.scheduler.store import alerts, expected
from modules.core.scheduler.turn import Turned, Work

log = logging.getLogger(__name__)

SECONDS = 10.0  # between two looks
BATCH = 100  # tasks of one transaction


class Lookout:
    """A loop of its own, for what it does may take its time; nothing that goes wrong in it touches the runner."""

    def __init__(
        self, app_context: AppContext, settings: SchedulerSettings, runner: Runner, outgoing: Outgoing
    ) -> None:
        self._database, self._clock = app_context.database, app_context.clock
        self._settings, self._runner, self._outgoing = settings, runner, outgoing
        self._rules = {rule.name: rule for rule in settings.alerts}
        self.pings = Pings(app_context.clock, outgoing)
        self._wake = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self._next_beat = float("-inf")
        runner.after_turn += [self.pings.turned, self._turned]

    def start(self) -> None:
        """Look in the background; a second call changes nothing."""
        if self._loop is None:
            step = repeat(self._step, name="lookout", clock=self._clock, wake=self._wake, passes=is_transient)
            self._loop = asyncio.create_task(step, name="scheduler lookout")

    async def stop(self) -> None:
        """End the loop; an alert that is on its way is sent by another node, or after the next start."""
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.cancel()
            await asyncio.gather(loop, return_exceptions=True)
        await self.pings.stop()

    async def look(self) -> None:
        """Look once: what is overdue, which alerts are to be sent, and whether it is time to say that this lives."""
        if await self._database.glance(partial(expected.is_any_due, now=self._clock.now())):
            await self._find_overdue()
        if await self._has_alerts():
            await self._send_alerts()
        self._beat()

    async def list_alerts(self) -> Result[list[dict[str, Any]]]:
        """Return the rules of the settings by name, each with what it has gathered, and what it is sending.

        `{"rule", "on", "every", "silent_until", "waiting", "sending", "tries"}`; `every` in seconds.
        """
        listed = partial(alerting.listed, rules=self._settings.alerts, now=self._clock.now())
        return Result.success(await self._database.read(listed))

    async def _step(self) -> float:
        await self.look()
        return SECONDS

    def _turned(self, turned: Turned, _work: Work) -> None:
        if turned.alerted:
            self._wake.set()

    async def _has_alerts(self) -> bool:
        if not self._rules:
            return False
        return await self._database.read(partial(alerts.is_any_due, rules=list(self._rules), now=self._clock.now()))

    async def _find_overdue(self) -> None:
        more = True
        while more:
            overdue, more = await self._database.write(self._expect)
            self._runner.tally.overdue += len(overdue)
            for each in overdue:
                log.warning("%s is overdue: %s", each.task_name, each.error, extra={"task": each.task_id})

    def _expect(self, c: Connection) -> tuple[list[Incident], bool]:
        now = self._clock.now()
        overdue, more = deadlines.find_overdue(c, now, BATCH)
        alerting.note(c, self._settings.alerts, overdue, now)
        return overdue, more

    async def _send_alerts(self) -> None:
        now = self._clock.now()
        for sending in await self._database.write(partial(alerting.begin, rules=self._rules, now=now)):
            rule = self._rules[sending.rule]
            reached = await deliver(rule, sending.content, self._outgoing)
            end = partial(alerting.end, sent=sending, every=rule.every, now=self._clock.now(), reached=reached)
            if not await self._database.write(end) and not reached:
                log.error("alert %s is given up after %d tries", rule.name, sending.tries + 1)

    def _beat(self) -> None:
        """Say that the scheduler is alive, where its loop turns, or did so just now by hand."""
        url, silence = self._settings.heartbeat_url, self._runner.seconds_since_turn()
        if url is None or silence is None or silence > longest_silence(self._runner.settings):
            return
        if self._clock.monotonic() >= self._next_beat:
            self._next_beat = self._clock.monotonic() + self._settings.heartbeat_interval.total_seconds()
            self.pings.call(url, "of the scheduler")
