"""What a snapshot's TLS needs of its node: read, checked, and put where Envoy reads it.

Each of these raises `Unusable`, whose text is the end of a sentence that names the file; no key is ever in it.
"""

import json
import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ..snapshot.tls_files import AUTHORITIES, CERTIFICATE, KEY, LIST, SYSTEM_CA_FILE, contents, secret, secret_file
from .expiry import Certificate, Unreadable, certificates, soonest

_ANOTHERS = {"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED"}


class Unusable(Exception):  # noqa: N818 - what it says is why
    """What TLS needs cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A secret of Envoy's and the estate's files that it is made of, by what they hold."""

    name: str
    files: Mapping[str, str]

    @property
    def file(self) -> str:
        """The file whose certificates count; a pair's other one is its key."""
        return self.files.get(CERTIFICATE) or self.files[AUTHORITIES]

    @property
    def is_watched_for_expiry(self) -> bool:
        """Whether somebody here answers for its end: not for the authorities that come with the system."""
        return self.file != SYSTEM_CA_FILE

    def mark(self, root: Path) -> tuple[tuple[int, ...], ...]:
        """What changes when a file does; relative paths start from `root`. Raises `Unusable`."""
        return tuple(_mark(root / file) for file in self.files.values())

    def read(self, root: Path) -> "Material":
        """What the files hold now. Raises `Unusable` when it is not whole, or one is not the other's."""
        material = Material(need=self, contents={kind: _read(root / file) for kind, file in self.files.items()})
        material.check()
        return material

    def stored(self, root: Path) -> "Material | None":
        """What Envoy was given last, or None."""
        try:
            found = Material(need=self, contents=contents((root / secret_file(self.name)).read_bytes()))
            found.check()
        except (OSError, ValueError, KeyError, TypeError, Unusable):
            return None  # never written, or damaged: the estate's own files are read again
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """A secret and what it is made of."""

    need: Need
    contents: Mapping[str, bytes]

    @property
    def first_to_end(self) -> Certificate:
        """The certificate that ends first. Raises `Unreadable`."""
        return soonest(self._certificates)

    def check(self) -> None:
        """See that it is whole and that a key is its certificate's. Raises `Unusable`."""
        try:
            certificates(self._certificates)
        except Unreadable as error:
            message = f"cannot be used: {error}"
            raise Unusable(message) from error
        try:
            if AUTHORITIES in self.contents:
                _check_authorities(self.contents[AUTHORITIES])
            else:
                _check_pair(self.contents[CERTIFICATE], self.contents[KEY])
        except ssl.SSLError as error:
            message = f"cannot be used: {self._in_words(error)}"
            raise Unusable(message) from error

    def follows(self, present: "Material | None", now: datetime) -> None:
        """See that it is no step back from what Envoy has. Raises `Unusable`.

        A certificate whose time has not come, or is over, does not take the place of one that holds.
        """
        if present is None or AUTHORITIES in self.contents:
            return
        new, old = (certificates(one.contents[CERTIFICATE])[0] for one in (self, present))
        if old.holds(now) and not new.holds(now):
            message = f"holds from {new.not_before:%Y-%m-%d} to {new.not_after:%Y-%m-%d}, which is not now"
            raise Unusable(message)

    def store(self, root: Path) -> None:
        """Give it to Envoy, whole and for nobody else's eyes. Raises `OSError`."""
        path = root / secret_file(self.need.name)
        fresh = path.with_name(f".{path.name}.new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secret(self.need.name, self.contents))
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)

    def _in_words(self, error: ssl.SSLError) -> str:
        key = self.need.files.get(KEY)
        if error.reason in _ANOTHERS:
            return f"the key in {key} is another certificate's"
        return f"{error.reason.lower().replace('_', ' ')}" if error.reason else f"{key} is damaged or encrypted"

    @property
    def _certificates(self) -> bytes:
        return self.contents.get(CERTIFICATE) or self.contents[AUTHORITIES]


def needs(folder: Path) -> Iterator[Need]:
    """What the TLS of the snapshot in this folder needs; nothing when it has none, or is damaged."""
    try:
        content = json.loads((folder / LIST).read_bytes())
    except (OSError, ValueError):
        return
    for name, files in content.items():
        yield Need(name=name, files=files)


def _check_pair(certificate: bytes, key: bytes) -> None:
    with ExitStack() as stack:
        first, second = (stack.enter_context(_in_memory(data)) for data in (certificate, key))
        # Without a password of ours an encrypted key would be asked for on the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(first, second, lambda: b"")


def _check_authorities(data: bytes) -> None:
    with _in_memory(data) as path:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)


@contextmanager
def _in_memory(data: bytes) -> Iterator[str]:
    """A path to a file that is on no disk: what is checked is what was read, not what is there by now."""
    descriptor = os.memfd_create("tls", os.MFD_CLOEXEC)
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(data)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _mark(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError as error:
        message = f"cannot be read: {error.strerror} ({path})"
        raise Unusable(message) from error
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"cannot be read: {error.strerror} ({path})"
        raise Unusable(message) from error
