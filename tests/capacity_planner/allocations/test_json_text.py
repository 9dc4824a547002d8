import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from capacity_planner.allocations.json_text import read_json

values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=4)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner, max_size=4)),
    max_leaves=15,
)


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Any]]:
    inside: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    return [(path, value), *(found for step, one in inside for found in paths(one, (*path, step)))]


@given(values, st.sampled_from([None, 0, 1, 3]), st.booleans())
def test_every_value_is_where_its_place_says(value: Any, indent: int | None, ascii_only: bool) -> None:  # noqa: FBT001 - drawn
    """From the place of each path on, the text parses to the value at that path."""
    text = " \n" + json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    document, found = read_json(text, file="list.json")
    assert found == ()
    assert document is not None
    lines = text.split("\n")
    for path, expected in paths(value):
        place = document.at(*path)
        rest = "\n".join([lines[place.line - 1][place.column - 1 :], *lines[place.line :]])
        assert json.JSONDecoder().raw_decode(rest)[0] == expected
        if path and isinstance(path[-1], str):
            key = document.key_at(*path)
            begin = lines[key.line - 1][key.column - 1 :]
            assert json.JSONDecoder().raw_decode(begin)[0] == path[-1]


@given(values, st.integers(0, 200))
def test_a_cut_off_text_is_a_finding_inside_the_text(value: Any, length: int) -> None:
    """Wherever a file ends too early, the place of the finding is in it."""
    text = json.dumps({"values": [value]}, indent=1)[:length]
    document, found = read_json(text, file="list.json")
    assert (document is None) == bool(found)
    for one in found:
        assert one.position is not None
        assert 1 <= one.position.line <= text.count("\n") + 1


def test_the_nearest_ancestor_answers_for_what_is_not_there() -> None:
    """A path into nothing gives the place of what is around it."""
    document, _found = read_json('{"a": [1, {"b": 2}]}', file="list.json")
    assert document is not None
    assert str(document.at("a", 1, "c")) == "list.json:1:11"
    assert str(document.at("a", 7)) == "list.json:1:7"
    assert str(document.key_at("a", 1, "b")) == "list.json:1:12"
