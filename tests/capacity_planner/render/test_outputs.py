"""What machines read of a plan: each rendering is read by the reader it is for, or by one that is as strict."""

import csv
import io
import json
import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import hcl2
import pytest
from hypothesis import given, settings

from capacity_planner.addresses.block import Block
from capacity_planner.allocations.csv_list import read_csv
from capacity_planner.demand.values import Demand
from capacity_planner.layout.plan import Existing
from capacity_planner.layout.values import Plan, Purpose, Spot
from capacity_planner.render.cloudformation import cloudformation, parameters
from capacity_planner.render.csv_rows import csv_text
from capacity_planner.render.markdown import markdown
from capacity_planner.render.picture.page import picture
from capacity_planner.render.table import table
from capacity_planner.render.tfvars import tfvars, variables
from strangler_fig.diagnostics import Refused
from tests.capacity_planner.layout.estates import AZS, demand, demands, function, outcome, plan
from tests.capacity_planner.layout.test_layout import proxies

DIGEST = "sha256:" + "0" * 64
FIRST = plan(demand(function("books"), function("orders", zone="payments"), path=proxies(4)))
GROWN = plan(demand(function("books"), path=proxies(30)), previous=FIRST)
HOSTILE = '"><script>alert(1)</script>&${x}%{if}|`*\\\x00\u202e'
NAMESPACE = "{http://www.w3.org/2000/svg}"


def hostile() -> Plan:
    """A plan whose names are what nobody should call anything."""
    hub = FIRST.hub
    assert hub is not None
    segments = tuple(
        replace(one, spot=Spot(purpose=one.spot.purpose, az=HOSTILE, zone=HOSTILE)) if place == 0 else one
        for place, one in enumerate(hub.segments)
    )
    return replace(FIRST, region=HOSTILE, vpcs=(replace(hub, name=HOSTILE, segments=segments), *FIRST.vpcs[1:]))


@pytest.mark.parametrize("made", [FIRST, GROWN, hostile()], ids=["first", "grown", "hostile"])
def test_tfvars_are_hcl(made: Plan) -> None:
    """A parser of HCL reads the variables back as they are."""
    read = hcl2.loads(tfvars(made, DIGEST), serialization_options=hcl2.SerializationOptions(strip_string_quotes=True))
    assert read["plan_digest"] == DIGEST
    assert read["availability_zones"] == list(AZS)
    spoke = _unquoted(read["vpcs"])["spoke-1"]
    expected = variables(made, DIGEST)["vpcs"]["spoke-1"]
    assert spoke["cidr_block"] == expected["cidr_block"] == "100.64.0.0/16"
    subnets = _unquoted(spoke["subnets"])
    assert set(subnets) == set(expected["subnets"])
    assert subnets["spoke-1-functions-cards-eu-west-1a"]["cidr_block"] == "100.64.0.0/28"


def _unquoted(values: dict[str, Any]) -> dict[str, Any]:
    return {name.strip('"'): value for name, value in values.items()}


def test_tfvars_are_aligned_as_terraform_fmt_does() -> None:
    """The equals signs of attributes that follow each other stand in one column."""
    block = re.search(r"\n    kind .*?\n\n", tfvars(FIRST, DIGEST), re.DOTALL)
    assert block is not None
    assert len({line.index(" = ") for line in block[0].strip("\n").splitlines()}) == 1


def test_tfvars_never_are_templates() -> None:
    """A name with `${` or `%{` is text, and no expression that Terraform would evaluate."""
    assert not re.search(r"(?<![$])\$\{|(?<![%])%\{", tfvars(hostile(), DIGEST))


def test_parameters_are_what_the_aws_cli_reads() -> None:
    """`--parameter-overrides file://` takes an object with `Parameters`, whose values are text, by sound names."""
    read = json.loads(cloudformation(GROWN, DIGEST))
    assert list(read) == ["Parameters"]
    assert all(isinstance(value, str) for value in read["Parameters"].values())
    assert all(re.fullmatch(r"[A-Za-z0-9]{1,255}", name) for name in read["Parameters"])


