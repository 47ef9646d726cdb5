"""The dashboard, served on a socket, for a client and for a real browser."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from html import unescape
from typing import Any

import httpx2
import pytest

from framework.web.serving import serving
from framework.web.sockets import listen

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
ELSEWHERE = "box.example"  # a name by which others than this machine would call it
QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
NAMED = f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Pages are the same on every database."""
    return sqlite_url


@dataclass
class Site:
    """A scheduler, and where its dashboard is."""

    node: Any
    url: str
    http: httpx2.AsyncClient

    async def post(self, path: str, **fields: str) -> httpx2.Response:
        """Send a form as the browser would that was given it."""
        if "chamberlain_form" not in self.http.cookies:
            await self.http.get("/tasks")
        key = self.http.cookies["chamberlain_form"]
        return await self.http.post(path, data={"form_key": key, "back": "/tasks", **fields})

    async def form(self, path: str) -> dict[str, str]:
        """Return what a browser would send back of the form of a task, untouched."""
        page = (await self.http.get(path)).text
        main = page[page.index('class="making"') :]
        found = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', main))
        for tag in re.findall(r'<input type="(?:text|number|datetime-local)"[^>]*>', main):
            name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
            assert name is not None
            found[name[1]] = value[1] if value else ""
        for name, body in re.findall(r'<select id="[^"]*" name="([^"]+)"[^>]*>(.*?)</select>', main, re.DOTALL):
            chosen = re.search(r"<option(?: value=\"([^\"]*)\")? selected>([^<]*)", body)
            found[name] = "" if chosen is None else (chosen[1] if chosen[1] is not None else chosen[2])
        found |= dict(re.findall(r'<textarea id="[^"]*" name="([^"]+)"[^>]*>(.*?)</textarea>', main, re.DOTALL))
        way = re.search(r'name="way" value="(\w+)" id="way-\w+" checked', main)
        assert way is not None
        return {name: unescape(value) for name, value in (found | {"way": way[1]}).items()}


@pytest.fixture
async def site(node: Any) -> AsyncIterator[Site]:
    """Serve the node's application."""
    async with serving(node.app_context, listen("127.0.0.1", 0)) as url, httpx2.AsyncClient(base_url=url) as http:
        yield Site(node, url, http)


@pytest.fixture
async def browser() -> AsyncIterator[Any]:
    """Start a headless Chromium; without one the test is skipped, but not where everything must be there."""
    if BROWSER is None and not os.environ.get("CI"):
        pytest.skip("there is no Chromium: apt-get install chromium")
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=BROWSER, args=[*QUIET, NAMED])
        yield chromium
        await chromium.close()


@pytest.fixture
async def page(browser: Any, site: Site) -> AsyncIterator[Any]:
    """Open a page of the site; whatever the browser complains of in the meantime fails the test."""
    complaints: list[str] = []
    context = await browser.new_context(base_url=site.url)
    opened = await context.new_page()
    opened.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.set_default_timeout(10_000)
    yield opened
    await context.close()
    assert complaints == []
