"""Quotas of VPCs, Regions, route tables, functions and Direct Connect: what is used of each.

The rule: a quota of which nobody said what is used is not judged, and the report says so. An account's own quota comes
before the catalogue's default, and a limit of the user's file before both.
"""

from collections.abc import Iterator
from dataclasses import replace

from ..addresses.key import is_ipv6
from ..allocations.values import shown
from ..inventory.values import VpcUse
from ..limits.values import Limit, Limits
from .verdict import Verdict
from .view import View


class Quotas:
    """The quotas of an inventory's VPCs and Regions, with what is used of them."""

    def __init__(self, view: View, limits: Limits) -> None:
        self.view = view
        self.limits = limits
        self.own = {(one.account, one.region, one.key): one for one in view.inventory.quotas}
        self.uses = {view.canonical(use.vpc): use for use in view.inventory.vpcs}
        self.not_judged: set[str] = set()

    def verdicts(self) -> Iterator[Verdict]:
        """A verdict for each quota of which something is known."""
        for vpc in dict.fromkeys([*self.view.vpc_blocks, *self.view.subnets, *self.uses]):
            if vpc:
                yield from self._of_blocks(vpc)
                yield from self._of_use(self.uses.get(vpc) or VpcUse(vpc=vpc))
        yield from self._of_peers()
        yield from self._of_regions()
        yield from self._of_routes()
        yield from self._of_functions()

    def _of_blocks(self, vpc: str) -> Iterator[Verdict]:
        rows = self.view.rows
        blocks = self.view.vpc_blocks.get(vpc, [])
        subnets = self.view.subnets.get(vpc, [])
        for key, counted in (
            ("cidrs_per_vpc", [row for row in blocks if not is_ipv6(rows.keys[row])]),
            ("ipv6_cidrs_per_vpc", [row for row in blocks if is_ipv6(rows.keys[row])]),
            ("subnets_per_vpc", subnets),
        ):
            if counted:
                six = sum(is_ipv6(rows.keys[row]) for row in counted)
                used = max(six, len(counted) - six)  # a dual-stack subnet has a block of each version
                exists = all(rows.deployed[row] for row in counted)
                position = rows.position(counted[-1])
                verdict = self._verdict(key, self.view.name_of(vpc), used, self.uses.get(vpc))
                yield replace(verdict, exists=exists, position=position)

    def _of_use(self, use: VpcUse) -> Iterator[Verdict]:
        """What is in a VPC."""
        scope = self.view.name_of(use.vpc)
        exists = self._exists(use.vpc)
        for key, used in (
            ("eni_per_vpc", use.enis),
            ("interface_endpoints_per_vpc", use.interface_endpoints),
            ("resource_endpoints_per_vpc", use.resource_endpoints),
            ("route_tables_per_vpc", use.route_tables),
        ):
            if used is None:
                self.not_judged.add(key)
            else:
                yield replace(self._verdict(key, scope, used, use), exists=exists, is_lower_bound=key == "eni_per_vpc")
        if use.nau:
            verdict = self._verdict("nau_per_vpc", scope, self._nau(use), use)
            yield replace(verdict, exists=exists, is_lower_bound=not use.nau_is_whole)
        else:
            self.not_judged.add("nau_per_vpc")

    def _of_peers(self) -> Iterator[Verdict]:
        """A VPC and its peers, whose weights are summed. VPCs behind a Transit Gateway are not."""
        for vpc, use in self.uses.items():
            peers = [self.uses[peer] for peer in map(self.view.canonical, use.peers) if peer in self.uses]
            if peers:
                used = self._nau(use) + sum(map(self._nau, peers))
                is_whole = use.nau_is_whole and len(peers) == len(use.peers) and all(one.nau_is_whole for one in peers)
                verdict = self._verdict("nau_per_peered_vpcs", f"{self.view.name_of(vpc)} and its peers", used, use)
                yield replace(verdict, exists=self._exists(vpc), is_lower_bound=not is_whole)

    def _of_regions(self) -> Iterator[Verdict]:
        for region in self.view.inventory.regions:
            scope = shown(" ".join(part for part in (region.account, region.region) if part))
            where = VpcUse(vpc="", account=region.account, region=region.region)
            for key, used in (
                ("vpcs_per_region", region.vpcs),
                ("gateway_endpoints_per_region", region.gateway_endpoints),
            ):
                if used is not None:
                    yield replace(self._verdict(key, scope, used, where), exists=True)
            for zone, used in (region.enis_by_az or {}).items():
                yield replace(self._verdict("eni_per_region", f"{scope} {shown(zone)}", used, where), exists=True)

    def _of_routes(self) -> Iterator[Verdict]:
        for table in self.view.inventory.route_tables:
            use = self.uses.get(self.view.canonical(table.vpc))
            scope = f"{shown(table.name)} of {self.view.name_of(table.vpc)}"
            for key, used in (("routes_per_table", table.static), ("propagated_routes_per_table", table.propagated)):
                position = table.routes[0].place if table.routes else None
                yield replace(self._verdict(key, scope, used, use), exists=True, position=position)

    def _of_functions(self) -> Iterator[Verdict]:
        for function in self.view.inventory.functions:
            if function.security_groups:
                use = VpcUse(vpc=function.vpc, account=function.account, region=function.region)
                used = len(function.security_groups)
                verdict = self._verdict("security_groups_per_eni", f"function {shown(function.name)}", used, use)
                yield replace(verdict, exists=True, position=function.place)

    def _nau(self, use: VpcUse) -> int:
        """The network address units of what is known to be in a VPC."""
        return sum(count * self.limits[key].whole for key, count in use.nau.items() if key in self.limits)

    def _exists(self, vpc: str) -> bool:
        rows = [*self.view.vpc_blocks.get(vpc, ()), *self.view.subnets.get(vpc, ())]
        return bool(rows) and all(self.view.rows.deployed[row] for row in rows)

    def _verdict(self, key: str, scope: str, used: float, use: VpcUse | None) -> Verdict:
        limit = self._limit(key, use)
        return Verdict(limit=limit, scope=scope, used=used, tight_share=self.limits["tight_share"].value)

    def _limit(self, key: str, use: VpcUse | None) -> Limit:
        """The limit that counts: the user's, else the account's, else the catalogue's."""
        limit = self.limits[key]
        own = self.own.get((use.account, use.region, key)) if use else None
        if limit.overridden or own is None:
            return limit
        source = f"Service Quotas {own.code} of {own.account} in {own.region}"
        return replace(limit, value=own.value, as_of=own.as_of, source=source, overridden=True)
