"""Where settings contradict the plan, the estate or themselves: each with its place in the settings' file."""

import ipaddress
from collections.abc import Iterator, Mapping

from strangler_fig.diagnostics import Diagnostic, Severity
from strangler_fig.documents import did_you_mean

from .capacity import Capacity
from .estate import Estate
from .function_access import AccessShape
from .plan import ON_PREMISES, Plan
from .region import partition_of
from .settings import Settings, TargetShape

TARGET = "IN170"
ANYWHERE = "IN171"
LAYER = "IN172"
ACCESS = "IN173"
ACCOUNT = "IN174"
NO_ALARMS = "IN175"


def settings_faults(settings: Settings, plan: Plan, capacity: Capacity, estate: Estate) -> Iterator[Diagnostic]:
    """Every fault and warning of the settings beside their shape."""
    shape = settings.shape
    for kind, targets in (("proxies", shape.proxies.targets), ("lattice", shape.lattice.targets)):
        for name, one in targets.items():
            yield from _target(settings, (kind, "targets", name), one)
    yield from _layers(settings, plan)
    for name, access in shape.functions.access.items():
        yield from _access(settings, plan, name, access)
        reserved = capacity.verdicts[name].reserved if name in capacity.verdicts else None
        yield from _budgets(settings, name, access, reserved)
    yield from _accounts(settings, estate)
    if not shape.alarms.email and not shape.alarms.https:
        message = "alarms reach nobody: the topic has no subscriber"
        hint = "name an address under alarms.email or alarms.https, or subscribe to the topic after deployment"
        yield Diagnostic(code=NO_ALARMS, message=message, hint=hint, severity=Severity.WARNING)


def _target(settings: Settings, path: tuple[str, ...], target: TargetShape) -> Iterator[Diagnostic]:
    """A target whose address is not routed to on-premises, or whose name may be any address there."""
    prefixes = settings.shape.attachment.prefixes
    name = path[-1]
    for block in target.within:
        if prefixes and not any(block.subnet_of(one) for one in prefixes):
            message = f"{name}: {block} is in none of attachment.prefixes, so nothing leads there"
            yield Diagnostic(code=TARGET, message=message, position=settings.at(*path, "within"))
    try:
        address = ipaddress.IPv4Address(target.host)
    except ValueError:
        if not target.within:
            message = f"{name} is a name, so the security group opens port {target.to} of everything on-premises"
            hint = "say where the name leads: within: [10.0.4.0/28]"
            place = settings.at(*path, "host")
            yield Diagnostic(code=ANYWHERE, message=message, position=place, hint=hint, severity=Severity.WARNING)
        return
    if (prefixes or address.is_global) and not any(address in one for one in prefixes):
        message = f"{name}: {address} is in none of attachment.prefixes, so nothing leads there"
        hint = "targets are on-premises; the internet is for egress.domains"
        yield Diagnostic(code=TARGET, message=message, position=settings.at(*path, "host"), hint=hint)


def _layers(settings: Settings, plan: Plan) -> Iterator[Diagnostic]:
    """Layers of another partition or region, which Lambda refuses."""
    for place, one in enumerate(settings.shape.functions.layers):
        _, partition, _, region, *_ = one.split(":")
        if plan.region and (partition, region) != (partition_of(plan.region), plan.region):
            message = f"the layer {one} is in {partition}, {region}, and the plan is for {plan.region}"
            yield Diagnostic(code=LAYER, message=message, position=settings.at("functions", "layers", place))


def _access(settings: Settings, plan: Plan, name: str, access: AccessShape) -> Iterator[Diagnostic]:
    """Rights of a function that is not planned, or for which there is no way."""
    path = ("functions", "access", name)
    planned = plan.places.get(name)
    if planned is None:
        hint = did_you_mean(name, plan.places)
        message = f"the plan has no function {name!r}"
        yield Diagnostic(code=ACCESS, message=message, position=settings.key_at(*path), hint=hint)
        return
    spoke = next(one for one in plan.vpcs if one.name == planned.vpc)
    needed = {"secretsmanager": access.secrets, "ssm": access.parameters}
    needed[ON_PREMISES] = (*access.databases, *access.services)
    for endpoint, wanted in needed.items():
        if wanted and endpoint not in spoke.endpoints and spoke.way != "direct":
            message = f"{name} needs the endpoint {endpoint}, and {spoke.name} has none"
            hint = f"add {endpoint} to path.spoke.endpoints in the demand, and plan again"
            yield Diagnostic(
                code=ACCESS, message=message, position=settings.at(*path), hint=hint, severity=Severity.WARNING
            )


def _budgets(settings: Settings, name: str, access: AccessShape, reserved: int | None) -> Iterator[Diagnostic]:
    """Profiles for targets that do not exist, or that grant fewer connections than there may be environments."""
    targets: Mapping[str, TargetShape] = settings.shape.proxies.targets
    for kind, reaches in (("databases", access.databases), ("services", access.services)):
        for own, reach in reaches.items():
            path = ("functions", "access", name, kind, own)
            if reach.target not in targets:
                message = f"proxies.targets has no {reach.target!r}"
                hint = did_you_mean(reach.target, targets)
                yield Diagnostic(code=ACCESS, message=message, position=settings.at(*path, "target"), hint=hint)
            if reserved and reach.connections and reach.connections < reserved:
                message = f"{own} grants {reach.connections} connections, and {name} may have {reserved} environments"
                hint = "each environment keeps one: grant more, or plan with fewer sessions"
                yield Diagnostic(code=ACCESS, message=message, position=settings.at(*path, "connections"), hint=hint)


def _accounts(settings: Settings, estate: Estate) -> Iterator[Diagnostic]:
    """An estate of two accounts: the functions' stacks are all deployed into one."""
    accounts: dict[str, list[str]] = {}
    for name, one in estate.functions.items():
        accounts.setdefault(one.account, []).append(name)
    if len(accounts) > 1:
        found = "; ".join(f"{account}: {', '.join(names)}" for account, names in sorted(accounts.items()))
        message = f"the estate's ARNs are of {len(accounts)} accounts ({found}), and the stacks make them all in one"
        yield Diagnostic(
            code=ACCOUNT, message=message, hint="correct the ARNs in the estate, or make an estate of each"
        )
    elif settings.shape.account and accounts and settings.shape.account not in accounts:
        (own,) = accounts
        message = f"the estate's ARNs are of the account {own}, and account says {settings.shape.account}"
        yield Diagnostic(code=ACCOUNT, message=message, position=settings.at("account"))
