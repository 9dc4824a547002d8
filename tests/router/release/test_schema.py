from typing import Any

import jsonschema
import pytest

from router.release.schema import release_schema
from strangler_fig.documents import read_yaml

from .texts import WHOLE, books


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(release_schema())


def data(text: str) -> Any:
    document, _faults = read_yaml(text, file="r", environment={})
    return document.data if document else None


def test_it_is_a_schema_that_describes_every_key() -> None:
    """The schema is valid JSON Schema 2020-12, closed, and says what each key is for."""
    schema = release_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    shapes = [schema, *schema["$defs"].values()]
    undescribed = [
        key for shape in shapes for key, value in shape["properties"].items() if not value.get("description")
    ]
    assert undescribed == []
    assert all(shape["additionalProperties"] is False for shape in shapes)


def test_sound_releases_fit(validator: jsonschema.Draft202012Validator) -> None:
    """An editor marks nothing in a sound file."""
    for text in (WHOLE, books("lambda: 5%", "glide: 10m", "lambda: 100% for 7d")):
        assert [error.message for error in validator.iter_errors(data(text))] == []


@pytest.mark.parametrize(
    "text",
    [
        books("lamda: 5%"),
        books("lambda: 5"),
        books("lambda: 5%").replace("ticket: T-1\n", ""),
        books("{}"),
        books("ready: {warm_calls: 1, provisioned_concurrency: 1}"),
        books("lambda: 5%", head="on_breach: stop\n"),
        books("lambda: 5%", head="windows: {time_zone: UTC, open: [{days: mon, from: 8am, until: 09:00}]}\n"),
    ],
)
def test_what_the_reader_refuses_by_shape_the_schema_refuses(
    text: str, validator: jsonschema.Draft202012Validator
) -> None:
    """An editor marks what the reader would not take."""
    assert list(validator.iter_errors(data(text)))
