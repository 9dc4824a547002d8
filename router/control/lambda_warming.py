"""Warm calls and provisioned concurrency through the Lambda API, with the credentials that boto3 finds for control.

A warm call is an invocation with the event `{"x-fig-warm": true}`. A handler may answer it early; one that fails at it
has started its environment all the same, so a function's own error is no failure here, and a throttle is.
"""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ..estate import Estate, LambdaFunction
from ..release.values import Ready
from .warming import Warm, WarmingFailed

EVENT = {"x-fig-warm": True}
_MOST_THREADS = 100
_POLL_SECONDS = 2.0
_TRIES = 300
"""Ten minutes: AWS allocates provisioned concurrency in a minute or two. Source: Lambda Developer Guide, "Configuring
provisioned concurrency" (its speed is not promised), read 2026-11."""

MakeClient = Callable[[LambdaFunction, int], Any]
"""A client of the Lambda API for this function, for so many calls at once."""


def boto_client(function: LambdaFunction, connections: int) -> Any:
    """Boto3's client, at the endpoint that the routers use. Raises `WarmingFailed` without boto3."""
    try:
        import boto3  # noqa: PLC0415 - only where something is made ready
        from botocore.config import Config  # noqa: PLC0415
    except ModuleNotFoundError as error:
        message = "making functions ready needs the package boto3: pip install 'strangler-fig[aws]'"
        raise WarmingFailed(message) from error
    config = Config(
        max_pool_connections=connections,
        read_timeout=function.timeout_seconds + 5,
        connect_timeout=function.connect_timeout_seconds + 5,
        retries={"total_max_attempts": 1},
        proxies={},
    )
    scheme = "https" if function.tls else "http"
    verify = function.tls.ca_file if function.tls and function.tls.ca_file else True
    url = f"{scheme}://{function.endpoint}"
    session = boto3.Session(region_name=function.region)
    return session.client("lambda", endpoint_url=url, verify=verify, config=config)


def lambda_warm(estate: Callable[[], Estate | None], make_client: MakeClient = boto_client) -> Warm:
    """What makes the functions of routes ready, by the estate that is published then."""

    async def warm(routes: tuple[str, ...], ready: Ready) -> None:
        functions = _functions(estate(), routes)
        await asyncio.gather(*(_make_ready(function, ready, make_client) for function in functions))

    return warm


def _functions(estate: Estate | None, routes: tuple[str, ...]) -> list[LambdaFunction]:
    names = {route.candidate for route in estate.routes if route.name in routes} if estate else set()
    found = [one for one in estate.candidates if one.name in names] if estate else []
    functions = [one for one in found if isinstance(one, LambdaFunction)]
    if not functions:
        message = f"no Lambda function is behind {', '.join(routes)}: there is nothing to make ready"
        raise WarmingFailed(message)
    return functions


async def _make_ready(function: LambdaFunction, ready: Ready, make_client: MakeClient) -> None:
    calls = ready.warm_calls or 1
    threads = min(calls, _MOST_THREADS)
    with ThreadPoolExecutor(threads, thread_name_prefix="warm") as pool:
        loop = asyncio.get_running_loop()
        client = await loop.run_in_executor(pool, make_client, function, threads)
        if ready.warm_calls:
            await asyncio.gather(*(loop.run_in_executor(pool, _call, client, function) for _ in range(calls)))
        else:
            await _provision(client, function, ready.provisioned_concurrency)


def _call(client: Any, function: LambdaFunction) -> None:
    def call() -> None:
        client.invoke(**_named(function), Payload=json.dumps(EVENT).encode())["Payload"].read()

    _ask(function, call)


async def _provision(client: Any, function: LambdaFunction, wanted: int) -> None:
    named = _named(function)

    def put() -> Any:
        return client.put_provisioned_concurrency_config(**named, ProvisionedConcurrentExecutions=wanted)

    status = (await asyncio.to_thread(_ask, function, put))["Status"]
    for _ in range(_TRIES):
        if status == "READY":
            return
        if status == "FAILED":
            break
        await asyncio.sleep(_POLL_SECONDS)
        found = await asyncio.to_thread(_ask, function, lambda: client.get_provisioned_concurrency_config(**named))
        status = found["Status"]
    message = f"{function.name}: {wanted} of provisioned concurrency are not there: {status.lower()}"
    raise WarmingFailed(message)


def _named(function: LambdaFunction) -> dict[str, str]:
    qualifier = function.arn.qualifier
    name = function.arn.text.removesuffix(f":{qualifier}") if qualifier else function.arn.text
    return {"FunctionName": name} | ({"Qualifier": qualifier} if qualifier else {})


def _ask(function: LambdaFunction, ask: Callable[[], Any]) -> Any:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - only where something is made ready

    try:
        return ask()
    except (BotoCoreError, ClientError) as error:
        message = f"{function.name} cannot be made ready: {error}"
        raise WarmingFailed(message) from error
