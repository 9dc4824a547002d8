from pathlib import Path
from typing import Any

import jsonschema
import pytest

from router.source.schema import estate_schema
from strangler_fig.documents import read_yaml
from tests.golden.cases import SEPARATOR, cases
from tests.router.estates import BOOKSHOP

_EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*/estate.yaml"))


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(estate_schema())


def data(text: str) -> Any:
    document, _faults = read_yaml(text, file="e", environment={})
    return document.data if document else None


def test_it_is_a_schema() -> None:
    """The schema is valid JSON Schema 2020-12, and describes every key."""
    schema = estate_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    shapes = [schema, *schema["$defs"].values()]
    undescribed = [
        key for shape in shapes for key, value in shape["properties"].items() if not value.get("description")
    ]
    assert undescribed == []
    assert all(shape["additionalProperties"] is False for shape in shapes)


def test_sound_estates_fit(validator: jsonschema.Draft202012Validator) -> None:
    """Sound estates, the examples among them, fit the schema."""
    texts = [BOOKSHOP, *(example.read_text() for example in _EXAMPLES)]
    for text in texts:
        assert [error.message for error in validator.iter_errors(data(text))] == []


def test_variables_fit_before_they_are_resolved(validator: jsonschema.Draft202012Validator) -> None:
    """An editor sees `${NAME}` unresolved; it fits wherever text does."""
    document = data(BOOKSHOP)
    document["entry"]["address"] = "127.0.0.1:${ENTRY_PORT:-8080}"
    document["lambda"]["books"]["arn"] = "${BOOKS_ARN}"
    assert [error.message for error in validator.iter_errors(document)] == []


@pytest.mark.parametrize(
    "name",
    [
        "unknown-keys-get-a-suggestion",
        "wrong-types",
        "arn-that-is-not-one",
        "a-function-or-http",
        "quantities-out-of-range",
        "hosts-methods-and-headers",
        "paths-that-cannot-arrive",
    ],
)
def test_wrong_shapes_do_not_fit(validator: jsonschema.Draft202012Validator, name: str) -> None:
    """What the reader refuses for its shape, an editor marks by the schema."""
    (case,) = (case for case in cases("check") if case.stem == name)
    assert list(validator.iter_errors(data(case.read_text().partition(SEPARATOR)[0])))
