"""What tests and demos see and switch: `GET /_local/functions`, `POST /_local/faults/<function>`.

Loopback tools on the API's own port; they need no signature, because they decide nothing outside this process.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import unquote

from strangler_fig.documents import did_you_mean

from .fault import Fault
from .http_server import Exchange
from .invoke_api import Served

ROOT = "/_local/"

_FAULTS = ROOT + "faults/"


def serve(served: Mapping[str, Served], exchange: Exchange) -> None:
    """Answer a request below `/_local/`."""
    if exchange.method == "GET" and exchange.target == f"{ROOT}functions":
        _send(exchange, 200, {"functions": {name: _state(one) for name, one in sorted(served.items())}})
    elif exchange.method == "POST" and exchange.target.startswith(_FAULTS):
        name = unquote(exchange.target[len(_FAULTS) :])
        if name not in served:
            _refuse(exchange, 404, f"no function {name!r}", did_you_mean(name, served))
        else:
            _set_fault(served[name], exchange)
    else:
        _refuse(exchange, 404, f"no such path: {exchange.target}", f"{ROOT}functions, {_FAULTS}<function>")


def _set_fault(served: Served, exchange: Exchange) -> None:
    try:
        wanted = json.loads(exchange.body or b"null")
    except (ValueError, RecursionError):
        wanted = None
    if not isinstance(wanted, dict) or wanted.keys() - {"fail", "count"}:
        _refuse(exchange, 400, "the body is not a fault", 'as in {"fail": "throttle", "count": 3}')
        return
    kinds = {fault.value: fault for fault in Fault}
    kind, count = wanted.get("fail"), wanted.get("count")
    if not isinstance(kind, str) or kind not in kinds:
        _refuse(exchange, 400, f"no fault {kind!r}", f"known: {', '.join(sorted(kinds))}")
    elif count is not None and (type(count) is not int or count < 0):
        _refuse(exchange, 400, f"count is {count!r}", "a whole number of invocations, or null for all")
    else:
        served.faults.set(kinds[kind], count)
        _send(exchange, 200, {"fail": served.faults.fault.value, "count": served.faults.remaining})


def _state(served: Served) -> dict[str, Any]:
    function = served.function
    return {
        **asdict(function.counts),
        "in_flight": function.in_flight,
        "events": served.events.size,
        "environments": len(function.process_ids),
        "process_ids": sorted(function.process_ids),
        "fail": served.faults.fault.value,
    }


def _refuse(exchange: Exchange, status: int, message: str, hint: str) -> None:
    _send(exchange, status, {"error": {"code": "local", "message": message, "hint": hint}})


def _send(exchange: Exchange, status: int, document: Mapping[str, Any]) -> None:
    exchange.answer(status, {"Content-Type": "application/json"}, json.dumps(document, indent=2).encode() + b"\n")
