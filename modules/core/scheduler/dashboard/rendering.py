"""Templates become pages: everything that is put into them is escaped, and what is missing is an error."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from framework.caller import Scope
from framework.context import AppContext
from framework.web.signing_in import COOKIE
from modules.core.scheduler.dashboard import wording
from modules.core.scheduler.dashboard.assets import fingerprint

SCREENS = (
    ("overview", "Overview", ""),
    ("tasks", "Tasks", "tasks"),
    ("executions", "Executions", "executions"),
    ("failures", "Failures", "failures"),
    ("timeline", "Timeline", "timeline"),
    ("cleanups", "Housekeeping", "cleanups"),
    ("nodes", "Nodes & queues", "nodes"),
    ("modules", "Modules", "modules"),
    ("audit", "Audit", "audit"),
)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("modules.core.scheduler.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= wording.FILTERS
    environment.globals |= {"screens": SCREENS, "version": version("chamberlain"), "Scope": Scope}
    return environment


@cache
def compile_early() -> None:
    """Compile all templates beside what the process does, so that the first page need not wait for it."""

    def compile_all() -> None:
        for name in _environment().list_templates(extensions=["html"]):
            _environment().get_template(name)

    threading.Thread(target=compile_all, name="templates", daemon=True).start()


class Templates:
    """The templates of the dashboard, and what each of them may use."""

    def __init__(self, app_context: AppContext) -> None:
        self._clock = app_context.clock
        compile_early()

    def render(self, request: Request, name: str, values: Mapping[str, Any]) -> str:
        """Return the text of a template; every page knows where it is, what time it is, and how to say when."""
        now = self._clock.now()
        base = request.scope.get("root_path", "")
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")

        def when(moment: Any, zone: str | None = None) -> Markup:
            return wording.when(moment, now, zone)

        def asset(file: str) -> str:
            return f"{base}/assets/{file}?v={fingerprint(file)}"

        signed_in = COOKIE in request.cookies
        places = {
            "signed_in": signed_in,
            "base": base,
            "here": here,
            "query": dict(request.query_params),
            "asset": asset,
        }
        return _environment().get_template(name).render(places | {"now": now, "when": when} | dict(values))


def main_of(text: str) -> str:
    """Return what of a page changes while it is looked at."""
    return text[text.index('<main id="main"') : text.rindex("</main>") + len("</main>")]
