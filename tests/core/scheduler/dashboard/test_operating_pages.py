"""Housekeeping, nodes, queues and the audit, as a client without a script gets them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aged_files import later, write
from expiring_sessions import OVER, count, fill, register
from sqlalchemy import update

from framework.settings import FrameworkSettings
from modules.core.scheduler.tables import profiles


async def test_a_dry_run_is_read_and_carried_out(site: Any) -> None:
    node = site.node
    await fill(node.app_context.database, node.clock.now(), old=30, new=7)
    cleanup = (await register(node, "sessions", OVER))["cleanup_id"]

    previewed = await site.post(f"/cleanups/{cleanup}/preview")
    plan = await site.http.get(previewed.headers["location"])
    there = await count(node.app_context.database)
    applied = await site.post(previewed.headers["location"] + "/apply")
    after = await site.http.get(applied.headers["location"])

    assert "Would delete 30 rows of 37" in plan.text
    assert "<dt>Freed on the disk</dt><dd>told afterwards</dd>" in plan.text
    assert (there, await count(node.app_context.database)) == (37, 7)
    assert "Done: 30 rows." in after.text
    assert applied.headers["location"] == f"/cleanups/{cleanup}"


async def test_a_dry_run_of_files_tells_their_content_and_what_the_disk_gets_back(site: Any, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "files"
    write(folder / "one.log", 100)
    write(folder / "two.log", 100)
    site.node.clock.step(later(folder, timedelta(hours=1)) - site.node.clock.now())
    cleanup = (await register(site.node, "files", {"directory": str(folder), "max_files": 1}))["cleanup_id"]

    plan = await site.http.get((await site.post(f"/cleanups/{cleanup}/preview")).headers["location"])

    assert "<dt>Content</dt><dd>100 B</dd>" in plan.text
    assert "<dt>Freed on the disk</dt><dd>about 4." in plan.text


async def test_while_cleanups_are_frozen_the_page_says_so_and_a_plan_is_refused(site: Any) -> None:
    node = site.node
    await fill(node.app_context.database, node.clock.now(), old=3, new=1)
    cleanup = (await register(node, "sessions", OVER))["cleanup_id"]
    await site.post("/freeze", reason="an audit")

    page = await site.http.get("/cleanups")
    plan = (await site.post(f"/cleanups/{cleanup}/preview")).headers["location"]
    await site.post(f"{plan}/apply", back=plan)
    refused = await site.http.get(plan)
    await site.post("/unfreeze")
    let_go = await site.http.get("/cleanups")

    assert ("Frozen since" in page.text, "an audit" in page.text) == (True, True)
    assert "cleanups are frozen" in refused.text
    assert (await count(node.app_context.database), "Frozen since" in let_go.text) == (4, False)


async def test_a_cleanup_is_switched_off_and_on(site: Any) -> None:
    await fill(site.node.app_context.database, site.node.clock.now(), old=1, new=1)
    cleanup = (await register(site.node, "sessions", OVER))["cleanup_id"]

    seen = []
    for enabled in ("no", "yes"):
        await site.post(f"/cleanups/{cleanup}/enable", enabled=enabled)
        seen.append((await site.node.scheduler.get_cleanup(cleanup)).unwrap()["enabled"])

    assert seen == [False, True]


async def test_a_node_is_drained_and_let_go(site: Any) -> None:
    await site.node.scheduler.turn()
    (node,) = (await site.node.scheduler.list_nodes()).unwrap()

    pages = []
    for undo in ("no", "yes"):
        await site.post(f"/nodes/{node['id']}/drain", undo=undo)
        pages.append((await site.http.get("/nodes")).text)

    assert ["draining" in page for page in pages] == [True, False]


@pytest.mark.parametrize(
    ("pause", "resume", "said"),
    [
        ("/queues/mail/pause", "/queues/mail/resume", "for repairs"),
        ("/everything/pause", "/everything/resume", "Everything is paused"),
    ],
)
async def test_what_is_held_back_says_so_until_it_goes_on(site: Any, pause: str, resume: str, said: str) -> None:
    await site.node.add_every(60, queue="mail")
    await site.post(pause, reason="for repairs")
    held = await site.http.get("/nodes")
    await site.post(resume)
    await site.http.get("/nodes")

    assert ("for repairs" in held.text, said in held.text) == (True, True)
    assert "for repairs" not in (await site.http.get("/nodes")).text


async def test_a_queue_is_limited_and_what_is_no_number_is_refused(site: Any) -> None:
    said = []
    for limit in ("3", "", "many"):
        await site.post("/queues/default/limit", limit=limit, back="/nodes")
        said.append((await site.http.get("/nodes")).text)

    assert "At most 3 of the queue default run at once" in said[0]
    assert "As many of the queue default run as there are slots." in said[1]
    assert "is no number from 1 to 100,000" in said[2]


async def test_how_the_clock_of_a_node_goes_is_told(site: Any) -> None:
    await site.node.scheduler.turn()
    seen = []
    for offset in (-0.3, 75.0, -2.0):
        await site.node.app_context.database.write(
            lambda c, at=offset: c.execute(update(profiles).values(clock_offset=at))
        )
        seen.append((await site.http.get("/nodes")).text)

    words = ["in step", "1 min 15 s ahead", "2 s behind"]
    assert [word in text for word, text in zip(words, seen, strict=True)] == [True] * 3


async def until_shown(site: Any, text: str) -> None:
    """Ask for the page of modules until it says something, which is found out beside it."""
    for _ in range(500):
        site.node.clock.advance(60)
        await site.node.scheduler.turn()
        if text in (await site.http.get("/modules")).text:
            return
    raise AssertionError(text)


async def test_what_the_doctor_finds_while_it_runs_stands_on_the_page_of_modules(site: Any) -> None:
    await until_shown(site, "Nothing is wrong with the data folder")

    site.node.app_context.settings(FrameworkSettings).data_dir.chmod(0o755)

    await until_shown(site, "is open to every user of this machine")
    await until_shown(site, "chmod 700")


async def test_the_audit_tells_who_did_what_on_these_pages(site: Any) -> None:
    task_id = await site.node.add_every(60, name="Export")
    empty = await site.http.get("/audit")
    await site.post(f"/tasks/{task_id}/pause")

    page = await site.http.get("/audit?kind=task&action=pause")
    none = await site.http.get("/audit?action=none")

    assert "Nobody has changed anything yet." in empty.text
    assert ("dashboard" in page.text, "Export" in page.text, "status" in page.text) == (True, True, True)
    assert "No change fits." in none.text


async def test_modules_functions_and_settings_are_shown_and_secrets_are_not(site: Any) -> None:
    pages = [await site.http.get(path) for path in ("/modules", "/settings", "/settings?changed=yes")]
    modules, settings, changed = (page.text.replace("<wbr>", "") for page in pages)

    assert ("core.scheduler" in modules, "carry_out_cleanup" in modules) == (True, True)
    assert ("max_concurrent_tasks" in settings, "How many executions run at once here." in settings) == (True, True)
    assert ("database_url" in changed, "max_concurrent_tasks" in changed) == (True, False)
