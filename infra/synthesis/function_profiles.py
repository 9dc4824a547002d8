"""Profiles of the adapters in functions' environments: the endpoint and the budget are the topology's own figures."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..artefacts.function_access import AccessShape, ReachShape

_PLACE = "fig-on-premises-host"


def profiles(
    access: AccessShape, ports: Mapping[str, int], host: Any, reserved: int | None
) -> Iterator[tuple[str, Any]]:
    """`ADAPTERS_DATABASE_<NAME>` and `ADAPTERS_SERVICE_<NAME>` for each named target, as text for `Fn::Sub`.

    `budget.environments` is the function's reserved concurrency, as the planner has it.
    """
    for kind, reaches in (("DATABASE", access.databases), ("SERVICE", access.services)):
        for name, reach in reaches.items():
            text = json.dumps(_profile(reach, ports[reach.target], reserved), separators=(",", ":"))
            words = text.replace("${", "${!").replace(_PLACE, "${Host}")
            yield f"ADAPTERS_{kind}_{name}".upper().replace("-", "_"), {"Fn::Sub": [words, {"Host": host}]}


def _profile(reach: ReachShape, port: int, reserved: int | None) -> dict[str, Any]:
    figures = {"environments": reserved, "connections": reach.connections}
    budget = {key: value for key, value in figures.items() if value}
    more = {"budget": budget} if budget else {}
    return {"endpoints": [{"host": _PLACE, "port": port}], **reach.profile, **more}
