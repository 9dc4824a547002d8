"""Writes a bank: a demand file of 300 functions, and a list of 5,000 blocks that its network teams gave away already.

    python examples/bank/generate.py FOLDER [--functions 300] [--allocations 5000]

The same options give the same bytes on every machine: the only chance is that of a generator with a fixed seed.
"""

import argparse
import ipaddress
import random
from collections.abc import Iterator
from pathlib import Path

_SEED = 20191205
_RATE_IN_ALL = 9_000.0
_DOMAINS = {
    # domain: (trust zone, database, services, share of the traffic)
    "accounts": ("retail", "ledger", ("customers",), 0.24),
    "payments": ("payments", "ledger", ("fraud", "swift"), 0.18),
    "cards": ("cards", "cards", ("fraud",), 0.16),
    "login": ("identity", "", ("directory",), 0.14),
    "statements": ("retail", "archive", (), 0.08),
    "transfers": ("payments", "ledger", ("fraud",), 0.06),
    "mortgages": ("lending", "loans", ("customers",), 0.04),
    "savings": ("retail", "savings", (), 0.04),
    "markets": ("markets", "positions", ("prices",), 0.03),
    "onboarding": ("identity", "crm", ("directory", "customers"), 0.02),
    "insurance": ("lending", "policies", (), 0.005),
    "reports": ("retail", "archive", (), 0.005),
}
_VERBS = ("get", "list", "create", "update", "check", "search", "notify", "export", "approve", "cancel")
_NOUNS = ("summary", "history", "limits", "terms", "contacts", "alerts", "orders", "fees", "mandates", "documents")
_TIMEOUTS = ("10s", "10s", "10s", "10s", "29s")
_MEMORY = (256, 512, 512, 1024, 1024, 1536, 2048)

_HEAD = """# A bank's functions and its way to on-premises.
# Written by examples/bank/generate.py: change that, not this.

version: 1

account:
  region: eu-west-2
  azs: [eu-west-2a, eu-west-2b, eu-west-2c]
  concurrency: 10000

growth:
  per_year: 25%
  years: 3

spaces:
  spoke: [100.64.0.0/10]
  hub: [10.16.0.0/12]

trust_zones:
  cards: {sets: 1, security_groups: 2}
  identity: {sets: 1, security_groups: 2}
  lending: {sets: 1, security_groups: 2}
  markets: {sets: 1, security_groups: 3}
  payments: {sets: 2, security_groups: 3}
  retail: {sets: 2, security_groups: 2}

databases:
  archive: {sessions: 1000, share: 50%}
  cards: {sessions: 1500, share: 40%, others: 100}
  crm: {sessions: 600, share: 50%}
  ledger: {sessions: 4000, share: 40%, others: 250, endpoints: 2}
  loans: {sessions: 800, share: 50%}
  policies: {sessions: 400, share: 50%}
  positions: {sessions: 900, share: 60%}
  savings: {sessions: 800, share: 50%}

services:
  customers: {endpoints: 2}
  directory: {endpoints: 3}
  fraud: {endpoints: 4}
  prices: {endpoints: 2}
  swift: {endpoints: 2}

path:
  ingress:
    router: on-premises
    base64: 10%
  nlb:
    secondary_addresses: 1
  proxies:
    software: haproxy
    memory: 8GiB
    tls: none
    bandwidth: 5Gbps
  transit_gateway: {routes: 420}
  direct_connect:
    circuits:
      docklands: {bandwidth: 10Gbps, used: 35%}
      slough: {bandwidth: 10Gbps, used: 20%}
    prefixes_in: 84
    prefixes_out: 6
  resolver: {addresses: 6, forwarded: 40%}
  hub:
    endpoints: [lambda, logs, monitoring, sqs]
    nlbs: 2
  spoke:
    endpoints: [on-premises, secretsmanager, kms, logs]

legacy:
  mainframe:
    functions: [FUNCTIONS]
    rate: 11000/s
    concurrency: 2600
    duration: 180ms
    sessions: {ledger: 1800, cards: 700}

functions:
"""


