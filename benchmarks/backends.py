"""The backends of the benchmarks: nginx with answers that are in its memory, on the core of the client."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measuring import free_port, nginx, process

BOOKS = '{"books":[{"id":7,"title":"Walden"}]}'
# The answer of a function in the shape of Envoy's aws_lambda filter, which API Gateway's handlers are translated to.
INVOKED = '{"status_code":200,"headers":{"content-type":"application/json"},"body":"{\\"id\\":7}"}'
_CONFIG = """
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_body_buffer_size 64k;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    default_type application/json;
    location / {{ {headers}return 200 '{body}'; }}
  }}
}}
"""


@contextmanager
def legacy(folder: Path, *, core: int) -> Iterator[int]:
    """A legacy application that answers every request with a small JSON document; yields its port."""
    with _nginx(BOOKS, "", folder, core=core) as port:
        yield port


@contextmanager
def invoke_api(folder: Path, *, core: int) -> Iterator[int]:
    """An Invoke API whose every function answers the same; yields its port."""
    headers = "add_header x-amzn-requestid r-1; add_header x-amz-executed-version 7; "
    with _nginx(INVOKED, headers, folder, core=core) as port:
        yield port


@contextmanager
def _nginx(body: str, headers: str, folder: Path, *, core: int) -> Iterator[int]:
    port = free_port()
    (folder / "nginx.conf").write_text(_CONFIG.format(port=port, headers=headers, body=body.replace("\\", "\\\\")))
    with process([nginx(), "-p", folder, "-c", folder / "nginx.conf"], core=core, folder=folder, port=port):
        yield port
