"""Demand files: what they become, and what is said about those that are wrong."""

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from capacity_planner.demand.load import Loaded, load_demand, load_demand_file
from capacity_planner.demand.network import Software, Way
from capacity_planner.demand.schema import demand_schema
from strangler_fig.diagnostics import Refused, Severity
from strangler_fig.documents import read_yaml
from tests.golden.cases import cases

ROOT = Path(__file__).parents[3]
BOOKSHOP = ROOT / "examples" / "bookshop" / "demand.yaml"
MINIMAL = """version: 1
account:
  azs: [eu-west-1a, eu-west-1b]
functions:
  books:
    rate: 60/s
    duration:
      p50: 40ms
    timeout: 3s
    memory: 512
    trust_zone: shop
"""


def load(text: str) -> Loaded:
    return load_demand(text, file="demand.yaml", environment={})


def findings(text: str) -> list[str]:
    """The first line of every finding; there is a demand exactly when none is an error."""
    loaded = load(text)
    assert (loaded.demand is None) == any(one.severity is Severity.ERROR for one in loaded.diagnostics)
    return [str(one).splitlines()[0] for one in loaded.diagnostics]


def test_the_bookshop() -> None:
    """The example says what the example estate's function needs."""
    demand = load_demand_file(BOOKSHOP, environment={}).demand_or_refused()
    (books,) = demand.functions
    assert (books.name, books.rate, books.memory_mb) == ("books", 60.0, 512)
    assert (books.durations.p50, books.durations.p99, books.durations.timeout) == (0.04, 0.4, 3.0)
    assert books.database_sessions == (("stock", 1),)
    assert demand.databases[0].budget == 70
    assert demand.path.proxies.software is Software.HAPROXY
    assert demand.path.direct_connect is not None
    assert [one.used_share for one in demand.path.direct_connect.circuits] == [0.2, 0.0]
    assert demand.growth.factor == pytest.approx(2.197)


def test_defaults() -> None:
    """What is left out has the documented default: the tail is the timeout, zones have one set, space is 100.64/10."""
    demand = load(MINIMAL).demand_or_refused()
    (books,) = demand.functions
    assert books.durations.p99 == 3.0
    assert books.way is Way.ENDPOINT
    assert [(zone.name, zone.sets) for zone in demand.zones] == [("shop", 1)]
    assert [str(block) for block in demand.spaces.spoke] == ["100.64.0.0/10"]
    assert demand.growth.factor == 1.0


def test_the_order_of_lines_changes_nothing() -> None:
    """Functions, zones and databases are in order of their names."""
    data = json.loads(json.dumps(read_yaml(BOOKSHOP.read_text(), file="x", environment={})[0].data))  # type: ignore[union-attr]
    backwards = dict(reversed(list(data.items())))
    assert load(json.dumps(backwards)).demand == load(json.dumps(data)).demand


def test_variables_are_taken_from_the_environment() -> None:
    """A rate may differ between environments."""
    text = MINIMAL.replace("60/s", "${BOOKS_RATE}")
    loaded = load_demand(text, file="demand.yaml", environment={"BOOKS_RATE": "3600/min"})
    assert loaded.demand_or_refused().functions[0].rate == 60.0
    assert findings(text)[0] == "demand.yaml:6:11: DOC107 error: ${BOOKS_RATE} is not set"


@pytest.mark.parametrize("case", cases("demand"), ids=lambda case: case.stem)
def test_findings(case: Path, golden: Callable[[Path, Callable[[str], str]], None]) -> None:
    """A demand file gives exactly the findings of its golden case: place, code, what was found, what to do."""
    golden(case, lambda text: "".join(f"{finding}\n" for finding in load(text).diagnostics))


