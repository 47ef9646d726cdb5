"""Result: what a call answers when the caller can do something about a refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, cast, overload

T = TypeVar("T")
U = TypeVar("U")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Error:
    """Why a call was refused: a stable UPPER_SNAKE code, a sentence for people, and JSON-friendly details."""

    code: str
    message: str
    details: Mapping[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return `{"code", "message", "details"}`."""
        return {
            "code": self.code,
            "message": self.message,
            "details": None if self.details is None else dict(self.details),
        }


class ResultError(Exception):
    """Raised by `Result.unwrap()` on a refusal; carries the `error`."""

    def __init__(self, error: Error) -> None:
        super().__init__(f"{error.code}: {error.message}")
        self.error = error


class _MakeSuccess(Protocol):
    @overload
    def __call__(self) -> Result[None]: ...
    @overload
    def __call__(self, data: T) -> Result[T]: ...


class _MakeError(Protocol):
    def __call__(self, code: str, message: str, details: Mapping[str, Any] | None = None) -> Result[Any]: ...


class _Success:
    """`Result.success(data)` builds a success; `result.success` tells whether it is one."""

    @overload
    def __get__(self, instance: None, owner: type[Result[Any]]) -> _MakeSuccess: ...
    @overload
    def __get__(self, instance: Result[Any], owner: type[Result[Any]]) -> bool: ...
    def __get__(self, instance: Result[Any] | None, owner: type[Result[Any]]) -> _MakeSuccess | bool:
        if instance is None:
            return cast(_MakeSuccess, owner._make_success)
        return instance._error is None


class _Error:
    """`Result.error(code, message, details)` builds a refusal; `result.error` is None or the `Error`."""

    @overload
    def __get__(self, instance: None, owner: type[Result[Any]]) -> _MakeError: ...
    @overload
    def __get__(self, instance: Result[Any], owner: type[Result[Any]]) -> Error | None: ...
    def __get__(self, instance: Result[Any] | None, owner: type[Result[Any]]) -> _MakeError | Error | None:
        if instance is None:
            return owner._make_error
        return instance._error


class Result(Generic[T_co]):
    """A value or an `Error`, frozen. True when it is a success; never holds another Result."""

    __slots__ = ("_data", "_error")
    _data: T_co | None
    _error: Error | None

    success = _Success()
    error = _Error()

    def __init__(self, data: T_co | None = None, error: Error | None = None) -> None:
        if isinstance(data, Result):
            raise TypeError("a Result never holds another Result; return the inner one")
        object.__setattr__(self, "_data", data)
        object.__setattr__(self, "_error", error)

    @classmethod
    def _make_success(cls, data: Any = None) -> Result[Any]:
        return cls(data)

    @classmethod
    def _make_error(cls, code: str, message: str, details: Mapping[str, Any] | None = None) -> Result[Any]:
        return cls(None, Error(code, message, details))

    @property
    def data(self) -> T_co:
        """The value of a success; None on a refusal."""
        return cast(T_co, self._data)

    def unwrap(self) -> T_co:
        """Return the value, or raise `ResultError`."""
        if self._error is not None:
            raise ResultError(self._error)
        return cast(T_co, self._data)

    def map(self, change: Callable[[T_co], U]) -> Result[U]:
        """Return the success of the changed value; a refusal stays as it is."""
        return Result(None, self._error) if self._error is not None else Result(change(cast(T_co, self._data)))

    def to_dict(self) -> dict[str, Any]:
        """Return `{"success", "data", "error"}`, ready for JSON where the data is."""
        return {
            "success": self.success,
            "data": self._data,
            "error": None if self._error is None else self._error.to_dict(),
        }

    def __bool__(self) -> bool:
        return self._error is None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Result) and (self._data, self._error) == (other._data, other._error)

    __hash__ = None  # type: ignore[assignment]  # the data may be a dict

    def __repr__(self) -> str:
        if self._error is None:
            return f"Result.success({self._data!r})"
        return f"Result.error({self._error.code!r}, {self._error.message!r})"

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Result is frozen; {name!r} cannot be set")