def test_parameters_say_every_subnet_and_its_zone() -> None:
    """Blocks and zones are two lists in one order, the further blocks of the VPC stand by themselves."""
    found = parameters(GROWN, DIGEST)
    assert found["HubVpcCidr"] == "10.20.0.0/24"
    assert found["HubVpcSecondaryCidrs"] == "10.20.1.0/24"
    blocks, azs = found["HubProxiesSubnetCidrs"].split(","), found["HubProxiesSubnetAzs"].split(",")
    assert dict(zip(blocks, azs, strict=True))["10.20.0.32/27"] == "eu-west-1a"
    assert found["Spoke1FunctionsPaymentsSubnetCidrs"] == "100.64.0.192/28,100.64.0.224/28,100.64.1.0/28"


def test_names_that_come_to_the_same_letters_stay_apart() -> None:
    """Two zones `a-b` and `a.b` have parameters of their own."""
    made = plan(demand(function("one", zone="a-b"), function("two", zone="ab-"), function("three", zone="a--b")))
    found = [name for name in parameters(made, DIGEST) if name.endswith("SubnetCidrs") and "Functions" in name]
    assert len(found) == 3


def test_more_parameters_than_a_template_takes_are_refused() -> None:
    """CloudFormation takes 200: the way out is a file for each VPC."""
    many = plan(demand(*(function(f"f{number:03}", zone=f"zone-{number:03}", azs=AZS[:1]) for number in range(120))))
    with pytest.raises(Refused) as refused:
        parameters(many, DIGEST)
    assert [found.code for found in refused.value.diagnostics] == ["CF101"]
    assert "--vpc" in str(refused.value)


def test_the_csv_is_a_list_of_allocations() -> None:
    """It reads back with all of its blocks, the reserve of the hub among them, and says what is routable."""
    read, found = read_csv(csv_text(FIRST), file="plan.csv")
    assert not found
    assert read is not None
    rows = list(read.rows())
    subnets = [subnet.block for vpc in FIRST.vpcs for _, subnet in vpc.subnets()]
    assert {row.block for row in rows} == {
        *subnets,
        *(block for vpc in FIRST.vpcs for block in vpc.cidrs),
        Block.of("10.20.1.0/24"),
    }
    assert {row.routable for row in rows if row.vpc == "spoke-1"} == {False}
    assert {row.routable for row in rows if row.vpc != "spoke-1"} == {True}


@settings(max_examples=25)
@given(demands())
def test_a_plan_fed_back_as_csv_changes_nothing(one: Demand) -> None:
    """The register of addresses may hold the plan's own rows: planning again with them gives the same plan."""
    made = outcome(one).plan
    if made is None:
        return
    read, found = read_csv(csv_text(made), file="plan.csv")
    assert not found
    assert read is not None
    rows = tuple(Existing(block=row.block, row=at, name=row.name, vpc=row.vpc) for at, row in enumerate(read.rows()))
    again = outcome(one, previous=made, existing=rows).plan
    assert again == made


def test_hostile_names_stay_in_their_cells() -> None:
    """Commas, quotes and line ends of a name do not make columns or rows."""
    rows = list(csv.reader(io.StringIO(csv_text(hostile()))))
    assert {len(row) for row in rows} == {7}
    tables = [line for line in markdown(hostile()).splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in tables} == {10}
    assert "<script>" not in markdown(hostile())


def test_the_table_says_what_is_free_and_saved() -> None:
    """Below the VPCs stand the largest free block, the fragmentation, the savings and the assumptions."""
    lines = table(FIRST).splitlines()
    assert "10.20.0.0/16 (routable): 65,024 free, largest block /17, fragmentation 0%" in lines
    assert any(line.startswith("routable: 256 addresses in use, 256 kept beside them; ") for line in lines)
    assert any(line.startswith("assumed: turnover_headroom 1 times the ENIs") for line in lines)