@pytest.mark.parametrize(
    ("addition", "finding"),
    [
        ("    way: nat\n", "DM204 error: books goes through NAT, and path.nat is not there"),
        ("    way: direct\n", "DM204 error: books goes through the Transit Gateway, and path.transit_gateway is not"),
        ("    azs: [eu-west-1c]\n", "DM201 error: no Availability Zone of the account is called 'eu-west-1c'"),
        ("    azs: [eu-west-1a]\n", "DM207 warning: books is gone when 1 of its 1 zones are lost"),
        (
            "    sessions: {core: 2}\ndatabases: {core: {sessions: 9}}\n",
            "DM203 error: an environment of books",
        ),
        ("trust_zones:\n  bank: {}\n", "DM201 error: no trust zone is called 'shop'"),
        ("databases:\n  core:\n    sessions: 9\n", "DM206 warning: no function holds sessions of core"),
        ("databases:\n  core:\n    sessions: 9\n    others: 9\n", "DM208 error: core leaves no session to functions"),
        ("legacy:\n  shop:\n    functions: [books]\n", "DM209 error: nothing says what shop can carry"),
        ("legacy:\n  shop:\n    functions: [boks]\n    rate: 9/s\n", "DM201 error: no function is called 'boks'"),
        ("legacy:\n  shop:\n    functions: [books, books]\n    rate: 9/s\n", "DM202 error: books is counted for shop"),
        ("legacy:\n  shop:\n    functions: [books]\n    concurrency: 9\n", "DM209 error: concurrency of shop needs"),
        ("spaces:\n  hub: [100.64.0.0/16]\n", "DM205 error: 100.64.0.0/16 of the hub overlaps 100.64.0.0/10"),
        ("spaces:\n  hub: [10.0.0.0/8, 10.1.0.0/16]\n", "DM205 error: 10.0.0.0/8 overlaps 10.1.0.0/16"),
        ("spaces:\n  ipv6_parent: fd00::/40\n", "DM205 error: ipv6_parent without ipv6"),
    ],
)
def test_rules_over_the_whole(addition: str, finding: str) -> None:
    """Names must lead somewhere, and counts must fit together."""
    found = findings(MINIMAL + addition)
    assert any(finding in one for one in found), found


def test_losing_every_zone_is_refused() -> None:
    """At least one zone must be left."""
    one_zone = MINIMAL.replace("azs: [eu-west-1a, eu-west-1b]", "azs: [eu-west-1a]")
    assert findings(one_zone)[0].endswith("DM207 error: 1 of 1 zones lost leaves none")
    assert findings(one_zone.replace("azs:", "lost_azs: 0\n  azs:")) == []


@pytest.mark.parametrize("text", ["", "[]", "version: 2", "a: [", "functions: 3", "version: 1\nfunctions: {}", "{"])
def test_what_is_no_demand_file_is_refused(text: str) -> None:
    """Any other text is a finding with a place, never a traceback."""
    loaded = load(text)
    assert loaded.demand is None
    assert all(one.position is not None for one in loaded.diagnostics)
    assert loaded.diagnostics


def test_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    """A file that was saved on Windows says the same."""
    file = tmp_path / "demand.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode())
    assert load_demand_file(file, environment={}).demand == load(MINIMAL).demand


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"x" * (64 * 2**20 + 1)], ids=["missing", "binary", "huge"])
def test_a_file_that_cannot_be_read_is_a_finding(tmp_path: Path, content: bytes | None) -> None:
    """A missing, binary or huge file is refused, and named."""
    file = tmp_path / "demand.yaml"
    if content is not None:
        file.write_bytes(content)
    loaded = load_demand_file(file, environment={})
    assert [one.code for one in loaded.diagnostics] == ["DM100"]
    with pytest.raises(Refused, match=r"demand\.yaml cannot be read"):
        loaded.demand_or_refused()


def test_the_schema_accepts_the_examples_and_refuses_their_misspelling() -> None:
    """The JSON Schema that editors use agrees with what is read."""
    schema = demand_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    document = read_yaml(BOOKSHOP.read_text(), file="x", environment={})[0]
    assert document is not None
    assert list(validator.iter_errors(document.data)) == []
    document.data["functions"]["books"]["memmory"] = 3
    document.data["functions"]["books"]["rate"] = "60"
    document.data["functions"]["Books"] = {}
    places = {tuple(error.absolute_path) for error in validator.iter_errors(document.data)}
    assert {("functions", "books"), ("functions", "books", "rate")} <= places
    assert ("functions",) in places


def test_every_key_is_described() -> None:
    """Each key of the schema says what it is for, itself or by its shape."""
    schema = demand_schema()
    shapes = {f"#/$defs/{name}": shape for name, shape in schema["$defs"].items()}
    for shape in [schema, *shapes.values()]:
        for name, key in shape["properties"].items():
            assert key.get("description") or shapes[key["$ref"]]["description"], name
