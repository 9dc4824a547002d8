"""The addresses where the entry was before: served on for a while, because the VIP follows at its own pace.

A former entry is the present one, with its filters, so that nothing passes there unauthorised, but reached as the VIP
still reaches it: address, PROXY protocol, TLS, the client's address and the monitor's path are those of before. They
are kept on disk, so that an Envoy that is started again listens there, too.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..estate import Endpoint
from ..snapshot.names import is_entry_listener
from .entry_address import check_entry
from .errors import Rejection
from .report import Problems
from .resources import Resource, resources_in, response
from .state_directory import StateDirectory, replace_file

Json = dict[str, Any]
_BEFORE_HTTP = ("listener_filters", "listener_filters_timeout", "continue_on_listener_filters_timeout")
_CLIENT = (
    "use_remote_address",
    "xff_num_trusted_hops",
    "original_ip_detection_extensions",
    "skip_xff_append",
    "internal_address_config",
    "forward_client_cert_details",
    "set_current_client_cert_details",
)
_MONITOR = "envoy.filters.http.health_check"


@dataclass(frozen=True, slots=True)
class _Former:
    """An entry as it was, and until when it is served, in seconds since 1970."""

    listener: Json
    until: float

    @property
    def address(self) -> Endpoint:
        place = self.listener["address"]["socket_address"]
        return Endpoint(place["address"], place["port_value"])


class FormerEntries:
    """The former entries of one node; `keep_seconds` is how long the VIP has to follow."""

    def __init__(
        self,
        state: StateDirectory,
        *,
        keep_seconds: float,
        problems: Problems,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._state = state
        self._problems = problems
        self._keep_seconds = keep_seconds
        self._clock = clock
        self._path = state.root / "former-entries.json"
        self._known: dict[str, _Former] = {}
        self._keep(self._read())

    @contextmanager
    def moving(self, old: str | None, new: str) -> Iterator[None]:
        """In the block the entry moves from where the snapshot `old` has it to where `new` has it, if that differs.

        Raises `Rejection` when the new snapshot has no entry, or `OSError`.
        """
        before = after = _entry(self._state.snapshots / new / Resource.LISTENERS.file)
        if old is not None:
            with suppress(Rejection, OSError):  # of a damaged snapshot nothing is remembered
                before = _entry(self._state.snapshots / old / Resource.LISTENERS.file)
        known = {name: one for name, one in self._known.items() if name != after["name"] and not self._is_over(one)}
        if before["name"] != after["name"]:
            known[before["name"]] = _Former(before, self._clock() + self._keep_seconds)
        self._keep(known)
        try:
            yield
        except BaseException:
            self._keep({name: one for name, one in self._known.items() if name != before["name"]})
            raise

    def with_them(self, listeners: Path) -> Path:
        """The listeners with the former entries: the file itself when there are none, else one beside it.

        Raises as `moving` does.
        """
        present = [one for one in self._known.values() if not self._is_over(one)]
        if not present:
            return listeners
        entry = _entry(listeners)
        former = {one.listener["name"]: _as_before(entry, one.listener) for one in present}
        former.pop(entry["name"], None)
        if not former:
            return listeners
        kept = [one for one in resources_in(listeners) if one["name"] not in former]
        data = response([*kept, *former.values()])
        path = self._state.transition / f"{json.loads(data)['version_info'].removeprefix('transition-')}-listeners.json"
        if not path.exists() or path.read_bytes() != data:
            replace_file(path, data)
        return path

    def listens_at(self, address: Endpoint) -> bool:
        """Whether a former entry is served at that address."""
        return any(one.address == address for one in self._known.values())

    def is_over(self) -> bool:
        """Whether the time of one of them is over, so that `with_them` leaves it out and Envoy may still have it."""
        return any(self._is_over(one) for one in self._known.values())

    def forget(self) -> None:
        """Forget those whose time is over. Raises `OSError`."""
        self._keep({name: one for name, one in self._known.items() if not self._is_over(one)})

    def forget_taken(self) -> None:
        """Before a start: forget those, too, on whose address somebody else listens. Raises `OSError`."""
        self.forget()
        self._keep({name: one for name, one in self._known.items() if not _is_taken(one.address)})

    def _is_over(self, one: _Former) -> bool:
        return one.until <= self._clock()

    def _keep(self, known: dict[str, _Former]) -> None:
        if known != self._known:
            content = [{"until": one.until, "listener": one.listener} for one in known.values()]
            replace_file(self._path, json.dumps(content).encode())
        self._known = known
        told = [f"{one.address} until {datetime.fromtimestamp(one.until, UTC):%H:%M:%S} UTC" for one in known.values()]
        if told:
            text = f"the entry is also served where it was before, let the VIP follow: {', '.join(told)}"
            self._problems.note("former entry", text)
        else:
            self._problems.mend("former entry")

    def _read(self) -> dict[str, _Former]:
        try:
            found = [_Former(one["listener"], float(one["until"])) for one in json.loads(self._path.read_bytes())]
            return {str(one.listener["name"]): one for one in found if one.address}
        except (OSError, ValueError, KeyError, TypeError):
            return {}  # never written, or damaged: the entry is where the snapshot has it, which is what counts


def _is_taken(address: Endpoint) -> bool:
    try:
        check_entry(address)
    except Rejection:
        return True
    return False


def _entry(listeners: Path) -> Json:
    try:
        return next(one for one in resources_in(listeners) if is_entry_listener(one["name"]))
    except (ValueError, StopIteration) as error:
        message = f"{Resource.LISTENERS.file}: there is no entry in it"
        raise Rejection(message) from error


def _as_before(present: Json, former: Json) -> Json:
    """The present entry, reached as the former one was."""
    manager = next(_managers(present))
    chains = []
    for chain in former["filter_chains"]:
        before = next(_managers({"filter_chains": [chain]}))["typed_config"]
        now = {name: value for name, value in manager["typed_config"].items() if name not in _CLIENT}
        now |= {name: before[name] for name in _CLIENT if name in before}
        now["http_filters"] = [
            *(one for one in before["http_filters"] if one["name"] == _MONITOR),
            *(one for one in now["http_filters"] if one["name"] != _MONITOR),
        ]
        filters = [
            {**manager, "typed_config": now} if one["name"] == manager["name"] else one for one in chain["filters"]
        ]
        chains.append({**chain, "filters": filters})
    kept = {name: value for name, value in present.items() if name not in _BEFORE_HTTP}
    before_http = {name: former[name] for name in _BEFORE_HTTP if name in former}
    return {**kept, **before_http, "name": former["name"], "address": former["address"], "filter_chains": chains}


def _managers(listener: Json) -> Iterator[Json]:
    for chain in listener["filter_chains"]:
        for one in chain["filters"]:
            if "http_filters" in one["typed_config"]:
                yield one
