import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from tests.local.running import Running, serving, wait_for

SECRET, TOKEN = "s3cret/+", "tok+en=="
ENVOY = Path(sys.executable).parent / "envoy"
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:echo:live"
TEXT = """
version: 1
credentials:
  access_key_id: AKIDEXAMPLE
  secret_access_key: {secret_env: SECRET}
  session_token: {secret_env: TOKEN}
functions:
  echo: {handler: app.echo, code: code, aliases: {live: "1"}}
"""
TYPE = "type.googleapis.com/envoy.extensions.filters"


def address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def bootstrap(listen: int, upstream: int) -> dict[str, object]:
    """The smallest Envoy that invokes a function, with AWS's host name in the signature."""
    lambda_filter = {
        "@type": f"{TYPE}.http.aws_lambda.v3.Config",
        "arn": ARN,
        "host_rewrite": "lambda.eu-west-1.amazonaws.com",
    }
    manager = {
        "@type": f"{TYPE}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "entry",
        "route_config": {
            "virtual_hosts": [
                {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "api"}}]}
            ]
        },
        "http_filters": [
            {"name": "envoy.filters.http.aws_lambda", "typed_config": lambda_filter},
            {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{TYPE}.http.router.v3.Router"}},
        ],
    }
    chain = {"filters": [{"name": "hcm", "typed_config": manager}]}
    endpoint = {"endpoint": {"address": address(upstream)}}
    cluster = {
        "name": "api",
        "type": "STATIC",
        "metadata": {"filter_metadata": {"com.amazonaws.lambda": {"egress_gateway": True}}},
        "load_assignment": {"cluster_name": "api", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    listener = {"address": address(listen), "filter_chains": [chain]}
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_what_envoy_signs_is_accepted(folder: Path) -> None:
    """The real Envoy's Lambda filter invokes with its own signature, session token included."""
    with serving(folder, TEXT, {"SECRET": SECRET, "TOKEN": TOKEN}) as running:
        entry = free_port()
        (folder / "envoy.json").write_text(json.dumps(bootstrap(entry, running.port)))
        credentials = {
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_SESSION_TOKEN": TOKEN,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        with (folder / "envoy.log").open("w") as log:
            envoy = subprocess.Popen(
                [ENVOY, "-c", folder / "envoy.json", "--concurrency", "1", "--disable-hot-restart"],
                env={**os.environ, **credentials},
                stdout=log,
                stderr=log,
            )
        try:
            wait_for(lambda: listens(entry), "Envoy to listen")
            answer = Running(f"http://127.0.0.1:{entry}", []).request("POST", "/books/7?a=b%20c", b"hello")
            assert (answer.status, answer.headers["x-amz-executed-version"]) == (200, "1"), answer
            assert running.state("echo")["invocations"] == 1
        finally:
            envoy.kill()
            envoy.wait()
