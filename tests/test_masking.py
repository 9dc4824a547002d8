"""What the one masker takes out, what it leaves, and that hostile text costs it nothing."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strangler_fig import masking
from strangler_fig.masking import (
    CARD,
    EMAIL,
    REDACTED,
    TOKEN,
    mask_attribute,
    mask_bytes,
    mask_query,
    mask_sql,
    mask_text,
    mask_url,
)

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
CARD_NUMBER = "4111 1111 1111 1111"
PLANTED = (
    JWT,
    CARD_NUMBER,
    "4111-1111-1111-1111",
    "5500005555555559",
    "jane.doe@bank.example",
    "jane%40bank.example",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_0123456789abcdefghij0123456789abcdef",
    "xoxb-1234567890-abcdefghij",
    "AIzaSyD0123456789abcdefghijklmnopqrstuv",
    "github_pat_0123456789abcdefghij_0123456789",
)
AROUND = ("{}", "order of {} failed", "a={};b=2", "[{}]", '{{"who": "{}"}}', "/users/{}/orders", "x: {}, y", "«{}»")


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("secret", PLANTED)
def test_nothing_planted_in_text_comes_out(secret: str, around: str) -> None:
    """Tokens, keys, cards and addresses are taken out wherever they stand in a text."""
    assert secret not in mask_text(around.format(secret))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Authorization: Bearer abcdef123456", f"Authorization: Bearer {TOKEN}"),
        ("authorization=Basic dXNlcjpwYXNz", f"authorization=Basic {TOKEN}"),
        ("password=hunter2 next", f"password={REDACTED} next"),
        ('{"password": "hunter2", "n": 1}', f'{{"password": {REDACTED}, "n": 1}}'),
        ("token: abc", f"token: {REDACTED}"),
        ("mysql://root:hunter2@db/orders", f"mysql://{REDACTED}@db/orders"),
        ("GET /a?code=123&state=x HTTP/1.1", f"GET /a?code={REDACTED}&state={REDACTED} HTTP/1.1"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", TOKEN),
        (f"card {CARD_NUMBER}.", f"card {CARD}."),
        ("jane@bank.example wrote", f"{EMAIL} wrote"),
        ("aws_secret_access_key=wJalr/K7MDENG+b next", f"aws_secret_access_key={REDACTED} next"),
        ('{"secretAccessKey": "x", "n": 1}', f'{{"secretAccessKey": {REDACTED}, "n": 1}}'),
        (r"{\"password\":\"x\\\"y\",\"n\":1}", rf"{{\"password\":{REDACTED},\"n\":1}}"),
        (r'"{\\\"password\\\":\\\"x\\\"}"', rf'"{{\\\"password\\\":{REDACTED}}}"'),
        (r'{"password": "a\"b", "n": 1}', f'{{"password": {REDACTED}, "n": 1}}'),
        ('{"tokens": 3, "cookies": ["a", "b"]}', f'{{"tokens": 3, "cookies": {REDACTED}}}'),
        ("Cookie: a=1; b=2; c=3 was sent", f"Cookie: {REDACTED} was sent"),
        (f"Cookie: a={JWT}; b=2", f"Cookie: {REDACTED}"),
        ('"cookie": "a=1; b=2", n', f'"cookie": {REDACTED}, n'),
        ("next=password%3Dsecret", f"next=password%3D{REDACTED}"),
        ("%7B%22password%22%3A%22x%22%7D z", f"%7B%22password%22%3A{REDACTED} z"),
        ("password=jane@bank.example!x", f"password={REDACTED}"),
        ("Authorization: Token abcdef", f"Authorization: {REDACTED}"),
    ],
)
def test_what_stands_in_its_place(text: str, masked: str) -> None:
    """What is left says what was there, and the text around it stays."""
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "",
        "GET /orders/{id}",
        "order 1234567890123 was placed",  # thirteen digits that are no card
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "2026-11-26T02:14:46.136449Z",
        "what?",
        "3 tokens used",
        "http://books.example/a",
        "basically, this is the basic case",
        "the passport of a pass phrase, and an access key",
        "rojo=00f067aa0ba902b7,fw529a3039@dt=FfffffffffH4",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    """Ids, times, routes and words are left as they are."""
    assert mask_text(text) == text


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "http.request.header.authorization",
        "http.request.header.cookie",
        "http.response.header.set-cookie",
        "db.password",
        "user.api_key",
        "x-api-key",
        "app.access_token",
        "client_secret",
        "accessToken",
        "aws.secretAccessKey",
        "clientSecret",
        "DBPASSWORD",
        "PASSPHRASE",
        "app.keyPassphrase",
        "db.query.parameter.0",
        "db.query.parameter.name",
        "n" * 10_000 + ".apiKey",
    ],
)
def test_a_name_that_says_secret_hides_its_value(name: str) -> None:
    """The value of an attribute whose name tells of a secret goes as a whole."""
    assert mask_attribute(name, "x") == REDACTED


@pytest.mark.parametrize(
    "name",
    ["gen_ai.usage.tokens", "http.route", "token.count", "code.function.name", "fig.route", "aws.key"],
)
def test_other_names_hide_nothing(name: str) -> None:
    """Names that only look alike do not."""
    assert mask_attribute(name, "12") == "12"


def test_queries_keep_their_names() -> None:
    """Of a query the names are left, so that one still sees what was asked."""
    assert mask_attribute("url.query", "user=jane&id=7&flag") == f"user={REDACTED}&id={REDACTED}&{REDACTED}"
    assert mask_query("?a=1") == f"?a={REDACTED}"
    assert mask_url("https://u:p@h/a/7?b=c&d=e#f") == f"https://{REDACTED}@h/a/7?b={REDACTED}&d={REDACTED}#{REDACTED}"
    assert mask_attribute("http.target", "/a?token=x") == f"/a?token={REDACTED}"


@pytest.mark.parametrize(
    ("sql", "masked"),
    [
        ("SELECT * FROM t WHERE a = 'it''s' AND b = 42", "SELECT * FROM t WHERE a = ? AND b = ?"),
        ("INSERT INTO t2 VALUES (1, -2.5e3, 0xFF, 'x')", "INSERT INTO t2 VALUES (?, -?, ?, ?)"),
        ('SELECT "col1" FROM t WHERE name = "Jane"', 'SELECT "col1" FROM t WHERE name = ?'),
        ("SELECT $1, :2, %s, @p3, ?", "SELECT $1, :2, %s, @p3, ?"),
        ("SELECT $$secret$$, $x$a$x$", "SELECT ?, ?"),
        ("SELECT * FROM t WHERE a = 'never closed", "SELECT * FROM t WHERE a = ?"),
        ("SELECT xoxb-123456789012-abcdefghijklm, jane-1@bank.example", f"SELECT {TOKEN}, {EMAIL}"),
    ],
)
def test_statements_lose_their_literals(sql: str, masked: str) -> None:
    """A statement of SQL keeps its shape and loses every value."""
    assert mask_sql(sql) == masked
    assert mask_attribute("db.query.text", sql) == masked
    assert mask_sql(masked) == masked


TRICKY = st.lists(
    st.sampled_from(
        [
            *PLANTED,
            "password=",
            "token: ",
            "?a=",
            "&b=",
            "://",
            "u:p@",
            "Bearer ",
            "Cookie: ",
            "; b=",
            ";",
            "%3D",
            "\\",
            '\\"',
            REDACTED,
            EMAIL,
            "}",
            ",",
            "'",
            '"',
            " ",
            "x",
            "@",
            "=",
            ".",
            "#",
        ]
    ),
    max_size=12,
).map("".join)


@settings(deadline=None, max_examples=60)
@given(text=TRICKY | st.text(max_size=40), name=st.sampled_from(["x", "url.full", "url.query", "db.query.text"]))
def test_masking_twice_is_masking_once(text: str, name: str) -> None:
    """What is masked already is left as it is: telemetry may pass two doors."""
    once = mask_attribute(name, text)
    assert mask_attribute(name, once) == once


@pytest.mark.parametrize(
    "text",
    [
        "a" * 16_000 + "@",
        "@" * 16_000,
        "1 " * 8_000,
        "1" * 16_000,
        "eyJ" + "a." * 8_000,
        "'" * 16_001,
        "$" * 16_000,
        "?a=" * 5_000,
        "password " * 1_700,
        "password:" * 1_700,
        'password:"' * 1_600,
        'password:\\"' * 1_500,
        "password=" + "\\" * 16_000,
        "cookie:a;" * 1_800,
        "cookie:" + "a=b;" * 4_000,
        "token " + " " * 16_000,
        "token:token " * 1_300,
        "-----BEGIN " * 1_400,
        "://" * 5_000,
        "a@a." * 4_000,
        '="' * 8_000,
        "$a$" * 5_000,
    ],
)
def test_hostile_text_costs_little(text: str) -> None:
    """The longest value that is kept takes no more than a moment, whatever it is made of."""
    began = time.process_time()
    for mask in (mask_text, mask_sql, mask_url, mask_query):
        mask(text)
    assert time.process_time() - began < 5


WORDS = (
    "0X1f",
    "E+5",
    "$a$",
    "%40",
    "eyJ",
    "passw",
    "passphrase",
    "access_KEY",
    "privateKey",
    "AIza",
    "github_pat_",
    "PWD",
    "Secret",
    "api-KEY",
    "bearer",
    "Basic",
    "AKIA",
    "ghp_",
    "xoxb-",
)
FRAGMENTS = st.sampled_from((*"071xe'\"$_.- \naZ:@?", *WORDS, "sk_", "4111 ", "0x", "''", "=", ":", "%3d"))


@given(st.lists(FRAGMENTS, max_size=24).map("".join))
def test_the_quick_search_overlooks_nothing(text: str) -> None:
    """What the thorough patterns find the quick ones for ASCII find, too, and of literals just the same."""
    assert masking._is_suspect(text) or masking._SUSPECT.search(text) is None  # noqa: SLF001 - what must agree
    assert masking._may_assign(text) or masking._ASSIGNED.search(text) is None  # noqa: SLF001
    assert masking._SUSPECT_DIGITS.search(text) or masking._DIGITS.search(text) is None  # noqa: SLF001
    assert masking._SQL_LITERAL_ASCII.sub("?", text) == masking._SQL_LITERAL.sub("?", text)  # noqa: SLF001


def test_bytes_are_masked_as_the_text_that_they_are() -> None:
    """What is text is text, with its secrets taken out, also between bytes that are none."""
    assert mask_bytes("x", "Größe\tpassword=x\n".encode()) == f"Größe\tpassword={REDACTED}\n"
    assert mask_bytes("accessToken", b"\xff\x00") == REDACTED
    said = mask_bytes("x", b"\x00\xff password=hunter2")
    assert said is not None
    assert "hunter2" not in said
    assert mask_bytes("x", b"\x00\xff\x10") is None
    assert mask_bytes("x", b"\x00\x01") is None
