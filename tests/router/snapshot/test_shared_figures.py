"""Figures of the fleet in a snapshot: in its manifest, in its clusters, and as keys of a weights file."""

import json
from pathlib import Path
from typing import Any

import envoy
import pytest

from router.errors import SnapshotDamaged
from router.snapshot.compiler import compile_estate
from router.snapshot.directory import write
from router.snapshot.figures import Shares
from router.snapshot.manifest import Manifest, Snapshot
from router.snapshot.runtime import read_weights_file, weights_file
from router.snapshot.validate import problems
from router.source.load import load_estate
from router.weight import Weight

ENVOY = Path(envoy.__file__).parent / "_bin" / "envoy"
ESTATE = """
version: 1
entry: {address: 127.0.0.1:8080, default: shop}
legacy:
  shop: {endpoints: [127.0.0.1:8081], protect: {connections: 100, requests: 40, pending: 3}}
  free: {endpoints: [127.0.0.1:8082]}
lambda:
  books: {arn: "arn:aws:lambda:eu-west-1:123456789012:function:books:live", max_concurrency: 50}
  films: {arn: "arn:aws:lambda:eu-west-1:123456789012:function:films:live"}
routes:
  books: {match: {path: {prefix: /books}}, legacy: shop, lambda: books, limit: {requests: 30, per: 60s, burst: 9}}
  films: {match: {path: {prefix: /films}}, legacy: free, lambda: films, limit: {requests: 2, per: 10ms, by: client}}
  more: {match: {path: {prefix: /more}}, legacy: free, limit: {requests: 2, per: 10ms, by: client}}
"""
UNLIMITED = 2**32 - 1


def compiled() -> Snapshot:
    estate = load_estate(ESTATE, file="estate.yaml", environment={}).estate_or_refused()
    return compile_estate(estate, {})


def thresholds(snapshot: Snapshot, cluster: str) -> dict[str, int]:
    """A cluster's limits."""
    found = {one["name"]: one for one in json.loads(snapshot.files["clusters.json"])["resources"]}
    (given,) = found[cluster]["circuit_breakers"]["thresholds"]
    return {key: value for key, value in given.items() if key != "retry_budget"}


def buckets(snapshot: Snapshot) -> dict[str, Any]:
    """The buckets of the route table."""
    (routes,) = json.loads(snapshot.files["routes.json"])["resources"]
    return dict(routes["typed_per_filter_config"]["envoy.filters.http.local_ratelimit"])


def test_the_manifest_lists_the_figures_and_the_limited_routes() -> None:
    """Each figure has its owner, what is counted, how much, and the runtime key of a node's share."""
    manifest = compiled().manifest
    found = {(one.of, one.resource.word): (one.most, one.key) for one in manifest.figures}
    assert found == {
        ("legacy shop", "connections"): (100, "circuit_breakers.legacy.shop.default.max_connections"),
        ("legacy shop", "requests"): (40, "circuit_breakers.legacy.shop.default.max_requests"),
        ("legacy shop", "pending"): (3, "circuit_breakers.legacy.shop.default.max_pending_requests"),
        ("lambda books", "requests"): (50, "circuit_breakers.upstream.books.default.max_requests"),
    }
    assert manifest.limited == ("books", "films", "more")


def test_a_quarter_of_each_figure_is_built_in_and_what_is_not_set_is_unlimited() -> None:
    """Clusters have the share of a node that was told nothing; nothing else is limited, the inner hop least of all."""
    snapshot = compiled()
    free = {"max_connections": UNLIMITED, "max_pending_requests": UNLIMITED, "max_requests": UNLIMITED}
    assert thresholds(snapshot, "legacy.shop") == {"max_connections": 25, "max_pending_requests": 1, "max_requests": 10}
    assert thresholds(snapshot, "upstream.books") == {**free, "max_requests": 12}
    for name in ("legacy.free", "upstream.films", "lambda.books", "lambda.books.then.shop"):
        assert thresholds(snapshot, name) == free


def test_buckets_are_one_for_a_route_and_one_for_each_kind_of_clients_limit() -> None:
    """Two routes with the same limit of clients need one descriptor; no fill is shorter than Envoy can do."""
    found = buckets(compiled())
    assert found["descriptors"] == [
        {
            "entries": [{"key": "route", "value": "books"}],
            "token_bucket": {"max_tokens": 9, "tokens_per_fill": 30, "fill_interval": "60s"},
        },
        {
            "entries": [
                {"key": "clients", "value": "2/0.01s/2"},
                {"key": "route_of_client"},
                {"key": "masked_remote_address"},
            ],
            "token_bucket": {"max_tokens": 2, "tokens_per_fill": 10, "fill_interval": "0.05s"},
        },
    ]


def test_envoy_accepts_limits_and_figures(tmp_path: Path) -> None:
    """The real Envoy has nothing against the snapshot, and refuses one whose bucket it could not fill."""
    folder = write(compiled(), tmp_path)
    assert problems(folder, ENVOY) == ()
    text = (folder / "routes.json").read_text()
    (folder / "routes.json").write_text(text.replace('"fill_interval":"0.05s"', '"fill_interval":"0.01s"'))
    assert any("fill timer" in one for one in problems(folder, ENVOY))


def test_a_manifest_of_before_has_no_figures_and_a_wrong_one_is_damaged() -> None:
    """A stored manifest without figures reads; one with something that nobody counts does not."""
    content = json.loads(compiled().files["manifest.json"])
    before = {key: value for key, value in content.items() if key not in {"figures", "limited"}}
    assert Manifest.parse(json.dumps(before).encode()).figures == ()
    content["figures"][0]["resource"] = "wishes"
    with pytest.raises(SnapshotDamaged):
        Manifest.parse(json.dumps(content).encode())


def test_shares_travel_with_the_weights() -> None:
    """A weights file gives back weights, shares and the number of nodes, each as it was."""
    manifest = compiled().manifest
    shares = Shares(nodes=3, of={manifest.figures[0].key: 33})
    read = read_weights_file(weights_file(9, manifest, {"books": Weight(2_500)}, shares))
    assert (read.weights, read.shares) == ({"books": Weight(2_500)}, shares)
    assert read_weights_file(weights_file(9, manifest, {})).shares == Shares()


def test_shadows_travel_with_a_nodes_shares() -> None:
    """A route's shadow is a runtime key of the weights file, and is read back with the shares, never as a weight."""
    shares = Shares(nodes=2, of={"shadow.books": 2500})
    data = weights_file(1, compiled().manifest, {"books": Weight(100)}, shares)
    read = read_weights_file(data)
    assert (read.shares, read.weights) == (shares, {"books": Weight(100)})
