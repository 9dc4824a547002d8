import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity_planner.addresses.block import Block
from tests.capacity_planner.addresses.blocks import SPACE, blocks_inside
from tests.capacity_planner.command_line import fig


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own with a list."""
    monkeypatch.chdir(tmp_path)
    text = "cidr,name,purpose\n10.0.0.0/8,all,pool\n10.0.0.0/24,a,\n10.0.1.0/25,b,\n10.0.4.0/22,c,\n"
    Path("list.csv").write_text(text, encoding="utf-8")
    return tmp_path


def test_first_fit_is_the_lowest_and_best_fit_the_tightest(here: Path) -> None:
    """A /26 comes from the half of 10.0.1.0/24 by both; a /24 from the first gap or the tightest."""
    asked = ("free", "--in", "10.0.0.0/8", "--existing", "list.csv")
    assert fig(here, *asked, "--prefix", "26").stdout == "10.0.1.128/26\n"
    assert fig(here, *asked, "--prefix", "24", "--count", "3").stdout == "10.0.2.0/24\n10.0.3.0/24\n10.0.8.0/24\n"
    best = fig(here, *asked, "--prefix", "21", "--count", "2", "--best-fit")
    assert (best.code, best.stdout) == (0, "10.0.8.0/21\n10.0.16.0/21\n")


def test_several_parents_are_searched_in_order_of_address(here: Path) -> None:
    """No block reaches over two of them."""
    asked = ("free", "--in", "10.9.1.0/24", "--in", "10.9.0.0/24", "--prefix", "24", "--count", "2")
    assert fig(here, *asked).stdout == "10.9.0.0/24\n10.9.1.0/24\n"
    done = fig(here, "free", "--in", "10.9.1.0/24", "--in", "10.9.0.0/24", "--prefix", "23")
    assert (done.code, done.stdout) == (4, "")
    assert "the largest free block is 10.9.0.0/24, 512 addresses are free in all" in done.stderr


def test_where_there_is_too_little_room_what_there_is_is_told(here: Path) -> None:
    """Exit 4: a limit refuses. What was found is printed all the same."""
    done = fig(here, "free", "--in", "10.0.0.0/22", "--prefix", "24", "--count", "9", "--existing", "list.csv")
    assert (done.code, done.stdout) == (4, "10.0.2.0/24\n10.0.3.0/24\n")
    assert "2 of 9 blocks of /24 are free in 10.0.0.0/22" in done.stderr
    done = fig(here, "free", "--in", "10.0.0.0/24", "--prefix", "28", "--existing", "list.csv")
    assert (done.code, done.stdout) == (4, "")
    assert done.stderr.endswith("; nothing is\n")


def test_json_tells_of_the_space_too(here: Path) -> None:
    """What is free in all, the largest block, and how far fragmentation costs."""
    done = fig(here, "free", "--in", "10.0.0.0/22", "--prefix", "24", "--existing", "list.csv", "--json")
    assert json.loads(done.stdout) == {
        "blocks": ["10.0.2.0/24"],
        "asked": 1,
        "free_addresses": 640,
        "largest_free": "10.0.2.0/23",
        "fragmentation": 0.0,
    }


def test_inside_a_vpc_its_own_block_takes_nothing(here: Path) -> None:
    """Who looks for a subnet in a VPC finds room between its subnets; who looks around it does not."""
    Path("vpc.csv").write_text(
        "cidr,name,vpc,purpose\n10.0.0.0/20,hub,hub,vpc\n10.0.0.0/24,a,hub,web\n", encoding="utf-8"
    )
    assert fig(here, "free", "--in", "10.0.0.0/20", "--prefix", "24", "--existing", "vpc.csv").stdout == "10.0.1.0/24\n"
    assert (
        fig(here, "free", "--in", "10.0.0.0/16", "--prefix", "24", "--existing", "vpc.csv").stdout == "10.0.16.0/24\n"
    )


def test_ipv6_is_searched_as_well(here: Path) -> None:
    """The second /56 of a /48 when the first is taken; IPv4 rows do not matter."""
    Path("six.csv").write_text("cidr\n2001:db8::/56\n10.0.0.0/8\n", encoding="utf-8")
    done = fig(here, "free", "--in", "2001:db8::/48", "--prefix", "56", "--existing", "six.csv")
    assert done.stdout == "2001:db8:0:100::/56\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--in", "10.0.0.5/24", "--prefix", "28"], "--in: '10.0.0.5/24' has host bits set"),
        (["--in", "10.0.0.0/24", "--prefix", "64"], "has at most 32 bits"),
        (["--in", "10.0.0.0/24", "--in", "2001:db8::/48", "--prefix", "28"], "blocks of IPv4 and of IPv6"),
        (["--in", "10.0.0.0/24", "--prefix", "28", "--existing", "missing.csv"], "missing.csv cannot be read"),
        (["--prefix", "28"], "Missing option '--in'"),
    ],
)
def test_a_wrong_question_ends_with_2(here: Path, arguments: list[str], message: str) -> None:
    """Said in one line, without a traceback."""
    done = fig(here, "free", *arguments)
    assert done.code == 2
    assert message in done.stderr
    assert done.stdout == ""


@settings(max_examples=30)
@given(st.lists(blocks_inside(), max_size=8), st.integers(24, 30), st.booleans())
def test_what_is_found_is_free_and_fits(used: list[Block], prefix: int, is_best: bool) -> None:  # noqa: FBT001 - drawn
    """By either fit, blocks are canonical, in the parent, and overlap neither the list nor each other."""
    import tempfile  # noqa: PLC0415 - hypothesis and tmp_path do not go together

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.csv"
        path.write_text("cidr\n" + "".join(f"{block}\n" for block in used), encoding="utf-8")
        asked = ["free", "--in", SPACE, "--prefix", prefix, "--existing", path, "--count", "20"]
        done = fig(Path(folder), *map(str, asked), *(["--best-fit"] if is_best else []))
    found = [Block.of(line) for line in done.stdout.split()]
    assert done.code in (0, 4)
    for place, block in enumerate(found):
        assert SPACE.holds(block)
        assert block.prefix == prefix
        assert not any(block.overlaps(other) for other in [*used, *found[:place]])
