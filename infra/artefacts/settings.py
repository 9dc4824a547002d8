"""What only the company knows, in one reviewed file (`infra.yaml`): targets, who may connect, what runs where.

Everything has a default, so that a first synthesis needs no file; without targets the proxies let nothing through.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Annotated, Literal

import pydantic
from pydantic import Field

from strangler_fig.diagnostics import Diagnostic, Position, Refused, in_file_order
from strangler_fig.documents import Document, read_yaml
from strangler_fig.shapes import shape_diagnostics

from .function_access import AccessShape, ReachShape

UNREADABLE = "IN140"

_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def _reachable(host: str) -> str:
    """The host: a name of labels, or an address that another host can have."""
    if not all(_LABEL.fullmatch(one) for one in host.split(".")):
        message = f"{host!r} is neither a name of a host nor an IPv4 address"
        raise ValueError(message)
    if not host.replace(".", "").isdigit():
        return host
    try:
        address = IPv4Address(host)
    except ValueError:
        message = f"{host!r} is no IPv4 address"
        raise ValueError(message) from None
    if address.is_loopback or address.is_link_local or address.is_multicast or address.is_reserved or not int(address):
        message = f"{host} is an address of the proxy's own host or of nobody: a target is another host, on-premises"
        raise ValueError(message)
    return host


_Host = Annotated[str, Field(max_length=253), pydantic.AfterValidator(_reachable)]
_Instance = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$")]
_Port = Annotated[int, Field(ge=1, le=65535)]
_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]


def _ours(name: str) -> str:
    """The name; SSM keeps parameters below /aws... and /ssm... for itself, and names there would be refused late."""
    if name.startswith(("aws", "ssm")):
        message = "a name that begins with aws or ssm cannot be that of an SSM parameter"
        raise ValueError(message)
    return name


_Owner = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{2,30}$"), pydantic.AfterValidator(_ours)]
_Principal = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:(?:root|role/.+|user/.+)$")]
_EndpointId = Annotated[str, Field(pattern=r"^vpce-[0-9a-f]{8,17}$")]
_Layer = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]+:[0-9]+$")]


def _domain(given: str) -> str:
    """The domain: names of two labels and more, since one alone is everybody's, and no address."""
    labels = given.removeprefix(".").split(".")
    if len(labels) == 1 or labels[-1].isdigit() or not all(_LABEL.fullmatch(one) for one in labels):
        message = f"{given!r} is no domain of somebody's, as example.com, or .example.com with all below it"
        raise ValueError(message)
    return given


_Domain = Annotated[str, Field(pattern=r"^\.?[a-z0-9][a-z0-9.-]{0,252}$"), pydantic.AfterValidator(_domain)]
_Account = Annotated[str, Field(pattern=r"^[0-9]{12}$")]
_Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$")]
_Https = Annotated[str, Field(pattern=r"^https://[^\s@]+$")]


