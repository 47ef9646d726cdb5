"""Looks at an application that need not run, and says what is wrong with it and what to do."""

from __future__ import annotations

from framework.doctor.examining import CHECKS, Examination, examine
from framework.doctor.running import examine_running

__all__ = ["CHECKS", "Examination", "examine", "examine_running"]
