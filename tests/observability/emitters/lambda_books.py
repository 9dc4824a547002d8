"""A handler under OpenTelemetry's own instrumentation of Lambda, invoked as Lambda would.

OTEL_EXPORTER_OTLP_ENDPOINT=... python -m tests.observability.emitters.lambda_books
"""

import importlib
import os
from types import SimpleNamespace

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.aws_lambda import AwsLambdaInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

TRACE = "5bf92f3577b34da6a3ce929d0e0e4736"
EVENT = {
    "version": "2.0",
    "routeKey": "GET /books/{id}",
    "rawPath": "/books/42",
    "rawQueryString": "token=planted-secret",
    "headers": {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"},
    "requestContext": {"http": {"method": "GET", "path": "/books/42"}, "domainName": "shop.example"},
}


def handler(_event: object, _context: object) -> object:
    """Answer."""
    return {"statusCode": 200}


def main() -> None:
    """Serve one request."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    os.environ |= {"AWS_LAMBDA_FUNCTION_NAME": "books", "_HANDLER": f"{__spec__.name}.handler"}
    AwsLambdaInstrumentor().instrument()
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:books"
    context = SimpleNamespace(invoked_function_arn=arn, function_name="books", aws_request_id="r-1")
    instrumented = importlib.import_module(__spec__.name)  # this file once more: as a script it has another name
    assert instrumented.handler(EVENT, context) == {"statusCode": 200}
    provider.shutdown()


if __name__ == "__main__":
    main()
