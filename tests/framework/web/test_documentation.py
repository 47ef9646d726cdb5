"""The page of the API tells all that the document has, needs no other server, and runs no script."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Annotated, Any, Literal

import pytest
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from shopping import ELSEWHERE, Street, open_shop

from framework import AppContext, Module
from framework.web.scopes import anyone

pytestmark = pytest.mark.usefixtures("empty_project")


class Order(BaseModel):
    goods: list[str] = Field(description="What is wanted <script>alert(1)</script>.")
    size: Literal["small", "large"] | None = None


class Menu(Module):
    id = "acme.menu"

    def register(self, app_context: AppContext) -> None:
        app_context.add_routes(self.routes)

    def routes(self, app_context: AppContext) -> APIRouter:
        router = APIRouter(prefix="/api/menu", tags=["menu"], dependencies=[Depends(anyone)])

        @router.post("/{day}", responses={409: {"description": "Closed."}})
        async def order(day: int, order: Order, soon: Annotated[bool, Query(description="Now.")] = False) -> None:
            """Order for a day."""

        return router


class Reader(HTMLParser):
    """Collects the text of a page, and what it would load."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.tags: list[tuple[str, dict[str, Any]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.text += data.split("\n")


async def read(street: Street) -> Reader:
    answer = await street.ask("GET", "/api/docs", ELSEWHERE)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return Reader(answer.text)


async def test_the_page_shows_every_operation_with_what_it_takes_and_answers() -> None:
    async with open_shop(Menu()) as street:
        page = await read(street)
        document = (await street.ask("GET", "/api/openapi.json", ELSEWHERE)).json()

    shown = " ".join(part.strip() for part in page.text if part.strip())
    assert [path for path in document["paths"] if path not in shown] == []
    for words in (
        "POST /api/menu/{day} Order",
        "Order for a day.",
        "path day * integer",
        "query soon boolean = false Now.",
    ):
        assert words in shown
    assert "body goods * list of text What is wanted <script>alert(1)</script>." in shown
    assert 'body size "small" or "large" or null' in shown
    assert "409 Closed." in shown


async def test_the_page_loads_nothing_but_its_own_style_sheet_and_runs_nothing() -> None:
    async with open_shop(Menu()) as street:
        page = await read(street)
        style = await street.ask("GET", "/api/docs.css", ELSEWHERE)

    loaded = {
        name: value for _, attributes in page.tags for name, value in attributes.items() if name in ("src", "href")
    }
    assert {tag for tag, _ in page.tags} & {"script", "img", "iframe", "object"} == set()
    assert not any("style" in attributes or "onclick" in attributes for _, attributes in page.tags)
    assert not re.search(r"(?:https?:)?//", str(loaded))
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert "url(" not in style.text
