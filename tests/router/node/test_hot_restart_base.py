"""The number that two Envoys of one node share: Envoy makes the names of its sockets from it."""

from pathlib import Path

from router.node.hot_restart import base_id

_LARGEST = (1 << 31) - 1
"""Envoy multiplies the number by ten, adds an epoch of at most two, and has 32 bits with a sign for it."""


def test_every_base_id_keeps_its_sockets_names(tmp_path: Path) -> None:
    """A higher number names the sockets after another one, so that the second hand-over of a node ends in an abort."""
    folders = [tmp_path / str(number) for number in range(200)]
    for folder in folders:
        folder.mkdir()
    found = {base_id(folder) for folder in folders}
    assert len(found) == len(folders)
    assert all(one >= 1 and one * 10 + 2 <= _LARGEST for one in found)