def test_the_picture_is_sound_and_stands_alone() -> None:
    """It parses as XML, and has no scripts, no links and nothing that is fetched."""
    for made in (FIRST, GROWN, hostile()):
        text = picture(made)
        root = ET.fromstring(text)  # noqa: S314 - our own text
        tags = {element.tag.removeprefix(NAMESPACE) for element in root.iter()}
        assert tags == {"svg", "title", "desc", "style", "defs", "pattern", "line", "rect", "polygon", "text"}
        assert not re.search(r"href|url\((?!#)|@import|\son[a-z]+=|javascript", text)


def test_the_picture_says_what_it_shows_aloud() -> None:
    """It has a title and a description in words, and every tile has a title of its own."""
    root = ET.fromstring(picture(FIRST))  # noqa: S314 - our own text
    ids = (root.get("aria-labelledby") or "").split()
    assert root.get("role") == "img"
    named = {element.get("id"): element.text for element in root if element.get("id")}
    assert named[ids[0]] == "Address plan in eu-west-1, 2026-11-25"
    assert "256 routable addresses" in str(named[ids[1]])
    titles = [element.text or "" for element in root.iter(f"{NAMESPACE}title")]
    for vpc in FIRST.vpcs:
        for segment in vpc.segments:
            assert any(f"{vpc.name}/{segment.spot}: {segment.extent.block}" in title for title in titles)


def _tiles(made: Plan) -> dict[str, float]:
    """The area of each tile of the picture by the block in its title."""
    root = ET.fromstring(picture(made))  # noqa: S314 - our own text
    found = {}
    for rect in root.iter(f"{NAMESPACE}rect"):
        title = rect.find(f"{NAMESPACE}title")
        block = re.search(r": (\d+\.\d+\.\d+\.\d+/\d+)", title.text or "") if title is not None else None
        if block:
            found[block[1]] = float(rect.get("width", "0")) * float(rect.get("height", "0"))
    return found


def test_area_shows_addresses() -> None:
    """In one map a /27 is twice as large as a /28, as near as the lines between them allow."""
    areas = _tiles(FIRST)
    hub = FIRST.hub
    assert hub is not None
    by_prefix: dict[int, list[float]] = {}
    for segment in hub.segments:
        by_prefix.setdefault(segment.extent.block.prefix, []).append(areas[str(segment.extent.block)])
    assert min(by_prefix[27]) == pytest.approx(2 * max(by_prefix[28]), rel=0.03)


def test_purposes_differ_without_colour() -> None:
    """In black and white the spines of the tiles still tell purposes apart."""
    root = ET.fromstring(picture(FIRST))  # noqa: S314 - our own text
    spines = {
        (line.get("class"), line.get("stroke-dasharray"))
        for line in root.iter(f"{NAMESPACE}line")
        if (line.get("class") or "").endswith("-deep")
    }
    assert len({dash for _name, dash in spines}) == len(spines) >= 3


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [1, 2], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["page", "card", *(purpose.value for purpose in Purpose)])
def test_text_can_be_read_on_every_ground(palette: int, ground: str) -> None:
    """Names have the contrast of WCAG's AAA, the smaller words that of AA, in both palettes."""
    from capacity_planner.render.picture.ink import INK  # noqa: PLC0415 - the palette is what this one test is about

    assert _contrast(INK["text"][palette], INK[ground][palette]) >= 7
    assert _contrast(INK["soft"][palette], INK[ground][palette]) >= 4.5


def test_a_large_plan_is_still_a_picture() -> None:
    """200 subnets in a VPC and others' blocks in the parent make a picture of bounded size."""
    many = [function(f"f{number:02}", zone=f"zone-{number:02}") for number in range(65)]
    used = tuple(Existing(block=Block(4, (10 << 24) + (20 << 16) + (number << 8), 25)) for number in range(100, 200))
    text = picture(plan(demand(*many), existing=used))
    assert len(text) < 250_000
    assert "others hold 12,800 addresses" in text
