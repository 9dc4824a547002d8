"""Flask and SQLAlchemy under OpenTelemetry's own instrumentations, which use old names unless they are asked not to.

OTEL_EXPORTER_OTLP_ENDPOINT=... python -m tests.observability.emitters.flask_shop
"""

from typing import Any

import flask
import sqlalchemy
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def main() -> None:
    """Serve one request that goes well and one that fails."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    engine = sqlalchemy.create_engine("sqlite://")
    SQLAlchemyInstrumentor().instrument(engine=engine, skip_dep_check=True)  # it says that it knows none after 2.0
    app = flask.Flask("shop")
    instrumentor: Any = FlaskInstrumentor()
    instrumentor.instrument_app(app)

    @app.get("/books/<int:number>")
    def book(number: int) -> Any:
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text("select 1 where 'Jane' <> :id"), {"id": number}).scalar()
        return {"book": number}

    @app.get("/raise")
    def fail() -> Any:
        message = "no more books"
        raise KeyError(message)

    client = app.test_client()
    headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    assert client.get("/books/7?token=planted-secret", headers=headers).json == {"book": 7}
    assert client.get("/raise", headers=headers).data
    provider.shutdown()


if __name__ == "__main__":
    main()
