"""A certificate authority in a folder, and the certificates that it makes, all by openssl."""

import ssl
import subprocess
from pathlib import Path


class Authority:
    """A certificate authority in a folder, made with openssl."""

    def __init__(self, folder: Path, *, days: int = 2) -> None:
        folder.mkdir()
        self.folder = folder
        self.ca = folder / "ca.pem"
        subject = ("-subj", "/CN=Test CA", "-addext", "basicConstraints=critical,CA:TRUE")
        openssl("req", "-x509", *fresh_key(folder / "ca.key"), "-out", self.ca, "-days", str(days), *subject)

    def pair(self, name: str, *, days: int = 2) -> tuple[Path, Path]:
        """A new certificate for `name` and its key; a negative number of days is in the past."""
        key, request, certificate = (self.folder / f"{name}.{kind}" for kind in ("key", "csr", "pem"))
        openssl(
            "req", *fresh_key(key), "-out", request, "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"
        )
        signing = ("-CA", self.ca, "-CAkey", self.folder / "ca.key", "-CAcreateserial", "-copy_extensions", "copyall")
        openssl("x509", "-req", "-in", request, *signing, "-days", str(days), "-out", certificate)
        return certificate, key

    def server(self, name: str) -> ssl.SSLContext:
        """A server's context with a certificate for `name`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.pair(name))
        return context


def fresh_key(path: Path) -> tuple[str | Path, ...]:
    """The options of openssl that make a new key there."""
    return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path)


def openssl(*arguments: str | Path) -> None:
    """Run Debian's openssl."""
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)  # noqa: S607 - as above
