"""Where plan, verdicts, estate and region contradict one another: every contradiction, with its file and place."""

from collections.abc import Iterator
from ipaddress import IPv4Network
from itertools import combinations

from strangler_fig.diagnostics import Diagnostic, Severity
from strangler_fig.documents import did_you_mean

from .capacity import Capacity
from .estate import Estate
from .json_places import JsonFile
from .plan import EGRESS, Plan, Purpose, Vpc
from .region import is_known, missing_services, partition_of
from .settings import SettingsShape

NOT_PLANNED = "IN150"
NO_VERDICT = "IN151"
OVERLAP = "IN152"
REGION = "IN153"
SERVICE = "IN154"
PARTITION = "IN155"
EXCEEDED = "IN156"
NO_TARGETS = "IN157"
RESERVES_NOTHING = "IN158"
PREFIX = "IN159"
NO_EGRESS = "IN160"
SAME_NAME = "IN161"
NO_IDS = "IN162"
NO_LEDGER = "IN163"
LISTENER = "IN164"
ONE_FUNCTION = "IN165"

HEALTH_PORT = 8404
"""The port on which proxies answer their load balancer's question whether they are there."""
_PROXIES_OWN = ("health", "none", "system")

_ALWAYS = ("lambda", "ec2", "elbv2", "autoscaling", "logs", "monitoring", "ssm", "kms", "sqs", "rds", "secretsmanager")

_INSTANCE_ADDRESSES = 2
"""What one instance of a database takes of a subnet, the one included that replaces it."""


def has_routers(plan: Plan) -> bool:
    """Whether routers stand in the hub; otherwise they are hosts on-premises."""
    return plan.hub is not None and bool(plan.hub.of(Purpose.ROUTERS))


def ledger_purpose(plan: Plan) -> Purpose | None:
    """Whose subnets in the hub have room for an instance of the ledger and its replacement, in two AZs and more."""
    for purpose in (Purpose.ENDPOINTS, Purpose.ROUTERS, Purpose.PROXIES):
        subnets = plan.hub.of(purpose) if plan.hub else ()
        azs = {one.az for one in subnets}
        if len(azs) > 1 and azs == {one.az for one in subnets if one.spare >= _INSTANCE_ADDRESSES}:
            return purpose
    return None


def disagreements(plan: Plan, plan_file: JsonFile, settings: SettingsShape) -> Iterator[Diagnostic]:
    """What is wrong between the plan, its region and the settings."""
    if not plan.region:
        message = "the plan names no region"
        hint = "give the demand's account a region, and plan again"
        yield Diagnostic(code=REGION, message=message, position=plan_file.at("vpcs"), hint=hint)
    elif not is_known(plan.region):
        message = f"there is no region {plan.region!r} in the partition {partition_of(plan.region)}"
        yield Diagnostic(code=REGION, message=message, position=plan_file.at("region"))
    else:
        wanted = (*_ALWAYS, *(("vpc-lattice",) if settings.lattice.targets else ()))
        wanted += ("rolesanywhere",) if settings.router.is_on_premises or not has_routers(plan) else ()
        for service in missing_services(plan.region, wanted):
            message = f"the region {plan.region} has no {service}"
            hint = "plan for another region, or leave out of the settings what needs it"
            yield Diagnostic(code=SERVICE, message=message, position=plan_file.at("region"), hint=hint)
    if partition_of(plan.region) == "aws-cn" and not settings.cn_endpoints:
        message = f"some endpoint services of {plan.region} have names that begin with cn., and cn_endpoints is empty"
        hint = "`aws ec2 describe-vpc-endpoint-services` lists them: name those services under cn_endpoints"
        yield Diagnostic(code=SERVICE, message=message, hint=hint, severity=Severity.WARNING)
    yield from _overlaps(plan, plan_file)
    yield from _prefixes(plan, settings)
    if plan.hub and not settings.proxies.targets:
        message = "no target on-premises is named: there will be no stack of proxies, and no way to on-premises"
        hint = "name them under proxies.targets in the file of --settings"
        yield Diagnostic(code=NO_TARGETS, message=message, hint=hint, severity=Severity.WARNING)
    if plan.hub and ledger_purpose(plan) is None:
        message = "no subnets of the hub have room for the ledger in two AZs: there will be no stack for it"
        hint = (
            "plan with more endpoints or router hosts in the hub, or keep the ledger elsewhere (fig control --ledger)"
        )
        yield Diagnostic(code=NO_LEDGER, message=message, hint=hint, severity=Severity.WARNING)
    yield from _egress(plan, settings)
    yield from _same_names(plan, plan_file, settings)
    yield from _listeners(settings)
    if settings.proxies.endpoint_ids and settings.proxies.software != "haproxy":
        message = "proxies.endpoint_ids is for HAProxy: Envoy would let every endpoint through"
        yield Diagnostic(code=NO_IDS, message=message, hint="software: haproxy, or no endpoint_ids")


def _egress(plan: Plan, settings: SettingsShape) -> Iterator[Diagnostic]:
    """Egress proxies that no spoke has an endpoint to, or an endpoint that leads nowhere."""
    planned = [spoke.name for spoke in plan.spokes if EGRESS in spoke.endpoints]
    if settings.egress.domains and not planned:
        message = "no spoke has addresses for an endpoint to the egress proxies: functions will not reach them"
        hint = "add egress to path.spoke.endpoints in the demand, and plan again: no block moves"
        yield Diagnostic(code=NO_EGRESS, message=message, hint=hint, severity=Severity.WARNING)
    elif planned and not settings.egress.domains:
        message = f"{', '.join(planned)}: the plan has an endpoint to egress proxies, and egress.domains is empty"
        hint = "the endpoint is made with the first of egress.domains"
        yield Diagnostic(code=NO_EGRESS, message=message, hint=hint, severity=Severity.WARNING)


