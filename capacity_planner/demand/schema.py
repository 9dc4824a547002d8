"""The JSON Schema of the demand file, printed from the same shapes that read it."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from .shapes import DemandShape

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _WithoutNull(GenerateJsonSchema):
    """Prints a key that may be left out as its value alone: the file has no nulls."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        # A default is said in the description, in the file's own units: 4GiB, not 4294967296.
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - a key is its own title
        return False


def demand_schema() -> dict[str, Any]:
    """The schema of the demand file, JSON Schema 2020-12."""
    schema = DemandShape.model_json_schema(schema_generator=_WithoutNull)
    schema["$schema"] = DIALECT
    schema["title"] = "Demand file"
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
