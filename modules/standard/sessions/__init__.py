"""standard.sessions: sessions of users, found by a token that is stored hashed only; what has expired is cleaned up."""

from __future__ import annotations

from modules.standard.sessions.module import SessionsModule
from modules.standard.sessions.sessions import NewSession, Session, Sessions
from modules.standard.sessions.settings import SessionsSettings

__all__ = ["NewSession", "Session", "Sessions", "SessionsModule", "SessionsSettings"]
