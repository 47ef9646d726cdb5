"""What stands in the fields of a form is what a task says, and comes back as it was."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field, TypeAdapter

from modules.core.scheduler.dashboard.parameter_form import fields_of, parameters_of, texts_of
from modules.core.scheduler.dashboard.when_form import texts_of_when, when_of


class Inner(BaseModel):
    """Something with parts."""

    size: int = 1


class Parameters(BaseModel):
    """What a function takes."""

    region: Literal["north", "south"]
    days: int = Field(7, ge=1, le=90)
    rate: float | None = None
    send: bool = True
    names: list[str] = []
    inner: Inner = Inner()
    token: str = ""


def fields() -> Any:
    schema = TypeAdapter(Parameters).json_schema()
    schema["properties"]["token"]["writeOnly"] = True
    return fields_of(schema)


def test_a_schema_becomes_fields_and_their_texts_the_parameters_again() -> None:
    kinds = {each.label: each.kind for each in fields()}
    given = {"region": "south", "days": 3, "rate": 1.5, "send": False, "names": ["a"], "inner": {"size": 2}}

    parameters, problems = parameters_of(fields(), texts_of(fields(), given))

    assert list(kinds.values()) == ["choice", "integer", "number", "choice", "json", "json", "secret"]
    assert (parameters, problems) == (given, {})


def test_what_is_left_empty_is_left_out_and_what_cannot_be_read_is_said_at_its_field() -> None:
    form = {"p.days": "many", "p.rate": "x", "p.names": "[", "p.region": ""}

    parameters, problems = parameters_of(fields(), form)

    assert parameters == {}
    assert {name: text.split(":")[0] for name, text in problems.items()} == {
        "p.days": "this is no whole number",
        "p.rate": "this is no number",
        "p.names": "this is no JSON",
    }


def test_a_function_that_takes_any_object_has_one_field() -> None:
    (whole,) = fields_of({"type": "object", "additionalProperties": True})

    assert parameters_of([whole], {"p": '{"a": 1}'}) == ({"a": 1}, {})
    assert parameters_of([whole], {"p": "[1]"}) == ({}, {"p": "this is no JSON object"})
    assert texts_of([whole], {"a": 1}) == {"p": '{\n  "a": 1\n}'}
    assert fields_of({"type": "object", "properties": {}, "additionalProperties": False}) == []


async def test_what_says_when_comes_back_from_its_fields_as_it_was(site: Any) -> None:
    ways: list[dict[str, Any]] = [
        {"schedule_time": "2030-01-01T00:00:00Z", "timezone": "Europe/Berlin"},
        {"recurring": True, "interval_type": "minutes", "interval_value": 90, "after_end": True},
        {"cron": "30 2 * * *", "timezone": "Europe/Berlin", "end_date": "2030-01-01T00:00:00Z"},
        {"cron": "30 2 * * *", "dst_gap": "skip"},
        {"trigger": {"type": "calendar", "months": 3, "day": "last", "at": "18:00"}},
        {"trigger": {"type": "calendar", "weeks": 1, "day": "friday", "at": "09:30"}, "dst_fold": "last"},
        {"trigger": {"type": "calendar", "years": 1, "month": "march", "day": 1, "at": "18:00:30"}},
        {"trigger": {"type": "calendar", "days": 3, "at": "18:00", "end_date": "2030-01-01T00:00:00Z"}},
        {"trigger": {"type": "rrule", "rrule": "FREQ=MONTHLY;BYDAY=2FR", "dtstart": "2026-01-02T09:00"}},
        {
            "trigger": {"type": "rrule", "rrule": "FREQ=DAILY", "dtstart": "2026-01-02T02:30"},
            "dst_gap": "skip",
            "timezone": "Europe/Berlin",
        },
        {
            "trigger": {
                "type": "event",
                "event": "upload",
                "where": {"kind": "csv"},
                "debounce": 30,
                "debounce_max": 300,
            }
        },
        {"cron": "0 6 * * *", "calendars": ["closed"], "calendar_action": "move"},
        {"recurring": True, "interval_type": "days", "interval_value": 2, "calendars": ["closed", "holidays"]},
        {"trigger": {"type": "window", "every": "10m", "from": "08:00", "to": "10:00"}},
    ]
    told = ["once", "every", "cron", "cron", *["calendar"] * 4, "rrule", "rrule", "event", "cron", "every", "other"]
    for name in ("closed", "holidays"):
        site.node.scheduler.register_calendar("acme.test", name, {"dates": ["2026-12-24"]})
    for way, kind in zip(ways, told, strict=True):
        task = await site.node.task(await site.node.add(**way))
        texts = texts_of_when(task)

        config, problems = when_of(texts)

        assert (texts["way"], problems) == (kind, {})
        again = await site.node.task(await site.node.add(**config))
        same = ("schedule", "timezone", "next_execution")
        assert [again[name] for name in same] == [task[name] for name in same]
        assert [again["trigger"].get(name) for name in ("gap", "fold")] == [
            task["trigger"].get(name) for name in ("gap", "fold")
        ]


async def test_every_second_week_stays_the_same_week_however_late_its_time_is_changed(site: Any) -> None:
    fortnightly = {"type": "calendar", "weeks": 2, "day": "friday", "at": "09:30"}
    yearly = {"type": "calendar", "years": 2, "month": "march", "day": "last", "at": "09:30"}
    for trigger, away in ((fortnightly, 8), (yearly, 400)):
        task = await site.node.task(await site.node.add(trigger=trigger))
        site.node.clock.advance(away * 86_400)

        config, _ = when_of(texts_of_when(task) | {"calendar_at": "10:00"})
        changed = (await site.node.scheduler.update_task(task["id"], config)).unwrap()

        assert (changed["trigger"]["phase"], changed["trigger"]["at"]) == (task["trigger"]["phase"], "10:00:00")
