import json
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

from infra.artefacts.reading import read_plan
from infra.diagram.picture import picture
from infra.synthesis.errors import SynthesisFailed
from infra.synthesis.synthesize import Template, write
from tests.infra.topology import HERE, Topology, fig

EXAMPLE = HERE.parents[1] / "examples" / "bookshop"


class _Without:
    """A finder that has not heard of one package, as an installation without the extra."""

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        """Refuse the package; others are somebody else's to find."""
        del path, target
        if name.split(".", maxsplit=1)[0] == self.package:
            raise ModuleNotFoundError(name=self.package)
        return None


def test_stacks_are_listed_in_the_order_of_deployment(topology: Topology) -> None:
    """What others import stands before them: the hub first, alarms' topic before functions."""
    stacks = [one["name"] for one in json.loads((topology.templates / "stacks.json").read_text())["stacks"]]
    assert stacks[:2] == ["hub", "proxies"]
    assert stacks.index("telemetry") < stacks.index("functions-spoke-1-shop") < stacks.index("routers")
    exported: set[str] = set()
    for name in stacks:
        for one in topology.template(name).get("Parameters", {}).values():
            path = str(one.get("Default", ""))
            assert not path.startswith("/strangler-fig/") or path in exported, (name, path)
        exported |= {str(one["Name"]) for one in topology.of(name, "AWS::SSM::Parameter")}


def test_no_template_is_of_one_account(topology: Topology) -> None:
    """Templates name no account but the estate's and the allowed principals', no bucket, no asset."""
    for name in ("hub", "spoke-1", "telemetry", "ledger"):
        text = json.dumps(topology.template(name))
        assert "123456789012" not in text
        assert "cdk-" not in text


def test_the_same_inputs_give_the_same_templates(topology: Topology, tmp_path: Path) -> None:
    """Synthesis again writes byte for byte what stands there, so templates can be reviewed like code."""
    options = ("--estate", str(topology.estate), "--settings", str(HERE / "infra.yaml"))
    done = fig("infra", "synth", *topology.planned, *options, "-o", str(tmp_path))
    assert done.code == 0, done.stderr
    for path in topology.templates.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_stack_that_is_no_more_is_removed(tmp_path: Path) -> None:
    """A template that the last synthesis listed and this one does not have is removed; other files stay."""
    listed = {"stacks": [{"name": "gone"}, {"name": "../outside"}]}
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "stacks.json").write_text(json.dumps(listed), encoding="utf-8")
    for name in ("out/gone.json", "out/mine.json", "outside.json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    write((Template("hub", "Hub", "{}"),), tmp_path / "out")
    assert (tmp_path / "out" / "hub.json").exists()
    assert not (tmp_path / "out" / "gone.json").exists()
    assert (tmp_path / "out" / "mine.json").exists()
    assert (tmp_path / "outside.json").exists()


def test_a_synthesis_that_fails_leaves_what_stood_there(tmp_path: Path) -> None:
    """A template that cannot be written spoils none of those that could be: the folder stays what it was."""
    folder = tmp_path / "out"
    write((Template("hub", "Hub", "{}"),), folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(SynthesisFailed, match="cannot be written"):
        write((Template("hub", "Hub", '{"new": 1}'), Template("x" * 300, "Too long a name", "{}")), folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(("package", "arguments"), [("aws_cdk", ("synth",)), ("cfnlint", ("check",))])
def test_without_the_extra_one_line_names_it(
    topology: Topology, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, arguments: tuple[str, ...]
) -> None:
    """An installation without the extra is told in one line what to install."""
    for name in [name for name in sys.modules if name.startswith((package, "infra.synthesis.", "infra.checking"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [_Without(package), *sys.meta_path])
    more = ("--estate", str(topology.estate), "-o", str(tmp_path)) if arguments == ("synth",) else (str(tmp_path),)
    done = fig("infra", *arguments, *topology.planned, *more)
    assert done.code == 2
    assert done.stderr.splitlines()[-1] == (
        f"FIG101 error: fig infra needs the package {package}: pip install 'strangler-fig[infra]'"
    )


def test_the_picture_has_every_address(topology: Topology, tmp_path: Path) -> None:
    """The diagram is well-formed SVG with each VPC's blocks and each subnet, for light and for dark pages."""
    path = tmp_path / "topology.svg"
    assert fig("infra", "diagram", *topology.planned, "-o", str(path)).code == 0
    text = path.read_text(encoding="utf-8")
    words = {one.text for one in ET.fromstring(text).iter("{http://www.w3.org/2000/svg}text")}  # noqa: S314 - our own
    plan = json.loads(topology.plan.read_text(encoding="utf-8"))
    assert {segment["block"] for vpc in plan["vpcs"] for segment in vpc["segments"]} <= words
    assert "prefers-color-scheme: dark" in text


def test_the_picture_shows_the_way_out(topology: Topology, tmp_path: Path) -> None:
    """Egress proxies are drawn where a spoke's plan has an endpoint to them, and it scales with the page."""
    path = tmp_path / "topology.svg"
    fig("infra", "diagram", *topology.planned, "-o", str(path))
    text = path.read_text(encoding="utf-8")
    assert text.count('class="way out"') == 3
    assert "egress proxies: the security team" in text
    assert "max-width: 100%" in text


def test_long_names_stay_in_their_card(made: Topology) -> None:
    """A card is as wide as its longest label, and a long list of endpoints takes several lines."""
    plan, capacity = read_plan(made.plan, made.capacity)
    hub, *spokes = plan.vpcs
    subnets = tuple(replace(one, zone="z" * 60 if one.zone else "") for one in spokes[0].subnets)
    many = replace(spokes[0], subnets=subnets, endpoints=tuple(f"service-{one}" for one in range(40)))
    root = ET.fromstring(picture(replace(plan, vpcs=(hub, many)), capacity))  # noqa: S314 - our own
    boxes = [one for one in root.iter("{http://www.w3.org/2000/svg}rect") if "spoke" in one.get("class", "")]
    right = float(boxes[0].get("x", 0)) + float(boxes[0].get("width", 0))
    bottom = float(boxes[0].get("y", 0)) + float(boxes[0].get("height", 0))
    inside = [
        one for one in root.iter("{http://www.w3.org/2000/svg}text") if (one.text or "").startswith("functions z")
    ]
    assert all(float(one.get("x", 0)) + 6 * len(one.text or "") < right for one in inside)
    notes = [one for one in root.iter("{http://www.w3.org/2000/svg}text") if "service-" in (one.text or "")]
    assert len(notes) > 1
    assert all(
        float(one.get("y", 0)) < bottom and float(one.get("x", 0)) + 6 * len(one.text or "") < right for one in notes
    )
