"""The gateway that teams write by hand: Starlette, aiobotocore, uvicorn. Runs in the peers' environment.

    python benchmarks/gateway.py PORT API_PORT

It does what such gateways do: build the event of API Gateway (version 2), invoke, and take the answer apart. It has no
fallback, no stickiness, no counters and no log.
"""

import base64
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def application(api_port: int) -> Starlette:
    """Make the gateway of one function behind an Invoke API on that port."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        session = get_session()
        client = session.create_client(
            "lambda",
            region_name="eu-west-1",
            endpoint_url=f"http://127.0.0.1:{api_port}",
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="example",  # noqa: S106 - nobody checks it
            config=AioConfig(max_pool_connections=256, retries={"max_attempts": 0}),
        )
        async with client as app.state.client:
            yield

    async def serve(request: Request) -> Response:
        body = await request.body()
        event = {
            "version": "2.0",
            "rawPath": request.url.path,
            "rawQueryString": request.url.query,
            "headers": dict(request.headers),
            "requestContext": {"http": {"method": request.method, "path": request.url.path}},
            "body": base64.b64encode(body).decode() if body else None,
            "isBase64Encoded": bool(body),
        }
        invoked = await request.app.state.client.invoke(FunctionName="books:live", Payload=json.dumps(event).encode())
        answer = json.loads(await invoked["Payload"].read())
        status = answer.get("statusCode", answer.get("status_code", 200))
        return Response(answer["body"], status_code=status, headers=answer["headers"])

    return Starlette(routes=[Route("/{path:path}", serve, methods=["GET", "POST"])], lifespan=lifespan)


if __name__ == "__main__":
    port, api_port = (int(one) for one in sys.argv[1:])
    uvicorn.run(
        application(api_port), host="127.0.0.1", port=port, loop="uvloop", http="httptools", access_log=False,
        log_level="warning",
    )  # fmt: skip
