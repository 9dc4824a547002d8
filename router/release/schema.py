"""The JSON Schema of the release file, printed from the same shapes that read it."""

from typing import Any

from ..source.schema import schema_of
from .shapes import ReleaseShape


def release_schema() -> dict[str, Any]:
    """The schema of the release file, JSON Schema 2020-12."""
    return schema_of(ReleaseShape, "Release file")
