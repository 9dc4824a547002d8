"""What the event adapter adds to one invocation, in microseconds, beside the frameworks that it serves.

Run: python benchmarks/adapters_events.py
"""

import base64
import json
import subprocess
import sys
import timeit
from collections.abc import Callable
from typing import Any

from adapters.events import from_gateway, gateway_handler, to_gateway

HEADERS = {
    "x-fig-host": "shop.example",
    "x-fig-client": "192.0.2.7",
    "x-fig-route": "books-read",
    "x-fig-side": "lambda",
    "x-fig-user": "books:alice",
    "x-request-id": "0b814a4e-44ef-4638-b0d5-0f31fff0172d",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64)",
    "accept": "application/json, text/plain, */*",
    "accept-language": "en-GB,en;q=0.9",
    "cookie": "session=abcdef0123456789; theme=dark",
}
CLAIMS = json.dumps({"sub": "alice", "scope": "books.read", "exp": 1_800_000_000, "groups": ["a", "b"]})


def request(**changes: Any) -> dict[str, Any]:
    """An event as Envoy sends it."""
    whole = {"raw_path": "/books/7", "method": "GET", "headers": HEADERS, "body": "", "is_base64_encoded": False}
    return {**whole, **changes}


def encoded(size: int, content_type: str) -> dict[str, Any]:
    """A POST whose body of `size` bytes Envoy encoded."""
    headers = {**HEADERS, "content-type": content_type}
    body = base64.b64encode(b"a" * size).decode()
    return request(method="POST", headers=headers, body=body, is_base64_encoded=True)


def microseconds(call: Callable[[], Any]) -> float:
    """The best of seven rounds, per call."""
    timer = timeit.Timer(call)
    number = max(1, timer.autorange()[0] // 4)
    return min(timer.repeat(7, number)) / number * 1e6


def rows() -> list[tuple[str, float]]:
    """Each case and its time."""
    small = {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": '{"id": 7}'}
    wrapped = gateway_handler(lambda _event, _context: small)
    get, query = request(), request(raw_path="/books?tag=a&tag=b&page=2&q=caf%C3%A9")
    identity = request(headers={**HEADERS, "x-fig-claims": CLAIMS})
    json_10k = encoded(10_000, "application/json; charset=utf-8")
    image_1m = encoded(1_000_000, "image/png")
    binary = {
        "statusCode": 200,
        "headers": {},
        "body": base64.b64encode(bytes(1_000_000)).decode(),
        "isBase64Encoded": True,
    }
    cases: list[tuple[str, Callable[[], Any]]] = [
        ("both ways, GET", lambda: wrapped(get, None)),
        ("to_gateway, GET", lambda: to_gateway(get)),
        ("to_gateway, GET with a query", lambda: to_gateway(query)),
        ("to_gateway, GET with claims", lambda: to_gateway(identity)),
        ("to_gateway, POST of 10 kB JSON in base64", lambda: to_gateway(json_10k)),
        ("to_gateway, POST of 1 MB image", lambda: to_gateway(image_1m)),
        ("from_gateway, small JSON", lambda: from_gateway(small, "GET")),
        ("from_gateway, 1 MB in base64", lambda: from_gateway(binary, "GET")),
        *peers(),
    ]
    return [(name, microseconds(call)) for name, call in cases]


def peers() -> list[tuple[str, Callable[[], Any]]]:
    """What a framework itself takes for the translated event, for scale."""
    from aws_lambda_powertools.event_handler import APIGatewayHttpResolver  # noqa: PLC0415 - not needed to read this

    app = APIGatewayHttpResolver()
    app.get("/books/<book>")(lambda book: {"id": book})
    event: Any = to_gateway(request())
    context: Any = None
    return [("(Powertools' own resolver, one route)", lambda: app.resolve(event, context))]


def import_milliseconds() -> float:
    """The best of five imports in fresh interpreters that have json, logging and re already, as Lambda's has."""
    code = (
        "import json, logging, re, time; start = time.perf_counter(); import adapters.events;"
        "print((time.perf_counter() - start) * 1e3)"
    )
    runs = [subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True) for _ in range(5)]
    return min(float(run.stdout) for run in runs)


if __name__ == "__main__":
    for case, time in rows():
        print(f"{case:45} {time:9.1f} µs")
    print(f"{'import adapters.events':45} {import_milliseconds():9.1f} ms")
