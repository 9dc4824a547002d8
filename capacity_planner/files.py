"""Files that users name: read with a bound, and replaced as a whole or not at all."""

import contextlib
import os
import secrets
from pathlib import Path


class Unreadable(ValueError):  # noqa: N818 - a finding about what the user named, not an accident
    """A file that cannot be read as text; the message names it and says why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} cannot be read: {reason}")


def read_text(path: Path, *, most_bytes: int) -> str:
    """The text of a UTF-8 file, without its byte order mark. Raises `Unreadable`."""
    try:
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)  # not a byte more: the path may be a device without an end
        if len(data) > most_bytes:
            raise Unreadable(path, f"it is larger than {most_bytes // 2**20} MiB")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise Unreadable(path, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise Unreadable(path, f"it is not UTF-8 (byte {error.start})") from error


def write_aside(path: Path, text: str) -> None:
    """Replace a file by `text`: written beside it, then renamed, so that what stood there is never damaged.

    The mode of a file that is there stays; a link is followed. Raises `OSError`.
    """
    target = path.resolve()
    aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with aside.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            aside.chmod(target.stat().st_mode & 0o7777)
        aside.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise
