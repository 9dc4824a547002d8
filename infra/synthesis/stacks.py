"""The stacks, one for each concern, in the order in which they are deployed."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk

from ..artefacts import Inputs
from ..artefacts.agreement import has_routers, ledger_purpose
from ..artefacts.function_access import AccessShape
from ..artefacts.plan import EGRESS, ON_PREMISES, Plan, Purpose, Vpc
from ..constructs.control_plane import ControlPlane
from ..constructs.fleet import FleetPlace, FleetSize
from ..constructs.hub_vpc import Attachment, HubVpc
from ..constructs.lattice_path import LatticePath
from ..constructs.logs import encryption_key
from ..constructs.network import NetworkSettings
from ..constructs.on_prem_function import FunctionPlace, FunctionWork, OnPremFunction
from ..constructs.proxy_files import EGRESS_PORT, Target
from ..constructs.proxy_fleet import EgressProxyFleet, EgressSettings, ProxyFleet, ProxySettings
from ..constructs.resource import imported, parameter
from ..constructs.router_fleet import RouterFleet, RouterHosts, RouterWork
from ..constructs.spoke_vpc import FleetWay, SpokeVpc
from ..constructs.telemetry import Telemetry, TelemetrySettings
from .function_profiles import profiles
from .limits import Topology, unwatched, watched

FUNCTIONS_IN_A_STACK = 40
"""Ten resources each, and CloudFormation takes 500 in a template. Source: CloudFormation quotas, 2025."""
_HOST = "FIG_ON_PREMISES_HOST"
_FUNCTION_SECONDS = 30
"""The time limit of a function that the plan has and the estate does not route to yet."""


@dataclass(frozen=True, slots=True)
class Built:
    """One stack: its name, which is its file's too, and what it is for."""

    name: str
    title: str


class Builder:
    """Makes the stacks of one topology inside an app."""

    def __init__(self, app: cdk.App, inputs: Inputs) -> None:
        self.app = app
        self.inputs = inputs
        self.plan: Plan = inputs.plan
        self.settings = inputs.settings.shape
        self.name = self.settings.name
        self.targets = _targets(self.settings.proxies.targets)
        self.prefixes = tuple(str(one) for one in self.settings.attachment.prefixes)
        self.built: list[Built] = []

    def build(self) -> list[Built]:
        """Make every stack; their names in the order of deployment."""
        hub = self.plan.hub
        if hub:
            self._hub(hub)
        if hub and self.targets:
            self._proxies(hub)
        if self.settings.egress.domains:
            self._egress()
        if hub and self.settings.lattice.targets:
            stack = self._stack("lattice", "Targets on-premises by VPC Lattice")
            where = self._one_in_each_az(stack, hub, Purpose.PROXIES)
            LatticePath(stack, "Lattice", where, _targets(self.settings.lattice.targets), self._network())
        for spoke in self.plan.spokes:
            stack = self._stack(spoke.name, f"Spoke {spoke.name}: functions' VPC, which nobody routes")
            SpokeVpc(stack, "Spoke", spoke, self._network(), self._ways())
        self._telemetry()
        for spoke in self.plan.spokes:
            self._functions(spoke)
        self._routers(hub)
        purpose = ledger_purpose(self.plan)
        if hub and purpose:
            self._ledger(hub, purpose)
        return self.built

    def _stack(self, name: str, title: str) -> cdk.Stack:
        self.built.append(Built(name, title))
        synthesizer = cdk.LegacyStackSynthesizer()
        stack = cdk.Stack(self.app, name, description=title, synthesizer=synthesizer, analytics_reporting=False)
        stack.template_options.metadata = {"fig": {"plan": self.plan.digest, "capacity": self.inputs.capacity.digest}}
        return stack

    def _network(self) -> NetworkSettings:
        return NetworkSettings(
            name=self.name,
            retention_days=self.settings.telemetry.retention_days,
            prefixes=self.prefixes,
            cn_endpoints=self.settings.cn_endpoints,
        )

    def _place(self, stack: cdk.Stack, vpc: Vpc, purpose: Purpose, clients: tuple[str, ...] = ()) -> FleetPlace:
        path = f"/{self.name}/{vpc.name}"
        return FleetPlace(
            vpc_id=imported(stack, f"{path}/vpc-id"),
            subnet_ids=imported(stack, f"{path}/{purpose.value}/subnet-ids", is_list=True),
            balancer_subnet_ids=imported(stack, f"{path}/{purpose.value}/one-in-each-az", is_list=True),
            clients=clients,
        )

    def _one_in_each_az(
        self, stack: cdk.Stack, vpc: Vpc, purpose: Purpose, clients: tuple[str, ...] = ()
    ) -> FleetPlace:
        """As `_place`, for what takes one subnet in each AZ and has no hosts of its own."""
        path = f"/{self.name}/{vpc.name}"
        subnets = imported(stack, f"{path}/{purpose.value}/one-in-each-az", is_list=True)
        vpc_id = imported(stack, f"{path}/vpc-id")
        return FleetPlace(vpc_id=vpc_id, subnet_ids=subnets, balancer_subnet_ids=subnets, clients=clients)

    def _hub(self, hub: Vpc) -> None:
        HubVpc(
            self._stack(hub.name, "Hub: the routable VPC"),
            "Hub",
            hub,
            self._network(),
            Attachment(self.settings.attachment.by),
        )

    def _ways(self) -> tuple[FleetWay, ...]:
        """The fleets that stand, for spokes whose plan has an endpoint to them."""
        egress = (EGRESS_PORT,) if self.settings.egress.domains else ()
        return tuple(
            FleetWay(name=name, service=f"/{self.name}/{fleet}/endpoint-service-name", ports=ports)
            for name, fleet, ports in (
                (ON_PREMISES, "proxies", tuple(one.port for one in self.targets)),
                (EGRESS, "egress", egress),
            )
        )

    def _consumers(self, way: str) -> tuple[str, ...]:
        """The blocks of the spokes with an endpoint to a fleet, each once: two spokes may have the same."""
        blocks = (str(block) for spoke in self.plan.spokes if way in spoke.endpoints for block in spoke.cidrs)
        return tuple(dict.fromkeys(blocks))

    def _proxies(self, hub: Vpc) -> None:
        stack = self._stack("proxies", "Proxies to on-premises, and their endpoint service")
        zones = len({one.az for one in hub.of(Purpose.PROXIES)})
        least = hub.stock.get("proxies_per_az", 1) * zones
        size = FleetSize(
            least=least,
            most=max(2 * least, hub.stock.get("proxies_per_az_at_horizon", 1) * zones),
            instance=self.settings.proxies.instance,
        )
        settings = ProxySettings(
            name=self.name,
            software=self.settings.proxies.software,
            targets=self.targets,
            allowed_principals=self.settings.proxies.allowed_principals,
            endpoint_ids=self.settings.proxies.endpoint_ids,
            prefixes=self.prefixes,
            vpc_blocks=tuple(str(one) for one in hub.cidrs),
            has_agent="monitoring" in hub.endpoints,
            has_logs="logs" in hub.endpoints,
            is_cross_zone=self.settings.proxies.is_cross_zone,
            retention_days=self.settings.telemetry.retention_days,
        )
        place = self._place(stack, hub, Purpose.PROXIES, self._consumers(ON_PREMISES))
        ProxyFleet(stack, "Proxies", place, size, settings)

    def _egress(self) -> None:
        """The security team's stack: it stands in a VPC of theirs, which is no part of the plan."""
        stack = self._stack("egress", f"Egress by a list of domains, port {EGRESS_PORT}")
        subnets = parameter(stack, "SubnetIds", "List<AWS::EC2::Subnet::Id>", description="One subnet in each AZ")
        vpc = parameter(stack, "VpcId", "AWS::EC2::VPC::Id", description="The security team's VPC")
        where = FleetPlace(vpc_id=vpc, subnet_ids=subnets, balancer_subnet_ids=subnets, clients=self._consumers(EGRESS))
        size = FleetSize(least=len(self.plan.azs), most=2 * len(self.plan.azs), instance=self.settings.egress.instance)
        allowed = self.settings.proxies.allowed_principals
        settings = EgressSettings(
            name=self.name,
            domains=self.settings.egress.domains,
            allowed_principals=allowed,
            retention_days=self.settings.telemetry.retention_days,
        )
        EgressProxyFleet(stack, "Egress", where, size, settings)

    def _telemetry(self) -> None:
        stack = self._stack("telemetry", "Alarms, dashboard, the collector's configuration")
        shape = self.settings.telemetry
        settings = TelemetrySettings(
            name=self.name,
            to=shape.to,
            clickhouse=shape.clickhouse,
            retention_days=shape.retention_days,
            emails=self.settings.alarms.email,
            urls=self.settings.alarms.https,
        )
        topology = Topology(
            plan=self.plan,
            capacity=self.inputs.capacity,
            name=self.name,
            has_proxies=self.plan.hub is not None and bool(self.targets),
            attaches=self.settings.attachment.by == Attachment.TRANSIT_GATEWAY.value,
            value_at=lambda path: imported(stack, f"/{self.name}/{path}"),
            cn_endpoints=self.settings.cn_endpoints,
        )
        Telemetry(stack, "Telemetry", settings, watched(topology), unwatched(topology))

    def _functions(self, spoke: Vpc) -> None:
        for zone in spoke.zones:
            names = sorted(
                name for name, one in self.plan.places.items() if (one.vpc, one.zone) == (spoke.name, zone.name)
            )
            groups = list(_chunks([name for name in names if name in self.inputs.capacity.verdicts]))
            for number, chunk in enumerate(groups, start=1):
                stem = f"functions-{spoke.name}-{zone.name}"
                name = stem if len(groups) == 1 else f"{stem}-{number}"
                stack = self._stack(name, f"Functions of the trust zone {zone.name} in {spoke.name}")
                self._functions_of(stack, spoke, chunk)

    def _functions_of(self, stack: cdk.Stack, spoke: Vpc, names: tuple[str, ...]) -> None:
        zone = self.plan.places[names[0]].zone
        path = f"/{self.name}/{spoke.name}"
        groups = imported(stack, f"{path}/functions/{zone}/security-group-ids", is_list=True)
        subnets = imported(stack, f"{path}/functions/{zone}/subnet-ids", is_list=True)
        key = encryption_key(stack, f"Functions of {zone}")
        parameter(stack, "CodePrefix", default="functions/", description="Where in the bucket the packages are")
        topic = imported(stack, f"/{self.name}/telemetry/alarm-topic-arn")
        environment = tuple(self._environment(stack, spoke))
        for name in names:
            number = self.plan.places[name].set_number
            place = FunctionPlace(
                subnet_ids=subnets,
                security_group_ids=[{"Fn::Select": [number - 1, groups]}],
                set_name=f"{zone}/{number}",
                key=key,
                path=f"/{self.name}/functions",
                alarm_topic=topic,
                environment=(*environment, *self._profiles(name, dict(environment).get(_HOST))),
            )
            OnPremFunction(stack, "".join(word.title() for word in name.split("-")), self._work(name), place)

    def _profiles(self, name: str, host: Any) -> Iterator[tuple[str, Any]]:
        """The adapters' profiles of one function, where there is a way to on-premises."""
        access = self.settings.functions.access.get(name)
        if access and host:
            ports = {one.name: one.port for one in self.targets}
            yield from profiles(access, ports, host, self.inputs.capacity.verdicts[name].reserved)

    def _environment(self, stack: cdk.Stack, spoke: Vpc) -> Iterator[tuple[str, Any]]:
        """What tells functions where their endpoints to the fleets are."""
        variables = {ON_PREMISES: (_HOST, "${Host}")}
        variables |= {EGRESS: ("FIG_EGRESS_PROXY", f"http://${{Host}}:{EGRESS_PORT}")}
        for way in self._ways():
            if way.ports and way.name in spoke.endpoints:
                variable, text = variables[way.name]
                host = imported(stack, f"/{self.name}/{spoke.name}/{way.name}/host")
                yield variable, host if text == "${Host}" else {"Fn::Sub": [text, {"Host": host}]}

    def _work(self, name: str) -> FunctionWork:
        existing = self.inputs.estate.functions.get(name)
        alias = existing.qualifier if existing and existing.qualifier.isidentifier() else "live"
        shape = self.settings.functions
        return FunctionWork(
            name=existing.function if existing else name,
            planned_as=name,
            alias=alias,
            timeout_seconds=math.ceil(existing.timeout_seconds) if existing else _FUNCTION_SECONDS,
            reserved=self.inputs.capacity.verdicts[name].reserved,
            runtime=shape.runtime,
            architecture=shape.architecture,
            memory_mb=shape.memory_mb,
            layers=shape.layers,
            powertools=shape.powertools,
            access=shape.access.get(name, AccessShape()),
            retention_days=self.settings.telemetry.retention_days,
        )

    def _routers(self, hub: Vpc | None) -> None:
        sources = tuple(str(one) for one in self.settings.router.vip_sources) or self.prefixes
        arns = tuple(
            ":".join(
                filter(
                    None,
                    (f"arn:{one.partition}:lambda:{one.region}:{one.account}:function:{one.function}", one.qualifier),
                )
            )
            for one in self.inputs.estate.functions.values()
        )
        if not arns:
            return
        work = RouterWork(name=self.name, function_arns=arns, port=self.settings.router.port, sources=sources)
        if hub and has_routers(self.plan) and not self.settings.router.is_on_premises:
            stack = self._stack("routers", "Router nodes behind the corporate VIP")
            zones = len({one.az for one in hub.of(Purpose.ROUTERS)})
            least = hub.stock.get("router_hosts_per_az", 1) * zones
            size = FleetSize(least=least, most=2 * least, instance=self.settings.router.instance)
            RouterFleet(stack, "Routers", self._place(stack, hub, Purpose.ROUTERS), size, work)
        else:
            RouterHosts(self._stack("router-hosts", "The identity of router hosts on-premises"), "Routers", work)

    def _ledger(self, hub: Vpc, purpose: Purpose) -> None:
        """The ledger, in those subnets of the hub that the plan leaves room in."""
        stack = self._stack("ledger", "The ledger of every decision")
        clients = (*(str(block) for block in hub.cidrs), *self.prefixes)
        where = self._one_in_each_az(stack, hub, purpose, clients)
        ControlPlane(stack, "Ledger", where, self.name, self.settings.telemetry.retention_days)


def _chunks(names: list[str]) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(names), FUNCTIONS_IN_A_STACK):
        yield tuple(names[start : start + FUNCTIONS_IN_A_STACK])


def _targets(shapes: Any) -> tuple[Target, ...]:
    return tuple(
        Target(name=name, port=one.port, host=one.host, to=one.to, within=tuple(str(block) for block in one.within))
        for name, one in shapes.items()
    )
