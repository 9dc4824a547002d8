import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.artefacts import read_inputs
from infra.artefacts.estate import estate_file
from infra.artefacts.plan import digest_of
from infra.artefacts.region import missing_services, partition_of
from strangler_fig.diagnostics import Refused
from tests.infra.topology import HERE, Topology


def _change(path: Path, change: Callable[[Any], None], *, sign: bool = False) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    if sign:
        data["digest"] = digest_of(data)
    path.write_text(json.dumps(data, indent=1), encoding="utf-8")


def _refused(inputs: Topology, settings: Path | None = HERE / "infra.yaml") -> dict[str, str]:
    with pytest.raises(Refused) as refusal:
        read_inputs(inputs.plan, inputs.capacity, inputs.estate, settings)
    return {found.code: str(found) for found in refusal.value.diagnostics}


def test_the_planners_files_and_the_routers_are_read(inputs: Topology) -> None:
    """What `fig cidr plan`, `fig cidr verdict` and `fig compile` write is what this package reads: the contract."""
    read = read_inputs(inputs.plan, inputs.capacity, inputs.estate, HERE / "infra.yaml")
    assert [one.name for one in read.plan.spokes] == ["spoke-1", "spoke-nat-1", "spoke-direct-1"]
    assert {name: one.reserved for name, one in read.capacity.verdicts.items()} == {
        "books": 52,
        "reports": 8,
        "stock-sync": 8,
    }
    assert read.estate.functions["books"].function == "shop-books"
    warnings = {one.code: str(one) for one in read.warnings}
    assert warnings.keys() == {"IN156", "IN173"}
    assert "books needs the endpoint ssm, and spoke-1 has none" in warnings["IN173"]


def test_a_plan_that_was_changed_by_hand_is_refused(inputs: Topology) -> None:
    """A plan whose digest does not fit is refused with the digest's place."""
    _change(inputs.plan, lambda plan: plan["vpcs"][0]["cidrs"].append("10.99.0.0/24"))
    assert "plan.json:3:12: IN111" in _refused(inputs)["IN111"]


def test_a_plan_that_contradicts_itself_is_refused(inputs: Topology) -> None:
    """A subnet outside its VPC, a block that AWS has no size for, and a zone that is not there: all at once."""

    def spoil(plan: Any) -> None:
        plan["vpcs"][0]["segments"][0]["subnets"][0]["cidr"] = "10.77.0.0/28"
        plan["vpcs"][1]["cidrs"] = ["100.64.0.0/12"]
        plan["functions"]["books"]["zone"] = "nowhere"

    _change(inputs.plan, spoil, sign=True)
    with pytest.raises(Refused) as refusal:
        read_inputs(inputs.plan, inputs.capacity, inputs.estate)
    messages = [found.message for found in refusal.value.diagnostics]
    assert any("10.77.0.0/28) lies in no block of the VPC hub" in one for one in messages)
    assert any("100.64.0.0/12 is not between /16 and /28" in one for one in messages)
    assert any("no zone 'nowhere'" in one for one in messages)


def test_an_estate_whose_function_is_not_planned_is_refused(inputs: Topology) -> None:
    """A function that plan and verdicts lack is named at its key, with what was probably meant."""

    def rename(estate: Any) -> None:
        estate["lambda"]["book"] = estate["lambda"].pop("books")
        for route in estate["routes"].values():
            if route.get("lambda") == "books":
                route["lambda"] = "book"

    _change(inputs.estate, rename)
    found = _refused(inputs)
    assert "the plan has no function 'book'" in found["IN150"]
    assert "did you mean books?" in found["IN150"]
    assert "IN151" in found


def test_spokes_that_are_routed_may_not_overlap(inputs: Topology) -> None:
    """Two VPCs that one hub routes to are refused where their blocks meet; behind an endpoint that is legal."""

    def overlap(plan: Any) -> None:
        block = plan["vpcs"][0]["cidrs"]
        plan["vpcs"][3]["cidrs"] = block
        plan["vpcs"][3]["segments"] = []

    _change(inputs.plan, overlap, sign=True)
    assert "overlaps 10.20.0.0/23 of hub, and both are routed" in _refused(inputs)["IN152"]


