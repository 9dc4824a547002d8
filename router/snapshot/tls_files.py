"""Certificates, keys and authorities that the estate names by file: what Envoy reads of them, and where.

Envoy never reads the estate's own files. The node checks a renewed one and puts it into its state directory as a
secret of Envoy's (SDS), so that neither a half-written file nor a key of another certificate takes anything down.
Named by where it comes from: another source must never be served from the old one's file.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping

from ..estate import EntryTls, Estate, JwtIdentity, Tls
from ..hosts import is_ip
from .proto import Json, api_type, extension

FOLDER = "tls"
LIST = "tls.json"
"""The file of a snapshot that tells the node which files its TLS needs."""
SYSTEM_CA_FILE = "/etc/ssl/certs/ca-certificates.crt"

AUTHORITIES = "authorities"
CERTIFICATE, KEY = "certificate", "key"

_OLDEST = {"tls_minimum_protocol_version": "TLSv1_2"}
_TYPE = "envoy.extensions.transport_sockets.tls.v3.Secret"


def needs(estate: Estate) -> Json:
    """What TLS needs of its node, by name: the estate's files, never what is in them.

    A pair has a `CERTIFICATE` and its `KEY`, authorities have `AUTHORITIES`.
    """
    entry = estate.entry.tls
    found = {}
    if entry is not None:
        found[_pair(entry)] = {CERTIFICATE: entry.certificate_file, KEY: entry.key_file}
    files = {tls.ca_file or SYSTEM_CA_FILE for tls in _upstreams(estate)}
    if entry is not None and entry.client_ca_file is not None:
        files.add(entry.client_ca_file)
    return found | {_authorities(file): {AUTHORITIES: file} for file in sorted(files)}


def secret_file(name: str) -> str:
    """Where the node puts the secret of that name for Envoy, in the state directory."""
    return f"{FOLDER}/{name}.json"


def secret(name: str, contents: Mapping[str, bytes]) -> bytes:
    """The secret as Envoy reads it: what the files that `needs` names for it held."""
    value = _validation(contents) if AUTHORITIES in contents else _certificate(contents)
    return json.dumps({"resources": [api_type(_TYPE, name=name, **value)]}).encode()


def contents(data: bytes) -> dict[str, bytes]:
    """What the files of a secret held. Raises `ValueError`, `KeyError` or `TypeError` when `data` is no secret."""
    (resource,) = json.loads(data)["resources"]
    if "validation_context" in resource:
        held = {AUTHORITIES: resource["validation_context"]["trusted_ca"]}
    else:
        pair = resource["tls_certificate"]
        held = {CERTIFICATE: pair["certificate_chain"], KEY: pair["private_key"]}
    return {kind: base64.b64decode(source["inline_bytes"], validate=True) for kind, source in held.items()}


def trial(contents: Mapping[str, bytes]) -> Json:
    """A bootstrap that uses a secret's contents and nothing else, for Envoy to say what it thinks of them."""
    if AUTHORITIES in contents:
        used: Json = _validation(contents)
    else:
        used = {"tls_certificates": [_certificate(contents)["tls_certificate"]]}
    context = extension("transport_sockets.tls.v3.UpstreamTlsContext", common_tls_context=used)
    socket = {"name": "envoy.transport_sockets.tls", "typed_config": context}
    return {"static_resources": {"clusters": [{"name": "trial", "type": "STATIC", "transport_socket": socket}]}}


def to_upstream(tls: Tls) -> Json:
    """The fields of a cluster that speak TLS and verify the peer."""
    context = extension(
        "transport_sockets.tls.v3.UpstreamTlsContext",
        sni=tls.name,
        common_tls_context={
            "tls_params": _OLDEST,
            "combined_validation_context": _verified(tls.ca_file or SYSTEM_CA_FILE, [tls.name]),
        },
    )
    return {"transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": context}}


def from_clients(tls: EntryTls) -> Json:
    """The fields of a filter chain that speak TLS, and ask for the client's certificate where the estate wants one."""
    asked: Json = {}
    if tls.client_ca_file is not None:
        asked = {"combined_validation_context": _verified(tls.client_ca_file, tls.client_names)}
    context = extension(
        "transport_sockets.tls.v3.DownstreamTlsContext",
        require_client_certificate=tls.client_ca_file is not None,
        common_tls_context={
            "tls_params": _OLDEST,
            "alpn_protocols": ["h2", "http/1.1"],
            "tls_certificate_sds_secret_configs": [_watched(_pair(tls))],
            **asked,
        },
    )
    return {
        "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": context},
        "transport_socket_connect_timeout": "15s",  # a handshake that does not end holds a connection
    }


def _validation(contents: Mapping[str, bytes]) -> Json:
    return {"validation_context": {"trusted_ca": _inline(contents[AUTHORITIES])}}


def _certificate(contents: Mapping[str, bytes]) -> Json:
    parts = {"certificate_chain": _inline(contents[CERTIFICATE]), "private_key": _inline(contents[KEY])}
    return {"tls_certificate": parts}


def _inline(data: bytes) -> Json:
    return {"inline_bytes": base64.b64encode(data).decode()}


def _upstreams(estate: Estate) -> Iterator[Tls]:
    """How the estate's upstreams of every kind prove who they are."""
    found = [one.tls for one in (*estate.legacy, *estate.candidates)]
    found += [one.jwks.tls for one in estate.identities if isinstance(one, JwtIdentity)]
    found += [estate.telemetry.tls] if estate.telemetry else []
    return (tls for tls in found if tls is not None)


def _verified(file: str, names: tuple[str, ...] | list[str]) -> Json:
    by_name = {"match_typed_subject_alt_names": [_subject_name(name) for name in names]} if names else {}
    return {
        "default_validation_context": by_name,
        "validation_context_sds_secret_config": _watched(_authorities(file)),
    }


def _subject_name(name: str) -> Json:
    return {"san_type": "IP_ADDRESS" if is_ip(name) else "DNS", "matcher": {"exact": name}}


def _watched(name: str) -> Json:
    source = {"path_config_source": {"path": secret_file(name)}, "resource_api_version": "V3"}
    return {"name": name, "sds_config": source}


def _pair(tls: EntryTls) -> str:
    return f"pair-{_digest(tls.certificate_file, tls.key_file)}"


def _authorities(file: str) -> str:
    return f"authorities-{_digest(file)}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
