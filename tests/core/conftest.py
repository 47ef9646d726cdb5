"""The databases of these tests have the tables already."""

from __future__ import annotations

from templates import postgres_template, sqlite_template

__all__ = ["postgres_template", "sqlite_template"]
