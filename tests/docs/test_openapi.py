"""The document of the API says of every operation what it is called and which scope it needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from framework import Application
from framework.caller import Scope
from framework.web.assembling import web_application
from framework.web.scopes import stated

OURS = ("core.scheduler", "core.access")


@pytest.fixture
async def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The web application of the modules that load by themselves, none of them started."""
    monkeypatch.chdir(tmp_path)
    async with Application(modules=OURS).registered() as app_context:
        yield web_application(app_context)


async def test_every_operation_has_a_name_of_its_own_and_says_what_it_needs(app: Any) -> None:
    document = app.openapi()
    operations = [each for methods in document["paths"].values() for each in methods.values()]
    needed = {
        (path, method.lower()): route.scope
        for route in stated(app.routes)
        for method in route.methods
        for path in [route.path]
    }

    assert len({each["operationId"] for each in operations}) == len(operations)
    for path, methods in document["paths"].items():
        for method, each in methods.items():
            scope = needed[path, method]
            assert each["security"] == ([] if scope is None else [{"bearer": [scope.value]}])
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert {scope for scope in needed.values() if scope} == set(Scope)
