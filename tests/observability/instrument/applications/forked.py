"""A bare WSGI application that has served when its process forks, and serves in the child, too.

    python -m tests.observability.instrument.applications.forked NUMBER

It serves `NUMBER` requests in the parent, then one in a child, and ends as processes do.
"""

import os
import sys
from collections.abc import Iterable
from typing import Any
from wsgiref.util import setup_testing_defaults

from observability import instrument


@instrument.legacy
def app(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer."""
    start_response("200 OK", [])
    return [b"ok"]


def serve(request: str) -> None:
    """Handle one request as a server would."""
    environ: dict[str, Any] = {"HTTP_X_REQUEST_ID": request, "HTTP_X_FIG_ROUTE": "books-read"}
    setup_testing_defaults(environ)
    assert b"".join(app(environ, lambda *_: None)) == b"ok"


if __name__ == "__main__":
    for _ in range(int(sys.argv[1])):
        serve("parent")
    child = os.fork()
    if child == 0:
        serve("child")
    else:
        os.waitpid(child, 0)
