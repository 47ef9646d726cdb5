"""The policies that a stored task carries: how often to try again, what to do with what was missed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from pydantic import TypeAdapter

from modules.core.scheduler.task import TaskConfig


@dataclass(frozen=True, slots=True)
class Policies:
    """What a row carries in its JSON column `policies`: durations in seconds."""

    timeout: float | None = None
    max_retries: int = 0
    retry_delay: float = 10.0
    retry_backoff: float = 2.0
    retry_max_delay: float = 3600.0
    retry_jitter: float = 0.1
    catch_up: str = "latest"
    catch_up_limit: int = 100
    grace: float | None = None
    max_queued: int = 1_000
    jitter: float = 0.0
    rate_limit: tuple[int, float] | None = None
    executor: str | None = None
    expected_by: float | str | None = None
    ping_url: str | None = None
    ping_failure_url: str | None = None

    @classmethod
    def of(cls, config: TaskConfig) -> Policies:
        """Take the policies out of a config; `coalesce` is another word for `catch_up`."""
        by_coalesce = {None: "latest", True: "latest", False: "all"}[config.coalesce]
        return cls(
            timeout=None if config.timeout is None else config.timeout.total_seconds(),
            max_retries=config.max_retries,
            retry_delay=config.retry_delay.total_seconds(),
            retry_backoff=config.retry_backoff,
            retry_max_delay=config.retry_max_delay.total_seconds(),
            retry_jitter=config.retry_jitter,
            catch_up=config.catch_up or by_coalesce,
            catch_up_limit=config.catch_up_limit,
            grace=None if config.misfire_grace_time is None else config.misfire_grace_time.total_seconds(),
            max_queued=config.max_queued,
            jitter=config.jitter.total_seconds(),
            rate_limit=config.rate_limit,
            executor=config.executor,
            expected_by=config.expected_by,
            ping_url=config.ping_url,
            ping_failure_url=config.ping_failure_url,
        )

    def backoff(self, retries_used: int, fraction: float) -> timedelta:
        """How long to wait before the next retry; `fraction` in [-1, 1] places it within the jitter."""
        try:
            delay = min(self.retry_delay * self.retry_backoff**retries_used, self.retry_max_delay)
        except OverflowError:
            delay = self.retry_max_delay
        return timedelta(seconds=delay * (1 + self.retry_jitter * fraction))

    def jittered(self, task_id: str, nominal: datetime, by: datetime | None = None) -> datetime:
        """Return when an occurrence starts that jitter puts off, always by as much, but no further than to `by`."""
        moment = nominal + timedelta(seconds=self.jitter * stable_fraction(f"{task_id} {nominal.isoformat()}"))
        return moment if by is None else max(min(moment, by), nominal)


_POLICIES = TypeAdapter(Policies)


@lru_cache(maxsize=10_000)
def policies_of(text: str) -> Policies:
    """Read stored policies, ignoring those of a newer program; raises `ValueError` where the text is corrupt."""
    return _POLICIES.validate_json(text, strict=True)


def stable_fraction(text: str) -> float:
    """Return a number in [0, 1) that is always the same for the same text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48
