"""standard.inbox: files dropped into a folder become rows of a table."""

from __future__ import annotations

from modules.standard.inbox.module import InboxModule
from modules.standard.inbox.settings import InboxSettings
from modules.standard.inbox.tables import inbox_records

__all__ = ["InboxModule", "InboxSettings", "inbox_records"]
