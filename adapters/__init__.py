"""What a Lambda function imports: to be called by the router, and to reach what stayed on-premises.

    from adapters import Database, HttpService, handler

Names are imported when they are asked for: `import adapters` alone costs next to nothing of a cold start. Imports
inside are relative, so the folder also works under another name (`docs/adr/0003`).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .database import Database, create_engine
    from .deadline import Deadline
    from .invocation import handler
    from .service import HttpService
    from .shadow import is_shadow

__all__ = ["Database", "Deadline", "HttpService", "create_engine", "handler", "is_shadow"]

_PLACES = {
    "Database": "database",
    "Deadline": "deadline",
    "HttpService": "service",
    "create_engine": "database",
    "handler": "invocation",
    "is_shadow": "shadow",
}


def __getattr__(name: str) -> Any:
    """The exported name, from its module. Raises `AttributeError`."""
    if name not in _PLACES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module  # noqa: PLC0415 - the price of every import of this package otherwise

    module = import_module(f".{_PLACES[name]}", __name__)
    found = getattr(module, name)
    globals()[name] = found
    return found