def test_two_spokes_behind_endpoints_may_have_one_block(inputs: Topology) -> None:
    """The hub never sees a consumer's addresses, so the planner's growth path (the same block again) is accepted."""

    def again(plan: Any) -> None:
        plan["vpcs"].append(json.loads(json.dumps(plan["vpcs"][1]).replace("spoke-1", "spoke-2")))

    _change(inputs.plan, again, sign=True)
    read = read_inputs(inputs.plan, inputs.capacity, inputs.estate, HERE / "infra.yaml")
    assert [one.name for one in read.plan.spokes][-1] == "spoke-2"


def test_a_region_that_does_not_exist_is_refused(inputs: Topology) -> None:
    """A region that botocore does not know is refused, not deployed to."""
    _change(inputs.plan, lambda plan: plan.update(region="eu-west-9"), sign=True)
    assert "no region 'eu-west-9' in the partition aws" in _refused(inputs)["IN153"]


def test_a_region_without_a_service_is_refused(inputs: Topology) -> None:
    """VPC Lattice is not in every partition: the service and the region are named."""
    _change(inputs.plan, lambda plan: plan.update(region="cn-north-1"), sign=True)
    assert "cn-north-1 has no vpc-lattice" in _refused(inputs)["IN154"]


def test_an_arn_of_another_partition_is_refused(inputs: Topology) -> None:
    """An ARN whose partition is not its region's would be refused by AWS much later."""

    def move(estate: Any) -> None:
        estate["lambda"]["books"]["arn"] = "arn:aws:lambda:cn-north-1:123456789012:function:books:live"
        estate["lambda"]["stock-sync"]["arn"] = "arn:aws-us-gov:lambda:eu-west-1:123456789012:function:s:live"

    _change(inputs.estate, move)
    found = _refused(inputs)["IN155"]
    assert "the partition aws-us-gov, and eu-west-1 is in aws" in found


def test_an_on_premises_prefix_may_not_be_a_vpcs_own(inputs: Topology, tmp_path: Path) -> None:
    """A route as narrow as the VPC's local one would be refused by AWS, so it is refused here."""
    settings = tmp_path / "infra.yaml"
    settings.write_text("version: 1\nattachment:\n  prefixes: [10.20.0.0/24]\n", encoding="utf-8")
    assert "which is hub's own" in _refused(inputs, settings)["IN159"]


def test_a_misspelt_setting_is_refused_with_its_place(inputs: Topology, tmp_path: Path) -> None:
    """Unknown keys are named with file, line, column and the key that was meant."""
    settings = tmp_path / "infra.yaml"
    settings.write_text("version: 1\nproxies:\n  sofware: envoy\n", encoding="utf-8")
    found = _refused(inputs, settings)["SH101"]
    assert "infra.yaml:3:3" in found
    assert "did you mean software?" in found


def test_all_files_faults_are_said_at_once(inputs: Topology) -> None:
    """A broken plan does not hide a broken estate."""
    inputs.plan.write_text("{", encoding="utf-8")
    inputs.estate.write_text("[]", encoding="utf-8")
    assert {"IN101", "IN130"} <= set(_refused(inputs))


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_a_region_tells_its_partition(region: str, partition: str) -> None:
    """The partition follows from the region's name."""
    assert partition_of(region) == partition


def test_a_common_region_lacks_nothing() -> None:
    """Every service that the topology always needs is in a large region."""
    assert missing_services("eu-west-1", ("lambda", "ec2", "rds", "vpc-lattice")) == ()


def test_a_folder_of_compiled_estates_must_hold_one(made: Topology, tmp_path: Path) -> None:
    """`--estate` takes the folder that `fig compile` wrote to; where it holds several, one has to be named."""
    assert estate_file(made.folder / "compiled").name == "estate.json"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "estate.json").write_text("{}", encoding="utf-8")
    os.utime(tmp_path / "one" / "estate.json", (2e9, 2e9))
    with pytest.raises(Refused, match="holds 2 compiled estates") as refusal:
        estate_file(tmp_path)
    assert str(refusal.value.diagnostics[0].hint).endswith(f"the newest is --estate {tmp_path / 'one'}")


