"""What an estate compiles to, case by case: its route entries and its clusters."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from router.snapshot.clusters import clusters
from router.snapshot.entry_listener import entry_listener
from router.snapshot.routes import route_configuration
from router.source.load import load_estate
from router.weight import Weight
from tests.golden.cases import cases

Golden = Callable[[Path, Callable[[str], str]], None]
WEIGHT = {"moved": Weight(2_500)}
"""The settled weight of the route that a case calls `moved`."""


def dump(value: Any) -> str:
    """One resource as wrapped flow style YAML, which keeps a case on one screen."""
    return yaml.safe_dump(value, default_flow_style=True, width=110, sort_keys=False)


def route_entries(text: str) -> str:
    """Each virtual host's match tree, its steps indented; what hosts share, loops and the default are left out."""
    estate = load_estate(text, file="estate.yaml", environment={}).estate_or_refused()
    hosts = route_configuration(estate, WEIGHT)["virtual_hosts"]
    return "".join(f"# {host['name']}\n{''.join(steps(host['matcher']['on_no_match']))}" for host in hosts)


def steps(found: dict[str, Any], indent: str = "") -> Iterator[str]:
    """What a matcher looks at, one step a line, and the entries of the routes that it leads to."""
    if "action" in found:
        entry = {key: value for key, value in found["action"]["typed_config"].items() if key != "@type"}
        for one in entry.get("routes", [entry]):
            if one["name"] != "default":
                yield from (f"{indent}{line}\n" for line in dump(one).splitlines())
        return
    matcher = found["matcher"]
    for one in matcher.get("matcher_list", {}).get("matchers", ()):
        yield f"{indent}if {condition(one['predicate'])}\n"
        yield from steps(one["on_match"], indent + "  ")
    for start, one in matcher.get("matcher_tree", {}).get("prefix_match_map", {}).get("map", {}).items():
        yield f"{indent}path begins {start}\n"
        yield from steps(one, indent + "  ")
    if "on_no_match" in matcher:
        rest = "".join(steps(matcher["on_no_match"], indent + "  "))
        yield f"{indent}else\n{rest}" if rest else ""


def condition(predicate: dict[str, Any]) -> str:
    """A predicate in one line."""
    ((kind, value),) = predicate.items()
    if kind == "not_matcher":
        return f"not {condition(value)}"
    if kind == "single_predicate":
        ((how, text),) = value["value_match"].items()
        return f"{value['input']['typed_config']['header_name']} {how} {text if how == 'exact' else text['regex']}"
    joint = f" {kind.removesuffix('_matcher')} "
    return "(" + joint.join(map(condition, value["predicate"])) + ")"


def cluster_entries(text: str) -> str:
    """The clusters that are not the same in every estate, without their limits."""
    estate = load_estate(text, file="estate.yaml", environment={}).estate_or_refused()
    common = ["circuit_breakers", "typed_extension_protocol_options", "outlier_detection", "metadata"]
    common += ["upstream_connection_options", "upstream_bind_config"]
    return "".join(dump({key: value for key, value in one.items() if key not in common}) for one in clusters(estate))


def entry_facts(text: str) -> str:
    """What stands between a connection and its route: how it begins, whose word counts, the filters in their order."""
    estate = load_estate(text, file="estate.yaml", environment={}).estate_or_refused()
    listener = entry_listener(estate)
    (chain,) = listener["filter_chains"]
    manager = chain["filters"][0]["typed_config"]
    facts = {
        "filters": [one["name"] for one in manager["http_filters"]],
        **{key: manager[key] for key in ("original_ip_detection_extensions", "internal_address_config")},
        **{key: value for key, value in listener.items() if key.startswith(("listener_filter", "continue_on"))},
        **{key: value for key, value in chain.items() if key.startswith("transport_socket")},
    }
    return "".join(dump({key: value}) for key, value in facts.items())


@pytest.mark.parametrize("case", cases("entry"), ids=lambda case: case.stem)
def test_entry(case: Path, golden: Golden) -> None:
    """An estate gives exactly the entry of its golden case."""
    golden(case, entry_facts)


@pytest.mark.parametrize("case", cases("routes"), ids=lambda case: case.stem)
def test_routes(case: Path, golden: Golden) -> None:
    """An estate gives exactly the route entries of its golden case."""
    golden(case, route_entries)


@pytest.mark.parametrize("case", cases("clusters"), ids=lambda case: case.stem)
def test_clusters(case: Path, golden: Golden) -> None:
    """An estate gives exactly the clusters of its golden case."""
    golden(case, cluster_entries)
