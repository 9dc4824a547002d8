"""What only the company knows, in one reviewed file (`infra.yaml`): targets, who may connect, what runs where.

Everything has a default, so that a first synthesis needs no file; without targets the proxies let nothing through.
"""

from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated, Literal

import pydantic
from pydantic import Field

from strangler_fig.diagnostics import Diagnostic, Refused, in_file_order
from strangler_fig.documents import read_yaml
from strangler_fig.shapes import shape_diagnostics

UNREADABLE = "IN140"

_Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$")]
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
_Domain = Annotated[str, Field(pattern=r"^\.?[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$")]


class _Shape(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class TargetShape(_Shape):
    """One listener of the proxies: `port` on the load balancer goes to `host:to` on-premises, and nowhere else."""

    host: _Host
    to: _Port
    port: _Port


class FleetShape(_Shape):
    """The proxies: what they run and on what, who may connect to their endpoint service.

    `endpoint_ids`: if any, the endpoints that HAProxy lets through, by the id in the PROXY header; all others are cut.
    """

    software: Literal["haproxy", "envoy"] = "haproxy"
    instance: _Instance = "c7g.large"
    allowed_principals: tuple[_Principal, ...] = ()
    endpoint_ids: tuple[_EndpointId, ...] = ()
    targets: dict[_Name, TargetShape] = {}


class EgressShape(_Shape):
    """The security team's proxies: the domains that functions may reach."""

    domains: tuple[_Domain, ...] = ()
    instance: _Instance = "c7g.large"


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
    """What every function starts with: runtime, memory, layers by ARN, days that its log records stay."""

    runtime: str = "python3.13"
    architecture: Literal["arm64", "x86_64"] = "arm64"
    memory_mb: Annotated[int, Field(ge=128, le=10240)] = 512
    layers: tuple[str, ...] = ()


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


class LatticeShape(_Shape):
    """Targets that are reached through a VPC Lattice resource gateway instead of a load balancer."""

    targets: dict[_Name, TargetShape] = {}


class SettingsShape(_Shape):
    """The whole file. `cn_endpoints`: services whose endpoint's name begins with `cn.`, in regions of China."""

    version: Literal[1] = 1
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
        return Settings(SettingsShape.model_validate(document.data), str(path))
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
        ("telemetry",): TelemetryShape,
        ("lattice",): LatticeShape,
        ("lattice", "targets", "*"): TargetShape,
    }
    return {
        path: tuple(field.alias or name for name, field in shape.model_fields.items()) for path, shape in shapes.items()
    }