def demand(functions: int) -> Iterator[str]:
    """Yield the demand file's text in parts: so many functions, whose rates add up to the same total."""
    chance = random.Random(_SEED)  # noqa: S311 - examples, not secrets
    names = list(_names(functions))
    weights = [_DOMAINS[domain][3] * (0.05 + chance.random() ** 4) for domain, _name in names]
    total = sum(weights)
    yield _HEAD.replace("FUNCTIONS", ", ".join(name for _domain, name in names))
    for (domain, name), weight in zip(names, weights, strict=True):
        yield _function(domain, name, weight / total * _RATE_IN_ALL, chance)


def _names(functions: int) -> Iterator[tuple[str, str]]:
    """Yield so many domains and names, each domain as often as the others."""
    domains = list(_DOMAINS)
    for index in range(functions):
        domain, turn = domains[index % len(domains)], index // len(domains)
        verb, noun = _VERBS[turn % len(_VERBS)], _NOUNS[turn // len(_VERBS) % len(_NOUNS)]
        again = turn // (len(_VERBS) * len(_NOUNS))
        yield domain, f"{domain}-{verb}-{noun}" + (f"-{again + 1}" if again else "")


def _function(domain: str, name: str, rate: float, chance: random.Random) -> str:
    zone, database, services, _share = _DOMAINS[domain]
    p50 = 20 + int(chance.random() ** 2 * 180)
    p99 = p50 * (4 + int(chance.random() * 5))
    memory = _MEMORY[int(chance.random() * len(_MEMORY))]
    request, response = 400 + int(chance.random() * 2_000), 1_000 + int(chance.random() ** 3 * 60_000)
    lines = [
        f"  {name}:",
        f"    rate: {rate:.2f}/s",
        f"    duration: {{p50: {p50}ms, p99: {p99}ms}}",
        f"    timeout: {_TIMEOUTS[int(chance.random() * len(_TIMEOUTS))]}",
        f"    memory: {memory}",
        f"    trust_zone: {zone}",
        f"    connections: {(1 if database else 0) + max(1, len(services))}",
        f"    lookups: {{per_request: {1 + len(services)}, cached: 97%}}",
        f"    ingress: {{request: {request}B, response: {response}B}}",
        f"    egress: {{request: {request // 2}B, response: {response * 2}B}}",
    ]
    lines += [f"    sessions: {{{database}: 1}}"] if database else []
    lines += [f"    services: [{', '.join(services)}]"] if services else []
    lines += ["    new_connections: 0.2"] if domain == "login" else []
    return "\n".join(lines) + "\n"


_PREFIXES = (22, 23, 24, 24, 24, 24, 24, 25, 25, 26, 26, 27, 28)
_PURPOSES = ("branch", "datacentre", "workload", "workload", "database", "management", "voice")


def allocations(count: int) -> Iterator[str]:
    """Yield the lines of the list: so many blocks of 10.0.0.0/8 with gaps between them, none over another."""
    chance = random.Random(_SEED + 1)  # noqa: S311 - examples, not secrets
    yield "cidr,name,vpc,az,purpose,routable"
    cursor = int(ipaddress.IPv4Address("10.0.0.0"))
    for index in range(count):
        prefix = _PREFIXES[int(chance.random() * len(_PREFIXES))]
        size = 1 << (32 - prefix)
        cursor = -(-cursor // size) * size
        purpose = _PURPOSES[int(chance.random() * len(_PURPOSES))]
        in_aws = purpose in ("workload", "database")
        vpc = f"vpc-{index // 24:04}" if in_aws else ""
        az = f"eu-west-2{'abc'[index % 3]}" if in_aws else ""
        yield f"{ipaddress.IPv4Address(cursor)}/{prefix},{purpose}-{index:04},{vpc},{az},{purpose},true"
        cursor += size
        if chance.random() < 0.1:  # noqa: PLR2004 - a tenth are followed by a gap
            cursor += 1 << (6 + int(chance.random() * 7))


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--functions", type=int, default=300)
    parser.add_argument("--allocations", type=int, default=5_000)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    (asked.folder / "demand.yaml").write_text("".join(demand(asked.functions)), encoding="utf-8")
    lines = "".join(f"{line}\n" for line in allocations(asked.allocations))
    (asked.folder / "allocations.csv").write_text(lines, encoding="utf-8")


if __name__ == "__main__":
    main()
