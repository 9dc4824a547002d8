"""The signature that the router computes in LuaJIT is HMAC-SHA-256: by known answers, and against Python's."""

import hashlib
import hmac
import http.client
import json
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from router.snapshot.scripts import lua

from .harness import ENVOY, accepts, eventually, free_port

ANSWER = """
function envoy_on_request(handle)
  local function bytes(hex) return (hex:gsub("%x%x", function(two) return string.char(tonumber(two, 16)) end)) end
  local key = bytes(handle:headers():get("x-key") or "")
  local body = handle:body(true)
  local text = body:length() > 0 and body:getBytes(0, body:length()) or ""
  local signed = hmac.sign(hmac.key(key), text)
  handle:respond({[":status"] = "200"}, (signed:gsub(".", function(one) return ("%02x"):format(one:byte()) end)))
end
"""
# Source: RFC 4231, section 4, cases 1 to 4, 6 and 7 (key, text, the signature's beginning as 5 shows it).
KNOWN = {
    "a short key": (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    "a key shorter than the text": (
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    "more than a block": (
        b"\xaa" * 20,
        b"\xdd" * 50,
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
    ),
    "a counting key": (
        bytes(range(1, 26)),
        b"\xcd" * 50,
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    ),
    "a key longer than a block": (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    "key and text longer than a block": (
        b"\xaa" * 131,
        (
            b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
            b"hashed before being used by the HMAC algorithm."
        ),
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with envoy_that_runs(ANSWER, tmp_path_factory.mktemp("hmac")) as port:
        yield port


@contextmanager
def envoy_that_runs(script: str, folder: Path) -> Iterator[int]:
    """An Envoy that answers by this script, behind the one that signs; yields its port."""
    port, extensions = free_port(), "type.googleapis.com/envoy.extensions.filters."
    source = {"inline_string": lua("hmac.lua")["inline_string"] + script}
    manager = {
        "@type": extensions + "network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "hmac",
        "http_filters": [
            {"name": "lua", "typed_config": {"@type": extensions + "http.lua.v3.Lua", "default_source_code": source}},
            {"name": "router", "typed_config": {"@type": extensions + "http.router.v3.Router"}},
        ],
        "route_config": {"virtual_hosts": [{"name": "v", "domains": ["*"], "routes": [_NOTHING]}]},
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    (folder / "envoy.json").write_text(
        json.dumps({"static_resources": {"listeners": [{"address": address, "filter_chains": [chain]}]}})
    )
    command = [str(ENVOY), "-c", "envoy.json", "--disable-hot-restart", "--concurrency", "1", "--log-level", "error"]
    process = subprocess.Popen(command, cwd=folder)
    try:
        eventually(lambda: accepts(port))
        yield port
    finally:
        process.kill()
        process.wait(10)


_NOTHING = {"match": {"prefix": "/"}, "direct_response": {"status": 404}}


def signed(connection: http.client.HTTPConnection, key: bytes, text: bytes) -> str:
    """The text's signature, as Envoy's script computes it."""
    connection.request("POST", "/", body=text, headers={"x-key": key.hex()})
    answer = connection.getresponse()
    found = answer.read().decode()
    assert answer.status == 200, found
    return found


@pytest.fixture
def connection(port: int) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    yield connection
    connection.close()


@pytest.mark.parametrize(("key", "text", "known"), KNOWN.values(), ids=KNOWN)
def test_known_answers(connection: http.client.HTTPConnection, key: bytes, text: bytes, known: str) -> None:
    """The test cases of RFC 4231 have the answers that it prints."""
    assert signed(connection, key, text) == known


def test_a_truncated_answer_begins_alike(connection: http.client.HTTPConnection) -> None:
    """RFC 4231's case 5, of whose signature it prints the first 128 bits."""
    assert signed(connection, b"\x0c" * 20, b"Test With Truncation")[:32] == "a3b6167473100ee06e0c796c2955552b"


def test_every_length_around_a_block(connection: http.client.HTTPConnection) -> None:
    """Texts and keys of every length up to three blocks are signed as Python signs them."""
    for length in range(193):
        for key, text in ((b"k" * 32, bytes(range(length))), (b"\xff" * length, b"text")):
            assert signed(connection, key, text) == hmac.new(key, text, hashlib.sha256).hexdigest(), length


def test_random_texts_and_keys(connection: http.client.HTTPConnection) -> None:
    """Five hundred random keys and texts, up to 20 kB, are signed as Python signs them."""
    draw = random.Random(20_261_125)  # noqa: S311 - the same texts each time
    for _ in range(500):
        key, text = draw.randbytes(draw.randrange(200)), draw.randbytes(int(draw.paretovariate(0.4) % 20_000))
        assert signed(connection, key, text) == hmac.new(key, text, hashlib.sha256).hexdigest()
