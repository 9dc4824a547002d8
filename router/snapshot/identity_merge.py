"""One listener that serves the identities of two snapshots: in force while the routes of one replace the other's."""

from collections.abc import Iterable, Iterator

import orjson

from . import names
from .identities import AUTHORIZE, GUARD, PREFIX
from .proto import Json


def merged(old: Json, new: Json) -> Json:
    """The new listener with the identities that only the old one has; any other resource as it is."""
    leaving, copy = list(_managers(old)), orjson.loads(orjson.dumps(new))
    if not leaving:
        return new
    for arriving in _managers(copy):
        if new["name"] in (names.IDENTITY_KEYS, names.INNER_SESSIONS):
            before, after = (one["route_config"]["virtual_hosts"][0] for one in (leaving[0], arriving))
            after["routes"][:0] = _missing(before["routes"], after["routes"])
        else:
            _add_filters(leaving[0]["http_filters"], arriving["http_filters"])
    return new if copy == new else copy


def _managers(listener: Json) -> Iterator[Json]:
    """The connection managers of a listener that has to do with identities."""
    for chain in listener.get("filter_chains", ()):
        manager: Json = chain["filters"][-1].get("typed_config", {}) if chain.get("filters") else {}
        guarded = any(one["name"] == GUARD for one in manager.get("http_filters", ()))
        if guarded or listener["name"] in (names.IDENTITY_KEYS, names.INNER_SESSIONS):
            yield manager


def _add_filters(before: list[Json], after: list[Json]) -> None:
    own = [one for one in before if one["name"].startswith(PREFIX) or one["name"] == AUTHORIZE]
    place = next(number for number, one in enumerate(after) if one["name"] in (AUTHORIZE, GUARD))
    after[place:place] = _missing(own, after)
    for one in own:
        if one["name"] == AUTHORIZE:
            scripts = next(same for same in after if same["name"] == AUTHORIZE)["typed_config"]
            scripts["source_codes"] = {**one["typed_config"]["source_codes"], **scripts["source_codes"]}


def _missing(before: Iterable[Json], after: Iterable[Json]) -> list[Json]:
    present = {one["name"] for one in after}
    return [one for one in before if one["name"] not in present]
