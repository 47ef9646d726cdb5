"""The commands `chamberlain settings …`."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framework.cli.opening import REFUSED, AsJson
from framework.errors import FrameworkError, SettingsError, did_you_mean
from framework.terminal import complain, print_json, print_table, say

if TYPE_CHECKING:
    from framework.preparing import Prepared
    from framework.settings import ModuleSettings

settings_commands = typer.Typer(help="What is set, where, and what may be.", no_args_is_help=True)

OnlyModule = Annotated[
    str | None, typer.Argument(metavar="MODULE", help="A module's id, or framework; all by default.")
]
SCHEMA = "https://json-schema.org/draft/2020-12/schema"


@settings_commands.command("show")
def show_settings(
    module: OnlyModule = None,
    source: Annotated[bool, typer.Option("--source", help="Show where each value comes from.")] = False,
    changed: Annotated[bool, typer.Option("--changed", help="Only what is set somewhere, and is no default.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show every setting and its value; secrets are ***."""
    from framework.settings_shown import settings_shown

    prepared = _prepared()
    every = settings_shown(_chosen(prepared, module), prepared.origins)
    shown = [each for each in every if not changed or each["source"] != "default"]
    if as_json:
        print_json({"settings": shown})
        return
    rows = [(each["module"], each["name"], _in_words(each["value"]), each["source"]) for each in shown]
    columns = ("MODULE", "SETTING", "VALUE", "FROM")
    width = len(columns) if source else len(columns) - 1
    print_table(columns[:width], [row[:width] for row in rows], elastic=("VALUE", "FROM"))


@settings_commands.command("validate")
def validate(as_json: AsJson = False) -> None:
    """Say what is wrong: values, and names that no setting has; 1 where anything is."""
    from framework.preparing import prepare

    problems = _Problems()
    logging.root.handlers[:] = [problems]
    try:
        prepare()
    except FrameworkError as error:
        problems.said += str(error).splitlines()
    if as_json:
        print_json({"valid": not problems.said, "problems": problems.said})
    for problem in [] if as_json else problems.said:
        complain(problem)
    if problems.said:
        raise typer.Exit(REFUSED)
    if not as_json:
        say("every setting is right")


@settings_commands.command("env")
def print_variables(module: OnlyModule = None, as_json: AsJson = False) -> None:
    """Print every variable with its default, as a file .env to fill in."""
    from framework.settings_sources import prefix_of

    variables = [
        {
            "variable": prefix_of(module_id) + name.upper(),
            "default": _default(type(values), name),
            "meaning": field.description or "",
        }
        for module_id, values in _chosen(_prepared(), module).items()
        for name, field in type(values).model_fields.items()
    ]
    if as_json:
        print_json({"variables": variables})
        return
    for each in variables:
        say(f"# {each['meaning']}")
        say(f"#{each['variable']}={'' if each['default'] is None else _in_words(each['default'])}")


@settings_commands.command("schema")
def print_schema() -> None:
    """Print a JSON Schema of the TOML files, for editors."""
    from pydantic.json_schema import GenerateJsonSchema

    class Schema(GenerateJsonSchema):
        def timedelta_schema(self, _schema: Any) -> dict[str, Any]:
            return {"type": ["string", "number"]}

    tables = {
        module_id: type(values).model_json_schema(
            ref_template=f"#/properties/{module_id}/$defs/{{model}}", schema_generator=Schema
        )
        for module_id, values in _prepared().settings.items()
    }
    print_json({"$schema": SCHEMA, "type": "object", "properties": tables})


class _Problems(logging.Handler):
    """Keeps what would be warned of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


def _prepared() -> Prepared:
    from framework.preparing import prepare

    return prepare()


def _chosen(prepared: Prepared, module_id: str | None) -> dict[str, ModuleSettings]:
    if module_id is None:
        return prepared.settings
    if module_id not in prepared.settings:
        raise SettingsError(f"{module_id!r} has no settings here{did_you_mean(module_id, prepared.settings)}")
    return {module_id: prepared.settings[module_id]}


def _default(model: type[ModuleSettings], name: str) -> Any:
    """Return a default as JSON; None where there is none, or where it follows from others."""
    field = model.model_fields[name]
    if field.is_required() or field.default_factory is not None:
        return None
    default = field.default
    if isinstance(default, timedelta):
        return _duration(default)
    return default if isinstance(default, (bool, int, float, str, list, tuple, dict, type(None))) else str(default)


def _duration(value: timedelta) -> str:
    from framework.duration import in_words

    return in_words(value)


def _in_words(value: Any) -> str:
    import json

    return value if isinstance(value, str) else "-" if value is None else json.dumps(value)