def _listeners(settings: SettingsShape) -> Iterator[Diagnostic]:
    """Targets that would listen where another one does, or under a name that the proxies use themselves."""
    ports = {HEALTH_PORT: "the health check"}
    for name, one in settings.proxies.targets.items():
        other = ports.setdefault(one.port, name)
        if other != name:
            message = f"proxies.targets: {name} and {other} both listen on port {one.port}"
            yield Diagnostic(code=LISTENER, message=message, hint="each needs a port of its own; `to` may be the same")
        if name in _PROXIES_OWN:
            message = f"proxies.targets: {name} is a name that the proxies' configuration uses itself"
            yield Diagnostic(code=LISTENER, message=message, hint="call the target something else")


def _same_names(plan: Plan, plan_file: JsonFile, settings: SettingsShape) -> Iterator[Diagnostic]:
    """Names that differ in hyphens alone: CloudFormation's logical ids have letters and digits only."""
    zones = [(("vpcs", place, "zones"), [zone.name for zone in vpc.zones]) for place, vpc in enumerate(plan.vpcs)]
    groups: list[tuple[tuple[str | int, ...], list[str]]] = [*zones, (("functions",), list(plan.places))]
    groups += [((), list(settings.proxies.targets)), ((), list(settings.lattice.targets))]
    for path, names in groups:
        seen: dict[str, str] = {}
        for name in names:
            other = seen.setdefault("".join(word.title() for word in name.split("-")), name)
            if other != name:
                message = f"{other} and {name} would be one name in a template, which has letters and digits only"
                position = plan_file.at(*path) if path else None
                yield Diagnostic(code=SAME_NAME, message=message, position=position, hint="rename one of them")


def _overlaps(plan: Plan, plan_file: JsonFile) -> Iterator[Diagnostic]:
    """Blocks of two VPCs that meet where both are routed; behind PrivateLink the same block twice is legal."""
    for (_, one), (place, other) in combinations(enumerate(plan.vpcs), 2):
        for mine, theirs in ((mine, theirs) for mine in _routed(one) for theirs in _routed(other)):
            if mine.overlaps(theirs):
                message = f"{theirs} of {other.name} overlaps {mine} of {one.name}, and both are routed to one hub"
                hint = "only spokes that reach the hub through an endpoint (way: endpoint) may share a block"
                position = plan_file.at("vpcs", place, "cidrs")
                yield Diagnostic(code=OVERLAP, message=message, position=position, hint=hint)


def _prefixes(plan: Plan, settings: SettingsShape) -> Iterator[Diagnostic]:
    """Prefixes of on-premises that are a VPC's own: AWS refuses a route that is as narrow as the local one."""
    for prefix in settings.attachment.prefixes:
        for vpc in plan.vpcs:
            inside = [block for block in vpc.cidrs if prefix.subnet_of(block)]
            if inside:
                message = f"attachment.prefixes has {prefix}, which is {vpc.name}'s own ({inside[0]})"
                yield Diagnostic(code=PREFIX, message=message)


def _routed(vpc: Vpc) -> tuple[IPv4Network, ...]:
    return vpc.cidrs if vpc.way == "direct" else vpc.routable


def unplanned(plan: Plan, capacity: Capacity, estate: Estate, file: JsonFile) -> Iterator[Diagnostic]:
    """The estate's functions that the plan or the verdicts lack, or whose ARN is of another region or partition."""
    first: dict[str, str] = {}
    for name, one in estate.functions.items():
        key = file.key_at("lambda", name)
        other = first.setdefault(one.function, name)
        if other != name:
            message = f"{name} and {other} are one function at AWS, {one.function}, and a template can make it once"
            hint = "give both routes one function in the estate, and plan that"
            yield Diagnostic(code=ONE_FUNCTION, message=message, position=key, hint=hint)
        if name not in plan.places:
            hint = did_you_mean(name, plan.places)
            yield Diagnostic(code=NOT_PLANNED, message=f"the plan has no function {name!r}", position=key, hint=hint)
        if name not in capacity.verdicts:
            message = f"the capacity verdicts have no function {name!r}"
            hint = did_you_mean(name, capacity.verdicts)
            yield Diagnostic(code=NO_VERDICT, message=message, position=key, hint=hint)
        arn = file.at("lambda", name, "arn")
        if one.partition != partition_of(one.region):
            partition = partition_of(one.region)
            message = f"the ARN of {name} has the partition {one.partition}, and {one.region} is in {partition}"
            yield Diagnostic(code=PARTITION, message=message, position=arn)
        elif plan.region and one.region != plan.region:
            message = f"{name} is in {one.region}, and the plan is for {plan.region}"
            yield Diagnostic(code=REGION, message=message, position=arn)


def warnings_of(capacity: Capacity, file: JsonFile) -> Iterator[Diagnostic]:
    """What the verdicts say against deploying: limits that are exceeded, functions that may reserve nothing."""
    if capacity.exceeded:
        message = f"the demand exceeds {', '.join(capacity.exceeded)}"
        hint = "`fig cidr path` says what to do; until then reserved concurrency keeps the functions below the limit"
        position = file.at("path", "exceeded")
        yield Diagnostic(code=EXCEEDED, message=message, position=position, hint=hint, severity=Severity.WARNING)
    for name, one in capacity.verdicts.items():
        if one.reserved == 0:
            message = f"{name} may reserve nothing, so AWS would refuse every invocation: {one.binding.code} binds"
            position = file.at("functions", name, "reserved_concurrency")
            yield Diagnostic(code=RESERVES_NOTHING, message=message, position=position, severity=Severity.WARNING)
