"""The topology that the tests share: made by the commands that users run, synthesised once for all workers."""

import fcntl
import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import fig as command_line

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Done:
    """What a command came to."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Topology:
    """The artefacts and the templates of one topology."""

    folder: Path

    @property
    def plan(self) -> Path:
        """The planner's plan."""
        return self.folder / "plan.json"

    @property
    def capacity(self) -> Path:
        """The planner's verdicts."""
        return self.folder / "capacity.json"

    @property
    def estate(self) -> Path:
        """The router's normal form of the estate."""
        return self.folder / "estate.json"

    @property
    def templates(self) -> Path:
        """The folder of the templates."""
        return self.folder / "templates"

    @property
    def planned(self) -> tuple[str, ...]:
        """The options that name plan and verdicts."""
        return ("--plan", str(self.plan), "--capacity", str(self.capacity))

    def template(self, name: str) -> dict[str, Any]:
        """A stack's template."""
        read: dict[str, Any] = json.loads((self.templates / f"{name}.json").read_text(encoding="utf-8"))
        return read

    def of(self, name: str, type_: str) -> list[dict[str, Any]]:
        """The properties of one type's resources in a stack."""
        found = self.template(name)["Resources"].values()
        return [one.get("Properties", {}) for one in found if one["Type"] == type_]


def fig(*arguments: str) -> Done:
    """Run `fig` in this process, through the entry point that the installed command has."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["fig", *arguments])
        try:
            command_line.main()
        except SystemExit as end:
            return Done(end.code if isinstance(end.code, int) else 0, out.getvalue(), err.getvalue())
    return Done(0, out.getvalue(), err.getvalue())


def artefacts(folder: Path) -> Topology:
    """The planner's and the router's artefacts, made by their own commands."""
    made = Topology(folder)
    folder.mkdir(parents=True, exist_ok=True)
    demand = str(HERE / "demand.yaml")
    _must("cidr", "plan", demand, "-o", str(made.plan))
    _must("cidr", "verdict", demand, "-o", str(made.capacity))
    _must("compile", str(HERE / "estate.yaml"), "-o", str(folder / "compiled"))
    (snapshot,) = (folder / "compiled").glob("*/estate.json")
    made.estate.write_bytes(snapshot.read_bytes())
    return made


def synthesised(base: Path) -> Topology:
    """The topology below `base`, made by whoever comes first; the others wait for it."""
    folder = base / "topology"
    with (base / "topology.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = Topology(folder)
        if not (made.templates / "stacks.json").exists():
            artefacts(folder)
            inputs = ("--estate", str(made.estate), "--settings", str(HERE / "infra.yaml"))
            _must("infra", "synth", *made.planned, *inputs, "-o", str(made.templates))
    return made


def _must(*arguments: str) -> Done:
    done = fig(*arguments)
    assert done.code == 0, done.stderr
    return done
