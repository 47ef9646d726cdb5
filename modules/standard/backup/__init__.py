"""standard.backup: a verified copy of the SQLite database every night, and the newest seven are kept."""

from __future__ import annotations

from modules.standard.backup.module import BackupModule
from modules.standard.backup.settings import BackupSettings

__all__ = ["BackupModule", "BackupSettings"]
