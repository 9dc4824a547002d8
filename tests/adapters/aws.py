"""AWS of the tests' own: moto's server on a free port, behind a proxy that counts and can break the way to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

from .faults import FaultProxy, fault_proxy

REGION = "eu-west-1"


@dataclass(frozen=True, slots=True)
class Aws:
    """A server that runs; `way` is the proxy that functions go through."""

    port: int
    way: FaultProxy

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a function that reaches this AWS."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.way.port}",
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "moto",
            "AWS_SESSION_TOKEN": "moto",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
        }

    def client(self, service: str) -> Any:
        """A client of the tests' own, which no function sees or counts."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="moto",  # noqa: S106 - moto's
        )


@contextmanager
def serving() -> Iterator[Aws]:
    """A server until the block ends."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        port = server.get_host_and_port()[1]
        with fault_proxy(port) as way:
            yield Aws(port, way)
    finally:
        server.stop()
