"""The client has the service's methods, and no others."""

from __future__ import annotations

import inspect
from typing import Any

from modules.core.scheduler import SchedulerClient


def parameters(method: Any) -> dict[str, Any]:
    """Return the parameters that a caller may give, each with its default."""
    given = inspect.signature(method).parameters
    return {name: each.default for name, each in given.items() if name not in ("self", "session")}


def test_the_client_takes_what_the_service_takes(node: Any) -> None:
    methods = dict(inspect.getmembers(SchedulerClient, inspect.isfunction))
    own = {name: parameters(method) for name, method in methods.items() if not name.startswith("_")}
    services = {name: parameters(getattr(node.scheduler, name)) for name in own}

    foreign = {
        name: {each for each, default in given.items() if services[name].get(each, "missing") != default}
        for name, given in own.items()
    }
    assert {name: differing for name, differing in foreign.items() if differing} == {}
