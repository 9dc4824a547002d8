"""Many requests at once: nothing is lost in an outage, and what is over a function's limit goes to legacy."""

import asyncio
import json
import threading
from collections import Counter
from typing import Any

from .conftest import World
from .standins import Reply, Seen, api_error, echo, function_error


async def ask(port: int, path: str, user: str, method: str) -> tuple[int, str]:
    """The status of one request, and the side that answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        fields = f"Host: a\r\nX-User: {user}\r\nContent-Length: 0\r\nConnection: close"
        writer.write(f"{method} {path} HTTP/1.1\r\n{fields}\r\n\r\n".encode())
        text = (await asyncio.wait_for(reader.read(), 30)).decode()
        status = int(text.split(" ", 2)[1]) if text else 0
        side = text.lower().partition("x-fig-side: ")[2].partition("\r")[0]
        return status, side
    finally:
        writer.close()


def storm(world: World, path: str, count: int, *, method: str = "GET", at_once: int = 200) -> Counter[tuple[int, str]]:
    async def all_of_them() -> list[tuple[int, str]]:
        gate = asyncio.Semaphore(at_once)

        async def one(number: int) -> tuple[int, str]:
            async with gate:
                return await ask(world.router.port, path, f"u{number}", method)

        return await asyncio.gather(*(one(number) for number in range(count)))

    return Counter(asyncio.run(all_of_them()))


def test_an_outage_of_lambda_under_load_loses_nothing(world: World) -> None:
    """With 200 requests in flight and everything on Lambda, an outage of any kind costs no reader anything."""
    world.router.shift(by_header=10_000)
    for broken in (api_error(429, "TooManyRequestsException"), function_error(), api_error(500, "ServiceException")):
        world.api.api = broken
        assert storm(world, "/h", 400) == {(200, "legacy"): 400}


def test_what_did_not_run_loses_no_write_either(world: World) -> None:
    """Throttled POSTs are answered by legacy, each exactly once."""
    world.router.shift(by_header=10_000)
    world.api.api = api_error(429, "TooManyRequestsException")
    assert storm(world, "/h", 300, method="POST") == {(200, "legacy"): 300}
    assert len(world.legacy.seen) == 300


def test_above_the_functions_concurrency_legacy_answers(world: World) -> None:
    """While 50 requests are in the function, its limit, every further one goes to legacy at once."""
    world.router.shift(by_header=10_000)
    full = threading.Event()

    def slow(_event: dict[str, Any]) -> dict[str, Any]:
        full.wait(10)
        return {"status_code": 200, "body": "{}"}

    def legacy(seen: Seen) -> Reply:
        if len(world.legacy.seen) >= 30:
            full.set()  # thirty went past the fifty that are inside
        return echo(seen)

    world.api.function, world.legacy.answer = slow, legacy
    answers = storm(world, "/h", 80)
    assert answers[200, "lambda"] + answers[200, "legacy"] == 80
    assert answers[200, "lambda"] <= 50
    assert answers[200, "legacy"] >= 30


def test_unset_limits_are_no_limits(world: World) -> None:
    """1,300 requests at once to a service without limits are all answered: Envoy's default of 1,024 does not hold."""
    all_there = threading.Event()
    arrived: list[int] = []

    def together(seen: Seen) -> Reply:
        arrived.append(1)
        if len(arrived) >= 1_300:
            all_there.set()
        all_there.wait(20)
        return Reply(body=json.dumps({"path": seen.path}).encode())

    world.legacy.answer = together
    assert storm(world, "/anything", 1_300, at_once=1_300) == {(200, "legacy"): 1_300}
