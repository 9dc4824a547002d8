"""One listener that serves the identities of two snapshots: in force while the routes of one replace the other's."""

from collections.abc import Iterable

import orjson

from . import names
from .identities import AUTHORIZE, GUARD, PREFIX
from .proto import Json

LISTENERS = (names.ENTRY, names.IDENTITY_KEYS, names.INNER_SESSIONS)


def merged(old: Json, new: Json) -> Json:
    """The new listener with the identities that only the old one has."""
    copy: Json = orjson.loads(orjson.dumps(new))
    leaving = _manager(old)
    for chain in copy["filter_chains"]:
        arriving = chain["filters"][-1]["typed_config"]
        if new["name"] == names.ENTRY:
            _add_filters(leaving["http_filters"], arriving["http_filters"])
        else:
            ours = arriving["route_config"]["virtual_hosts"][0]
            ours["routes"] = [
                *_missing(leaving["route_config"]["virtual_hosts"][0]["routes"], ours["routes"]),
                *ours["routes"],
            ]
    return new if copy == new else copy


def _add_filters(before: list[Json], after: list[Json]) -> None:
    own = [one for one in before if one["name"].startswith(PREFIX) or one["name"] == AUTHORIZE]
    place = next((number for number, one in enumerate(after) if one["name"] in (AUTHORIZE, GUARD)), len(after))
    after[place:place] = sorted(_missing(own, after), key=lambda one: str(one["name"]) == AUTHORIZE)
    for one in own:
        if one["name"] == AUTHORIZE:
            scripts = next(same for same in after if same["name"] == AUTHORIZE)["typed_config"]
            scripts["source_codes"] = {**one["typed_config"]["source_codes"], **scripts["source_codes"]}


def _missing(before: Iterable[Json], after: Iterable[Json]) -> list[Json]:
    present = {one["name"] for one in after}
    return [one for one in before if one["name"] not in present]


def _manager(listener: Json) -> Json:
    found: Json = listener["filter_chains"][0]["filters"][-1]["typed_config"]
    return found
