import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.estate import Endpoint
from router.source.address import parse_api_url, parse_endpoint, parse_host
from router.source.arn import parse_arn
from router.source.fault import Fault
from router.source.path import parse_path, parse_regex


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("shop.internal:8080", Endpoint("shop.internal", 8080)),
        ("SHOP_1:1", Endpoint("shop_1", 1)),
        ("10.0.0.1:65535", Endpoint("10.0.0.1", 65535)),
        ("[2001:DB8:0::1]:443", Endpoint("2001:db8::1", 443)),
    ],
)
def test_endpoints(text: str, endpoint: Endpoint) -> None:
    """An endpoint is a name, an IPv4 address or an IPv6 address in brackets, and a port."""
    assert parse_endpoint(text) == endpoint
    assert parse_endpoint(str(endpoint)) == endpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "a:",
        ":1",
        "a:0",
        "a:65536",
        "a:1x",
        "a:\u0661",
        "a..b:1",
        "-a:1",
        "[::1:1",
        "[a]:1",
        "[::1%lo]:1",
        "é:1",
        "010.0.0.1:1",
        "a/b:1",
    ],
)
def test_what_is_no_endpoint(text: str) -> None:
    """Everything else is refused with a hint."""
    with pytest.raises(Fault) as fault:
        parse_endpoint(text)
    assert fault.value.hint


@pytest.mark.parametrize(
    ("text", "authority", "endpoint"),
    [
        ("https://api.internal", "api.internal", Endpoint("api.internal", 443)),
        ("https://api.internal:443/", "api.internal", Endpoint("api.internal", 443)),
        ("http://127.0.0.1:9002", "127.0.0.1:9002", Endpoint("127.0.0.1", 9002)),
        ("http://[::1]", "[::1]", Endpoint("::1", 80)),
    ],
)
def test_api_urls(text: str, authority: str, endpoint: Endpoint) -> None:
    """The Host header of an API call has the port only where it is not the scheme's own."""
    url = parse_api_url(text)
    assert (url.authority, url.endpoint) == (authority, endpoint)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lambda.internal",
        "ftp://a",
        "https://",
        "https://a/path",
        "https://u@a",
        "https://a?b",
        "https://a:b",
        "HTTPS://a",
    ],
)
def test_what_is_no_api_url(text: str) -> None:
    """A URL with a path, a user, another scheme or no host is refused."""
    with pytest.raises(Fault):
        parse_api_url(text)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("Books.Example", "books.example"),
        ("*.Example", "*.example"),
        ("10.0.0.1", "10.0.0.1"),
        ("[::1]", "[::1]"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
def test_hosts(text: str, host: str) -> None:
    """Hosts are compared in lower case; a wildcard may begin one."""
    assert parse_host(text) == host


@pytest.mark.parametrize(
    "text",
    ["", "*", "*.", "a.*", "*a.example", "**.a", "a:80", "a.", "bücher.example", "a b", "1.2.3.4.5", "*.10.0.0.1"],
)
def test_what_is_no_host(text: str) -> None:
    """Ports, inner wildcards, dots at the end and names outside ASCII are refused."""
    with pytest.raises(Fault):
        parse_host(text)


def test_arns() -> None:
    """An ARN gives its region, account, function and qualifier."""
    arn = parse_arn("arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:a_b-C:12")
    assert (arn.region, arn.account, arn.function, arn.qualifier) == ("us-gov-west-1", "123456789012", "a_b-C", "12")
    assert parse_arn("arn:aws:lambda:eu-west-1:123456789012:function:a").qualifier is None


@pytest.mark.parametrize(
    "pattern",
    [
        "/a(?!b)",
        "/a(?<=b)",
        "/(?>a)",
        "/(?P<x>a)(?P=x)",
        "/(a)(?(1)b|c)",
        "/a*+",
        "/a{2}+",
        "/a**",
        r"/a\Z",
        r"/(a)\1",
        "/a{1001}",
        "/[[:alpha:]]",
        "/a(?#x)",
        "/a(?x: b)",
        "/(",
        "/[a",
        "",
        "/é",
        "x" * 2000,
        "(" * 900,
        "/a{,3}",
    ],
)
def test_regexes_that_are_refused(pattern: str) -> None:
    """What RE2 lacks or reads otherwise, and what is no expression at all, is refused."""
    with pytest.raises(Fault):
        parse_regex(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "/books/[0-9]+",
        "^/a$",
        "/(a|b)+?/c{2,3}",
        r"/\d+\.json",
        "/(?P<id>[^/]+)",
        "/(?:a)",
        "(?i)/A",
        "/[]a]+",
        r"/[\]\\]",
        "/a{b}",
        ".*",
        "/[[]",
        r"/\(?a",
    ],
)
def test_regexes_that_both_engines_have(pattern: str) -> None:
    """What RE2 and Python read alike is taken as it is."""
    assert parse_regex(pattern) == pattern


@given(st.text(st.sampled_from("/ab[]()?*+{}|\\^$.:=!<>P1,-Z#&~"), max_size=14))
def test_any_regex_is_judged(pattern: str) -> None:
    """Any expression is taken or refused, never an accident; what is taken compiles."""
    try:
        re.compile(parse_regex(pattern), re.ASCII)
    except Fault:
        return
    except FutureWarning:
        return


@pytest.mark.parametrize("path", ["/", "/a%20b", "/a//b", "/a/...", "/~a!$&'()*+,;=:@"])
def test_paths(path: str) -> None:
    """A path is taken as it arrives on the wire."""
    assert parse_path(path) == path


@pytest.mark.parametrize(
    "path", ["", "a", "*", "/a?b", "/a#b", "/a b", "/é", "/%", "/%2", "/a/..", "/./a", "/" + "a" * 5000]
)
def test_what_is_no_path(path: str) -> None:
    """What cannot arrive, or not in this form, is refused."""
    with pytest.raises(Fault):
        parse_path(path)
