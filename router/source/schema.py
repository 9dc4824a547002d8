"""The JSON Schema of a file, printed from the same shapes that read it."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from .shapes import EstateShape

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _WithoutNull(GenerateJsonSchema):
    """Prints a key that may be left out as its value alone: the file has no nulls."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        # A default is said in the description, in the file's own units: 15s, not 15.0.
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - a key is its own title
        return False


def estate_schema() -> dict[str, Any]:
    """The schema of the estate file, JSON Schema 2020-12."""
    return schema_of(EstateShape, "Estate file")


def schema_of(shape: type[BaseModel], title: str) -> dict[str, Any]:
    """The schema of a file of that shape."""
    schema = shape.model_json_schema(by_alias=True, schema_generator=_WithoutNull)
    schema["$schema"] = DIALECT
    schema["title"] = title
    closed: dict[str, Any] = _closed_names(schema)
    return closed


def _closed_names(schema: Any) -> Any:
    """Mappings whose keys have a grammar refuse every other key."""
    if isinstance(schema, list):
        return [_closed_names(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed_names(value) for key, value in schema.items()}
    if isinstance(closed.get("patternProperties"), dict):
        closed["additionalProperties"] = False
    return closed
