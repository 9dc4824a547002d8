"""Powertools' circuit breaker before a service or a database: `guard=breaker(...)`.

Powertools wraps a function; a guard is a block. So the breaker is asked twice: first with a call that passes through
without counting, which tells whether the circuit lets anybody in and elects who may probe; then, when the block has
ended, with what came of it. An open circuit is `Overloaded`: nothing was sent, so legacy may answer.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .errors import ConnectionLost, DeadlineExceeded, Overloaded, StatementTimedOut, TargetFailed, Unreachable
from .service.answer import Unwell
from .service.target import Guard

COUNTED: tuple[type[TargetFailed], ...] = (Unreachable, ConnectionLost, StatementTimedOut, DeadlineExceeded, Unwell)
"""What counts as a failure of the target where the configuration does not say: it is away, broken, or slow."""


class _Passed(BaseException):
    """Leaves the breaker unseen: it counts `Exception`s only."""


def breaker(name: str, store: Any, *, config: Any = None, on_transition: Any = None) -> Guard:
    """A guard that shares the circuit `name` with all environments by a store of Powertools.

    `store` is a `CircuitBreakerPersistenceLayer`, `config` a `CircuitBreakerConfig` (by default Powertools' own, with
    `COUNTED` as failures), `on_transition` what Powertools calls when the circuit changes. The store's own time-outs
    are its client's: give it a `boto_config` with short ones.
    """
    from aws_lambda_powertools.utilities.circuit_breaker import (  # noqa: PLC0415 - only where there is a breaker
        CircuitBreakerConfig,
        CircuitBreakerOpenError,
        circuit_breaker,
    )

    wrap = circuit_breaker(
        name=name,
        persistence_store=store,
        on_transition=on_transition,
        config=config or CircuitBreakerConfig(handled_exceptions=COUNTED),
    )
    return _Circuit(name, wrap(_replay), CircuitBreakerOpenError).guard


def _replay(error: BaseException | None) -> None:
    """End as the block ended."""
    if error is not None:
        raise error


class _Circuit:
    """The two questions to one circuit; `told` is the breaker around `_replay`, `is_open` what an open one raises."""

    def __init__(self, name: str, told: Any, is_open: type[Exception]) -> None:
        self._name = name
        self._told = told
        self._is_open = is_open

    @contextmanager
    def guard(self) -> Iterator[None]:
        """The guard's block. Raises `Overloaded` where the circuit is open."""
        self._ask()
        try:
            yield
        except Exception as error:
            self._tell(self._judged(error))
            raise
        self._tell(None)

    def _ask(self) -> None:
        try:
            self._told(_Passed())
        except _Passed:
            return
        except self._is_open as error:
            message = f"the circuit {self._name} is open"
            raise Overloaded(message) from error

    def _judged(self, error: Exception) -> Exception:
        """What the error means: a block around SQLAlchemy alone is left by the driver's own errors."""
        if isinstance(error, TargetFailed) or "sqlalchemy" not in sys.modules:
            return error
        from .database.failures import failure  # noqa: PLC0415 - only where there is a database

        return failure(error, self._name) or error

    def _tell(self, error: Exception | None) -> None:
        """Have the breaker count what came of the block, which is what the block's caller gets."""
        try:
            self._told(error)
        except self._is_open:  # it opened meanwhile, and learns nothing new
            return
        except Exception as same:
            if same is not error:
                raise
