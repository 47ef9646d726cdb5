"""What can be found in the database: whether it answers, is locked or behind, and what modules find in it."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from framework.application import Application
from framework.clock import Clock
from framework.context import AppContext
from framework.database.probing import is_locked
from framework.duration import in_words
from framework.errors import DatabaseMissing, FrameworkError, ServiceMissing, one_line
from framework.finding import Finding
from framework.phases import Phases
from framework.settings import FrameworkSettings

FURTHEST = timedelta(seconds=2)  # that clocks may be apart
ACCESS = "core.access.service"

Find = Callable[[AppContext], Awaitable[Sequence[Finding]]]


async def database(application: Application, finds: Mapping[str, Find], clock: Clock) -> list[Finding]:
    """Look into the database, where there is one; each step only where the one before it found nothing."""
    try:
        async with application.beside(make_database=False) as phases:
            return await _inside(phases, finds, clock)
    except DatabaseMissing:
        return []  # nothing has been started yet
    except FrameworkError as error:
        problem, _, cure = str(error).partition("; ")
        return [Finding("database", problem, cure or "set FRAMEWORK_DATABASE_URL to another place")]


async def _inside(phases: Phases, finds: Mapping[str, Find], clock: Clock) -> list[Finding]:
    context = phases.app_context
    found = await _clock(context, clock)
    path = context.database.path
    if path is not None and is_locked(path):
        cure = f"find out which one, such as by `fuser {path}`, and let it end"
        return [*found, Finding("locks", f"another program keeps {path} locked", cure)]
    try:
        await phases.look()
    except FrameworkError as error:  # behind, or newer than this program
        problem, _, cure = str(error).partition("; ")
        return [*found, Finding("schema", problem, cure)]
    found += await tokens(context)
    for module_id in sorted(context.present() & set(finds)):
        try:
            found += await finds[module_id](context)
        except Exception as error:  # noqa: BLE001  # foreign code; that it fails is a finding
            found.append(Finding(module_id, f"it could not be examined: {one_line(error)}", "see what it says"))
    for module_id in sorted(context.modules_health.failing() - context.present()):
        found.append(Finding("modules", f"{module_id} failed to register", "start it to see why: chamberlain run"))
    return found


async def _clock(context: AppContext, clock: Clock) -> list[Finding]:
    offset = await context.database.clock_offset(clock)
    path = context.database.path
    if path is not None:
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        offset = max(written - clock.now(), timedelta(0))
    if abs(offset) <= FURTHEST:
        return []
    how = "behind" if offset > timedelta(0) else "ahead of"
    whose = "what was written into the database" if path is not None else "the database server's"
    apart = in_words(timedelta(seconds=round(abs(offset).total_seconds())))
    return [Finding("clock", f"this machine's clock is {apart} {how} {whose}", "set the clock; let it be kept by NTP")]


async def tokens(context: AppContext) -> list[Finding]:
    """Find an address that others can reach where nobody has a token."""
    own = context.settings(FrameworkSettings)
    if _is_loopback(own.http_host):
        return []
    try:
        if await context.get_service(ACCESS).any_exist():
            return []
    except ServiceMissing:
        pass
    cure = "chamberlain tokens create NAME --scope read"
    return [Finding("tokens", f"{own.http_host} can be reached by others, and there is no token", cure)]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
