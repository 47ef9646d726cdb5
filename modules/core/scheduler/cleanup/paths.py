"""Paths and globs of a policy: absolute, plain, and strictly below an allowed root."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StringConstraints, ValidationInfo

from modules.core.scheduler.cleanup.walk import TRASH


def _has_control_characters(text: str) -> bool:
    return any(unicodedata.category(character) in {"Cc", "Cs"} for character in text)


def to_path(value: object) -> Path:
    """Return an absolute path without `..` and control characters, or raise ValueError."""
    text = str(value) if isinstance(value, (str, Path)) else ""
    if _has_control_characters(text):
        raise ValueError("a path holds no control characters")
    if not text.startswith("/") or text.startswith("//"):
        raise ValueError(f"it must be an absolute path, not {value!r:.60}")
    if ".." in text.split("/"):
        raise ValueError("'..' is not allowed in a path")
    return Path(text)


def _below_a_root(directory: Path, info: ValidationInfo) -> Path:
    if TRASH in directory.parts:
        raise ValueError(f"{TRASH!r} holds what cleanups have put away, and is left to them")
    roots = None if info.context is None else info.context.get("allowed_roots")
    if roots is not None and not any(root in directory.parents for root in roots):
        allowed = ", ".join(str(root) for root in roots) or "none"
        raise ValueError(f"{str(directory)!r} lies below no root of housekeeper_allowed_roots ({allowed})")
    return directory


def to_pattern(pattern: str) -> str:
    """Return the glob, or raise ValueError where it is not one for a single file name."""
    if "/" in pattern or ".." in pattern:
        raise ValueError("it is matched against file names: no '/' and no '..'; use 'directory' and 'recursive'")
    if _has_control_characters(pattern):
        raise ValueError("it holds no control characters")
    return pattern


AllowedPath = Annotated[Path, BeforeValidator(to_path), AfterValidator(_below_a_root)]
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(to_pattern)]
