"""What the real Envoy says of a snapshot before it is switched to.

`envoy --mode validate` does not read watched files, so the snapshot is put together as one static bootstrap first.
Envoy does not check the members of composite clusters nor that runtime keys fit: those checks are ours.
"""

import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from . import tls_files
from .bootstrap import inlined

_TIMEOUT_SECONDS = 60.0


def problems(snapshot: Path, envoy: Path) -> tuple[str, ...]:
    """What is wrong with the snapshot in this folder; empty when Envoy accepts it. Blocking: takes about a second."""
    try:
        clusters = _resources(snapshot / "clusters.json")
        listeners = _resources(snapshot / "listeners.json")
        routes = _resources(snapshot / "routes.json")
        bootstrap = orjson.loads((snapshot / "bootstrap.json").read_bytes())
    except (OSError, ValueError, KeyError, TypeError) as error:
        return (f"{snapshot} does not read as a snapshot: {error}",)
    found = (*_composite_problems(clusters), *_route_problems(routes, clusters))
    static = inlined(bootstrap, clusters=clusters, listeners=[_inlined(one, routes) for one in listeners])
    return (*found, *envoy_problems(static, envoy, secrets=_secrets(snapshot)))


def _resources(file: Path) -> list[dict[str, Any]]:
    values = orjson.loads(file.read_bytes())["resources"]
    return [{key: value for key, value in one.items() if key != "@type"} for one in values]


def _secrets(snapshot: Path) -> list[str]:
    file = snapshot / tls_files.LIST
    return list(orjson.loads(file.read_bytes())) if file.exists() else []


def _inlined(listener: dict[str, Any], routes: list[dict[str, Any]]) -> dict[str, Any]:
    """The listener with the watched routes in it."""
    by_name = {one["name"]: one for one in routes}

    def replace(value: Any) -> Any:
        if isinstance(value, list):
            return [replace(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "rds" in value:
            rest = {key: replace(item) for key, item in value.items() if key != "rds"}
            return {**rest, "route_config": by_name[value["rds"]["route_config_name"]]}
        return {key: replace(item) for key, item in value.items()}

    result: dict[str, Any] = replace(listener)
    return result


def _composite_problems(clusters: list[dict[str, Any]]) -> tuple[str, ...]:
    names = {one["name"] for one in clusters}
    return tuple(
        f"composite cluster {one['name']} names the member {member['name']}, which does not exist"
        for one in clusters
        for member in one.get("cluster_type", {}).get("typed_config", {}).get("clusters", ())
        if member["name"] not in names
    )


def _route_problems(routes: list[dict[str, Any]], clusters: list[dict[str, Any]]) -> tuple[str, ...]:
    """Clusters that routes name and that do not exist: Envoy does not look into the actions of a match tree."""
    known = {one["name"] for one in clusters}
    named: set[str] = set()

    def collect(value: Any) -> None:
        if isinstance(value, list):
            for item in value:
                collect(item)
        elif isinstance(value, dict):
            if isinstance(value.get("cluster"), str):
                named.add(value["cluster"])
            named.update(one["name"] for one in value.get("weighted_clusters", {}).get("clusters", ()))
            for item in value.values():
                collect(item)

    collect(routes)
    return tuple(f"a route names the cluster {name}, which does not exist" for name in sorted(named - known))


def envoy_problems(
    static: dict[str, Any], envoy: Path, *, secrets: Iterable[str] = (), below: Path | None = None
) -> tuple[str, ...]:
    """What Envoy has against a static bootstrap, which it reads in a folder `below`. Blocking.

    `secrets`: names of secrets that must be there as files; what is in them is judged by itself, when it is renewed.
    """
    with tempfile.TemporaryDirectory(prefix="fig-validate-", dir=below) as folder:
        file = Path(folder) / "bootstrap.json"
        file.write_bytes(orjson.dumps(static))
        (Path(folder) / "logs").mkdir()
        (Path(folder) / tls_files.FOLDER).mkdir()
        for name in secrets:
            (Path(folder) / tls_files.secret_file(name)).write_text('{"resources": []}')
        command = [str(envoy), "--mode", "validate", "-c", str(file), "--log-level", "error", "--disable-hot-restart"]
        command += ["--service-node", "trial", "--service-cluster", "fig"]  # secrets are not read without a name
        try:
            done = subprocess.run(  # the command is a list of our own making
                command, cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return (f"Envoy did not finish validating within {_TIMEOUT_SECONDS:.0f} s",)
    if done.returncode == 0:
        return ()
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    if not lines:
        return (f"Envoy's validation ended with code {done.returncode}",)
    return (lines[-1].rpartition(f"{file}': ")[2],)
