"""One verifying TLS context for each setting and process: making one takes up to 32 ms, using one 2.

The name that is verified is the target's own, whatever host the socket goes to: an endpoint or a proxy on the way has
another name. Nothing falls back to a connection that is not verified.
"""

import functools
import ssl

from ..profiles.values import Tls, TlsMode
from .sockets import BoundedTlsSocket


def with_files(tls: Tls) -> list[str]:
    """What is wrong with the files of this setting, each named; they are loaded into a context that nobody uses."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    faults = []
    if tls.ca_file:
        try:
            context.load_verify_locations(cafile=tls.ca_file)
        except OSError as error:
            faults.append(f"tls.ca_file {tls.ca_file} has no certificates: {error.strerror or error}")
    if tls.certificate_file:
        try:
            context.load_cert_chain(tls.certificate_file, tls.key_file, password=_no_password)
        except (OSError, ValueError) as error:
            what = getattr(error, "reason", None) or error
            faults.append(f"tls.certificate_file {tls.certificate_file} and tls.key_file do not fit: {what}")
    return faults


def _no_password() -> str:
    """Nobody is asked for the password of a key: OpenSSL would read the terminal."""
    message = "the key is encrypted"
    raise ValueError(message)


@functools.lru_cache(maxsize=32)
def context_for(tls: Tls) -> ssl.SSLContext | None:
    """The process's context for this setting; None where TLS is off.

    Raises `OSError` (`ssl.SSLError` among them) where a file of it cannot be read or used.
    """
    if tls.mode is TlsMode.OFF:
        return None
    context = ssl.create_default_context(cafile=tls.ca_file)
    context.sslsocket_class = BoundedTlsSocket
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.mode is TlsMode.UNVERIFIED:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.lenient_x509:
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if tls.certificate_file:
        context.load_cert_chain(tls.certificate_file, tls.key_file, password=_no_password)
    return context
