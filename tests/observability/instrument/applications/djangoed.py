"""A Django project in one file, served by the standard library's server; its last line is that of the documents.

python -m tests.observability.instrument.applications.djangoed       prints its port, ends by SIGTERM
"""

import logging
import signal
import sys
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import include, path

from observability import instrument


def book(_request: HttpRequest, number: int) -> JsonResponse:
    """Show a book."""
    logging.getLogger("shop").warning("book %s", number)
    return JsonResponse({"book": number})


def fail(_request: HttpRequest) -> JsonResponse:
    """Fail."""
    message = "planted"
    raise KeyError(message)


urlpatterns = [path("shop/", include([path("books/<int:number>", book)])), path("raise", fail)]
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"], LOGGING_CONFIG=None)
application = instrument.legacy(get_wsgi_application(), service="djangoed")


class Handler(WSGIRequestHandler):
    """Prints nothing."""

    def log_message(self, *_arguments: Any) -> None:
        """Nothing."""


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with make_server("127.0.0.1", 0, application, handler_class=Handler) as server:
        print(server.server_port, flush=True)  # noqa: T201 - what the test reads
        server.serve_forever()
