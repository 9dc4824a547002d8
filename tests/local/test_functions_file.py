from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.local.functions.functions_file import Loaded, load_functions

FULL = """version: 1
region: eu-central-1
account: "210987654321"
retry_delay: 2s
credentials:
  access_key_id: AKID
  secret_access_key:
    secret_env: KEY
  lifetime: 1h
functions:
  books:
    handler: pkg/app.handler
    code: ${CODE:-.}
    memory: 512
    timeout: 1.5s
    concurrency: 7
    environment:
      A: "1"
    aliases:
      live: 3
    freeze: true
  bare:
    handler: a.b.c
    code: .
"""


def load(text: str, folder: Path = Path()) -> Loaded:
    return load_functions(text, file="lambda.yaml", folder=folder, environment={"KEY": "hush"})


def test_a_full_file_becomes_settings(folder: Path) -> None:
    """Every key has its place in the settings, and what is left out its default."""
    loaded = load(FULL, folder)
    assert loaded.diagnostics == ()
    assert loaded.settings
    found = loaded.settings
    books, bare = found.functions["books"], found.functions["bare"]
    assert (found.region, found.account, found.retry_delay_seconds) == ("eu-central-1", "210987654321", 2.0)
    assert found.credentials
    assert (found.credentials.secret_access_key, found.credentials.lifetime_seconds) == ("hush", 3600)
    assert (books.handler, books.code, books.memory_mb) == ("pkg/app.handler", folder.resolve(), 512)
    assert (books.timeout_seconds, books.concurrency, books.freeze) == (1.5, 7, True)
    assert (books.environment, books.aliases) == ({"A": "1"}, {"live": "3"})
    assert (bare.memory_mb, bare.timeout_seconds, bare.concurrency, bare.freeze) == (128, 3.0, 10, False)


def test_secrets_do_not_show_in_a_repr(folder: Path) -> None:
    """Settings can be logged: their secrets are left out."""
    assert "hush" not in repr(load(FULL, folder).settings)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "memory: 512",
            "memry: 512",
            "lambda.yaml:14:5: SH101 error: unknown key 'memry'\n  hint: did you mean memory?",
        ),
        ("memory: 512", "memory: 64", "14:13: SH104 error: functions.books.memory: input should be greater"),
        ("memory: 512", "memory: 512MB", "14:13: SH104 error: functions.books.memory: input should be a valid integer"),
        ("timeout: 1.5s", "timeout: 5", "15:14: SH103 error: functions.books.timeout: '5' is not a duration"),
        ("timeout: 1.5s", "timeout: 16m", "15:14: LF104 error: a timeout is from 1ms to 15m"),
        ("timeout: 1.5s", "timeout: 0s", "15:14: LF104 error"),
        ("concurrency: 7", "concurrency: 0", "16:18: SH104 error"),
        (
            'A: "1"',
            "A: 1",
            "18:10: SH104 error: functions.books.environment.A: input should be a valid string (found 1)",
        ),
        ('A: "1"', "AWS_REGION: x", "18:7: LF109 error: AWS_REGION is reserved"),
        ('A: "1"', '"A=B": x', "18:7: LF108 error"),
        ("live: 3", '"7": 3', "20:12: LF106 error: '7' is not an alias"),
        ("live: 3", "live: newest", "20:13: LF107 error: 'newest' is not a version"),
        ("freeze: true", "freeze: yes", "21:13: SH104 error"),
        ("handler: pkg/app.handler", "handler: app", "12:14: LF102 error: 'app' is not a handler"),
        ("handler: pkg/app.handler", "{}", "lambda.yaml:13:5: DOC100 error"),
        ("code: ${CODE:-.}", "code: nowhere", "13:11: LF103 error: no folder 'nowhere'"),
        ("secret_env: KEY", "secret_env: NO_KEY", "8:17: LF105 error: the environment variable NO_KEY is not set"),
        ("    secret_env: KEY", "    value: hush", "8:5: SH101 error: unknown key 'value'"),
        ("region: eu-central-1", "region: europe", "2:9: SH104 error"),
        ('account: "210987654321"', "account: 21", "3:10: SH104 error"),
        ("version: 1", "version: 2", "1:10: SH104 error"),
        ("  bare:", "  bare thing:", "22:3: LF101 error: 'bare thing' is not a function name"),
        ("  bare:", "  books:", "22:3: DOC102 error: duplicate key 'books'"),
        ("  lifetime: 1h", "  lifetime:", "9:12: DOC103 error"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(folder: Path, old: str, new: str, expected: str) -> None:
    """Each fault gives no settings and a diagnostic that names file, line and column."""
    assert old in FULL
    loaded = load(FULL.replace(old, new, 1), folder)
    assert loaded.settings is None
    assert any(expected in str(found) for found in loaded.diagnostics), [str(one) for one in loaded.diagnostics]


def test_all_faults_are_said_at_once(folder: Path) -> None:
    """One run of the command shows every fault of the file."""
    text = FULL.replace("timeout: 1.5s", "timeout: 0s").replace("live: 3", "live: x").replace("a.b.c", "abc")
    assert [found.code for found in load(text, folder).diagnostics] == ["LF104", "LF107", "LF102"]


@pytest.mark.parametrize("text", ["", "[]", "version: 1", "version: 1\nfunctions: {}", "functions: 3", "\0", "a: &b c"])
def test_what_is_no_file_of_functions_is_refused(text: str) -> None:
    """Empty, wrong or foreign files give diagnostics."""
    loaded = load(text)
    assert (loaded.settings, bool(loaded.diagnostics)) == (None, True)


KEYS = """version region account retry_delay credentials functions handler code memory timeout concurrency environment
aliases freeze access_key_id secret_access_key secret_env session_token lifetime"""
keys = st.text(max_size=8) | st.sampled_from(KEYS.split())
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
values = st.recursive(
    leaves | st.sampled_from(["1s", ".", "a.b", "\0", "~"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    function=st.dictionaries(keys, values, max_size=9),
    top=st.dictionaries(keys, values, max_size=4),
)
def test_no_structure_makes_the_loader_fail(function: dict[str, object], top: dict[str, object]) -> None:
    """Whatever the file holds, the loader answers settings or diagnostics, never a traceback."""
    base = {"version": 1, "functions": {"f": {"handler": "a.b", "code": ".", **function}}}
    loaded = load(yaml.safe_dump({**base, **top}, allow_unicode=True))
    assert (loaded.settings is None) == bool(loaded.diagnostics)


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=200), place=st.integers(0, len(FULL)))
def test_no_text_makes_the_loader_fail(text: str, place: int) -> None:
    """Noise anywhere in a file gives settings or diagnostics."""
    loaded = load(FULL[:place] + text + FULL[place:])
    assert loaded.settings is not None or loaded.diagnostics
