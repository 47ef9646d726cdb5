"""core.access: tokens with which programs and people come in over HTTP, and what each of them may do."""

from __future__ import annotations

from modules.core.access.module import AccessModule
from modules.core.access.service import AccessService

__all__ = ["AccessModule", "AccessService"]
