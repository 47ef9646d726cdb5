"""A project folder, and a module in it, written as a start that works."""

from __future__ import annotations

from framework.scaffold.writing import ScaffoldRefused, module_files, project_files, write

__all__ = ["ScaffoldRefused", "module_files", "project_files", "write"]