def test_a_compiled_estate_that_was_changed_by_hand_is_refused(made: Topology, tmp_path: Path) -> None:
    """The manifest beside an estate names its digest, and the folder's name is the manifest's."""
    (folder,) = (made.folder / "compiled").iterdir()
    own = Path(shutil.copytree(folder, tmp_path / folder.name))
    read_inputs(made.plan, made.capacity, own, HERE / "infra.yaml")
    old = (own / "estate.json").read_text(encoding="utf-8")
    new = old.replace("shop-books", "shop-mine")
    (own / "estate.json").write_text(new, encoding="utf-8")
    with pytest.raises(Refused, match=r"not the one in manifest\.json"):
        read_inputs(made.plan, made.capacity, own, HERE / "infra.yaml")
    listed = (own / "manifest.json").read_text(encoding="utf-8")
    before, after = (hashlib.sha256(one.encode()).hexdigest() for one in (old, new))
    (own / "manifest.json").write_text(listed.replace(before, after), encoding="utf-8")
    with pytest.raises(Refused, match="not the folder's name"):
        read_inputs(made.plan, made.capacity, own, HERE / "infra.yaml")


_DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not readable as JSON: Expecting value"),
        (_DEEP, "nested too deeply"),
        ('{"version": 1, "a": ' + "[" * 100 + "]" * 100 + "}", "more than 60 levels deep"),
        ('{"version": NaN}', "NaN is not JSON"),
        ('{"version": ' + "9" * 5_000 + "}", "not readable as JSON: Exceeds the limit"),
        ("\x00", "not readable as JSON"),
        ('{"version": 1, "region": "\\ud800"}', "half a character"),
    ],
    ids=["empty", "endless", "deep", "NaN", "digits", "control character", "surrogate"],
)
@pytest.mark.parametrize("which", ["plan", "capacity", "estate"])
def test_what_is_no_json_is_refused(inputs: Topology, which: str, text: str, message: str) -> None:
    """Whatever stands in a file, it is named with the reason; nothing is a traceback."""
    path: Path = getattr(inputs, which)
    path.write_text(text, encoding="utf-8")
    assert message in _refused(inputs)["IN101"]
    assert path.name in _refused(inputs)["IN101"]


def test_a_file_that_no_program_of_ours_writes_is_not_read(inputs: Topology) -> None:
    """A file of 65 MB is refused by its size, before it is read."""
    with inputs.plan.open("r+b") as file:
        file.truncate(65 * 1024 * 1024)
    assert "more than 67,108,864 are not read" in _refused(inputs)["IN101"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda plan: plan.update(version=True), "its version is True"),
        (lambda plan: plan.update(version=2), "its version is 2"),
        (
            lambda plan: plan["functions"]["books"].update(set=7),
            "has the security-group set 7, and shop in spoke-1 has 1",
        ),
        (lambda plan: plan["vpcs"][0].update(name="stacks"), "may not be called 'stacks'"),
        (lambda plan: plan["vpcs"][0].update(name="../../x"), "vpcs.0.name: string should match"),
        (lambda plan: plan["vpcs"].append(plan["vpcs"][1]), "a second VPC with the name 'spoke-1'"),
        (lambda plan: plan["vpcs"][1]["zones"][0].update(name="z" * 64), "vpcs.1.zones.0.name: string should match"),
        (lambda plan: plan["functions"].update({"f" * 64: plan["functions"]["books"]}), "string should match"),
        (lambda plan: plan["vpcs"][0]["stock"].update(proxies_per_az=-2), "greater than or equal to 0"),
        (lambda plan: plan["vpcs"][0].update(cidrs=["2001:db8::/32"]), "not a valid IPv4 network"),
        (
            lambda plan: plan["functions"].update(
                {"a-1": plan["functions"]["books"], "a1": plan["functions"]["books"]}
            ),
            "a-1 and a1 would be one name in a template",
        ),
    ],
)
def test_a_plan_that_no_template_can_hold_is_refused(
    inputs: Topology, change: Callable[[Any], None], message: str
) -> None:
    """Names that a template has no room for or would confuse, sets and counts that cannot be, another version."""
    _change(inputs.plan, change, sign=True)
    assert any(message in found for found in _refused(inputs).values())


