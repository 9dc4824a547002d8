import ipaddress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from capacity_planner.addresses.block import Block
from capacity_planner.addresses.key import block_of, end_of, holds, is_ipv6, key_of, prefix_of, start_of
from capacity_planner.addresses.meaning import Fault
from capacity_planner.addresses.parse import UNREAD, keys_of, parse, parse_one

canonical = st.one_of(
    st.builds(
        lambda address, length: str(ipaddress.ip_network((address, length), strict=False)),
        st.integers(0, 2**32 - 1),
        st.integers(0, 32),
    ),
    st.builds(
        lambda address, length: str(ipaddress.ip_network((address, length), strict=False)),
        st.integers(2**32, 2**128 - 1),
        st.integers(0, 128),
    ),
)
ascii_noise = st.text(alphabet="0123456789./:abf \n\t-%x\x00", max_size=24)


@given(st.lists(canonical, max_size=40))
def test_what_the_standard_library_writes_is_read_back(texts: list[str]) -> None:
    """Canonical blocks of both versions, in any mixture, give the keys of the same blocks, in their order."""
    parsed = parse(texts)
    assert parsed.faults == ()
    assert [block_of(key) for key in parsed.keys] == [Block.of(text) for text in texts]
    assert parsed.keys == keys_of([Block.of(text) for text in texts])


@given(st.lists(st.one_of(canonical, ascii_noise, st.text(max_size=12)), max_size=12))
@example(["10.0.0.0/24/10.1.0.0", "24"])
@example(["10.0.0.0/24\n10.1.0.0", "24"])
@example(["10.0.0.0/24/\n/10.1.0.0", "25"])
@example(["10.0.0.0/24/\n/10.1.0.0/24", "10.0.0.0/24"])
@example(["10.0.0.0/24", "10.0.0.0/٢٤", "10.0.0.0/24"])
@example(["2001:db8::/56", "fe80::1%eth0/64", "::/0"])
def test_nothing_but_a_canonical_block_is_read(texts: list[str]) -> None:
    """Whatever stands beside a text, it is read exactly where it is a block without host bits, else explained."""
    parsed = parse(texts)
    assert len(parsed.keys) == len(texts)
    wrong = {place for place, _fault in parsed.faults}
    for place, text in enumerate(texts):
        assert (parsed.keys[place] == UNREAD) == (place in wrong)
        if place not in wrong:
            assert block_of(parsed.keys[place]) == Block.of(text)
            assert parse_one(text) == Block.of(text)


@settings(deadline=None, max_examples=10)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 40)), max_size=6))
def test_the_thousandth_fault_is_found_as_well_as_the_first(wrong: list[tuple[int, int]]) -> None:
    """A lot with a fault is read one by one, and no other lot is touched."""
    texts = [f"10.{number >> 8}.{number & 255}.0/24" for number in range(9000)]
    places = sorted({lot * 1000 + place for lot, place in wrong})
    for place in places:
        texts[place] = "10.0.0.1/24"
    assert [place for place, _fault in parse(texts).faults] == places


@given(canonical, canonical)
def test_keys_sort_and_compare_as_blocks_do(left: str, right: str) -> None:
    """The order of keys is the order of blocks, and a key knows what its block knows."""
    one, other = Block.of(left), Block.of(right)
    first, second = key_of(one), key_of(other)
    assert (first < second) == (one < other)
    assert holds(first, second) == one.holds(other)
    assert (is_ipv6(first), prefix_of(first)) == (one.version == 6, one.prefix)
    assert end_of(first) - start_of(first) == one.size
    assert block_of(first) == one


MEANT = {
    "10.0.0.0/33": ("AD103", "an IPv4 prefix has at most 32 bits", "write 10.0.0.0/32 for the one address"),
    "10.0.0.5/24": ("AD102", "has host bits set", "write 10.0.0.0/24 for the block, or 10.0.0.5/32 for the address"),
    "100.68.0.18/18": ("AD102", "has host bits set", "write 100.68.0.0/18 for the block"),
    "2001:db8::1/56": ("AD102", "has host bits set", "write 2001:db8::/56 for the block, or 2001:db8::1/128"),
    "10.0.0.0/64": ("AD108", "an IPv4 address with the length of an IPv6 prefix", "at most 32 bits"),
    "::ffff:10.0.0.0/120": ("AD108", "an IPv4 address in the form of IPv6", "write 10.0.0.0/24"),
    "2001:db8::/129": ("AD103", "a number from 0 to 128", "as in 2001:db8::/96"),
    "010.0.0.0/8": ("AD104", "has a leading zero", "write 10.0.0.0/8"),
    "10.00.0.0/24": ("AD104", "has a leading zero", "write 10.0.0.0/24"),
    "10.0.0.0/024": ("AD103", "has a leading zero", "write 10.0.0.0/24"),
    "10.0.0.0/255.255.255.0": ("AD105", "has a netmask", "write 10.0.0.0/24"),
    "10.0.0.0 255.255.0.0": ("AD105", "has a netmask", "write 10.0.0.0/16"),
    "10.0.0.0 0.0.0.255": ("AD105", "has a netmask", "write 10.0.0.0/24"),
    "10.0.0.0-10.0.0.255": ("AD106", "is a range", "write 10.0.0.0/24"),
    "10.0.0.0 - 10.0.0.9": ("AD106", "is a range", "each of its blocks"),
    "10.0.0.5": ("AD107", "has no prefix length", "write 10.0.0.5/32 for the one address"),
    "2001:db8::1": ("AD107", "has no prefix length", "write 2001:db8::1/128"),
    "10.0.0.0/": ("AD103", "a number from 0 to 32", "as in 10.0.0.0/24"),
    "10.0.0.0/-1": ("AD103", "a number from 0 to 32", "as in"),
    "10.0.0.0 / 24": ("AD101", "has spaces in it", "write 10.0.0.0/24"),
    "10.0.0.0/24\u00a0": ("AD101", "has spaces in it", "write 10.0.0.0/24"),
    "": ("AD101", "no block", "such as"),
    "10.0.0/24": ("AD101", "is not a block", "such as"),
    "banana": ("AD101", "'banana' is not a block", "such as"),
    "10.256.0.0/24": ("AD101", "is not a block", "such as"),
    "1" * 5000 + "/24": ("AD101", "...' is not a block", "such as"),
    "\x1b[31m10.0.0.0/24": ("AD101", "'\\x1b[31m10.0.0.0/24' is not a block", "such as"),
}


@pytest.mark.parametrize(("text", "meant"), MEANT.items(), ids=lambda value: repr(value)[:40])
def test_a_fault_says_what_was_meant(text: str, meant: tuple[str, str, str]) -> None:
    """What people write instead of a block is named, and what they most likely meant is said."""
    fault = parse_one(text)
    assert isinstance(fault, Fault)
    code, message, hint = meant
    assert fault.code == code
    assert message in fault.message
    assert hint in fault.hint
    assert len(fault.message) < 200
