import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.golden.cases import cases
from tests.infra.topology import Topology

_HASH = re.compile(r"[0-9A-F]{8}$")


@pytest.mark.parametrize("case", cases("infra"), ids=lambda case: case.stem)
def test_a_construct_makes_what_its_golden_case_shows(
    case: Path, golden: Callable[[Path, Callable[[str], str]], None], topology: Topology
) -> None:
    """The resources of the named types in the named stack, one line each: `Type Id key=value ...`."""
    golden(case, lambda given: _readable(topology, given))


def _readable(topology: Topology, given: str) -> str:
    stack, *types = given.split()
    lines = [
        f"{one['Type'].removeprefix('AWS::')} {_HASH.sub('', name)}\n  {' '.join(_pairs(one.get('Properties', {})))}"
        for name, one in topology.template(stack)["Resources"].items()
        if one["Type"].removeprefix("AWS::") in types
    ]
    return "\n".join(lines) + "\n"


def _pairs(properties: Mapping[str, Any]) -> list[str]:
    return [f"{key}={_short(value)}" for key, value in sorted(properties.items()) if key not in ("Tags", "Description")]


def _short(value: Any) -> str:
    """A value in few letters: `&Id` is a reference, `&Id.Name` an attribute, `Key:Value` a pair."""
    match value:
        case {"Ref": str(name)}:
            short = f"&{_HASH.sub('', name)}"
        case {"Fn::GetAtt": [name, attribute]}:
            short = f"&{_HASH.sub('', name)}.{attribute}"
        case {"Key": key, "Value": own}:
            short = f"{key}:{own}"
        case {"Fn::Sub": str(text)} | str(text):
            short = text
        case dict():
            short = "{" + ",".join(f"{key}:{_short(one)}" for key, one in value.items()) + "}"
        case list():
            short = "[" + ",".join(_short(one) for one in value) + "]"
        case _:
            short = json.dumps(value)
    return short
