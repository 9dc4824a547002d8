import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.estates import large_estate
from router.estate import (
    Endpoint,
    Estate,
    FunctionArn,
    HttpUpstream,
    LambdaFunction,
    Rewrite,
    Sticky,
    StickyKind,
    Tls,
    WithoutKey,
)
from router.source.load import load_estate, load_estate_file
from router.source.normal import estate_json
from strangler_fig.diagnostics import Refused, has_errors
from tests.router.estates import BOOKSHOP, bookshop


@pytest.fixture(scope="module")
def estate() -> Estate:
    return bookshop()


def test_a_function_is_called_where_its_arn_is(estate: Estate) -> None:
    """A function without an endpoint is called at its region's public API, verified by that name."""
    books, orders, remote = estate.candidates
    assert isinstance(remote, LambdaFunction)
    assert remote.arn == FunctionArn(
        text="arn:aws-cn:lambda:cn-north-1:123456789012:function:remote:7",
        region="cn-north-1",
        account="123456789012",
        function="remote",
        qualifier="7",
    )
    assert remote.endpoint == Endpoint("lambda.cn-north-1.amazonaws.com.cn", 443)
    assert remote.tls == Tls(name="lambda.cn-north-1.amazonaws.com.cn")
    assert isinstance(books, LambdaFunction)
    assert (books.host, books.tls, books.timeout_seconds) == ("127.0.0.1:9002", None, 5.0)
    assert isinstance(orders, HttpUpstream)
    assert (orders.host, orders.tls) == ("orders.internal", Tls(name="orders.internal"))


def test_defaults_depend_on_the_sides(estate: Estate) -> None:
    """Two sides fall back; a Lambda side has a timeout of 15 s, legacy alone none; the default key is a cookie."""
    waits = {route.name: (route.timeout_seconds, route.fallback) for route in estate.routes}
    assert waits == {
        "books-read": (15.0, True),
        "orders": (20.0, True),
        "by-cookie": (15.0, True),
        "by-address": (15.0, False),
        "new-only": (15.0, False),
        "events": (None, False),
        "chat": (None, False),
    }
    by_cookie, orders = estate.route("by-cookie"), estate.route("orders")
    assert by_cookie
    assert by_cookie.sticky == Sticky(kind=StickyKind.COOKIE, name="fig-user", without_key=WithoutKey.ASSIGN)
    assert by_cookie.salt == "by-cookie"
    assert orders
    assert (orders.salt, orders.rewrite_lambda, orders.match.headers) == ("shop", Rewrite(path="/"), (("x-api", "v2"),))


def test_variables_come_from_the_environment() -> None:
    """`${NAME:-default}` is what the environment says, else the default."""
    loaded = load_estate(BOOKSHOP, file="e", environment={"ENTRY_PORT": "9999"})
    assert loaded.estate
    assert loaded.estate.entry.address == Endpoint("127.0.0.1", 9999)
    assert loaded.estate.legacy[1].endpoints[0] == Endpoint("127.0.0.1", 8081)


def test_the_order_of_lines_changes_nothing(estate: Estate) -> None:
    """An estate whose sections are written in another order is the same estate."""
    normal = estate_json(estate)
    turned = {
        key: dict(reversed(value.items())) if isinstance(value, dict) else value
        for key, value in reversed(normal.items())
    }
    assert load_estate(json.dumps(turned), file="e", environment={}).estate == estate


@pytest.mark.parametrize("text", [BOOKSHOP, large_estate(300)], ids=["bookshop", "large"])
def test_the_normal_form_reads_back(text: str) -> None:
    """The normal form, as sorted JSON, reads back to the same estate and has the same normal form."""
    estate = load_estate(text, file="e", environment={}).estate_or_refused()
    normal = estate_json(estate)
    again = load_estate(json.dumps(normal, sort_keys=True), file="e", environment={}).estate_or_refused()
    assert again == estate
    assert estate_json(again) == normal
    assert list(normal["routes"]) == sorted(normal["routes"])


@given(
    seconds=st.decimals(min_value="0.001", max_value=900, places=6),
    value=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12),
    size=st.integers(1, 2**32 - 1),
)
def test_any_value_reads_back(seconds: object, value: str, size: int) -> None:
    """Durations, sizes and texts with `$`, quotes or backslashes in them survive the normal form exactly."""
    document = estate_json(bookshop())
    document["lambda"]["orders"]["timeout"] = f"{seconds}s"
    document["routes"]["orders"]["timeout"] = "1d"
    document["routes"]["orders"]["match"]["headers"] = {"x-api": value.replace("$", "$$")}
    document["entry"]["max_body"] = f"{size}B"
    text = json.dumps(document)
    estate = load_estate(text, file="e", environment={}).estate
    if estate is None:  # its connect timeout may now be longer than the whole
        return
    orders = estate.route("orders")
    assert orders
    assert orders.match.headers == (("x-api", value),)
    assert load_estate(json.dumps(estate_json(estate)), file="e", environment={}).estate == estate


