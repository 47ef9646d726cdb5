"""The files of a new project and of a new module; `$words` are filled in."""

from __future__ import annotations

from string import Template

MODULE = Template('''"""$id: writes a note every hour, and keeps the newest ones."""

from framework import AppContext, FrameworkSettings, Module
from modules.core.scheduler import ExecutionContext, declare_cleanup, declare_function, declare_task

from modules.$id.settings import ${name}Settings


class ${name}Module(Module):
    """Declares a function, a task that runs it, and a cleanup of what the task leaves behind."""

    id = "$id"
    requires = ("core.scheduler",)
    settings_model = ${name}Settings

    def register(self, app_context: AppContext) -> None:
        settings = app_context.settings(${name}Settings)
        self.folder = app_context.settings(FrameworkSettings).data_dir.absolute() / "$id"
        declare_function(app_context, "write_note", self.write_note, api=True)  # also over HTTP and in the dashboard
        declare_task(
            app_context,
            {
                "name": "Write a note",
                "function_name": "write_note",
                "parameters": {"text": settings.text},
                "cron": settings.schedule,
                "max_retries": 3,
                "timeout": "1 minute",
            },
        )
        declare_cleanup(
            app_context, "old notes", {"directory": str(self.folder), "pattern": "*.txt", "max_files": settings.keep}
        )

    def write_note(self, *, text: str, context: ExecutionContext) -> str:
        """Write the text into a file of its own; return the file's name."""
        self.folder.mkdir(parents=True, exist_ok=True)
        note = self.folder / f"{context.scheduled_for:%Y-%m-%d-%H%M%S}.txt"
        note.write_text(f"{text}\\n")
        return note.name
''')

SETTINGS = Template('''"""What may be set: variables such as ${prefix}_KEEP, or the table ["$id"] of settings/*.toml."""

from framework import ModuleSettings
from pydantic import Field


class ${name}Settings(ModuleSettings):
    text: str = Field(default="all is well", description="What the notes say.")
    schedule: str = Field(default="0 * * * *", description="Cron of the notes.")
    keep: int = Field(default=100, ge=1, description="How many notes are kept.")
''')

TEST = Template('''"""Notes are written when they are due, and no more of them are kept than the settings say."""

from datetime import UTC, datetime, timedelta

from modules.core.scheduler.testing import TestApplication

from modules.$id import ${name}Module

TOMORROW = datetime.now(UTC) + timedelta(days=1)  # files carry the time of the machine, and are old by then


async def test_a_note_is_written_every_hour():
    async with TestApplication([module := ${name}Module()]) as app:
        runs = await app.simulate("3 hours")

        written = [each["result"] for each in runs if each["task_name"] == "Write a note"]
        assert len(written) == 3
        assert sorted(note.name for note in module.folder.iterdir()) == written


async def test_old_notes_are_cleaned_up():
    settings = {"$id": {"keep": 2}}
    async with TestApplication([module := ${name}Module()], settings, start=TOMORROW) as app:
        await app.simulate("3 hours")
        (await app.scheduler.run_cleanup("old notes")).unwrap()

        assert len(list(module.folder.iterdir())) == 2
''')

PROJECT_SETTINGS = """\
# For every machine. settings/local.toml stands above it and is not in git; variables stand above both.
# What may be set: chamberlain settings env

[framework]
data_dir = "data"

["core.scheduler"]
max_concurrent_tasks = 10
"""

IGNORED = """\
/data/
/.env
/.venv/
/settings/local.toml
__pycache__/
.pytest_cache/
"""

PYTEST = """\
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
pythonpath = .
testpaths = tests
"""

REQUIREMENTS = "chamberlain\n"
FOR_TESTS = "-r requirements.txt\npytest\npytest-asyncio\n"

README = Template("""# $title

An application of scheduled tasks, run by Chamberlain.

```sh
pip install -r requirements.txt
chamberlain doctor               # is anything wrong here?
chamberlain run                  # starts the modules and their tasks; Ctrl-C stops
chamberlain tasks list           # from another terminal
chamberlain tasks run "Write a note" --wait
```

Tests move the clock instead of sleeping:

```sh
pip install -r requirements-test.txt
python -m pytest
```

| where | what |
| --- | --- |
| `modules/$path/` | the first module; `chamberlain module new AREA.NAME` writes another one |
| `settings/` | values for every machine, and in `local.toml` for this one |
| `tests/` | a test for each module |
| `data/` | the database and what modules keep; made at the first start |

`modules/` and the folders right below it get no `__init__.py`: installed packages add to them.
""")
