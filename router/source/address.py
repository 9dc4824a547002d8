"""Addresses as the estate file writes them: `host:port`, hosts of a match, and the URL of a Lambda API."""

import ipaddress
import re
from dataclasses import dataclass

from ..estate import Endpoint
from ..hosts import is_ip
from .fault import Fault

ENDPOINT = "ES101"
HOST = "ES102"
URL = "ES103"

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_PORT = re.compile(r"[0-9]{1,5}")
_URL = re.compile(r"(https?)://([^/?#@]+)/?")
_WEB_URL = re.compile(r"(https?://[^/?#@]+)((?:/[^?#\s]*)?)")
_MAX_NAME = 253
_MAX_PORT = 65_535
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiUrl:
    """Where a Lambda API listens. `authority` is what its Host header says: the port only where it is unusual."""

    secure: bool
    endpoint: Endpoint

    @property
    def authority(self) -> str:
        """The host, with the port where it is not the scheme's own."""
        usual = _DEFAULT_PORTS["https" if self.secure else "http"]
        text = str(self.endpoint)
        return text.rpartition(":")[0] if self.endpoint.port == usual else text


@dataclass(frozen=True, slots=True, kw_only=True)
class WebUrl:
    """Where something is fetched from or sent to: scheme, host, port and path (empty or beginning with `/`)."""

    secure: bool
    endpoint: Endpoint
    path: str


def parse_endpoint(text: str) -> Endpoint:
    """The endpoint that `host:port`, `10.0.0.1:443` or `[2001:db8::1]:443` names. Raises `Fault`."""
    host, colon, port = text.rpartition(":")
    if not colon:
        message = f"{text!r} has no port"
        raise Fault(ENDPOINT, message, f"write host:port, as in {text or 'host'}:8080")
    if ":" in host and not host.startswith("["):
        hint = "write an IPv6 address in brackets, as in [2001:db8::1]:8080; a URL's scheme does not belong here"
        raise Fault(ENDPOINT, f"{text!r} is not host:port", hint)
    return Endpoint(_upstream_host(host, text), _port(port, text))


def parse_entry_address(text: str) -> Endpoint:
    """The address that the entry listens on: an IP and a port, because a listener is not looked up. Raises `Fault`."""
    endpoint = parse_endpoint(text)
    if not is_ip(endpoint.host):
        hint = f"write 127.0.0.1:{endpoint.port}, or 0.0.0.0:{endpoint.port} for every interface"
        raise Fault(ENDPOINT, f"{text!r}: the entry listens on an IP address, not on a name", hint)
    return endpoint


def parse_api_url(text: str) -> ApiUrl:
    """The Lambda API that a URL names: scheme, host and port, without a path. Raises `Fault`."""
    found = _URL.fullmatch(text)
    if not found:
        hint = "write https://host or http://127.0.0.1:9002, without a path"
        raise Fault(URL, f"{text!r} is not the URL of a Lambda API", hint)
    scheme, authority = found[1], found[2]
    has_port = _PORT.fullmatch(authority.rpartition(":")[2]) and not authority.endswith("]")
    full = authority if has_port and ":" in authority else f"{authority}:{_DEFAULT_PORTS[scheme]}"
    try:
        endpoint = parse_endpoint(full)
    except Fault as fault:
        raise Fault(URL, f"{text!r} is not the URL of a Lambda API: {fault.message}", fault.hint) from fault
    return ApiUrl(secure=scheme == "https", endpoint=endpoint)


def parse_web_url(text: str) -> WebUrl:
    """What an http or https URL names: host, port and path, without query. Raises `Fault`."""
    found = _WEB_URL.fullmatch(text)
    if not found:
        raise Fault(URL, f"{text!r} is not a URL that can be used here", "as in https://host/path, without ? and #")
    root = parse_api_url(found[1])
    return WebUrl(secure=root.secure, endpoint=root.endpoint, path=found[2].rstrip("/"))


def parse_web_url_or_none(text: str) -> WebUrl | None:
    """The same, or None for an empty text: `${NAME:-}` of a variable that is not set. Raises `Fault`."""
    return parse_web_url(text) if text else None


def parse_https_url(text: str) -> WebUrl:
    """What an https URL names. Raises `Fault`."""
    url = parse_web_url(text)
    if not url.secure:
        raise Fault(URL, f"{text!r} is not https: keys that anybody may replace prove nothing", "write https://")
    return url


def parse_host(text: str) -> str:
    """The host that a match compares, in lower case: a name, an IP address, or `*.example.com`. Raises `Fault`."""
    host = text.lower()
    name = host.removeprefix("*.")
    if name == "*":
        raise Fault(HOST, "'*' is not a host", "leave host out to match every host")
    if "*" in name:
        hint = "a wildcard stands for leading labels only, as in *.example.com"
        raise Fault(HOST, f"{text!r}: '*' can only begin a host", hint)
    if is_ip(name.strip("[]")) and name == host:
        bare = name.strip("[]")
        return f"[{ipaddress.ip_address(bare)}]" if ":" in bare else bare
    if re.search(r":[0-9]*$", name):
        raise Fault(HOST, f"{text!r} has a port", "ports are not compared: write the host alone")
    if problem := _name_problem(name):
        raise Fault(HOST, f"{text!r} is not a host: {problem}", "write a name such as books.example, or *.example")
    return host


def parse_one_host(text: str) -> str:
    """One host, in lower case: what a certificate must carry, or what a Host header says. Raises `Fault`."""
    if "*" in text:
        raise Fault(HOST, f"{text!r}: one host is needed here, without '*'", "as in books.internal")
    return parse_host(text).strip("[]")


def _upstream_host(host: str, text: str) -> str:
    if host.startswith("[") or host.endswith("]"):
        inner = host[1:-1]
        if host == f"[{inner}]" and ":" in inner and is_ip(inner):
            return str(ipaddress.ip_address(inner))
        raise Fault(ENDPOINT, f"{text!r}: {host} is not an IPv6 address in brackets", "as in [2001:db8::1]:8080")
    if is_ip(host):
        return host
    if problem := _name_problem(host.lower()):
        raise Fault(ENDPOINT, f"{text!r} is not host:port: {problem}", "as in shop.internal:8080 or 10.0.0.1:8080")
    return host.lower()


def _port(port: str, text: str) -> int:
    number = int(port) if _PORT.fullmatch(port) else 0
    if not 1 <= number <= _MAX_PORT:
        raise Fault(ENDPOINT, f"{text!r}: {port!r} is not a port", f"a port is a number from 1 to {_MAX_PORT}")
    return number


def _name_problem(name: str) -> str | None:
    """Why the lower-case `name` is not a DNS name, or None."""
    labels = name.split(".")
    bad = next((label for label in labels if not _LABEL.fullmatch(label)), None)
    problems = (
        (not name, "the host is empty"),
        (not name.isascii(), "only ASCII is sent as a host; write an international name in its xn-- form"),
        (name.endswith("."), "leave the last dot out"),
        (len(name) > _MAX_NAME, f"it is longer than {_MAX_NAME} characters"),
        (bad is not None, f"{bad!r} is not one of its labels (letters, digits and '-', at most 63)"),
        (labels[-1].isdigit(), "it is neither an IP address nor a name (a name's last label is not a number)"),
    )
    return next((text for applies, text in problems if applies), None)
