"""With `--url` a server answers: the same commands, the same words, the same JSON."""

from __future__ import annotations

from datetime import datetime
from types import ModuleType
from typing import get_args

import pytest
from commands import LISTS, Desk
from pydantic import BaseModel

from modules.core.scheduler.api import shapes, shapes_ahead, shapes_cleanups, shapes_operating, shapes_overview
from modules.core.scheduler.client.moments import FOREIGN, MOMENTS, with_moments

SAME = [
    "tasks list --tag night",
    "tasks next nightly -n 3",
    "executions show once",
    "functions show scheduler.list_tasks",
]
LOOKS = [
    "tasks show nightly",
    "tasks history once --state failed",
    "tasks explain nightly",
    "tasks export --owner runtime",
    "executions list --failed",
    "failures list",
    "executions explain once",
    "executions logs once",
    "functions list",
    "nodes list",
    "queues list",
    "calendars list",
    "cleanups list",
    "cleanups show history",
    "cleanups report",
    "cleanups trend history",
    "cleanups compliance",
    "forecast",
    "lint",
    "status",
    "stats",
    "stats once --window 1h",
    "audit list",
]
CHANGES = [
    (f"tasks add new --function {LISTS} --every 1h -p limit=2", "new: scheduled, next "),
    ("tasks edit new --cron 0#3#*#*#* -p search=x", "new: changed, every day at 03:00 (UTC), next "),
    ("tasks pause new --reason why", "new: paused\n"),
    ("tasks resume new", "new: resumed\n"),
    ("tasks skip new", "new: "),
    ("tasks until new never", "new: "),
    ("tasks run new", "new: execution "),
    ("executions cancel new", "execution "),
    ("executions retry once", "once: execution "),
    ("events emit opened", "nothing was set off\n"),
    ("queues pause default", "queue default is paused: "),
    ("queues resume default", "queue default goes on: "),
    ("queues limit default 2", "queue default goes on: "),
    ("queues limit default none", "queue default goes on: "),
    ("cleanups disable history", "core.scheduler/history is off\n"),
    ("cleanups enable history", "core.scheduler/history is on\n"),
    ("cleanups run history --dry-run", "STARTED "),
    ("cleanups freeze", "cleanups are frozen since "),
    ("cleanups unfreeze", "cleanups go on\n"),
    ("pause --yes", "all tasks are held back, 0 still running\n"),
    ("resume", "tasks go on\n"),
    ("tasks cancel new --yes", "new: cancelled\n"),
]


@pytest.fixture
def filled(desk: Desk) -> Desk:
    """A desk with a task to come and one that has failed."""
    desk.add("nightly", "--cron", "0 2 * * *", "--timezone", "Europe/Berlin", "--tag", "night")
    desk.add("once", "--at", "now", "-p", "cursor=nonsense")
    assert desk.call("tick").status == 0
    return desk


def test_what_is_looked_at_from_afar_is_what_is_there(filled: Desk, served: str) -> None:
    here = [filled.json(*look.split()) for look in SAME]
    afar = [filled.json(*look.split(), "--url", served) for look in SAME]
    others = {look: filled.call(*look.split(), "--url", served) for look in LOOKS}

    assert afar == here
    assert {look: answer for look, answer in others.items() if answer.status or answer.err} == {}


def test_what_is_changed_from_afar_is_changed_there(filled: Desk, served: str) -> None:
    answers = {
        order: filled.call("--url", served, *(word.replace("#", " ") for word in order.split())) for order, _ in CHANGES
    }

    differing = {order: answers[order] for order, told in CHANGES if not answers[order].out.startswith(told)}
    assert differing == {}
    (new,) = [task for task in filled.json("tasks", "list")["tasks"] if task["name"] == "new"]
    assert (new["status"], new["parameters"]) == ("cancelled", {"limit": 2, "search": "x"})


def test_a_refusal_from_afar_is_the_same_line(filled: Desk, served: str) -> None:
    for order in ("tasks show nobody", "tasks until once never", f"tasks add x --function {LISTS}s --at now"):
        here, afar = filled.call(*order.split()), filled.call(*order.split(), "--url", served)

        assert (afar.status, afar.err) == (here.status, here.err)
        assert here.status == 1


def test_where_no_server_answers_that_is_said_in_one_line(desk: Desk) -> None:
    nobody = desk.call("tasks", "list", "--url", "http://127.0.0.1:1")
    nonsense = desk.call("tasks", "list", "--url", "ftp://somewhere")
    local = desk.call("modules", "leftovers", "acme.gone", "--url", "http://127.0.0.1:1")

    assert nobody.status == nonsense.status == 1
    assert nobody.err.startswith("chamberlain: no server answers at http://127.0.0.1:1: ")
    assert nobody.err.endswith("; does `chamberlain run` run there?\n")
    assert nonsense.err.startswith("chamberlain: 'ftp://somewhere' is not the URL of a server; write one like 'http://")
    assert (local.status, "this works on the database itself" in local.err) == (2, True)


def test_a_token_comes_from_the_environment_or_a_file_of_ones_own(
    filled: Desk, served: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = filled.json("tokens", "create", "reader", "--scope", "read")["token"]
    file = filled.folder / "config" / "chamberlain" / "token"
    file.parent.mkdir(parents=True)
    file.write_text(f"{token}\n")
    monkeypatch.setenv("CHAMBERLAIN_URL", served)

    file.chmod(0o644)
    open_to_all = filled.call("tasks", "list")
    file.chmod(0o600)
    read, write = filled.call("tasks", "list"), filled.call("tasks", "pause", "nightly")
    monkeypatch.setenv("CHAMBERLAIN_TOKEN", "chmb_nonsense")
    wrong = filled.call("tasks", "list")

    assert open_to_all.err == f"chamberlain: others may read the token in {file}; first chmod 600 {file}\n"
    assert (read.status, read.err) == (0, "")
    assert (write.status, "this needs the scope 'operate'" in write.err) == (1, True)
    assert wrong.status == 1
    assert token not in "".join(map(str, (open_to_all, read, write, wrong)))


def test_a_token_is_never_shown_where_it_is_wrong(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAMBERLAIN_TOKEN", "chmb_secret\nword")

    answer = desk.call("tasks", "list", "--url", "http://127.0.0.1:1")

    assert (answer.status, answer.out) == (1, "")
    assert answer.err == "chamberlain: the token holds characters that no token has, such as a line break\n"


def moments_of(module: ModuleType) -> set[str]:
    models = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, BaseModel)]
    fields = [(field.alias or name, field.annotation) for model in models for name, field in model.model_fields.items()]
    return {name for name, annotation in fields if annotation is datetime or datetime in get_args(annotation)}


def test_every_moment_of_the_api_is_one_for_the_client() -> None:
    rooms = (shapes, shapes_ahead, shapes_cleanups, shapes_operating, shapes_overview)
    told = {name for each in rooms for name in moments_of(each)}

    assert told - MOMENTS == {"exported_at"}
    assert not MOMENTS & FOREIGN


def test_what_somebody_else_wrote_is_left_as_it_is() -> None:
    text = "2026-01-01T00:00:00Z"

    read = with_moments({"name": text, "created_at": text, "result": {"created_at": text}, "upcoming": [text]})

    assert (read["name"], read["result"]) == (text, {"created_at": text})
    assert read["created_at"] == read["upcoming"][0] == datetime.fromisoformat(text)
