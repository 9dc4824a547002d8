"""`Database`: what a function's module makes once and uses in each invocation."""

import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import TracebackType

import sqlalchemy

from ..deadline import bounded
from ..profiles.load import database_profile, url_profile
from ..profiles.values import DatabaseProfile
from ..shadow import is_shadow
from .engine import create_engine
from .failures import failure

Guard = Callable[[], AbstractContextManager[object]]
"""What stands before each use, as a circuit breaker: entering it may raise `Overloaded`; an exception of our tree that
leaves the block is a failure of the target, any other one the caller's."""


class Database:
    """A database on-premises. Making one connects nothing; its profile is read and judged at once."""

    def __init__(self, profile: DatabaseProfile, *, guard: Guard = nullcontext) -> None:
        self.profile = profile
        self._guard = guard

    @classmethod
    def named(cls, name: str, *, guard: Guard = nullcontext) -> "Database":
        """The database whose profile has that name. Raises `ProfileInvalid` with every fault."""
        return cls(database_profile(name), guard=guard)

    @classmethod
    def from_url(cls, url: str, *, guard: Guard = nullcontext) -> "Database":
        """The database of a `mysql+onprem://` URL. Raises `ProfileInvalid` with every fault."""
        return cls(url_profile(url), guard=guard)

    @functools.cached_property
    def engine(self) -> sqlalchemy.Engine:
        """Its engine, made at the first use."""
        return create_engine(self.profile)

    @contextmanager
    def begin(self) -> Iterator[sqlalchemy.Connection]:
        """A connection in a transaction: committed at the block's end, rolled back on an error and for a shadow.

        Inside the block SQLAlchemy raises what it always does; what leaves it is of `adapters.errors`.
        """
        with self._mapped(), self._engine().connect() as connection, connection.begin():
            yield connection
            bounded(None, f"committing on {self.profile.name}", nothing_done=True)

    @contextmanager
    def connect(self) -> Iterator[sqlalchemy.Connection]:
        """A connection whose transactions the caller ends; what is not committed, and what a shadow did, is undone."""
        with self._mapped(), self._engine().connect() as connection:
            yield connection

    def dispose(self) -> None:
        """Close what is open, as before a snapshot of the environment is taken."""
        if "engine" in self.__dict__:
            self.engine.dispose()

    def _engine(self) -> sqlalchemy.Engine:
        if is_shadow() and self.profile.shadow:
            return _shadow_of(self.profile.shadow).engine
        return self.engine

    def _mapped(self) -> AbstractContextManager[None]:
        return _Mapped(self._guard(), self.profile.name)


class _Mapped:
    """A guarded block whose errors leave it as those of `adapters.errors`; a class, since each use makes one."""

    __slots__ = ("_guard", "_name")

    def __init__(self, guard: AbstractContextManager[object], name: str) -> None:
        self._guard = guard
        self._name = name

    def __enter__(self) -> None:
        try:
            self._guard.__enter__()
        except Exception as error:
            self._raise(error)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Map first: the guard judges errors of our tree, as it does before a service."""
        found = failure(error, self._name) if isinstance(error, Exception) else None
        if found is not None:
            found.__cause__ = error
            kind, error = type(found), found
        try:
            is_swallowed = self._guard.__exit__(kind, error, trace)
        except Exception as raised:
            if raised is not found:
                self._raise(raised)
            raise
        if found is not None and not is_swallowed:
            raise found
        return is_swallowed

    def _raise(self, error: Exception) -> None:
        found = failure(error, self._name)
        if found is not None:
            raise found from error


@functools.cache
def _shadow_of(name: str) -> Database:
    return Database.named(name)
