"""What Envoy 1.40's `aws_lambda` filter does to a request and an answer, behind the router's HTTP/2 inner hop.

`test_real_envoy.py` holds this model against the binary.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_TEXT = {"application/json", "application/xml", "application/javascript"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as the client wrote it; names in lower case."""

    method: str = "GET"
    target: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer as the client sees it; names in lower case, `set-cookie` apart."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()
    body: bytes = b""


def event(request: Request) -> dict[str, Any]:
    """The event that the function gets."""
    length = (("content-length", str(len(request.body))),) if request.body else ()
    headers = joined((*request.headers, *length))
    content_type = headers.get("content-type", "").lower()
    text = not request.body or content_type.startswith("text/") or content_type in _TEXT
    first: dict[str, str] = {}
    for pair in filter(None, request.target.partition("?")[2].split("&")):
        name, _, value = pair.partition("=")
        first.setdefault(name, value)
    return {
        "raw_path": request.target,
        "method": request.method,
        "headers": headers,
        "query_string_parameters": first,
        "body": as_text(request.body) if text else base64.b64encode(request.body).decode(),
        "is_base64_encoded": not text,
    }


def answer(request: Request, value: Mapping[str, Any]) -> Answer:
    """What the client gets for the JSON that the function returned."""
    assert set(value) == {"status_code", "headers", "cookies", "body", "is_base64_encoded"}
    assert request.method != "HEAD" or not value["body"], "Envoy would break the client's connection"
    assert all(isinstance(one, str) for one in value["headers"].values())
    body = base64.b64decode(value["body"]) if value["is_base64_encoded"] else value["body"].encode()
    headers = {"content-type": "application/json", **value["headers"], "content-length": str(len(body))}
    return Answer(
        status=value["status_code"],
        headers=headers,
        cookies=tuple(value["cookies"]),
        body=body,
    )


def joined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """One value for each name: a comma between repeated ones, `; ` between cookies (the HTTP/2 codec does that)."""
    together: dict[str, str] = {}
    for name, value in headers:
        separator = "; " if name == "cookie" else ","
        together[name] = f"{together[name]}{separator}{value}" if name in together else value
    return together


def as_text(body: bytes) -> str:
    """The body with one space for each sequence that is no UTF-8; the byte that breaks a sequence goes with it."""
    text, at = "", 0
    while at < len(body):
        first, start = body[at], at
        promised = 1 if 0xC0 <= first < 0xE0 else 2 if 0xE0 <= first < 0xF0 else 3 if 0xF0 <= first < 0xF8 else 0
        at += 1
        while promised and at < len(body):
            promised = promised - 1 if 0x80 <= body[at] < 0xC0 else 0
            at += 1
        text += _decoded(body[start:at])
    return text


def _decoded(sequence: bytes) -> str:
    try:
        return sequence.decode()
    except UnicodeDecodeError:
        return " "
