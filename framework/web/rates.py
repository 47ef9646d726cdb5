"""How much of the server one caller may have: token buckets, by token and by address."""

from __future__ import annotations

import math
from collections import OrderedDict
from ipaddress import IPv6Address

from starlette import types as asgi

from framework.caller import caller
from framework.clock import Clock
from framework.web.authentication import ANONYMOUS
from framework.web.headers import address_of
from framework.web.problems import Problem, WrongToken
from framework.web.rules import Rules
from framework.web.signing_in import WRONG

FAILURES_A_SECOND, FAILURES_AT_ONCE = 2.0, 30
MOST_BUCKETS = 10_000


class Buckets:
    """A bucket for each key holds `burst` tokens and gains `rate` a second; the least used are forgotten."""

    def __init__(self, clock: Clock, rate: float, burst: float) -> None:
        self._clock, self._rate, self._burst = clock, rate, float(burst)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> None:
        """Take one token."""
        self._buckets[key] = (self._level(key) - 1, self._clock.monotonic())
        self._buckets.move_to_end(key)
        if len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)

    def require(self, key: str) -> None:
        """Raise a `Problem` with Retry-After where no token is left."""
        missing = 1 - self._level(key)
        if missing > 0:
            seconds = math.ceil(missing / self._rate)
            raise Problem(
                429,
                "TOO_MANY_REQUESTS",
                f"too many requests; again in {seconds} s",
                headers={"Retry-After": f"{seconds}"},
            )

    def _level(self, key: str) -> float:
        level, at = self._buckets.get(key, (self._burst, 0.0))
        return min(self._burst, level + (self._clock.monotonic() - at) * self._rate)


class Attempts:
    """Refuse an address that has brought too many wrong tokens of late, before any more are looked at."""

    def __init__(self, app: asgi.ASGIApp, rules: Rules) -> None:
        self._app = app
        self._failures = Buckets(rules.app_context.clock, FAILURES_A_SECOND, FAILURES_AT_ONCE)

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        key = _network(address_of(scope))
        self._failures.require(key)
        noted = scope.setdefault("state", {})
        try:
            await self._app(scope, receive, send)
        except WrongToken:
            self._failures.take(key)
            raise
        if noted.get(WRONG):
            self._failures.take(key)


class Rates:
    """Refuse who asks too often: a token by its name, who has none by the address."""

    def __init__(self, app: asgi.ASGIApp, rules: Rules) -> None:
        self._app = app
        settings = rules.settings
        self._limited = settings.http_rate_limit > 0
        self._requests = Buckets(rules.app_context.clock, settings.http_rate_limit, settings.http_rate_burst)

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        if self._limited:
            key = f"@{_network(address_of(scope))}" if caller() is ANONYMOUS else caller().name
            self._requests.require(key)
            self._requests.take(key)
        await self._app(scope, receive, send)


def _network(address: str) -> str:
    """Return the address, of IPv6 the /64 it lies in: whoever has one of these has them all."""
    if ":" not in address:
        return address
    try:
        return str(int(IPv6Address(address.partition("%")[0])) >> 64)
    except ValueError:
        return address
