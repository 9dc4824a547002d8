"""Reads a release's text as control does: when it is started, against the published estate; later on, as it was."""

from ..estate import Estate
from ..release.values import Release


def read_release(text: str, estate: Estate | None) -> Release:
    """The release in the text; without an estate nothing is checked against one. Raises `Refused`."""
    from ..release.load import load_release  # noqa: PLC0415 - heavy, and needed only where a release runs

    return load_release(text, file="release", estate=estate).release_or_refused()


def read_stored(text: str) -> Release:
    """The release in a text of the ledger, which was checked when it was started. Raises `Refused`."""
    from ..release.load import load_release  # noqa: PLC0415 - heavy, and needed only where a release runs

    return load_release(text, file="release", estate=None, is_stored=True).release_or_refused()
