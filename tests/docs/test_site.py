"""The documentation site: it has every page, its pictures are what their text says, nothing comes from elsewhere."""

from __future__ import annotations

import importlib.util
import json
import re
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml
from documents import ROOT

from modules.core.scheduler.execution import State
from modules.core.scheduler.task import Status

DOCS = ROOT / "docs"
SITE = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
DECISIONS = {f"decisions/{page.name}" for page in (DOCS / "decisions").glob("*.md")}


def loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pages(nav: Any) -> list[str]:
    match nav:
        case str():
            return [nav]
        case dict():
            return [page for value in nav.values() for page in pages(value)]
    return [page for each in nav for page in pages(each)]


def test_every_page_is_in_the_navigation_once() -> None:
    config = loaded("site_hooks").on_config(
        SimpleNamespace(nav=yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"])
    )
    there = sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))

    assert sorted(pages(config.nav)) == sorted([*there, loaded("site_hooks").OPERATIONS])


def test_the_page_of_operations_has_every_operation_with_its_scope() -> None:
    told = json.loads((DOCS / "openapi.json").read_text())["paths"]
    page = loaded("site_hooks").operations()

    assert set(re.findall(r"^### `(\w+) (\S+)`$", page, re.MULTILINE)) == {
        (method.upper(), path) for path, methods in told.items() for method in methods
    }
    assert page.count("- Needs: `admin`") == json.dumps(told).count('{"bearer": ["admin"]}')


def test_every_decision_is_told_by_its_title_on_the_page_of_decisions() -> None:
    told = {
        path: title for title, path in re.findall(r"- \[([^\]]+)\]\((decisions/[^)]+)\)", (DOCS / "why.md").read_text())
    }

    assert told == {page: (DOCS / page).read_text().splitlines()[0].removeprefix("# ") for page in DECISIONS}


def test_the_pictures_are_those_that_the_script_draws() -> None:
    drawn = loaded("drawings").pictures()

    assert {name: (DOCS / "pictures" / name).read_text() == text for name, text in drawn.items()} == dict.fromkeys(
        drawn, True
    ), "draw them anew: python docs/drawings.py"


@pytest.mark.parametrize(("picture", "states"), [("executions", State), ("tasks", Status)])
def test_a_picture_has_every_state_that_is_stored(picture: str, states: Any) -> None:
    drawings = loaded("drawings")
    named = {name for start, end, _ in drawings.transitions(picture) for name in (start, end)} - {"new"}

    assert named == {str(state) for state in states} - ({"running"} if picture == "tasks" else set())
    assert named | {"new"} == set(drawings.PLACES[picture])


def test_the_floors_of_the_picture_are_those_of_the_house() -> None:
    rooms = [room for _, floor in loaded("drawings").HOUSE for room in floor]

    assert [room for room in rooms if room.startswith("modules/") and not (ROOT / room).is_dir()] == []


@pytest.mark.parametrize(
    "tag",
    [
        '<script src="https://unpkg.com/x.js"></script>',
        '<link rel="stylesheet" href="//fonts.example.org/css">',
        '<img alt="" src="http://example.org/x.png">',
    ],
)
def test_a_page_that_fetches_from_elsewhere_is_told(tag: str, caplog: pytest.LogCaptureFixture) -> None:
    page = SimpleNamespace(file=SimpleNamespace(src_uri="x.md"))
    hooks = loaded("site_hooks")

    hooks.on_post_page(f'<a href="https://example.org">x</a><img src="pictures/x.svg">{tag}', page, None)

    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_the_site_asks_for_no_fonts_and_no_drawing_in_the_browser() -> None:
    assert SITE["theme"]["font"] is False
    assert [page for page in DOCS.rglob("*.md") if "```mermaid" in page.read_text()] == []


def test_every_metric_is_documented() -> None:
    source = (ROOT / "modules/core/scheduler/metrics.py").read_text()
    families = re.findall(r'(Counter|Histogram|Gauge|Info)MetricFamily\("(scheduler_\w+)"', source)
    suffix = {"Counter": "_total", "Info": "_info"}
    documented = (DOCS / "watching.md").read_text()

    assert len(families) > 7
    assert [name for kind, name in families if f"`{name}{suffix.get(kind, '')}`" not in documented] == []


def test_what_belongs_to_an_item_of_a_list_is_indented_as_the_site_needs_it() -> None:
    page = "1. One:\n\n   ```sh\n   x\n   ```\n\n- two\n  goes on\n\ntext\n```text\n- no item\n   code\n```"
    wanted = "1. One:\n\n    ```sh\n    x\n    ```\n\n- two\n    goes on\n\ntext\n```text\n- no item\n   code\n```"

    assert loaded("site_hooks").on_page_markdown(page) == wanted
