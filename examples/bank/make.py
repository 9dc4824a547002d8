"""Writes the bank's two files, the same bytes every time: what 300 functions demand, and 5,000 blocks in use already.

    python examples/bank/make.py

The bank is invented, and so are its numbers; they are of the size that a retail bank's are.
"""

from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path

FOLDER = Path(__file__).parent
FUNCTIONS = 300
ALLOCATIONS = 5_000

# trust zone -> (what its functions are about, the database that they hold sessions of)
_ZONES = {
    "accounts": (("account", "balance", "statement", "standing-order"), "core"),
    "cards": (("card", "pin", "limit", "dispute"), "cards"),
    "identity": (("login", "device", "consent", "token"), "directory"),
    "lending": (("loan", "quote", "mortgage", "repayment"), "lending"),
    "payments": (("payment", "payee", "direct-debit", "transfer"), "core"),
    "risk": (("score", "screening", "alert", "case"), "risk"),
}
_VERBS = (
    "read",
    "list",
    "search",
    "create",
    "change",
    "cancel",
    "notify",
    "export",
    "check",
    "archive",
    "price",
    "sync",
    "audit",
)
_RATES = (2, 5, 8, 12, 20, 35, 60, 110)
_P50 = (25, 40, 60, 90, 140)
_MEMORY = (512, 1024, 1536, 1769)

_HEAD = """\
# What the bank's functions will need of the network, for `fig cidr`. Made by make.py: change that, not this.

version: 1

account:
  region: eu-west-2
  azs: [eu-west-2a, eu-west-2b, eu-west-2c]
  concurrency: 10000

growth:
  per_year: 20%
  years: 3

spaces:
  spoke: [100.64.0.0/10]
  hub: [10.92.0.0/16]

trust_zones:
  accounts: {sets: 4}
  cards: {sets: 3}
  identity: {}
  lending: {}
  payments: {sets: 6}
  risk: {}

path:
  ingress: {router: on-premises, base64: 0%}
  proxies: {software: haproxy, per_az: 4, memory: 8GiB, tls: none}
  transit_gateway: {routes: 80}
  direct_connect:
    circuits:
      primary: {bandwidth: 10Gbps, used: 30%}
      secondary: {bandwidth: 10Gbps, used: 10%}
    prefixes_in: 60
    prefixes_out: 4
  resolver: {addresses: 6, forwarded: 100%}
  hub:
    endpoints: [lambda, logs, monitoring, secretsmanager, ssm]
  spoke:
    endpoints: [on-premises, logs, monitoring, secretsmanager, kms, sqs, events]

databases:
  cards: {sessions: 3000, share: 50%, others: 200}
  core: {sessions: 6000, share: 40%, others: 300}
  directory: {sessions: 4000, share: 50%, endpoints: 2}
  lending: {sessions: 1500, share: 60%}
  risk: {sessions: 2000, share: 50%}

services:
  events: {endpoints: 6}
  mainframe: {endpoints: 4}

functions:
"""


class _Dice:
    """Numbers that look random and are the same on every machine and version: a linear congruential generator."""

    def __init__(self, seed: int) -> None:
        self._state = seed

    def below(self, most: int) -> int:
        """A number from 0 to before `most`."""
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self._state >> 33) % most

    def of(self, *choices: int) -> int:
        """One of the numbers."""
        return choices[self.below(len(choices))]


def demand() -> str:
    """The text of the demand file."""
    return _HEAD + "".join(_functions())


def _functions() -> Iterator[str]:
    dice = _Dice(1)
    names = [
        (zone, f"{subject}-{verb}", database)
        for zone, (subjects, database) in _ZONES.items()
        for verb in _VERBS
        for subject in subjects
    ]
    for zone, name, database in sorted(names[:FUNCTIONS], key=lambda one: one[1]):
        p50 = dice.of(*_P50)
        response = dice.of(1, 2, 4, 8, 20)
        yield (
            f"  {name}:\n"
            f"    rate: {dice.of(*_RATES)}/s\n"
            f"    duration: {{p50: {p50}ms, p99: {p50 * dice.of(4, 6, 10)}ms}}\n"
            f"    timeout: 10s\n"
            f"    memory: {dice.of(*_MEMORY)}MB\n"
            f"    trust_zone: {zone}\n"
            f"    connections: {dice.of(2, 3, 5)}\n"
            f"    sessions: {{{database}: 1}}\n"
            f"    services: [{'mainframe' if dice.below(3) == 0 else 'events'}]\n"
            f"    lookups: {{per_request: 1, cached: 98%}}\n"
            f"    ingress: {{request: 1KB, response: {response}KB}}\n"
            f"    egress: {{request: 1KB, response: {response}KB}}\n"
        )


def allocations() -> str:
    """The text of the list of blocks in use: VPCs of the last years with their subnets, data centres, offices."""
    rows = [
        *_vpcs(IPv4Network("10.92.0.0/16"), 40, "shared", _Dice(2)),
        *_vpcs(IPv4Network("10.96.0.0/13"), 260, "team", _Dice(3)),
        *_blocks(IPv4Network("10.0.0.0/10"), 1_600, "datacentre", _Dice(4)),
        *_blocks(IPv4Network("10.128.0.0/9"), ALLOCATIONS, "office", _Dice(5)),
    ]
    lines = ["cidr,name,vpc,az,purpose,routable", *(",".join(row) for row in rows[:ALLOCATIONS])]
    return "\n".join(lines) + "\n"


_Row = tuple[str, str, str, str, str, str]


def _vpcs(space: IPv4Network, count: int, stem: str, dice: _Dice) -> Iterator[_Row]:
    """VPCs with gaps between them, each with a subnet in each of three zones."""
    at = int(space.network_address)
    for number in range(1, count + 1):
        prefix = dice.of(22, 23, 23, 24)
        block = _next(at, prefix)
        if not block.subnet_of(space):
            return
        at = int(block.broadcast_address) + 1 + dice.of(0, 0, 256, 1_024)
        name = f"{stem}-{number:03}"
        yield str(block), name, name, "", "vpc", "true"
        for az, subnet in zip("abc", block.subnets(prefixlen_diff=2), strict=False):
            yield str(subnet), f"{name}-{az}", name, f"eu-west-2{az}", "application", "true"


def _blocks(space: IPv4Network, count: int, stem: str, dice: _Dice) -> Iterator[_Row]:
    """Blocks of many sizes with gaps between them, as a register has them after twenty years."""
    at = int(space.network_address)
    for number in range(1, count + 1):
        block = _next(at, dice.of(22, 23, 24, 24, 24, 25, 26, 27))
        if not block.subnet_of(space):
            return
        at = int(block.broadcast_address) + 1 + dice.of(0, 0, 0, 64, 512)
        yield str(block), f"{stem}-{number:04}", "", "", stem, "true"


def _next(at: int, prefix: int) -> IPv4Network:
    """The first block of that length from an address on."""
    size = 1 << (32 - prefix)
    return IPv4Network((-(-at // size) * size, prefix))


def main() -> None:
    """Write both files beside this one."""
    (FOLDER / "demand.yaml").write_text(demand(), encoding="utf-8", newline="\n")
    (FOLDER / "allocations.csv").write_text(allocations(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
