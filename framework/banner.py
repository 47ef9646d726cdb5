"""What `run` shows of an application: the banner once it has started, then the lines that its modules word."""

from __future__ import annotations

import logging
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.metadata import version
from logging.handlers import MemoryHandler
from typing import Any

from framework.context import AppContext
from framework.health import HEALTHY
from framework.settings import FrameworkSettings, without_password
from framework.terminal import PROGRAM, console, print_facts, printable, say

log = logging.getLogger(__name__)

Facts = Sequence[tuple[str, str]]
Announcement = Callable[[AppContext], Awaitable[Facts]]
Wording = Callable[[logging.LogRecord], tuple[str, str, str]]

HOW_TO_STOP = "Ctrl-C: what runs may finish; once more: at once"
MOST_HELD = 10_000
OWN_LINES: Mapping[str, Wording] = {"framework.foreground": lambda record: ("·", "dim", record.getMessage())}


async def announce(
    app_context: AppContext, announcements: Mapping[str, Announcement], *, url: str | None, as_json: bool
) -> None:
    """Tell, on stderr, what has started, and where it is served; `announcements` add facts of the modules that run."""
    modules = (await app_context.health())["modules"]
    facts = [("url", url)] if url else []
    facts += [
        ("database", without_password(app_context.settings(FrameworkSettings).database_url)),
        ("modules", ", ".join(module_id for module_id, state in modules.items() if state["status"] == HEALTHY)),
    ]
    facts += [("NOT RUNNING", f"{name}: {state['error']}") for name, state in modules.items() if "error" in state]
    for module_id, announcement in announcements.items():
        if modules.get(module_id, {}).get("status") == HEALTHY:
            facts += await _facts(module_id, announcement, app_context)
    if as_json:
        told = {label: [text for other, text in facts if other == label] for label, _ in facts}
        log.info("%s %s started", PROGRAM, version(PROGRAM), extra={"started": told})
        return
    say(f"{PROGRAM} {version(PROGRAM)}", stderr=True)
    print_facts([*facts, ("stop", HOW_TO_STOP)], stderr=True)


async def _facts(module_id: str, announcement: Announcement, app_context: AppContext) -> Facts:
    try:
        return await announcement(app_context)
    except Exception:  # foreign code: a banner stops no application
        log.exception("module %s failed to announce itself", module_id)
        return []


class Lines:
    """Log lines that modules word for people, by logger; held back until `release`, so that the banner leads."""

    def __init__(self, wordings: Mapping[str, Wording]) -> None:
        self._held: dict[str, MemoryHandler] = {}
        for name, wording in wordings.items():
            shown = _Worded(wording)
            held = MemoryHandler(MOST_HELD, flushLevel=logging.CRITICAL + 1, target=shown)
            logging.getLogger(name).handlers[:] = [held]
            logging.getLogger(name).propagate = False
            self._held[name] = held

    def release(self) -> None:
        """Show what was held back, and from now on each line at once."""
        for name, held in self._held.items():
            if held.target is not None:
                logging.getLogger(name).handlers[:] = [held.target]
            held.close()


class _Worded(logging.Handler):
    """Shows a record as `10:41:02  ✓ inbox scan  succeeded in 12 ms`: local time, a coloured mark, the text."""

    def __init__(self, wording: Wording) -> None:
        super().__init__()
        self._wording = wording
        self._console: Any = console(stderr=True)

    def emit(self, record: logging.LogRecord) -> None:
        from rich.text import Text

        try:
            mark, style, text = self._wording(record)
            time = logging.Formatter(datefmt="%H:%M:%S").formatTime(record, "%H:%M:%S")
            line = Text.assemble((time, "dim"), "  ", (mark, style), " ", printable(text))
            self._console.print(line, soft_wrap=True)
            sys.stderr.flush()
        except Exception:  # noqa: BLE001  # as every logging handler: a line that cannot be shown stops nothing
            self.handleError(record)