@pytest.mark.parametrize(
    ("which", "change", "message"),
    [
        ("capacity", lambda data: data.update(version=2), "no capacity file of version 1"),
        ("capacity", lambda data: data.update(version="1"), "the text '1', and must be a number"),
        (
            "capacity",
            lambda data: data["functions"]["books"].update(reserved_concurrency=9999),
            "books reserves 9999, and may have 52 at once",
        ),
        (
            "capacity",
            lambda data: data["functions"]["books"].update(reserved_concurrency=9999, max_concurrency=9999),
            "all functions together reserve 10015, and the account has",
        ),
        ("estate", lambda data: data.update({"lambda": {}}), "goes to the function 'stock-sync', which the estate"),
        ("capacity", lambda data: data["path"].pop("limits"), "path.limits is required"),
        ("capacity", lambda data: data["path"]["limits"][0].update(value=-1), "greater than or equal to 0"),
        ("capacity", lambda data: data["functions"]["books"].update(reserved_concurrency=-5), "greater than or equal"),
        ("estate", lambda data: data.pop("routes"), "no compiled estate"),
        ("estate", lambda data: data["lambda"]["books"].update(timeout="soon"), "'soon' is not a duration"),
        (
            "estate",
            lambda data: data["lambda"]["books"].update(arn=data["lambda"]["stock-sync"]["arn"]),
            "are one function at AWS, stock-sync",
        ),
    ],
)
def test_verdicts_and_estates_that_cannot_be_are_refused(
    inputs: Topology, which: str, change: Callable[[Any], None], message: str
) -> None:
    """Each is named with its place; an estate as a person writes it has to be compiled first."""
    _change(getattr(inputs, which), change)
    assert any(message in found for found in _refused(inputs).values())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: aws-shop", "begins with aws or ssm"),
        ("proxies: {instance: large}", "proxies.instance"),
        ("proxies: {software: envoy, endpoint_ids: [vpce-0123456789abcdef0]}", "is for HAProxy"),
        ("attachment: {prefixes: ['2001:db8::/32']}", "not a valid IPv4 network"),
        ("attachment: {prefixes: [" + ", ".join(f"10.0.{one}.0/24" for one in range(101)) + "]}", "at most 100"),
        ("egress: {domains: ['*.example.com']}", "egress.domains.0"),
        (
            "proxies: {targets: {a: {host: x, to: 1, port: 99}, b: {host: x, to: 2, port: 99}}}",
            "b and a both listen on port 99",
        ),
        ("proxies: {targets: {a: {host: x, to: 1, port: 8404}}}", "a and the health check both listen on port 8404"),
        ("proxies: {targets: {a: {host: 169.254.169.254, to: 80, port: 99}}}", "infra.yaml:2:31"),
        ("proxies: {targets: {a: {host: 127.0.0.1, to: 22, port: 99}}}", "an address of the proxy's own host"),
        ("proxies: {targets: {a: {host: 999.1.1.1, to: 22, port: 99}}}", "'999.1.1.1' is no IPv4 address"),
        ("proxies: {targets: {a: {host: a..b, to: 22, port: 99}}}", "'a..b' is neither a name"),
        ("proxies: {targets: {a: {host: 8.8.8.8, to: 53, port: 99}}}", "8.8.8.8 is in none of attachment.prefixes"),
        ("egress: {domains: [.com]}", "'.com' is no domain of somebody's"),
        ("egress: {domains: [93.184.216.34]}", "'93.184.216.34' is no domain of somebody's"),
        (
            "egress: {domains: [.payments.example, api.payments.example]}",
            "api.payments.example is in .payments.example",
        ),
        ("functions: {runtime: pyton9}", "infra.yaml:2:22: SH104"),
        ("functions: {layers: ['arn:aws-cn:lambda:eu-west-1:123456789012:layer:a:1']}", "infra.yaml:2:22: IN172"),
        ("functions: {access: {boks: {}}}", "infra.yaml:2:22: IN173"),
        ("functions: {access: {books: {secrets: ['*']}}}", "functions.access.books.secrets.0"),
        ("functions: {access: {books: {databases: {a: {target: nowhere}}}}}", "proxies.targets has no 'nowhere'"),
        (
            "functions: {access: {books: {databases: {a: {target: b, profile: {credentials: {password: x}}}}}}}",
            "would stand in the template",
        ),
        (
            """proxies: {targets: {b: {host: x, to: 1, port: 99}}}
functions: {access: {books: {databases: {a: {target: b, connections: 1}}}}}""",
            "a grants 1 connections, and books may have",
        ),
        ("account: '999999999999'", "account says 999999999999"),
        ("alarms: {email: [nobody]}", "alarms.email.0"),
        ("proxies: {targets: {health: {host: x, to: 1, port: 99}}}", "health is a name that the proxies"),
    ],
)
def test_settings_that_could_not_be_deployed_are_refused(
    inputs: Topology, tmp_path: Path, text: str, message: str
) -> None:
    """What AWS or a proxy would refuse an hour later is refused here."""
    settings = tmp_path / "infra.yaml"
    settings.write_text(f"version: 1\n{text}\n", encoding="utf-8")
    assert any(message in found for found in _refused(inputs, settings).values())


