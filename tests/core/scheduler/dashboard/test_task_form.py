"""A task in a form: made, copied and changed, with what is wrong said at the field."""

from __future__ import annotations

import re
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

HOUR = 3600
NEW = "/tasks/-/new"
FORM = {
    "function": "acme.test:send",
    "name": "Report",
    "way": "cron",
    "cron": "30 2 * * *",
    "timezone": "Europe/Berlin",
}


class Parameters(BaseModel):
    """What a function takes."""

    region: Literal["north", "south"]
    days: int = Field(7, ge=1, le=90)
    send: bool = True
    names: list[str] = []
    token: str = ""


@pytest.fixture
async def filled(site: Any) -> Any:
    """A site whose function `send` takes parameters of every kind, and may be scheduled from outside."""

    async def send(parameters: Parameters) -> None: ...

    site.node.register("send", send, api=True, secret=["token"])
    site.node.register("inside", send)
    return site


async def the_task(site: Any) -> dict[str, Any]:
    (task,) = (await site.node.scheduler.list_tasks(search="Report")).unwrap()["tasks"]
    return dict(task)


async def test_only_functions_that_may_come_from_outside_are_offered(filled: Any) -> None:
    page = await filled.http.get(NEW)
    refused = await filled.http.get(f"{NEW}?function=acme.test:inside")
    unknown = await filled.http.get(f"{NEW}?function=acme.test:none")

    assert ("function=acme.test%3Asend" in page.text, "function=acme.test%3Ainside" in page.text) == (True, False)
    assert ("for code only" in refused.text, refused.status_code, unknown.status_code) == (True, 422, 422)


