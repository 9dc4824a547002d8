"""A profile's document becomes its values, or everything that is wrong with it.

The same keys stand in JSON and, flat, in a URL: `mysql+onprem://user@host:3306/db?ca_file=...` is read by way of the
document that it stands for.
"""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ..errors import ProfileInvalid
from .hosts import bracketed, in_ascii, parted, why_not
from .reader import Reader, short
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
_ESCAPES = "; in a URL a password's / ? # @ are written %2F %3F %23 %40"


def database(name: str, document: object) -> DatabaseProfile:
    """The database profile of a document. Raises `ProfileInvalid` with every fault."""
    one = _reader(name, document)
    faults = one.faults
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
    one = _reader(name, document)
    faults = one.faults
    way, host = _way(one, _HTTPS_PORT)
    tls = _tls(one.inner("tls"), host)
    rest: dict[str, Any] = {
        # Where nothing gives one, there is a fault already.
        "host": in_ascii(one.text("host") or bracketed((tls.name if tls else "") or host or _SERVICE.host)),
        "base_path": one.text("base_path").rstrip("/"),
        **{key: one.seconds(key, getattr(_SERVICE, key)) for key in _SERVICE_DURATIONS},
        "retries": one.count("retries", _SERVICE.retries),
        "largest_answer": one.count("largest_answer", _SERVICE.largest_answer),
        "budget": _budget(one.inner("budget")),
        "shadow": one.text("shadow") or None,
    }
    one.end()
    found = one.made("", lambda: ServiceProfile(name=name, way=way or _SERVICE.way, tls=tls or Tls(), **rest))
    if faults or way is None or tls is None or found is None:
        raise ProfileInvalid(name, tuple(faults))
    return found


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
    seen: set[str] = set()
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key in seen:
            message = f"the URL has {key} twice"
            raise ValueError(message)
        seen.add(key)
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
_SERVICE = ServiceProfile(name="", way=_DEFAULTS.way, tls=Tls(), host="localhost")


def _reader(name: str, document: object) -> Reader:
    """The document's reader. Raises `ProfileInvalid` where it is no mapping: no key is then missing."""
    one = Reader(document, "", [])
    if not one.is_mapping:
        raise ProfileInvalid(name, tuple(one.faults))
    return one


def _way(one: Reader, port: int) -> tuple[Way | None, str | None]:
    """How the target is reached, and the host that its certificate names where nothing else is said.

    The host is "" where there are several, None where it is not known because something is wrong.
    """
    found = [_endpoint(one, place, number, port) for number, place in enumerate(one.listed("endpoints"))]
    endpoints = tuple(end for end in found if end is not None)
    proxy = _proxy(one)
    protocol = one.choice("proxy_protocol", _PROTOCOLS, None)
    timeout = one.seconds("connect_timeout", 2.0)
    if "endpoints" not in one:
        one.fault("endpoints", "is missing: write host:port, one for each zone")
        return None, None
    hosts = {end.host for end in endpoints}
    if not found or len(found) > len(endpoints):
        if not found:
            one.fault("endpoints", "is empty: write host:port, one for each zone")
        return None, None
    host = hosts.pop() if len(hosts) == 1 else ""

    def make() -> Way:
        return Way(endpoints=endpoints, proxy=proxy, proxy_protocol=protocol, connect_timeout=timeout)

    return one.made("", make), host


def _endpoint(one: Reader, place: object, number: int, port: int) -> Endpoint | None:
    key = f"endpoints[{number}]"
    if isinstance(place, str):
        found = parted(place)
        if found is None:
            # In a text, as a URL's, what is written wrongly may be a password, as before an @: it is not shown.
            is_shown = isinstance(one.get("endpoints"), list) and "@" not in place
            told = f"is {short(place)}, not HOST or HOST:PORT: " if is_shown else "is not HOST or HOST:PORT: "
            one.fault(key, f"{told}{why_not(place)}{'' if is_shown else _ESCAPES}")
            return None
        return Endpoint(found[0].lower(), found[1] or port)
    inner = Reader(place, key, one.faults)
    if not inner.is_mapping:
        return None
    host, number_of_port, zone = inner.needed("host"), inner.count("port", port), inner.text("az")
    inner.end()
    return inner.made("", lambda: Endpoint(host.strip("[]"), number_of_port or 0, zone)) if host.strip() else None


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


def _tls(one: Reader, host: str | None) -> Tls | None:
    mode = one.choice("mode", _MODES, TlsMode.VERIFY)
    name = one.text("name")
    files = {key: one.text(key) or None for key in ("ca_file", "certificate_file", "key_file")}
    lenient = one.truth("lenient_x509")
    one.end()
    if mode is TlsMode.VERIFY and not name:
        name = host or ""
        if host == "":
            one.fault("name", "is missing: several endpoints have no common name that a certificate could carry")
    return one.made("", lambda: Tls(mode=mode, name=name, lenient_x509=lenient, **files))


def _credentials(one: Reader) -> Credentials | None:
    if not one.is_mapping:
        return None
    forms = [key for key in ("user", "secret", "iam_user", "file") if key in one]
    if len(forms) != 1:
        one.fault("", f"needs one of: {_FORMS}" if not forms else f"has {' and '.join(forms)}: one of {_FORMS}")
        return None
    found: Credentials | None
    match forms[0]:
        case "user":
            if "password" not in one:
                one.fault("password", 'is missing: write "" where the user has none, in a URL USER:@HOST')
            found = StaticCredentials(user=one.needed("user"), password=Secret(one.text("password")))
        case "secret":
            found = SecretCredentials(secret=one.needed("secret"), max_age=one.seconds("max_age", 300.0))
        case "iam_user":
            user, region = one.needed("iam_user"), one.needed("region")
            found = one.made("", lambda: IamCredentials(user=user, region=region)) if region.strip() else None
        case _:
            found = FileCredentials(path=one.needed("file"))
    one.end()
    return found


def _budget(one: Reader) -> Budget:
    environments, connections = one.count("environments", None), one.count("connections", None)
    one.end()
    return one.made("", lambda: Budget(environments=environments, connections=connections)) or Budget()
