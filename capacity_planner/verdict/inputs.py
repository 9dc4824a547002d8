"""The frozen values of a demand as plain JSON values, so that they can be digested."""

import dataclasses
import enum
from typing import Any


def to_plain(value: Any) -> Any:
    """Dataclasses as mappings of their fields, tuples as lists, enums as their values."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, (list, tuple)):
        return [to_plain(one) for one in value]
    if dataclasses.is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return value