async def test_a_task_is_scheduled_by_a_form(filled: Any) -> None:
    answer = await filled.post(
        NEW, **FORM, **{"p.region": "south", "p.send": "false", "tags": "a, b", "max_retries": "2"}
    )
    task = await the_task(filled)

    assert answer.headers["location"] == f"/tasks/{task['id']}"
    assert (task["parameters"], task["tags"]) == ({"region": "south", "send": False}, ["a", "b"])
    assert (task["trigger"]["expression"], task["timezone"]) == ("30 2 * * *", "Europe/Berlin")
    assert (task["policies"]["max_retries"], task["owner"], task["created_by"]) == (2, "runtime", "local")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"p.region": ""}, "p.region"),
        ({"p.days": "1000"}, "p.days"),
        ({"p.names": "{"}, "p.names"),
        ({"name": ""}, "name"),
        ({"max_retries": "many"}, "max_retries"),
        ({"timeout": "soon"}, "timeout"),
        ({"cron": "every day"}, "cron"),
        ({"timezone": "Europe/Atlantis"}, "timezone"),
        ({"way": "every", "every_value": "no"}, "every_value"),
        ({"way": "every", "every_value": "-1", "every_unit": "hours"}, "every_value"),
        ({"way": "once", "at": ""}, "at"),
        ({"way": "once", "at": "someday"}, "at"),
        ({"way": "calendar", "calendar_value": "1", "calendar_unit": "months", "calendar_at": "25:00"}, "calendar_day"),
        ({"way": "rrule", "rrule": "FREQ=SOMETIMES", "rrule_start": "2026-01-02T09:00"}, "rrule"),
        ({"way": "event", "event": "a", "event_where": "["}, "event_where"),
        ({"way": "other", "trigger_json": '{"type": "never"}'}, "trigger_json"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_and_nothing_is_stored(
    filled: Any, change: dict[str, str], field: str
) -> None:
    answer = await filled.post(NEW, **(FORM | {"p.region": "south"} | change))

    assert answer.status_code == 422
    assert f'id="problem-{field}"' in answer.text
    assert (await filled.node.scheduler.list_tasks(search="Report")).unwrap()["tasks"] == []


ADVANCED = {
    "retry_backoff": ("0.5", "3"),
    "retry_max_delay": ("soon", "2h"),
    "retry_jitter": ("2", "0.25"),
    "rate_limit": ("often", "10/minute"),
    "concurrency_key": ("k" * 201, "exports"),
    "max_queued": ("0", "7"),
    "catch_up_limit": ("some", "5"),
    "executor": ("cloud", "asyncio"),
    "expected_by": ("25:00", "06:30"),
    "ping_url": ("https://not-among-the-outgoing-hosts.example", ""),
    "dst_gap": ("jump", "skip"),
    "dst_fold": ("third", "both"),
    "calendar_action": ("move", ""),  # without any calendar
}
"""What the rarer fields refuse, and what they take and show again."""


async def test_the_rarer_fields_say_what_is_wrong_take_what_is_right_and_show_it_again(filled: Any) -> None:
    wrong = {name: texts[0] for name, texts in ADVANCED.items()}
    right = {name: texts[1] for name, texts in ADVANCED.items()}

    refusals = [await filled.post(NEW, **FORM, **{"p.region": "south", name: wrong[name]}) for name in ADVANCED]
    taken = await filled.post(NEW, **FORM, **{"p.region": "south"}, **right)
    assert re.findall(r'id="problem-([\w.]+)">([^<]*)', taken.text) == []
    task = await the_task(filled)
    form = await filled.form(f"/tasks/{task['id']}/edit")

    told = [re.findall(r'id="problem-([\w.]+)"', refused.text) for refused in refusals]
    assert told == [[name] for name in ADVANCED]
    assert (task["policies"]["rate_limit"], task["policies"]["expected_by"]) == ([10, 60.0], "06:30")
    assert {name: form[name] for name in right} == right


async def test_what_is_as_usual_stays_out_of_sight_and_what_is_wrong_is_unfolded(filled: Any) -> None:
    page = await filled.http.get(f"{NEW}?function=acme.test:send")
    refused = await filled.post(NEW, **FORM, **{"p.region": "south", "rate_limit": "often"})

    def folds(text: str) -> list[str]:
        return re.findall(r"<details [^>]*?(open|)><summary>", text)

    assert (folds(page.text), folds(refused.text)) == ([""] * 4, [*[""] * 3, "open"])


async def test_all_that_is_wrong_is_said_at_once(filled: Any) -> None:
    answer = await filled.post(NEW, **(FORM | {"name": "", "p.region": "", "p.days": "1000"}))

    assert re.findall(r'id="problem-([\w.]+)"', answer.text) == ["name", "p.region", "p.days"]


async def test_the_next_times_are_shown_with_what_the_clocks_do(filled: Any) -> None:
    asked = {"way": "cron", "cron": "30 2 29 3 *", "timezone": "Europe/Berlin"}
    shown = await filled.http.get("/tasks/-/preview", params=asked)
    wrong = await filled.http.get("/tasks/-/preview", params={"way": "cron", "cron": "* * *"})
    without_script = await filled.post(NEW, **FORM, preview="yes")

    assert shown.text.count('class="exact"') == 10
    assert '<small class="warn">' in shown.text
    assert 'class="bad"' in wrong.text
    assert ("every day at 02:30" in without_script.text, without_script.status_code) == (True, 200)


async def test_a_form_that_is_sent_back_untouched_changes_nothing_and_says_so(filled: Any) -> None:
    parameters = {"region": "south", "days": 3, "names": ["a"], "token": "geheim"}
    ways: list[dict[str, Any]] = [
        {"cron": "0 2 * * *"},
        {"recurring": True, "interval_type": "hours", "interval_value": 2},
        {"trigger": {"type": "calendar", "months": 3, "day": "last", "at": "18:00"}},
    ]
    for number, way in enumerate(ways):
        config = {"name": f"Task {number}", "tags": ["x"], "timeout": 90, "misfire_grace_time": 600, **way}
        task_id = await filled.node.add("send", parameters=parameters, **config)
        form = await filled.form(f"/tasks/{task_id}/edit")
        before = await filled.node.task(task_id)

        answer = await filled.post(f"/tasks/{task_id}/edit", **form)
        page = await filled.http.get(answer.headers["location"])

        assert f"Nothing of Task {number} was changed." in page.text
        assert await filled.node.task(task_id) == before


async def test_only_what_was_changed_changes(filled: Any) -> None:
    task_id = await filled.node.add("send", name="Report", parameters={"region": "south"}, cron="0 2 * * *", priority=5)
    form = await filled.form(f"/tasks/{task_id}/edit")

    answer = await filled.post(
        f"/tasks/{task_id}/edit", **(form | {"cron": "0 3 * * *", "priority": "", "p.days": "9"})
    )
    task, page = await filled.node.task(task_id), await filled.http.get(answer.headers["location"])

    assert (task["trigger"]["expression"], task["priority"]) == ("0 3 * * *", 0)
    assert task["parameters"] == {"region": "south", "days": 9}
    assert "Report is changed: cron, parameters, priority, timezone." in page.text


async def test_a_secret_is_never_shown_and_never_lost(filled: Any) -> None:
    parameters = {"region": "south", "token": "geheim-geheim"}
    task_id = await filled.node.add("send", name="Report", parameters=parameters, cron="0 2 * * *")
    page = await filled.http.get(f"/tasks/{task_id}/edit")
    form = await filled.form(f"/tasks/{task_id}/edit")

    refused = await filled.post(f"/tasks/{task_id}/edit", **(form | {"p.days": "9"}))
    written = await filled.post(f"/tasks/{task_id}/edit", **(form | {"p.days": "9", "p.token": "anew"}))

    assert "geheim" not in page.text
    assert ('id="problem-p.token"' in refused.text, refused.status_code) == (True, 422)
    assert written.status_code == 303


async def test_what_somebody_else_has_changed_meanwhile_is_not_overwritten(filled: Any) -> None:
    task_id = await filled.node.add("send", name="Report", parameters={"region": "south"}, cron="0 2 * * *")
    form = await filled.form(f"/tasks/{task_id}/edit")
    await filled.node.scheduler.update_task(task_id, {"priority": 3})

    answer = await filled.post(f"/tasks/{task_id}/edit", **(form | {"cron": "0 3 * * *"}))

    assert ("has been changed meanwhile" in answer.text, answer.status_code) == (True, 422)
    assert (await filled.node.task(task_id))["trigger"]["expression"] == "0 2 * * *"


async def test_a_task_like_another_begins_with_what_that_says(filled: Any) -> None:
    task_id = await filled.node.add("send", name="Report", parameters={"region": "south"}, cron="0 2 * * *", tags=["x"])

    form = await filled.form(f"{NEW}?like={task_id}")
    await filled.post(NEW, **(form | {"name": "Another"}))
    (copy,) = (await filled.node.scheduler.list_tasks(search="Another")).unwrap()["tasks"]

    same = ("parameters", "schedule", "tags", "policies", "timezone")
    assert {name: copy[name] for name in same} == {name: (await filled.node.task(task_id))[name] for name in same}


async def test_a_task_is_made_in_a_browser_with_its_times_shown_while_writing(filled: Any, page: Any) -> None:
    await page.goto(NEW)
    await page.get_by_role("link", name="send").click()
    await page.get_by_label("Name needed").fill("Report")
    await page.get_by_label("Region needed").select_option("south")
    await page.get_by_text("Cron", exact=True).click()
    await page.get_by_label("Expression").fill("15 4 * * *")
    await page.get_by_text("every day at 04:15").wait_for()
    await page.get_by_role("button", name="Schedule it").click()
    await page.get_by_text("Report is scheduled.").wait_for()

    assert (await the_task(filled))["trigger"]["expression"] == "15 4 * * *"
