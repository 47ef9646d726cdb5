"""`uvicorn framework.asgi:app`: the application of ./settings and the environment, for any ASGI server."""

from __future__ import annotations

from pathlib import Path

from framework.application import Application
from framework.loader import add_project_folder
from framework.web import asgi

add_project_folder(Path.cwd())

app = asgi(Application())
