"""A connection to a collector: through the environment's proxy, TLS verified, opened within a time and no longer.

Names are looked up, and connections made, on a thread that is left behind when it takes too long: the resolver has no
timeout of its own, and an invocation must not wait for it.
"""

import binascii
import http.client
import os
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from .variables import Target

_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def opened(target: Target, seconds: float) -> http.client.HTTPConnection:
    """A connection that is ready for requests. Raises `OSError`, within `seconds`."""
    found: list[http.client.HTTPConnection] = []
    failed: list[Exception] = []
    given_up = threading.Event()

    def connect() -> None:
        try:
            connection = _made(target, seconds)
            connection.connect()
        except Exception as error:  # noqa: BLE001 - told to whoever waits: a thread of its own has no caller
            failed.append(error)
            return
        found.append(connection)
        if given_up.is_set():
            connection.close()

    thread = threading.Thread(target=connect, name="fig-instrument-connect", daemon=True)
    thread.start()
    thread.join(seconds)
    if found and not thread.is_alive():
        return found[0]
    given_up.set()
    message = f"no connection to {target.host}:{target.port} within {seconds:.2f} s"
    raise OSError(f"{message}: {failed[0]}" if failed else message)


def path_of(target: Target) -> str:
    """What stands in the request line: the path, or the whole address where a proxy takes plain requests."""
    if target.scheme == "http" and _proxy(target):
        return f"http://{_host(target.host)}:{target.port}{target.path}"
    return target.path


def proxy_headers(target: Target) -> Mapping[str, str]:
    """The headers that a proxy of plain requests wants; one that tunnels got them when it was opened."""
    proxy = _proxy(target) if target.scheme == "http" else None
    return _authorization(proxy) if proxy else {}


def _made(target: Target, seconds: float) -> http.client.HTTPConnection:
    proxy = _proxy(target)
    host, port = (proxy.hostname or "", proxy.port or 3128) if proxy else (target.host, target.port)
    if target.scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=seconds)
    connection = http.client.HTTPSConnection(host, port, timeout=seconds, context=_tls(target))
    if proxy:
        connection.set_tunnel(target.host, target.port, headers=dict(_authorization(proxy)))
    return connection


def _tls(target: Target) -> Any:
    import ssl  # noqa: PLC0415 - only for https

    context = ssl.create_default_context(cafile=target.ca_file or None)
    if target.client_files:
        context.load_cert_chain(*target.client_files)
    return context


def _proxy(target: Target) -> Any:
    """The proxy's address in parts, None where there is none for this target."""
    if not any(os.environ.get(name) or os.environ.get(name.upper()) for name in _PROXIES):
        return None
    from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]  # noqa: PLC0415 - heavy, and only where there is a proxy

    proxies = getproxies_environment()
    url = proxies.get(target.scheme) or proxies.get("all")
    if not url or proxy_bypass_environment(f"{target.host}:{target.port}", proxies):
        return None
    return urlsplit(url if "://" in url else f"http://{url}")


def _authorization(proxy: Any) -> Mapping[str, str]:
    if not proxy.username:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {binascii.b2a_base64(pair.encode(), newline=False).decode()}"}


def _host(name: str) -> str:
    return f"[{name}]" if ":" in name else name
