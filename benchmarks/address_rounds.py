"""One library's rounds of work on blocks, as processor seconds; a child of `benchmarks/addresses.py`.

    python benchmarks/address_rounds.py LIBRARY SIZE RUNS [OPERATION...]

Prints JSON: the median of each operation in milliseconds, what came out of it, and the peak memory in MB. It runs in
the environment of the library, so nothing is imported that only another one has. Parsing is part of every operation but
those that begin with `built`.
"""

import gc
import ipaddress
import json
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))  # a script's folder is on the path, the repository's is not

PARENT = "10.0.0.0/8"
TAKEN = 20_000
ROW = 1_000
MOST_ROWS = 100_000

Operation = Callable[[], Any]


def blocks(count: int) -> list[str]:
    """Random blocks, none of which overlaps another: at most one in each /24."""
    chance = random.Random(count)
    places = chance.sample(range(2**24), count)
    return [f"{place >> 16}.{place >> 8 & 255}.{place & 255}.0/{chance.randint(24, 28)}" for place in places]


def taken() -> list[str]:
    """20,000 blocks, one in each of the first 20,000 /24s of 10.0.0.0/8."""
    chance = random.Random(TAKEN)
    return [f"10.{place >> 8}.{place & 255}.0/{chance.randint(25, 28)}" for place in range(TAKEN)]


def ours(texts: list[str]) -> dict[str, Operation]:
    """Sorted integers."""
    from capacity_planner.addresses.block import Block  # noqa: PLC0415 - this library's environment alone has it
    from capacity_planner.addresses.collapse import collapse  # noqa: PLC0415
    from capacity_planner.addresses.free import first_fit  # noqa: PLC0415
    from capacity_planner.addresses.overlap import overlaps  # noqa: PLC0415
    from capacity_planner.addresses.parse import parse  # noqa: PLC0415
    from capacity_planner.addresses.pool import Pool  # noqa: PLC0415
    from capacity_planner.allocations.csv_list import read_csv  # noqa: PLC0415

    parents = (Block.of(PARENT),)
    used = taken()
    pool = Pool.around(parents, parse(used).keys)
    lines = (f"{text},name-{place},vpc-{place % 50},eu-west-1a,web,true\n" for place, text in enumerate(texts))
    sheet = "cidr,name,vpc,az,purpose,routable\n" + "".join(lines) if len(texts) <= MOST_ROWS else ""

    def in_a_row() -> str:
        trial = pool.copy()
        return str([trial.allocate(26) for _number in range(ROW)][-1])

    return {
        "load": lambda: len(parse(texts).keys),
        "overlap": lambda: overlaps(parse(texts).keys, limit=100).count,
        "collapse": lambda: len(collapse(parse(texts).keys)),
        "load CSV with places": lambda: len(read_csv(sheet, file="list.csv")[0] or ()),
        "first free /24": lambda: str(next(first_fit(parents, parse(used).keys, 24))),
        "build a pool": lambda: Pool.around(parents, parse(used).keys).free_addresses,
        "built: first free /24": lambda: str(pool.first(24)),
        "built: 1,000 allocations": in_a_row,
    }


def standard(texts: list[str]) -> dict[str, Operation]:
    """The standard library's `ipaddress`."""
    used = taken()
    parent = ipaddress.IPv4Network(PARENT)

    def parsed(given: list[str]) -> list[ipaddress.IPv4Network]:
        return [ipaddress.IPv4Network(text) for text in given]

    def overlap() -> int:
        return sum(one.overlaps(other) for one, other in pairwise(sorted(parsed(texts))))

    def first_free() -> str:
        at = int(parent.network_address)
        for network in ipaddress.collapse_addresses(parsed(used)):
            if int(network.network_address) - at >= 256:
                break
            at = (int(network.broadcast_address) + 256) & ~255
        return f"{ipaddress.IPv4Address(at)}/24"

    return {
        "load": lambda: len(parsed(texts)),
        "overlap": overlap,
        "collapse": lambda: len(list(ipaddress.collapse_addresses(parsed(texts)))),
        "first free /24": first_free,
    }


