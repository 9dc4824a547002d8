"""An AWS account's network in one Region, read with boto3: the same answers that `aws ec2 describe-...` prints.

The rule: read-only, and what the credentials may not see stays unknown and is told; only VPCs and subnets must be
readable.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ..inventory import aws
from ..inventory.answers import Answers
from ..inventory.values import Inventory, Quota
from .errors import AwsDenied
from .session import Session

_EC2 = (
    ("describe_vpcs", "Vpcs"),
    ("describe_subnets", "Subnets"),
    ("describe_route_tables", "RouteTables"),
    ("describe_network_interfaces", "NetworkInterfaces"),
    ("describe_vpc_endpoints", "VpcEndpoints"),
    ("describe_vpc_peering_connections", "VpcPeeringConnections"),
    ("describe_nat_gateways", "NatGateways"),
    ("describe_transit_gateway_vpc_attachments", "TransitGatewayVpcAttachments"),
)
_MUST = frozenset({"Vpcs", "Subnets"})

QUOTAS = {
    ("vpc", "L-F678F1CE"): "vpcs_per_region",
    ("vpc", "L-407747CB"): "subnets_per_vpc",
    ("vpc", "L-83CA0A9D"): "cidrs_per_vpc",
    ("vpc", "L-085A6257"): "ipv6_cidrs_per_vpc",
    ("vpc", "L-589F43AA"): "route_tables_per_vpc",
    ("vpc", "L-93826ACB"): "routes_per_table",
    ("vpc", "L-29B6F2EB"): "interface_endpoints_per_vpc",
    ("vpc", "L-1B52E74A"): "gateway_endpoints_per_region",
    ("vpc", "L-DF5E4CA3"): "eni_per_region",
    ("vpc", "L-2AFB9258"): "security_groups_per_eni",
    ("vpc", "L-BB24F6E5"): "nau_per_vpc",
    ("vpc", "L-CD17FD4B"): "nau_per_peered_vpcs",
    ("lambda", "L-9FEE3D26"): "eni_per_vpc",
    ("lambda", "L-B99A9384"): "lambda_account_concurrency",
}
"""The catalogue's key of each quota, by service and code in Service Quotas."""

_DAYS = 14
_DAY_SECONDS = 86_400
_QUERIES_PER_CALL = 500
_WORKERS = 8

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How an account is read: `now` ends the window in which the peak is looked for; `tell` hears what goes on."""

    now: datetime
    tell: Tell
    peaks: bool = True


def read(session: Session, reading: Reading) -> Inventory:
    """What is in the session's account and Region. Raises `AwsFailed`."""
    return _Account(session, reading).inventory()


