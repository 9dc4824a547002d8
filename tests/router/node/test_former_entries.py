"""The entry at its former address: the present rules behind what the VIP still speaks there."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from router.estate import Endpoint
from router.node.errors import Rejection
from router.node.former_entries import FormerEntries
from router.node.report import Problems
from router.node.state_directory import StateDirectory
from router.snapshot.directory import write
from router.snapshot.manifest import Snapshot

from .snapshots import changed, snapshot

PORTS = (8080, 8001, 8002)
MOVED = (8081, 8001, 8002)


class Now:
    """A clock that stands where it was put."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.seconds


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    directory = StateDirectory(tmp_path)
    directory.prepare()
    return directory


def _entries(state: StateDirectory, now: Now) -> FormerEntries:
    return FormerEntries(state, keep_seconds=60, problems=Problems(), clock=now)


def _stored(state: StateDirectory, one: Snapshot) -> Path:
    return write(one, state.snapshots) / "listeners.json"


def _listeners(path: Path) -> dict[str, Any]:
    return {one["name"]: one for one in json.loads(path.read_bytes())["resources"]}


def _manager(listener: Any) -> Any:
    return listener["filter_chains"][0]["filters"][0]["typed_config"]


def _as_an_older_vip_speaks(content: Any) -> Any:
    """The entry as one behind a VIP that speaks TLS and the PROXY protocol, and whose monitor has a path of its own."""
    entry = next(one for one in content["resources"] if one["name"].startswith("entry-"))
    entry["listener_filters"] = [{"name": "proxy"}]
    entry["filter_chains"][0]["transport_socket"] = {"name": "tls"}
    manager = _manager(entry)
    manager["xff_num_trusted_hops"] = 1
    manager["http_filters"].insert(0, {"name": "envoy.filters.http.health_check", "typed_config": {"old": "path"}})
    return content


def _with_rules(content: Any) -> Any:
    """The entry with a filter more and a limit of its own."""
    entry = next(one for one in content["resources"] if one["name"].startswith("entry-"))
    _manager(entry)["http_filters"].insert(0, {"name": "authorise"})
    _manager(entry)["max_request_headers_kb"] = 7
    return content


def test_a_former_entry_has_the_present_rules_behind_what_the_vip_still_speaks(state: StateDirectory) -> None:
    """Filters and limits are the present ones; address, PROXY protocol, TLS, client and monitor those of before."""
    old = changed(snapshot(PORTS), "listeners.json", _as_an_older_vip_speaks)
    new = changed(snapshot(MOVED), "listeners.json", _with_rules)
    former = _entries(state, Now())
    before, after = _stored(state, old), _stored(state, new)
    with former.moving(old.digest, new.digest):
        shown = _listeners(former.with_them(after))
    assert list(shown) == [*_listeners(after), "entry-127.0.0.1:8080"]
    expected = copy.deepcopy(_listeners(after)["entry-127.0.0.1:8081"])
    was = _listeners(before)["entry-127.0.0.1:8080"]
    expected |= {key: was[key] for key in ("name", "address", "listener_filters")}
    expected["filter_chains"][0]["transport_socket"] = {"name": "tls"}
    _manager(expected)["xff_num_trusted_hops"] = 1
    _manager(expected)["http_filters"].insert(0, _manager(was)["http_filters"][0])
    assert shown["entry-127.0.0.1:8080"] == expected
    assert [one["name"] for one in _manager(expected)["http_filters"][:2]] == [
        "envoy.filters.http.health_check",
        "authorise",
    ]


def test_it_is_served_for_its_time_whoever_serves(state: StateDirectory) -> None:
    """Another agent on the same directory knows it too; when its time is over it is left out, and then forgotten."""
    now = Now()
    old, new = snapshot(PORTS), snapshot(MOVED)
    _stored(state, old)
    after = _stored(state, new)
    with _entries(state, now).moving(old.digest, new.digest):
        pass
    former = _entries(state, now)
    assert former.listens_at(Endpoint("127.0.0.1", 8080))
    assert "entry-127.0.0.1:8080" in _listeners(former.with_them(after))
    assert not former.is_over()
    now.seconds += 60
    assert former.is_over()
    assert former.with_them(after) == after
    former.forget()
    assert not former.is_over()
    assert not _entries(state, now).listens_at(Endpoint("127.0.0.1", 8080))


def test_the_way_back_makes_the_former_entry_the_present_one(state: StateDirectory) -> None:
    """After a move and the way back the entry is at its first address once, and the second is the former one."""
    old, new = snapshot(PORTS), snapshot(MOVED)
    before, _ = _stored(state, old), _stored(state, new)
    former = _entries(state, Now())
    with former.moving(old.digest, new.digest):
        pass
    with former.moving(new.digest, old.digest):
        pass
    assert list(_listeners(former.with_them(before))) == [*_listeners(before), "entry-127.0.0.1:8081"]


def test_a_move_that_fails_leaves_nothing(state: StateDirectory) -> None:
    """When the new snapshot is not taken, neither address counts as a former one."""
    old, new = snapshot(PORTS), snapshot(MOVED)
    before, _ = _stored(state, old), _stored(state, new)
    former = _entries(state, Now())
    with pytest.raises(Rejection), former.moving(old.digest, new.digest):
        raise Rejection
    assert former.with_them(before) == before
    assert not _entries(state, Now()).listens_at(Endpoint("127.0.0.1", 8080))


def test_a_damaged_file_is_as_none(state: StateDirectory) -> None:
    """What cannot be read is not served, and does not keep a node from serving the rest."""
    (state.root / "former-entries.json").write_text('[{"until": 5}]')
    now = Now()
    one = snapshot(PORTS)
    listeners = _stored(state, one)
    assert _entries(state, now).with_them(listeners) == listeners
