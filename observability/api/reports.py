"""Browsers' reports that something in a page broke the policy: none is expected, so each is worth a look."""

from dataclasses import dataclass

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .guard import REPORTS

_MAX_BODY = 16 * 1024
_MAX_TEXT = 200


@dataclass(slots=True)
class PolicyReports:
    """How many there were since the process began, and the last one."""

    number: int = 0
    last: str = ""

    def routes(self) -> list[Route]:
        """The path that the policy names."""
        return [Route(REPORTS, self.report, methods=["POST"])]

    def to_json(self) -> dict[str, object]:
        """The reports as JSON values."""
        return {"policy_reports": self.number, "last_policy_report": self.last}

    async def report(self, request: Request) -> Response:
        """Count a report, whatever it says."""
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_BODY:
                break
        self.number += 1
        try:
            told = orjson.loads(bytes(body))["csp-report"]
            self.last = f"{told['effective-directive']}: {told['blocked-uri']} in {told['document-uri']}"[:_MAX_TEXT]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            self.last = "a report that does not read"
        return Response(None, 204)
