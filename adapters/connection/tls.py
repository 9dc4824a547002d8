"""One verifying TLS context for each setting and process: making one takes up to 32 ms, using one 2.

The name that is verified is the target's own, whatever host the socket goes to: an endpoint or a proxy on the way has
another name. Nothing falls back to a connection that is not verified.
"""

import functools
import ssl

from ..profiles.values import Tls, TlsMode
from .sockets import BoundedTlsSocket


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
        context.load_cert_chain(tls.certificate_file, tls.key_file)
    return context
