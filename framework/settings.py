"""Typed settings: one frozen model per module, and the application's own."""

from __future__ import annotations

import re
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from framework.duration import Seconds

FRAMEWORK_ID = "framework"

_SPELLINGS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}


class ModuleSettings(BaseSettings):
    """The settings of one module, frozen; an unknown key is an error.

    Built in code it takes only what it is given; the environment and the TOML files are read once, by the application.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", validate_default=True)

    def __init__(self, **values: Any) -> None:
        # Not that of BaseSettings, which prepares to read the environment before it is told not to: a tenth of a start.
        BaseModel.__init__(self, **values)


def database_url(value: object) -> str:
    """Return the URL with its driver (`sqlite:///x` and `postgres://…` are understood), or raise `ValueError`."""
    scheme, separator, rest = str(value).partition("://")
    driver = _SPELLINGS.get(scheme)
    if not driver or not separator:
        raise ValueError("write sqlite+aiosqlite:///file.db or postgresql+asyncpg://user:password@host/name")
    return f"{driver}://{rest}"


DatabaseUrl = Annotated[str, BeforeValidator(database_url)]


def _in_data_dir(data: dict[str, Any]) -> str:
    return f"sqlite+aiosqlite:///{data['data_dir'] / 'chamberlain.db'}"


def _network(text: str) -> str:
    return str(ip_network(text))


class FrameworkSettings(ModuleSettings):
    """The application's own settings: table `[framework]`, variables `FRAMEWORK_…`."""

    data_dir: Path = Field(default=Path("data"), description="Folder for what the application keeps; made at start.")
    database_url: DatabaseUrl = Field(
        default_factory=_in_data_dir,
        description="The one database of all modules; by default the SQLite file chamberlain.db in data_dir.",
        repr=False,
    )
    databases: dict[str, DatabaseUrl] = Field(
        default_factory=dict, description="Further databases by name, for cleanups.", repr=False
    )
    database_pooled: bool = Field(
        default=False, description="True: a pooler like PgBouncer stands before PostgreSQL, transaction by transaction."
    )
    sqlite_synchronous: Literal["full", "normal"] = Field(
        default="full", description="full survives a power loss; normal is faster and may lose the last moments."
    )
    modules: tuple[str, ...] = Field(
        default=("*",), description="Module ids, import paths, or * for every module found that loads by itself."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(
        default="INFO", description="The least important level that is logged."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        default="auto", description="json is for programs; auto and console are for people."
    )
    http_host: str = Field(default="127.0.0.1", description="Address that the HTTP server listens on.")
    http_port: int = Field(default=8000, ge=0, le=65535, description="Port that the HTTP server listens on.")
    http_ui: bool = Field(default=True, description="Whether pages for browsers are served beside the API.")
    http_auth: Literal["auto", "always"] = Field(
        default="auto",
        description="auto: as long as there is no token, who calls from this machine needs none; always: a token.",
    )
    http_allowed_hosts: tuple[str, ...] = Field(
        default=(), description="Further names under which the HTTP server is called; * for any. See docs/http.md."
    )
    http_trusted_proxies: tuple[str, ...] = Field(
        default=(), description="Addresses or networks of proxies whose X-Forwarded-For and -Proto are believed."
    )
    http_root_path: str = Field(
        default="",
        pattern=r"^(/[A-Za-z0-9._~-]+)*$",
        description="The path below which a proxy shows it, such as /ops; by default none.",
    )
    http_rate_limit: float = Field(
        default=500, ge=0, description="Requests a second of one token, or one address without; 0: any number."
    )
    http_rate_burst: int = Field(default=1000, ge=1, description="How many requests may come at once before that.")
    outgoing_hosts: tuple[str, ...] = Field(
        default=(), description="Hosts, or host:port, that alerts and pings may go to; by default none."
    )
    outgoing_networks: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        default=(),
        description="Private networks, such as 10.1.0.0/16, in which those hosts may stand; by default none.",
    )
    shutdown_timeout: Seconds = Field(
        default=timedelta(seconds=15), description="How long each module may take to stop (seconds)."
    )
    database_timeout: Seconds = Field(
        default=timedelta(seconds=30),
        description="How long the start waits for a database that gives no answer (seconds).",
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_capitals(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("http_trusted_proxies")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            ip_network(each)  # its ValueError says what is wrong
        return value


def without_password(text: str) -> str:
    """Return the text with the credentials of every URL in it replaced by `***`."""
    return re.sub(r"://[^/@\s]+@", "://***@", text)
