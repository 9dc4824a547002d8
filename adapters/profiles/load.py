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
import re
from collections.abc import Mapping
from typing import Any, TypeVar

from ..deadline import bounded
from ..errors import ProfileInvalid
from .document import database, of_url, service
from .values import DatabaseProfile, FileCredentials, ServiceProfile

Profile = TypeVar("Profile", DatabaseProfile, ServiceProfile)
DOCUMENT = "ADAPTERS_PROFILES"
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_SSM_SECONDS = 5.0
_URL = "URL"
"""How a profile is called that only a URL stands for."""


@functools.cache
def database_profile(name: str) -> DatabaseProfile:
    """The database profile of that name. Raises `ProfileInvalid` with every fault, or where there is none."""
    return _judged(database(name, _find("database", name)))


@functools.cache
def service_profile(name: str) -> ServiceProfile:
    """The HTTP service profile of that name. Raises `ProfileInvalid` with every fault, or where there is none."""
    return _judged(service(name, _find("service", name)))


def url_profile(url: str) -> DatabaseProfile:
    """The profile that a `mysql+onprem://` URL stands for. Raises `ProfileInvalid` with every fault."""
    try:
        document = of_url(url)
    except ValueError as error:
        raise ProfileInvalid(_URL, (str(error),)) from error
    return _judged(database(_URL, document))


def forget() -> None:
    """Read everything anew at the next use; for tests and after a restore from a snapshot."""
    for cached in (database_profile, service_profile, _text):
        cached.cache_clear()


def variable(kind: str, name: str) -> str:
    """The environment variable of one profile: `legacy-orders` is `ADAPTERS_DATABASE_LEGACY_ORDERS`."""
    return f"ADAPTERS_{kind}_{name}".upper().replace("-", "_")


def _find(kind: str, name: str) -> Any:
    if not _NAME.fullmatch(name):
        raise ProfileInvalid(name, ("this is no name of a profile: it has ASCII letters, digits, - and _ only",))
    own = variable(kind, name)
    if text := os.environ.get(own):
        if "://" in text.partition("{")[0]:
            if kind != "database":
                raise ProfileInvalid(name, (f"{own} is a URL, which only a database's profile may be: write its JSON",))
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
    there = f"{DOCUMENT} has {', '.join(known) or f'no {kind}s'}" if place else _unset(DOCUMENT)
    raise ProfileInvalid(name, (f"there is no such {kind}: {_unset(own)}, {there}",))


def _unset(own: str) -> str:
    return f"{own} is empty" if own in os.environ else f"{own} is not set"


def _document(place: str, name: str) -> Mapping[str, Any]:
    scheme, _, rest = place.partition(":")
    if scheme in {"file", "ssm"} and not rest.strip():
        raise ProfileInvalid(name, (f"{DOCUMENT} is {scheme}: without {'a path' if scheme == 'file' else 'a name'}",))
    try:
        text = _text(scheme, rest) if scheme in {"file", "ssm"} else place
    except _Unread as error:
        raise ProfileInvalid(name, (f"{DOCUMENT}: {error}",)) from error.__cause__
    content = _json(text, DOCUMENT, name)
    if not isinstance(content, Mapping):
        raise ProfileInvalid(name, (f"{DOCUMENT} holds no mapping",))
    unknown = sorted(content.keys() - {"databases", "services"})
    if unknown:
        raise ProfileInvalid(name, (f"{DOCUMENT}: {', '.join(unknown)} is neither databases nor services",))
    return content


class _Unread(Exception):  # noqa: N818 - what happened
    """The document could not be had: where it is, and why."""


@functools.lru_cache(maxsize=4)
def _text(scheme: str, place: str) -> str:
    if scheme == "ssm":
        return _parameter(place)
    try:
        with open(place, encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs 5 ms of a cold start
            return file.read()
    except OSError as error:
        message = f"{place} cannot be read: {error.strerror}"
        raise _Unread(message) from error
    except ValueError:  # not chained: the error has the bytes
        message = f"{place} is not UTF-8 text"
    raise _Unread(message)


def _parameter(name: str) -> str:
    from ..connection.waiting import call_within  # noqa: PLC0415 - most profiles come without AWS
    from ..stores import StoreFailed, parameter_text, parameters  # noqa: PLC0415

    try:
        store = parameters()
        seconds = bounded(_SSM_SECONDS, f"reading {DOCUMENT} from SSM", nothing_done=True)
        return call_within(seconds, lambda: parameter_text(store, name))
    except (TimeoutError, StoreFailed) as error:
        message = f"the parameter {name} cannot be read: {error}"
        raise _Unread(message) from error


def _json(text: str, where: str, name: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_number)
    except RecursionError:
        fault = f"{where} is nested too deeply"
    except ValueError as error:
        fault = f"{where} is not JSON: {error}"
    raise ProfileInvalid(name, (fault,))  # not chained: json's error carries the text, which may hold passwords


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The mapping; the second of two equal keys would win without a word."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        message = f"the key {next(name for name in names if names.count(name) > 1)} is there twice"
        raise ValueError(message)
    return found


def _no_number(word: str) -> Any:
    message = f"{word} is no number"
    raise ValueError(message)


def _judged(profile: Profile) -> Profile:
    """The profile, whose files are there and of use, and whose shadow is a sound profile. Raises `ProfileInvalid`."""
    faults = [*_of_files(profile), *_of_shadow(profile)]
    if faults:
        raise ProfileInvalid(profile.name, tuple(faults))
    return profile


def _of_shadow(profile: DatabaseProfile | ServiceProfile) -> tuple[str, ...]:
    """What is wrong with the profile that shadows use; a shadow of its own it may have, but nobody asks for it."""
    name = profile.shadow
    if name is None:
        return ()
    if name == profile.name:
        return ("shadow is this profile itself: leave it out, then shadows leave no trace here",)
    try:
        faults = _of_files(
            database(name, _find("database", name))
            if isinstance(profile, DatabaseProfile)
            else service(name, _find("service", name))
        )
    except ProfileInvalid as error:
        faults = list(error.faults)
    return tuple(f"shadow {name}: {fault}" for fault in faults)


def _of_files(profile: DatabaseProfile | ServiceProfile) -> list[str]:
    """What is wrong with the files that the profile names."""
    tls = profile.tls
    files = {"ca_file": tls.ca_file, "certificate_file": tls.certificate_file, "key_file": tls.key_file}
    faults = [f"tls.{key} {fault}" for key, path in files.items() if path and (fault := _unreadable(path))]
    if not faults and any(files.values()):
        from ..connection.tls import with_files  # noqa: PLC0415 - `ssl` is dear where there is nothing to look at

        faults = with_files(tls)
    login = profile.credentials if isinstance(profile, DatabaseProfile) else None
    if isinstance(login, FileCredentials) and (fault := _unreadable(login.path)):
        faults = [*faults, f"credentials.file {fault}"]
    return faults


def _unreadable(path: str) -> str:
    """Why the file cannot be read; "" where it can."""
    try:
        with open(path, "rb"):  # noqa: PTH123
            return ""
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    except ValueError:  # a null byte
        return "is no path"