class _Account:
    """One account in one Region on its way to an inventory."""

    def __init__(self, session: Session, reading: Reading) -> None:
        self.session = session
        self.reading = reading
        self.number = session.account()
        self.answers = Answers()

    def inventory(self) -> Inventory:
        """Everything that may be seen."""
        for operation, kind in _EC2:
            self._ask(kind, "ec2", operation, is_needed=kind in _MUST)
        self._functions()
        found, wrong = aws.inventory(self.answers)
        for one in wrong:  # AWS answers canonical blocks; what else it may be is told, not guessed
            self.reading.tell(str(one))
        return replace(found, quotas=tuple(self._quotas()))

    def _ask(self, kind: str, service: str, operation: str, *, is_needed: bool = False) -> None:
        try:
            values = self.session.pages(service, operation, kind)
        except AwsDenied as denied:
            if is_needed:
                raise
            self.reading.tell(f"{denied}; what it would have said stays unknown")
            return
        self._add(kind, values)

    def _add(self, kind: str, values: Sequence[Mapping[str, Any]]) -> None:
        self.reading.tell(f"{self.number} {self.session.region}: {len(values):,} {kind}")
        for one in self.answers.add(kind, list(values), account=self.number, region=self.session.region):
            self.reading.tell(str(one))

    def _functions(self) -> None:
        """The functions that are attached to a VPC, with their reserved concurrency and the peak of the last days."""
        try:
            listed = self.session.pages("lambda", "list_functions", "Functions")
        except AwsDenied as denied:
            self.reading.tell(f"{denied}; functions stay unknown")
            return
        attached = [one for one in listed if one.get("VpcConfig", {}).get("VpcId")]
        names = [str(one["FunctionName"]) for one in attached]
        reserved = self._optional("reserved concurrency", lambda: self._reserved(names))
        peaks = self._optional("peak concurrency", lambda: self._peaks(names)) if self.reading.peaks else {}
        values = [
            {
                **one,
                "Concurrency": {"ReservedConcurrentExecutions": reserved.get(name)},
                "PeakConcurrentExecutions": peaks.get(name),
            }
            for one, name in zip(attached, names, strict=True)
        ]
        self._add("Functions", values)

    def _optional(self, what: str, ask: Callable[[], Mapping[str, int]]) -> Mapping[str, int]:
        try:
            return ask()
        except AwsDenied as denied:
            self.reading.tell(f"{denied}; {what} stays unknown")
            return {}

    def _reserved(self, names: Sequence[str]) -> Mapping[str, int]:
        """The reserved concurrency of the functions that have one."""
        client = self.session.client("lambda")

        def ask(name: str) -> int | None:
            with self.session.failures("lambda get_function_concurrency"):
                answer = client.get_function_concurrency(FunctionName=name)
            found: int | None = answer.get("ReservedConcurrentExecutions")
            return found

        with ThreadPoolExecutor(_WORKERS) as pool:
            return {name: found for name, found in zip(names, pool.map(ask, names), strict=True) if found is not None}

    def _peaks(self, names: Sequence[str]) -> Mapping[str, int]:
        """The most concurrent executions of each function in the last days, where CloudWatch has any."""
        end = self.reading.now
        window = {"StartTime": end - timedelta(days=_DAYS), "EndTime": end}
        peaks: dict[str, int] = {}
        for begin in range(0, len(names), _QUERIES_PER_CALL):
            lot = names[begin : begin + _QUERIES_PER_CALL]
            queries = [_peak_query(f"f{place}", name) for place, name in enumerate(lot)]
            results = self.session.pages(
                "cloudwatch", "get_metric_data", "MetricDataResults", MetricDataQueries=queries, **window
            )
            for result in results:
                values = [int(value) for value in result.get("Values", ())]
                name = lot[int(str(result["Id"])[1:])]
                if values:
                    peaks[name] = max(peaks.get(name, 0), *values)
        return peaks

    def _quotas(self) -> Iterator[Quota]:
        """The account's own quotas; of those that Service Quotas does not tell, the catalogue's value stands."""
        for (service, code), key in QUOTAS.items():
            try:
                value = self._quota(service, code)
            except AwsDenied as denied:
                self.reading.tell(f"{denied}; the catalogue's defaults stand")
                return
            if value:
                yield Quota(
                    key=key,
                    value=value,
                    code=code,
                    account=self.number,
                    region=self.session.region,
                    as_of=self.reading.now.date().isoformat(),
                )

    def _quota(self, service: str, code: str) -> float | None:
        client = self.session.client("service-quotas")
        with self.session.failures("servicequotas GetServiceQuota"):
            try:
                answer = client.get_service_quota(ServiceCode=service, QuotaCode=code)
            except client.exceptions.NoSuchResourceException:
                return None
        value = answer["Quota"].get("Value")
        return None if value is None else float(value)


def _peak_query(name: str, function: str) -> dict[str, Any]:
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/Lambda",
                "MetricName": "ConcurrentExecutions",
                "Dimensions": [{"Name": "FunctionName", "Value": function}],
            },
            "Period": _DAY_SECONDS,
            "Stat": "Maximum",
        },
    }