def netaddr_(texts: list[str]) -> dict[str, Operation]:
    """netaddr; `IPSet` minus `IPSet` is what NetBox does for each free prefix."""
    import netaddr  # type: ignore[import-not-found,import-untyped,unused-ignore] # noqa: PLC0415 - where the peers are

    used = taken()

    def parsed(given: list[str]) -> list[Any]:
        return [netaddr.IPNetwork(text) for text in given]

    def overlap() -> int:
        return sum(other in one for one, other in pairwise(sorted(parsed(texts))))

    def first_free() -> str:
        free = netaddr.IPSet([PARENT]) - netaddr.IPSet(parsed(used))
        found = next(one for one in free.iter_cidrs() if one.prefixlen <= 24)
        return str(next(found.subnet(24)))

    return {
        "load": lambda: len(parsed(texts)),
        "overlap": overlap,
        "collapse": lambda: len(netaddr.cidr_merge(parsed(texts))),
        "first free /24": first_free,
    }


def pytricia_(texts: list[str]) -> dict[str, Operation]:
    """pytricia, a trie in C. An exact duplicate replaces the one before, so it is not seen."""
    import pytricia  # type: ignore[import-not-found,import-untyped,unused-ignore] # noqa: PLC0415 - where the peers are

    used = taken()

    def trie(given: list[str]) -> Any:
        made = pytricia.PyTricia(32)
        for text in given:
            made.insert(text, None)
        return made

    def overlap() -> int:
        made = trie(texts)
        return sum(made.parent(text) is not None for text in texts)

    def first_free() -> str:
        made = trie(used)
        for candidate in _candidates():
            if made.get_key(candidate) is None:
                made.insert(candidate, None)
                is_empty = not made.children(candidate)
                made.delete(candidate)
                if is_empty:
                    return candidate
        return ""

    return {"load": lambda: len(trie(texts)), "overlap": overlap, "first free /24": first_free}


def radix_(texts: list[str]) -> dict[str, Operation]:
    """py-radix, a trie in C. An exact duplicate is the entry before, so it is not seen."""
    import radix  # type: ignore[import-not-found,import-untyped,unused-ignore] # noqa: PLC0415 - where the peers are

    used = taken()

    def trie(given: list[str]) -> Any:
        made = radix.Radix()
        for text in given:
            made.add(text)
        return made

    def overlap() -> int:
        made = trie(texts)
        return sum(len(made.search_covering(text)) - 1 for text in texts)

    def first_free() -> str:
        made = trie(used)
        free = (one for one in _candidates() if made.search_best(one) is None and not made.search_covered(one))
        return next(free)

    return {"load": lambda: len(trie(texts).nodes()), "overlap": overlap, "first free /24": first_free}


LIBRARIES: dict[str, Callable[[list[str]], dict[str, Operation]]] = {
    "ours": ours,
    "ipaddress": standard,
    "netaddr": netaddr_,
    "pytricia": pytricia_,
    "py-radix": radix_,
}


def measured(library: str, size: int, runs: int, names: set[str]) -> dict[str, Any]:
    """The operations' medians and answers, and the peak memory of all of them."""
    texts = blocks(size)
    found: dict[str, Any] = {}
    for name, operation in LIBRARIES[library](texts).items():
        if names and name not in names:
            continue
        seconds = []
        answer = None
        for _run in range(runs):
            gc.collect()
            started = time.process_time()
            answer = operation()
            seconds.append(time.process_time() - started)
        found[name] = {"ms": statistics.median(seconds) * 1000, "answer": answer}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"operations": found, "peak_mb": peak}


def _candidates() -> Iterator[str]:
    for place in range(2**16):
        yield f"10.{place >> 8}.{place & 255}.0/24"


if __name__ == "__main__":
    given = sys.argv[1:]
    print(json.dumps(measured(given[0], int(given[1]), int(given[2]), set(given[3:]))))
