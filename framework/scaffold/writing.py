"""Which files a new project or module has, and writing them where none of them is yet."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from pathlib import Path

from framework.errors import FrameworkError
from framework.scaffold import texts
from framework.settings_sources import prefix_of

_WORD = re.compile(r"[a-z][a-z0-9_]*")
TAKEN = {"core", "standard"}  # areas of what comes with the program

Files = Mapping[str, str]


class ScaffoldRefused(FrameworkError):  # noqa: N818  # named after what is the case
    """Nothing was written, because of a name, or of what is there already."""


def module_files(module_id: str) -> dict[str, str]:
    """Return the text of each file of a new module, by path; raises `ScaffoldRefused` for an id that cannot be one."""
    area, dot, name = module_id.partition(".")
    for word in (area, name):
        if not _WORD.fullmatch(word) or keyword.iskeyword(word) or not dot:
            raise ScaffoldRefused(f"{module_id!r} is no id of a module; write two words, such as acme.reports")
    if area in TAKEN:
        raise ScaffoldRefused(f"{area!r} is for modules that come with the program; choose an area of your own")
    words = {"id": module_id, "name": _class_name(name), "prefix": prefix_of(module_id).rstrip("_")}
    folder = f"modules/{area}/{name}"
    return {
        f"{folder}/__init__.py": texts.MODULE.substitute(words),
        f"{folder}/settings.py": texts.SETTINGS.substitute(words),
        f"tests/test_{area}_{name}.py": texts.TEST.substitute(words),
    }


def project_files(title: str, module_id: str) -> dict[str, str]:
    """Return the text of each file of a new project with its first module, by path."""
    return {
        ".gitignore": texts.IGNORED,
        "README.md": texts.README.substitute(title=title, path=module_id.replace(".", "/")),
        "pytest.ini": texts.PYTEST,
        "requirements.txt": texts.REQUIREMENTS,
        "requirements-test.txt": texts.FOR_TESTS,
        "settings/default.toml": texts.PROJECT_SETTINGS,
        **module_files(module_id),
    }


def write(folder: Path, files: Files) -> None:
    """Write the files, all or none; raises `ScaffoldRefused` where one is there already."""
    present = sorted(path for path in files if (folder / path).exists())
    if present:
        raise ScaffoldRefused(f"{folder / present[0]} is there already; nothing was written")
    try:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ScaffoldRefused(f"{error.filename} cannot be written: {error.strerror}") from error


def _class_name(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
