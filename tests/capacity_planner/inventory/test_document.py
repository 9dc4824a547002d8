import json

from hypothesis import given
from hypothesis import strategies as st

from capacity_planner.allocations.json_text import read_json
from capacity_planner.allocations.values import Allocations, Row
from capacity_planner.inventory.document import from_json, to_json
from capacity_planner.inventory.values import FunctionUse, Inventory, Quota, RegionUse, Route, RouteTable, VpcUse
from tests.capacity_planner.addresses.blocks import SPACE6, blocks_inside

words = st.text(alphabet="abc -", min_size=1, max_size=5)
counts = st.one_of(st.none(), st.integers(0, 9))
blocks = st.one_of(blocks_inside(), blocks_inside(SPACE6))
rows = st.builds(
    Row, block=blocks, name=words, vpc=words, az=words, purpose=words, routable=st.sampled_from([True, False, None])
)
uses = st.builds(
    VpcUse,
    vpc=words,
    account=words,
    region=words,
    enis=counts,
    interface_endpoints=counts,
    nau=st.dictionaries(words, st.integers(0, 9), max_size=2),
    nau_is_whole=st.booleans(),
    peers=st.lists(words, max_size=2).map(tuple),
)
tables = st.builds(
    RouteTable,
    name=words,
    vpc=words,
    static=st.integers(0, 9),
    propagated=st.integers(0, 9),
    routes=st.lists(st.builds(Route, block=blocks), max_size=2).map(tuple),
)
functions = st.builds(FunctionUse, name=words, vpc=words, subnets=st.lists(words, max_size=2).map(tuple), peak=counts)
quotas = st.builds(
    Quota, key=words, value=st.floats(1, 9), code=words, account=words, region=words, as_of=st.just("2026-11-25")
)


@given(
    st.lists(rows, max_size=4),
    st.lists(uses, max_size=2),
    st.lists(tables, max_size=2),
    st.lists(functions, max_size=2),
    st.lists(quotas, max_size=2),
)
def test_an_inventory_is_read_back_as_it_was_written(
    given_rows: list[Row],
    given_uses: list[VpcUse],
    given_tables: list[RouteTable],
    given_functions: list[FunctionUse],
    given_quotas: list[Quota],
) -> None:
    """Nothing is lost between `fig cidr import aws` and the checks, and what is unknown is not made 0."""
    inventory = Inventory(
        allocations=Allocations.of(given_rows, deployed=True),
        vpcs=tuple(given_uses),
        regions=(RegionUse(account="a", region="eu-west-1", enis_by_az={"eu-west-1a": 3}),),
        route_tables=tuple(given_tables),
        functions=tuple(given_functions),
        free=dict.fromkeys(range(0, len(given_rows), 2), 7),
        quotas=tuple(given_quotas),
    )
    text = json.dumps(to_json(inventory, as_of="2026-11-25"))
    document, found = read_json(text, file="inventory.json")
    assert document is not None
    assert found == ()
    assert from_json(document) == (inventory, ())
