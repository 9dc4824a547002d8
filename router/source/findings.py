"""What pydantic found wrong with a file's shape, as diagnostics with their place."""

from collections.abc import Mapping, Sequence
from typing import Any

from strangler_fig.diagnostics import Diagnostic
from strangler_fig.documents import Document
from strangler_fig.shapes import named, shape_diagnostics

_KEY = "[key]"
_OWN_CODES = frozenset({"ES", "RS"})


def shape_finding(
    error: Mapping[str, Any], document: Document, known: Mapping[tuple[str, ...], Sequence[str]]
) -> Diagnostic:
    """One of `ValidationError.errors()`; `known` has the keys that are allowed at each path."""
    path = tuple(error["loc"])
    is_key = bool(path) and path[-1] == _KEY
    path = path[:-1] if is_key else path
    if error["type"][:2] not in _OWN_CODES:
        return shape_diagnostics([{**error, "loc": path}], document, known_keys=known)[0]
    context = error["ctx"]
    name = named(path)
    return Diagnostic(
        code=error["type"],
        message=f"{name}: {context['text']}" if name else context["text"],
        position=document.key_at(*path) if is_key else document.at(*path),
        hint=context["hint"] or None,
    )