def test_an_estate_of_two_accounts_is_refused(inputs: Topology) -> None:
    """The stacks make every function in one account, and the routers' role names the ARNs of the estate."""
    _change(inputs.estate, lambda data: data["lambda"]["books"].update(arn=_elsewhere(data["lambda"]["books"]["arn"])))
    assert "999999999999: books" in _refused(inputs)["IN174"]


def _elsewhere(arn: str) -> str:
    return arn.replace("123456789012", "999999999999")


def test_what_is_open_or_silent_is_a_warning(inputs: Topology, tmp_path: Path) -> None:
    """A target by name without `within` opens all of on-premises, and without a subscriber alarms reach nobody."""
    settings = tmp_path / "infra.yaml"
    text = "version: 1\nattachment: {prefixes: [10.0.0.0/14]}\nproxies: {targets: {a: {host: x, to: 1, port: 99}}}\n"
    settings.write_text(text, encoding="utf-8")
    found = {one.code: str(one) for one in read_inputs(inputs.plan, inputs.capacity, inputs.estate, settings).warnings}
    assert "infra.yaml:3:31" in found["IN171"]
    assert "reach nobody" in found["IN175"]
    told = read_inputs(inputs.plan, inputs.capacity, inputs.estate, HERE / "infra.yaml").warnings
    assert not {"IN171", "IN175"} & {one.code for one in told}


def test_egress_needs_both_a_list_and_addresses(inputs: Topology, tmp_path: Path) -> None:
    """Domains without an endpoint in the plan are a warning, and so is an endpoint that would lead nowhere."""
    settings = tmp_path / "infra.yaml"
    settings.write_text("version: 1\n", encoding="utf-8")
    read = read_inputs(inputs.plan, inputs.capacity, inputs.estate, settings)
    assert any("egress.domains is empty" in one.message for one in read.warnings)

    def without(plan: Any) -> None:
        for vpc in plan["vpcs"]:
            vpc["endpoints"] = [one for one in vpc["endpoints"] if one != "egress"]

    _change(inputs.plan, without, sign=True)
    read = read_inputs(inputs.plan, inputs.capacity, inputs.estate, HERE / "infra.yaml")
    (found,) = (one for one in read.warnings if one.code == "IN160")
    assert "add egress to path.spoke.endpoints" in str(found)


def test_a_hub_without_room_for_the_ledger_says_so(inputs: Topology) -> None:
    """There is no stack for the ledger then, which nobody should find out by looking for it."""

    def crowd(plan: Any) -> None:
        for segment in plan["vpcs"][0]["segments"]:
            segment["needed"] = sum(2 ** (32 - int(one["cidr"][-2:])) - 5 for one in segment["subnets"])

    _change(inputs.plan, crowd, sign=True)
    read = read_inputs(inputs.plan, inputs.capacity, inputs.estate, HERE / "infra.yaml")
    assert [one.code for one in read.warnings if "ledger" in one.message] == ["IN163"]
