"""A profile's document becomes its values, or everything that is wrong with it.

The same keys stand in JSON and, flat, in a URL: `mysql+onprem://user@host:3306/db?ca_file=...` is read by way of the
document that it stands for.
"""

import re
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ..errors import ProfileInvalid
from .reader import Reader
from .values import (
    Budget,
    Credentials,
    DatabaseProfile,
    Endpoint,
    FileCredentials,
    IamCredentials,
    Proxy,
    ProxyKind,
    ProxyProtocol,
    Secret,
    SecretCredentials,
    ServiceProfile,
    StaticCredentials,
    Tls,
    TlsMode,
    Way,
)

_PROXIES = {"http": ProxyKind.CONNECT, "socks5": ProxyKind.SOCKS5, "socks5h": ProxyKind.SOCKS5}
_PROXY_PORTS = {ProxyKind.CONNECT: 3128, ProxyKind.SOCKS5: 1080}
_MODES = {one.value: one for one in TlsMode}
_PROTOCOLS = {"v1": ProxyProtocol.V1, "v2": ProxyProtocol.V2}
_MYSQL_PORT, _HTTPS_PORT = 3306, 443
_DURATIONS = ("handshake_timeout", "read_timeout", "write_timeout", "idle_recycle", "ping_after", "ping_timeout")
_SERVICE_DURATIONS = ("handshake_timeout", "read_timeout", "idle_recycle")
_FORMS = "user and password, secret, iam_user, or file"

_PLACE = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:/?#@\[\]]+)(:\d+)?")


def database(name: str, document: object) -> DatabaseProfile:
    """The database profile of a document. Raises `ProfileInvalid` with every fault."""
    faults: list[str] = []
    one = Reader(document, "", faults)
    way, host = _way(one, _MYSQL_PORT)
    tls = _tls(one.inner("tls"), host)
    credentials = _credentials(one.inner("credentials"))
    rest: dict[str, Any] = {
        **{key: one.seconds(key, getattr(_DEFAULTS, key)) for key in _DURATIONS},
        "database": one.text("database"),
        "statement_timeout": one.maybe_seconds("statement_timeout"),
        "sql_comments": one.truth("sql_comments"),
        "budget": _budget(one.inner("budget")),
        "shadow": one.text("shadow") or None,
    }
    one.end()
    if faults or way is None or tls is None or credentials is None:
        raise ProfileInvalid(name, tuple(faults))
    return DatabaseProfile(name=name, way=way, tls=tls, credentials=credentials, **rest)


def service(name: str, document: object) -> ServiceProfile:
    """The HTTP service profile of a document. Raises `ProfileInvalid` with every fault."""
    faults: list[str] = []
    one = Reader(document, "", faults)
    way, host = _way(one, _HTTPS_PORT)
    tls = _tls(one.inner("tls"), host)
    rest: dict[str, Any] = {
        "host": one.text("host") or (tls.name if tls else "") or host,
        "base_path": one.text("base_path").rstrip("/"),
        **{key: one.seconds(key, getattr(_SERVICE, key)) for key in _SERVICE_DURATIONS},
        "retries": one.count("retries", _SERVICE.retries),
        "largest_answer": one.count("largest_answer", _SERVICE.largest_answer),
        "budget": _budget(one.inner("budget")),
        "shadow": one.text("shadow") or None,
    }
    if rest["base_path"] and not rest["base_path"].startswith("/"):
        one.fault("base_path", "must begin with /")
    one.end()
    if faults or way is None or tls is None:
        raise ProfileInvalid(name, tuple(faults))
    return ServiceProfile(name=name, way=way, tls=tls, **rest)


def of_url(url: str) -> dict[str, Any]:
    """The document that a `mysql+onprem://` URL stands for; keys of `tls`, `budget` and `credentials` stand flat in it.

    Several hosts are separated by commas. Raises `ValueError` when it is no such URL.
    """
    scheme, _, rest = url.partition("://")
    if scheme != "mysql+onprem":
        message = "the URL does not begin with mysql+onprem://"
        raise ValueError(message)
    place, _, query = rest.partition("?")
    authority, _, database_name = place.partition("/")
    user, at, hosts = authority.rpartition("@")
    document: dict[str, Any] = {"endpoints": hosts, "database": unquote(database_name)}
    credentials: dict[str, Any] = {}
    if at:
        name, colon, password = user.partition(":")
        credentials = {"user": unquote(name)} | ({"password": unquote(password)} if colon else {})
    inner: dict[str, dict[str, Any]] = {"tls": {}, "budget": {}, "credentials": credentials}
    for key, value in parse_qsl(query, keep_blank_values=True):
        owner = next((one for one, keys in _FLAT.items() if key in keys), None)
        target = inner[owner] if owner else document
        target[_FLAT[owner][key] if owner else key] = value
    if "iam_user" in inner["credentials"] or {"secret", "file"} & inner["credentials"].keys():
        inner["credentials"].pop("user", None)
    return document | {key: value for key, value in inner.items() if value}


