"""Snapshots on disk: named by their content, whole or refused, validated by the real Envoy."""

import json
from pathlib import Path

import envoy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.errors import SnapshotDamaged, WeightsDamaged
from router.snapshot.compiler import compile_estate
from router.snapshot.directory import read_manifest, write
from router.snapshot.manifest import Snapshot
from router.snapshot.runtime import read_weights_file, weights_file
from router.snapshot.validate import problems
from router.source.load import load_estate
from router.weight import Weight
from tests.router.dataplane.estates import ESTATE

ENVOY = Path(envoy.__file__).parent / "_bin" / "envoy"
PORTS = {"ENTRY_PORT": "18080", "LEGACY_PORT": "18081", "LAMBDA_PORT": "18082"}


TELEMETRY = """
telemetry:
  otlp: {url}
  sample: {sample}
"""


def compiled(telemetry: str = "", /, **weights: int) -> Snapshot:
    estate = load_estate(ESTATE + telemetry, file="estate.yaml", environment=PORTS).estate_or_refused()
    return compile_estate(estate, {name.replace("_", "-"): Weight(parts) for name, parts in weights.items()})


def test_the_same_estate_gives_the_same_bytes(tmp_path: Path) -> None:
    """A snapshot's name depends on its content alone, and writing it twice changes nothing."""
    assert compiled().digest == compiled().digest != compiled(by_header=1).digest
    assert write(compiled(), tmp_path) == write(compiled(), tmp_path) == tmp_path / compiled().digest


def test_the_normal_form_compiles_to_the_same_snapshot() -> None:
    """The `estate.json` in a snapshot is an estate file that compiles to that very snapshot."""
    text = compiled().files["estate.json"].decode()
    again = load_estate(text, file="estate.json", environment={}).estate_or_refused()
    assert compile_estate(again, {}).digest == compiled().digest


@pytest.mark.parametrize("file", ["routes.json", "clusters.json", "listeners.json", "manifest.json", "estate.json"])
@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff\x00", None])
def test_a_damaged_snapshot_is_refused(tmp_path: Path, file: str, damage: bytes | None) -> None:
    """A file that is missing, empty, cut or another's makes the snapshot unreadable, and writing it again heals it."""
    folder = write(compiled(), tmp_path)
    if damage is None:
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(damage)
    with pytest.raises(SnapshotDamaged):
        read_manifest(folder)
    assert read_manifest(write(compiled(), tmp_path)).digest == compiled().digest


@given(st.binary(max_size=200) | st.integers(0, 2_000))
def test_no_damage_to_a_weights_file_goes_unnoticed(damage: bytes | int) -> None:
    """Arbitrary bytes, and a whole file with any one byte changed, never read as weights."""
    whole = weights_file(7, compiled_once.manifest, {"by-header": Weight(2_500), "by-cookie": Weight(1)})
    assert read_weights_file(whole).weights == {"by-header": Weight(2_500), "by-cookie": Weight(1)}
    if isinstance(damage, int):
        at = damage % len(whole)
        damage = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
    try:
        assert read_weights_file(damage) == read_weights_file(whole)  # a space for a space, say
    except WeightsDamaged:
        return


compiled_once = compiled()


def test_envoy_accepts_every_kind_of_route(tmp_path: Path) -> None:
    """The real Envoy has nothing against a snapshot with every kind of route and upstream."""
    assert problems(write(compiled(), tmp_path), ENVOY) == ()


@pytest.mark.parametrize("url", ["http://127.0.0.1:4318", "http://[::1]:4318/a/b/", "https://otlp.bank.example"])
def test_envoy_accepts_telemetry(tmp_path: Path, url: str) -> None:
    """The real Envoy has nothing against exporters, whatever the receiver's address is."""
    assert problems(write(compiled(TELEMETRY.format(url=url, sample="0.5%")), tmp_path), ENVOY) == ()


def test_only_the_receiver_is_a_matter_of_the_bootstrap() -> None:
    """Another sampling share needs no other Envoy; telemetry at all, and another receiver, do."""
    here, there = "http://127.0.0.1:4318", "http://127.0.0.1:4319"
    estates = [TELEMETRY.format(url=url, sample=sample) for url, sample in ((here, "1%"), (here, "2%"), (there, "1%"))]
    none, one, sampled, moved = (compiled(text).files["bootstrap.json"] for text in ("", *estates))
    assert one == sampled
    assert len({none, one, moved}) == 3


def test_an_empty_receiver_is_none() -> None:
    """A receiver that a variable does not name is the same as no telemetry at all."""
    text = TELEMETRY.format(url='"${OTEL_EXPORTER_OTLP_ENDPOINT:-}"', sample="1%")
    assert compiled(text).digest == compiled().digest


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("routes.json", '"prefix":""}', '"safe_regex":{"regex":"("}}', "missing )"),
        ("routes.json", '"cluster":"legacy.shop"', '"cluster":"legacy.nowhere"', "legacy.nowhere"),
        ("clusters.json", '"type":"STATIC"', '"type":"NO_SUCH"', "NO_SUCH"),
        ("clusters.json", '{"name":"lambda.books"},{"name"', '{"name":"lambda.nowhere"},{"name"', "lambda.nowhere"),
        ("listeners.json", "function envoy_on_request", "function (", "script load error"),
        ("listeners.json", '"stat_prefix":"entry"', '"stat_prefix":""', "StatPrefix"),
    ],
)
def test_planted_faults_are_found(tmp_path: Path, file: str, old: str, new: str, said: str) -> None:
    """Validation finds a fault in each resource type, and says what it is."""
    folder = write(compiled(), tmp_path)
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))
    found = problems(folder, ENVOY)
    assert any(said.lower() in one.lower() for one in found), found


def test_the_manifest_knows_the_keys_of_every_route_that_can_move() -> None:
    """Each two-sided route has its keys, their clusters exist, and one-sided routes have none."""
    snapshot = compiled(by_header=2_500)
    names = {one["name"] for one in json.loads(snapshot.files["clusters.json"])["resources"]}
    routes = snapshot.manifest.routes
    assert "live" not in routes
    assert "new-only" not in routes
    assert routes["by-header"].weight == 2_500
    assert routes["by-cookie"].assign_key == "assign.by-cookie"
    assert routes["by-app-cookie"].assign_key is None
    for name, keys in routes.items():
        for key in (keys.lambda_key, keys.legacy_key):
            assert key.removeprefix(f"shift.{name}.") in names
