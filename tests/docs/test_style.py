"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
import importlib
import re
import warnings
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from documents import PAGES, ROOT, sources
from sqlalchemy import Column, Connection, Index, MetaData, inspect

from framework.database import SQLITE, Database
from framework.loader import discover, import_found
from framework.migrations import Migrations, upgrade

MOST_LINES, LONGEST_FUNCTION = 250, 40
CODE = [*sources(), *sorted((ROOT / "benchmarks").glob("*.py"))]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
VAGUE = {"utils", "util", "helpers", "helper", "common", "base", "misc"}
UNSAFE_MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "importlib", "runpy", "imp"}
SAFE_PARTS = {"importlib.resources", "importlib.metadata"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__"}
MAY_IMPORT = {"framework/loader.py", "framework/__init__.py"}  # the second by a table of its own names
MARKS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
PRIVATE_PATHS = re.compile(r"(?<![\w.])/(work|root|home|opt|Users)/|pypi\.org|pythonhosted")


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def is_migration(path: Path) -> bool:
    return path.parent.name == "migrations"


def parsed(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text())))


def test_no_file_is_longer_than_its_ceiling() -> None:
    lengths = {shown(path): len(path.read_text().splitlines()) for path in [*CODE, *TESTS]}

    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_no_function_is_longer_than_its_ceiling() -> None:
    too_long = {
        f"{shown(path)}: {node.name}"
        for path in CODE  # a test may tell a story
        for node in parsed(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not is_migration(path)
        if (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION
    }

    assert too_long == set()


def test_stored_text_can_never_become_code() -> None:
    unsafe = {shown(path): unsafe_names(path) for path in CODE if shown(path) not in MAY_IMPORT}

    assert {name: found for name, found in unsafe.items() if found} == {}


def unsafe_names(path: Path) -> list[str]:
    found = []
    for node in parsed(path):
        match node:
            case ast.Import(names=names):
                found += [each.name for each in names]
            case ast.ImportFrom(module=str(module), names=names):
                found += [f"{module}.{each.name}" for each in names]
            case ast.Call(func=ast.Name(id=name)) if name in UNSAFE_CALLS:
                found.append(f"{name}()")
    unsafe = UNSAFE_MODULES | {f"{name}()" for name in UNSAFE_CALLS}
    return [name for name in found if name.split(".")[0] in unsafe and not name.startswith(tuple(SAFE_PARTS))]


def test_every_file_and_public_name_has_its_contract() -> None:
    silent = {f"{shown(path)}: {name}" for path in CODE for name in silent_names(path)}

    assert silent == set()


def silent_names(path: Path) -> list[str]:
    """Return what has no docstring: the file itself, and its public classes and functions."""
    tree = ast.parse(path.read_text())
    if not tree.body:
        return []
    named = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
    public = [] if is_migration(path) else [node for node in named if not node.name.startswith("_")]
    names = [node.name for node in public if ast.get_docstring(node) is None]
    return names if ast.get_docstring(tree) else [*names, "the file itself"]


def test_no_room_has_a_vague_name() -> None:
    names = {part for path in [*CODE, *TESTS] for part in path.relative_to(ROOT).with_suffix("").parts}

    assert names & VAGUE == set()


def test_folders_that_others_add_to_are_namespaces() -> None:
    namespaces = [ROOT / "modules", *(folder for folder in (ROOT / "modules").iterdir() if folder.is_dir())]
    packages = [folder for folder in namespaces if (folder / "__init__.py").exists()]

    assert packages == []
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_every_module_says_that_it_is_typed() -> None:
    packages = [ROOT / "framework", *(found.folder for found in discover().values() if found.folder is not None)]
    ours = [folder for folder in packages if folder.is_relative_to(ROOT)]

    assert [shown(folder) for folder in ours if not (folder / "py.typed").exists()] == []


def test_nothing_is_left_for_later() -> None:
    pages = [*CODE, *TESTS, *PAGES]

    assert [shown(path) for path in pages if path != Path(__file__) and MARKS.search(path.read_text())] == []


def test_no_machine_is_named() -> None:
    public = [*CODE, *PAGES, *(ROOT / "settings").glob("*.toml"), *(ROOT / ".ci").iterdir(), ROOT / "Makefile"]
    public += [ROOT / "requirements.lock"]

    assert [shown(path) for path in public if PRIVATE_PATHS.search(path.read_text())] == []


async def test_the_migrations_of_every_module_make_the_tables_it_declares(database: Database) -> None:
    found = {module_id: import_found(item) for module_id, item in discover().items()}
    places = {module_id: module.migrations for module_id, module in found.items() if module.migrations is not None}
    declared = {module_id: metadata_of(module_id) for module_id in places}

    await upgrade(database, [Migrations(module_id, place) for module_id, place in places.items()])

    unlike = {
        module_id: await database.read(partial(differences, metadata)) for module_id, metadata in declared.items()
    }
    assert unlike == {module_id: [] for module_id in places}


def metadata_of(module_id: str) -> MetaData:
    module: ModuleType = importlib.import_module(f"modules.{module_id}.tables")  # noqa: TID251  # a name that we found
    found = {id(value.metadata): value.metadata for value in vars(module).values() if hasattr(value, "metadata")}
    (metadata,) = (each for each in found.values() if isinstance(each, MetaData))
    return metadata


def differences(metadata: MetaData, connection: Connection) -> list[Any]:
    """Return what Alembic would change, and each index that is not there: some it cannot compare on SQLite."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    by_expression = {index.name for table in metadata.tables.values() for index in table.indexes if is_computed(index)}

    def is_comparable(name: str | None, kind: str, parents: Any) -> bool:
        if kind == "index" and connection.dialect.name == SQLITE and name in by_expression:
            return False
        return kind == "schema" or (name if kind == "table" else parents.get("table_name")) in metadata.tables

    context = MigrationContext.configure(connection, opts={"include_name": is_comparable})
    there = {index["name"] for table in metadata.tables for index in inspect(connection).get_indexes(table)}
    absent = [index.name for table in metadata.tables.values() for index in table.indexes if index.name not in there]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "autogenerate skipping metadata-specified expression-based index")
        return [*absent, *compare_metadata(context, metadata)]


def is_computed(index: Index) -> bool:
    return any(not isinstance(expression, Column) for expression in index.expressions)
