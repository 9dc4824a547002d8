"""Where everything is sent on to: shown, set, and stopped."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from strangler_fig.diagnostics import Diagnostic, Refused

from ..forward.sender import Forwarder
from .endpoints import admin_only, as_json, json_body
from .questions import Question


class Forwarding:
    """The endpoints over one forwarder."""

    def __init__(self, forwarder: Forwarder) -> None:
        self._forwarder = forwarder

    def routes(self) -> list[Route]:
        """The one path and its methods."""
        return [
            Route("/api/forward", self.show),
            Route("/api/forward", self.set, methods=["POST"]),
            Route("/api/forward", self.stop, methods=["DELETE"]),
        ]

    async def show(self, _request: Request) -> Response:
        """How it goes."""
        return as_json(self._forwarder.to_json())

    async def set(self, request: Request) -> Response:
        """Send on to another address."""
        if refusal := admin_only(request):
            return refusal
        url = (await json_body(request)).get("to")
        if not isinstance(url, str) or not url:
            raise Refused([Diagnostic(code="OB206", message='send {"to": "https://collector.example:4318"}')])
        await asyncio.to_thread(self._forwarder.set_target, url)
        return as_json(self._forwarder.to_json())

    async def stop(self, request: Request) -> Response:
        """Send on to nobody; what waits stays for the next address, unless `drop=1` throws it away."""
        if refusal := admin_only(request):
            return refusal
        question = Question(request.query_params)
        is_dropped = question.text("drop", ("1", "0")) == "1"
        question.check()
        await asyncio.to_thread(self._forwarder.set_target, "")
        if is_dropped:
            await asyncio.to_thread(self._forwarder.drop)
        return as_json(self._forwarder.to_json())
