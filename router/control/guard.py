"""What every request passes first, the token, and what every refusal is: JSON, without a traceback."""

import hmac
import sys
import traceback
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ..errors import RouterFailed
from .refusal import NotDone

_OPEN_PATHS = frozenset({"/v1/health"})
Body = TypeVar("Body", bound=BaseModel)


class TokenGuard:
    """Lets a request through when it carries the token, compared in constant time."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 without the token, else hand on."""
        if scope["type"] != "http" or scope["path"] in _OPEN_PATHS or self._is_known(scope):
            await self._app(scope, receive, send)
            return
        refusal = NotDone(401, "CT401", "the token is missing or wrong", hint="set FIG_TOKEN, or use the run file")
        response = JSONResponse(refusal.to_json(), 401, headers={"WWW-Authenticate": "Bearer"})
        await response(scope, receive, send)

    def _is_known(self, scope: Scope) -> bool:
        sent = [value for name, value in scope["headers"] if name == b"authorization"]
        scheme, _, token = (sent[0] if len(sent) == 1 else b"").partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(token.strip(), self._token)


async def read_body(request: Request, shape: type[Body], limit_bytes: int) -> Body:
    """The request's body as a checked value. Raises `NotDone` when it is too large or not of that shape."""
    too_large = NotDone(413, "CT413", f"the body is larger than {limit_bytes} bytes")
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > limit_bytes:
        raise too_large
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > limit_bytes:
            raise too_large
    try:
        return shape.model_validate_json(bytes(data))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "the body"
        raise NotDone(422, "CT422", f"{place}: {first['msg']}") from error


def not_done(_request: Request, error: Exception) -> Response:
    """The answer to a request that control refuses."""
    assert isinstance(error, NotDone)  # noqa: S101 - registered for this class only
    return JSONResponse(error.to_json(), error.status)


def http_error(_request: Request, error: Exception) -> Response:
    """The answer to a path or method that control does not have."""
    status = error.status_code if isinstance(error, HTTPException) else 400
    headers = error.headers if isinstance(error, HTTPException) else None
    message = "no such path" if status == 404 else "not possible here"  # noqa: PLR2004 - HTTP's own number
    return JSONResponse(NotDone(status, f"CT{status}", message).to_json(), status, headers=headers)


def world_failed(_request: Request, error: Exception) -> Response:
    """The answer while the disk or the database is out of order: nothing moves towards Lambda without a record."""
    sys.stderr.write(f"control: {error}\n")
    hint = "moves towards legacy still work, through control and on the hosts (fig node rollback)"
    return JSONResponse(NotDone(503, "CT503", str(error), hint=hint).to_json(), 503)


def crashed(_request: Request, error: Exception) -> Response:
    """The answer to a fault of ours; its trace goes to control's own output only."""
    sys.stderr.write("".join(traceback.format_exception(error)))
    return JSONResponse(NotDone(500, "CT500", "control failed; its output says how").to_json(), 500)


HANDLERS = {NotDone: not_done, HTTPException: http_error, RouterFailed: world_failed, Exception: crashed}