def test_no_estate_exactly_when_there_is_an_error() -> None:
    """Warnings leave an estate, errors do not, and asking for it anyway is refused with all findings."""
    warned = load_estate(BOOKSHOP.replace(":books:live", ":books"), file="e", environment={})
    assert warned.estate
    assert [one.code for one in warned.diagnostics] == ["ES214"]
    wrong = load_estate(BOOKSHOP.replace("default: bookshop", "default: x"), file="e", environment={})
    with pytest.raises(Refused) as refused:
        wrong.estate_or_refused()
    assert refused.value.diagnostics == wrong.diagnostics


def test_faults_do_not_hide_one_another() -> None:
    """A fault of shape in one route leaves the rules to judge the others."""
    text = BOOKSHOP.replace("{prefix: /chat}", "{prefix: chat}").replace("legacy: archive", "legacy: archiv")
    codes = [one.code for one in load_estate(text, file="e", environment={}).diagnostics]
    assert codes == ["ES201", "ES111"]


@pytest.mark.parametrize(("content", "code"), [(None, "ES100"), (b"\xff\xfe\x00", "DOC109")])
def test_files_that_cannot_be_read(tmp_path: Path, content: bytes | None, code: str) -> None:
    """A file that is missing or not UTF-8 is a finding, not a traceback."""
    file = tmp_path / "estate.yaml"
    if content is not None:
        file.write_bytes(content)
    assert [one.code for one in load_estate_file(file, environment={}).diagnostics] == [code]


_LINES = BOOKSHOP.splitlines()
_ODD_WORDS = (
    *("null", "[]", "{}", "[[[[[[", "{a: {b: {c: 1}}}", "9" * 400, "1e999999", "-1", "0x7f", "|", ">-", "---", "..."),
    *("!!python/object:os.system x", "*alias", "&anchor x", "? key", "${X", "${X:-}", "$$", "%zz", "\\", "[::1", "::"),
    *("\ud800", "\U0001f600", "\x00", "\u2028", "(?=", "[[:alpha:]]", "(" * 10, "a{999999999999}", "a:b:c:d:e:f:g:h"),
)
_ODD = st.one_of(st.text(max_size=20), st.sampled_from(_ODD_WORDS))


def _never_raises(text: str) -> None:
    loaded = load_estate(text, file="e", environment={"X": "\u00e9"})
    assert (loaded.estate is None) is has_errors(loaded.diagnostics)
    for finding in loaded.diagnostics:
        assert str(finding)
        assert finding.to_json()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    """Arbitrary text gives findings, never an exception."""
    _never_raises(text)


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(place=st.integers(0, len(_LINES) - 1), odd=_ODD, how=st.sampled_from(["value", "line", "key", "drop", "indent"]))
def test_any_change_of_a_sound_estate_is_judged(place: int, odd: str, how: str) -> None:
    """A sound estate with one line changed gives findings or an estate, never an exception."""
    lines = list(_LINES)
    key, colon, value = lines[place].partition(":")
    indent = key[: len(key) - len(key.lstrip())]
    match how:
        case "value":
            lines[place] = f"{key}{colon} {odd}"
        case "line":
            lines[place] = f"{indent}{odd}"
        case "key":
            lines[place] = f"{indent}{odd}{colon}{value}"
        case "drop":
            del lines[place]
        case _:
            lines[place] = f"  {lines[place]}"
    _never_raises("\n".join(lines))


_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)
_PLACES = (
    *("version", "entry", "entry.address", "legacy", "legacy.bookshop", "legacy.bookshop.endpoints", "lambda"),
    *("lambda.books", "lambda.orders.http", "routes", "routes.orders", "routes.orders.match"),
    *("routes.orders.match.path", "routes.orders.match.hosts", "routes.orders.match.headers", "routes.orders.sticky"),
)


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(place=st.sampled_from(_PLACES), value=_JSON)
def test_any_value_in_any_place_is_judged(place: str, value: object) -> None:
    """Any JSON value in any place of the file gives findings or an estate, never an exception."""
    document = estate_json(bookshop())
    parent = document
    *above, last = place.split(".")
    for step in above:
        parent = parent[step]
    parent[last] = value
    _never_raises(json.dumps(document))


def test_deep_nesting_is_judged() -> None:
    """Thousands of levels are a finding, not a crash of the interpreter."""
    _never_raises("routes: " + "[" * 5_000)
    _never_raises("routes: " + '{"a": ' * 5_000)
    _never_raises("\n".join(" " * depth + "a:" for depth in range(500)))


@pytest.mark.parametrize("version", ["true", "1.0", '"1"', "2"])
def test_the_version_is_the_number_one(version: str) -> None:
    """What only equals 1, or reads like it, is not the version."""
    loaded = load_estate(f"version: {version}\n", file="estate.yaml", environment={})
    assert any(str(one).startswith("estate.yaml:1:10: ") for one in loaded.diagnostics)


def test_a_file_without_an_end_is_refused() -> None:
    """A device that never ends is not read for ever."""
    loaded = load_estate_file(Path("/dev/zero"), environment={})
    assert [str(one) for one in loaded.diagnostics] == [
        "ES100 error: /dev/zero cannot be read: it is larger than 64 MiB"
    ]
