"""Finding a profile by its name: in the environment, or in one JSON document (text, file, or SSM parameter).

    ADAPTERS_DATABASE_LEGACY_ORDERS   one profile: its JSON, or a mysql+onprem:// URL
    ADAPTERS_SERVICE_CORE_BANK        one profile: its JSON
    ADAPTERS_PROFILES                 all of them: {"databases": {...}, "services": {...}}, or file:PATH, or ssm:NAME

A profile of its own variable wins. What is found is kept for the life of the environment: profiles do not change under
a running function; secrets, which do, are not in them.
"""

import functools
import json
import os
from collections.abc import Mapping
from typing import Any

from ..deadline import bounded
from ..errors import ProfileInvalid
from .document import database, of_url, service
from .values import DatabaseProfile, ServiceProfile

DOCUMENT = "ADAPTERS_PROFILES"
_SSM_SECONDS = 5.0


@functools.cache
def database_profile(name: str) -> DatabaseProfile:
    """The database profile of that name. Raises `ProfileInvalid` with every fault, or where there is none."""
    return database(name, _find("database", name))


@functools.cache
def service_profile(name: str) -> ServiceProfile:
    """The HTTP service profile of that name. Raises `ProfileInvalid` with every fault, or where there is none."""
    return service(name, _find("service", name))


def forget() -> None:
    """Read everything anew at the next use; for tests and after a restore from a snapshot."""
    for cached in (database_profile, service_profile, _document):
        cached.cache_clear()


def variable(kind: str, name: str) -> str:
    """The environment variable of one profile: `legacy-orders` is `ADAPTERS_DATABASE_LEGACY_ORDERS`."""
    return f"ADAPTERS_{kind}_{name}".upper().replace("-", "_")


def _find(kind: str, name: str) -> Any:
    own = variable(kind, name)
    if text := os.environ.get(own):
        if kind == "database" and "://" in text.partition("{")[0]:
            try:
                return of_url(text)
            except ValueError as error:
                raise ProfileInvalid(name, (f"{own}: {error}",)) from error
        return _json(text, own, name)
    place = os.environ.get(DOCUMENT, "")
    profiles = _document(place, name).get(f"{kind}s", {}) if place else {}
    if isinstance(profiles, Mapping) and name in profiles:
        return profiles[name]
    known = sorted(profiles) if isinstance(profiles, Mapping) else []
    there = f"{DOCUMENT} has {', '.join(known) or f'no {kind}s'}" if place else f"{DOCUMENT} is not set"
    raise ProfileInvalid(name, (f"there is no such {kind}: {own} is not set, {there}",))


@functools.lru_cache(maxsize=4)
def _document(place: str, name: str) -> Mapping[str, Any]:
    scheme, _, rest = place.partition(":")
    try:
        match scheme:
            case "file":
                with open(rest, encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs 5 ms of a cold start
                    text = file.read()
            case "ssm":
                text = _parameter(rest)
            case _:
                text = place
    except OSError as error:
        raise ProfileInvalid(name, (f"{DOCUMENT}: {rest} cannot be read: {error.strerror}",)) from error
    content = _json(text, DOCUMENT, name)
    if not isinstance(content, Mapping):
        raise ProfileInvalid(name, (f"{DOCUMENT} holds no mapping",))
    unknown = sorted(content.keys() - {"databases", "services"})
    if unknown:
        raise ProfileInvalid(name, (f"{DOCUMENT}: {', '.join(unknown)} is neither databases nor services",))
    return content


def _parameter(name: str) -> str:
    from ..connection.waiting import call_within  # noqa: PLC0415 - most profiles come without AWS
    from ..stores import StoreFailed, parameter_text, parameters  # noqa: PLC0415

    try:
        store = parameters()
        seconds = bounded(_SSM_SECONDS, f"reading {DOCUMENT} from SSM", nothing_done=True)
        return call_within(seconds, lambda: parameter_text(store, name))
    except (TimeoutError, StoreFailed) as error:
        raise ProfileInvalid(name, (f"{DOCUMENT}: the parameter {name} cannot be read: {error}",)) from error


def _json(text: str, where: str, name: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        fault = f"{where} is not JSON: {error}"
    raise ProfileInvalid(name, (fault,))  # not chained: json's error carries the text, which may hold passwords
