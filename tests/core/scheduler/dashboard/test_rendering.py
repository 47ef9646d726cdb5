"""Templates are there before somebody asks for the first page."""

from __future__ import annotations

import threading

from modules.core.scheduler.dashboard import rendering


def test_all_templates_are_compiled_beside_the_start() -> None:
    rendering._environment.cache_clear()
    rendering.compile_early.cache_clear()

    rendering.compile_early()
    for each in threading.enumerate():
        if each.name == "templates":
            each.join()

    environment = rendering._environment()
    compiled = {name for _, name in (environment.cache or {})}
    assert compiled >= set(environment.list_templates(extensions=["html"]))