class _Shape(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class TargetShape(_Shape):
    """One listener of the proxies: `port` on the load balancer goes to `host:to` on-premises, and nowhere else.

    `within`: the blocks that a `host` by name resolves into, and all that the hosts' security group opens for it.
    """

    host: _Host
    to: _Port
    port: _Port
    within: tuple[IPv4Network, ...] = ()


class FleetShape(_Shape):
    """The proxies: what they run and on what, who may connect to their endpoint service.

    `endpoint_ids`: if any, the endpoints that HAProxy lets through, by the id in the PROXY header; all others are cut.
    `cross_zone`: as `path.nlb.cross_zone` of the demand, which the verdicts were computed with; off by default in both.
    """

    software: Literal["haproxy", "envoy"] = "haproxy"
    instance: _Instance = "c7g.large"
    allowed_principals: tuple[_Principal, ...] = ()
    endpoint_ids: tuple[_EndpointId, ...] = ()
    targets: dict[_Name, TargetShape] = {}
    is_cross_zone: bool = Field(default=False, alias="cross_zone")


class EgressShape(_Shape):
    """The security team's proxies: the domains that functions may reach."""

    domains: tuple[_Domain, ...] = ()
    instance: _Instance = "c7g.large"

    @pydantic.field_validator("domains")
    @classmethod
    def _each_once(cls, domains: tuple[str, ...]) -> tuple[str, ...]:
        for one in domains:
            for wide in (other for other in domains if other.startswith(".") and other != one):
                if f".{one.removeprefix('.')}".endswith(wide):
                    message = f"{one} is in {wide} already: Squid refuses a list that says so twice"
                    raise ValueError(message)
        if len(set(domains)) < len(domains):
            message = "a domain stands there twice"
            raise ValueError(message)
        return domains


class AttachmentShape(_Shape):
    """How the hub reaches on-premises, and what is routed there: 100 prefixes at most, as over Direct Connect."""

    by: Literal["transit-gateway", "virtual-private-gateway", "none"] = "transit-gateway"
    prefixes: Annotated[tuple[IPv4Network, ...], Field(max_length=100)] = ()


class RouterShape(_Shape):
    """Where the routers run, on what, and which addresses the corporate load balancer probes from."""

    instance: _Instance = "c7g.xlarge"
    vip_sources: tuple[IPv4Network, ...] = ()
    port: _Port = 8080
    is_on_premises: bool = Field(default=False, alias="on_premises")


class FunctionDefaultsShape(_Shape):
    """What every function starts with: runtime, memory, layers by ARN; and what single ones may read (`access`).

    `powertools`: the version of its public layer, where `layers` names none; `latest` changes with each deployment.
    """

    runtime: Literal["python3.11", "python3.12", "python3.13", "python3.14"] = "python3.13"
    architecture: Literal["arm64", "x86_64"] = "arm64"
    memory_mb: Annotated[int, Field(ge=128, le=10240)] = 512
    layers: tuple[_Layer, ...] = ()
    powertools: Annotated[str, Field(pattern=r"^(?:latest|[0-9]+\.[0-9]+\.[0-9]+)$")] = "latest"
    access: dict[str, AccessShape] = {}


class TelemetryShape(_Shape):
    """Where telemetry goes, and how long log records stay."""

    to: Literal["cloudwatch", "clickhouse"] = "cloudwatch"
    clickhouse: str = ""
    retention_days: Literal[7, 14, 30, 60, 90, 180, 365, 400, 731] = 90

    @pydantic.model_validator(mode="after")
    def _has_address(self) -> "TelemetryShape":
        if self.to == "clickhouse" and not self.clickhouse:
            message = "to: clickhouse needs the store's address, as in clickhouse: tcp://10.20.0.9:9440"
            raise ValueError(message)
        return self


class AlarmsShape(_Shape):
    """Who hears of alarms: addresses that AWS asks to confirm before anything is sent."""

    email: tuple[_Email, ...] = ()
    https: tuple[_Https, ...] = ()


class LatticeShape(_Shape):
    """Targets that are reached through a VPC Lattice resource gateway instead of a load balancer."""

    targets: dict[_Name, TargetShape] = {}


class SettingsShape(_Shape):
    """The whole file. `cn_endpoints`: services whose endpoint's name begins with `cn.`, in regions of China.

    `account`: where the stacks are deployed; the estate's ARNs must be of it.
    """

    version: Literal[1] = 1
    account: _Account = ""
    alarms: AlarmsShape = AlarmsShape()
    name: _Owner = "strangler-fig"
    attachment: AttachmentShape = AttachmentShape()
    proxies: FleetShape = FleetShape()
    egress: EgressShape = EgressShape()
    router: RouterShape = RouterShape()
    functions: FunctionDefaultsShape = FunctionDefaultsShape()
    telemetry: TelemetryShape = TelemetryShape()
    lattice: LatticeShape = LatticeShape()
    cn_endpoints: tuple[_Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings, and the file they came from (empty: the defaults)."""

    shape: SettingsShape
    file: str = ""
    document: Document | None = None

    def at(self, *path: str | int) -> Position | None:
        """The place of the value at `path`, or of its nearest ancestor that exists; None without a file."""
        return self.document.at(*path) if self.document else None

    def key_at(self, *path: str | int) -> Position | None:
        """The place of the key at `path`; None without a file."""
        return self.document.key_at(*path) if self.document else None


def read_settings(path: Path | None) -> Settings:
    """The settings of a file, or the defaults. Raises `Refused` with every fault and its place."""
    if path is None:
        return Settings(SettingsShape())
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused([Diagnostic(code=UNREADABLE, message=f"{path} cannot be read: {error}")]) from error
    document, found = read_yaml(text, file=str(path))
    if document is None or found:
        raise Refused(in_file_order(found))
    try:
        return Settings(SettingsShape.model_validate(document.data), str(path), document)
    except pydantic.ValidationError as error:
        wrong = shape_diagnostics([dict(one) for one in error.errors()], document, known_keys=_known_keys())
        raise Refused(in_file_order(wrong)) from None


def _known_keys() -> dict[tuple[str, ...], tuple[str, ...]]:
    shapes: dict[tuple[str, ...], type[pydantic.BaseModel]] = {
        (): SettingsShape,
        ("attachment",): AttachmentShape,
        ("proxies",): FleetShape,
        ("proxies", "targets", "*"): TargetShape,
        ("egress",): EgressShape,
        ("router",): RouterShape,
        ("functions",): FunctionDefaultsShape,
        ("functions", "access", "*"): AccessShape,
        ("functions", "access", "*", "databases", "*"): ReachShape,
        ("functions", "access", "*", "services", "*"): ReachShape,
        ("telemetry",): TelemetryShape,
        ("alarms",): AlarmsShape,
        ("lattice",): LatticeShape,
        ("lattice", "targets", "*"): TargetShape,
    }
    return {
        path: tuple(field.alias or name for name, field in shape.model_fields.items()) for path, shape in shapes.items()
    }
