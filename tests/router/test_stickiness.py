import re

import pytest

from router.estate import Sticky, StickyKind, WithoutKey
from router.snapshot.entries import cookie_pattern
from router.stickiness import cookie_value, own_key, sticky_key


@pytest.mark.parametrize(
    ("cookies", "value"),
    [
        ("fig-user=a", "a"),
        ("x=1; fig-user=a; fig-user=b", "a"),
        ("x=1;fig-user=a", "a"),
        ("xfig-user=a", None),
        ("fig-user=", None),
        ("fig-user=; fig-user=b", "b"),
        ("fig-user=a=b", "a=b"),
        ('fig-user="a b" ; x=1', '"a b" '),
        ("Fig-User=a", None),
        ("", None),
    ],
)
def test_the_first_cookie_that_says_something(cookies: str, value: str | None) -> None:
    """The key of a cookie is its first non-empty value up to the next semicolon, as the compiled pattern reads it."""
    assert cookie_value(cookies, "fig-user") == value
    found = re.fullmatch(cookie_pattern("fig-user"), cookies)
    assert (found[1] if found else None) == value


@pytest.mark.parametrize(
    ("without_key", "headers", "key"),
    [
        (WithoutKey.LEGACY, {"x-user": "alice"}, "alice"),
        (WithoutKey.LEGACY, {"x-user": ""}, None),
        (WithoutKey.LEGACY, {}, None),
        (WithoutKey.ASSIGN, {}, "10.0.0.1"),
        (WithoutKey.ASSIGN, {"x-user": "alice"}, "alice"),
    ],
)
def test_a_header_or_else_the_client(without_key: WithoutKey, headers: dict[str, str], key: str | None) -> None:
    """A header's value is the key; without one a route that assigns goes by the client's address."""
    sticky = Sticky(kind=StickyKind.HEADER, name="x-user", without_key=without_key)
    assert sticky_key(sticky, headers, "10.0.0.1") == key


def test_the_client_address_is_a_key_of_its_own() -> None:
    """By client address the key is the address, where it is known."""
    sticky = Sticky(kind=StickyKind.CLIENT_ADDRESS, name="", without_key=WithoutKey.ASSIGN)
    assert own_key(sticky, {}, "2001:db8::1") == "2001:db8::1"
    assert own_key(sticky, {}, None) is None