_FLAT = {
    "tls": {
        "tls": "mode",
        "tls_name": "name",
        **{key: key for key in ("ca_file", "certificate_file", "key_file", "lenient_x509")},
    },
    "budget": {"environments": "environments", "connections": "connections"},
    "credentials": {"secret": "secret", "iam_user": "iam_user", "region": "region", "credentials_file": "file"},
}
_DEFAULTS = DatabaseProfile(
    name="",
    way=Way(endpoints=(Endpoint("localhost", 1),)),
    tls=Tls(),
    credentials=StaticCredentials(user="", password=Secret("")),
)
_SERVICE = ServiceProfile(name="", way=_DEFAULTS.way, tls=Tls(), host="")


def _way(one: Reader, port: int) -> tuple[Way | None, str]:
    """How the target is reached, and the host that its certificate names where nothing else is said."""
    found = [_endpoint(one, place, number, port) for number, place in enumerate(one.listed("endpoints"))]
    endpoints = tuple(end for end in found if end is not None)
    proxy = _proxy(one)
    protocol = one.choice("proxy_protocol", _PROTOCOLS, None)
    timeout = one.seconds("connect_timeout", 2.0)
    if "endpoints" not in one:
        one.fault("endpoints", "is missing: write host:port, one for each zone")
        return None, ""
    hosts = {end.host for end in endpoints}
    host = hosts.pop() if len(hosts) == 1 else ""
    if len(found) > len(endpoints):
        return None, host

    def make() -> Way:
        return Way(endpoints=endpoints, proxy=proxy, proxy_protocol=protocol, connect_timeout=timeout)

    return one.made("", make), host


def _endpoint(one: Reader, place: object, number: int, port: int) -> Endpoint | None:
    key = f"endpoints[{number}]"
    if isinstance(place, str):
        # What has another form is not shown: in a URL that is written wrongly it is a password.
        if not _PLACE.fullmatch(place):
            one.fault(
                key, "is not HOST or HOST:PORT; an IPv6 address stands in brackets, a password's / ? # @ as %2F ..."
            )
            return None
        try:
            parts = urlsplit(f"//{place}")
            found = Endpoint(parts.hostname or "", parts.port or port)
        except ValueError as error:
            one.fault(key, f"is {place!r}: {error}")
            return None
        return found
    inner = Reader(place, key, one.faults)
    host, number_of_port, zone = inner.needed("host"), inner.count("port", port), inner.text("az")
    inner.end()
    return inner.made("", lambda: Endpoint(host, number_of_port or port, zone)) if host else None


def _proxy(one: Reader) -> Proxy | None:
    text = one.text("proxy")
    if not text:
        return None
    try:
        parts = urlsplit(text)
        kind = _PROXIES[parts.scheme]
        endpoint = Endpoint(parts.hostname or "", parts.port or _PROXY_PORTS[kind])
    except (KeyError, ValueError):
        # Its text may hold a password, so it is not repeated.
        one.fault("proxy", "is not a proxy's URL: write http://host:3128 or socks5://host:1080")
        return None
    return Proxy(
        kind=kind,
        endpoint=endpoint,
        user=unquote(parts.username or ""),
        password=Secret(unquote(parts.password or "")),
    )


def _tls(one: Reader, host: str) -> Tls | None:
    mode = one.choice("mode", _MODES, TlsMode.VERIFY)
    name = one.text("name")
    files = {key: one.text(key) or None for key in ("ca_file", "certificate_file", "key_file")}
    lenient = one.truth("lenient_x509")
    one.end()
    if mode is TlsMode.VERIFY and not name:
        name = host
        if not host:
            one.fault("name", "is missing: several endpoints have no common name that a certificate could carry")
    return one.made("", lambda: Tls(mode=mode, name=name, lenient_x509=lenient, **files))


def _credentials(one: Reader) -> Credentials | None:
    forms = [key for key in ("user", "secret", "iam_user", "file") if key in one]
    if len(forms) != 1:
        one.fault("", f"needs one of: {_FORMS}" if not forms else f"has {' and '.join(forms)}: one of {_FORMS}")
        return None
    found: Credentials
    match forms[0]:
        case "user":
            found = StaticCredentials(user=one.needed("user"), password=Secret(one.text("password")))
        case "secret":
            found = SecretCredentials(secret=one.needed("secret"), max_age=one.seconds("max_age", 300.0))
        case "iam_user":
            found = IamCredentials(user=one.needed("iam_user"), region=one.needed("region"))
        case _:
            found = FileCredentials(path=one.needed("file"))
    one.end()
    return found


def _budget(one: Reader) -> Budget:
    environments, connections = one.count("environments", None), one.count("connections", None)
    one.end()
    return one.made("", lambda: Budget(environments=environments, connections=connections)) or Budget()
