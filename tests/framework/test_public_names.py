"""What `from framework import …` offers, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys

import framework


def test_every_public_name_can_be_imported() -> None:
    assert all(getattr(framework, name) is not None for name in framework.__all__)


def test_to_import_the_framework_imports_no_database_and_no_settings() -> None:
    heavy = ("sqlalchemy", "alembic", "pydantic", "structlog", "fastapi")
    code = f"import sys, framework, framework.logging; print([name for name in {heavy} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "[]"


def test_an_author_of_a_module_imports_no_database() -> None:
    code = "import sys; from framework import AppContext, Module, Result; print('sqlalchemy' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "False"
