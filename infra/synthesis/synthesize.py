"""Inputs become templates, each the text of a CloudFormation stack, and the list of them in the order of deployment."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..artefacts import Inputs
from . import node
from .errors import SynthesisFailed


@dataclass(frozen=True, slots=True)
class Template:
    """One stack's template: its name, what it is for, its text."""

    name: str
    title: str
    text: str


def synthesize(inputs: Inputs) -> tuple[Template, ...]:
    """The templates of the topology, in the order of deployment. Raises `ModuleNotFoundError` without the extra."""
    node.prepare()
    import aws_cdk as cdk  # noqa: PLC0415 - jsii starts Node on import, which has to be chosen first

    from .stacks import Builder  # noqa: PLC0415 - imports aws_cdk

    with tempfile.TemporaryDirectory(prefix="fig-infra-") as folder:
        app = cdk.App(outdir=folder, analytics_reporting=False, tree_metadata=False)
        built = Builder(app, inputs).build()
        try:
            app.synth()
        except RuntimeError as error:
            message = f"the CDK refused the topology: {error}"
            raise SynthesisFailed(message) from error
        return tuple(Template(one.name, one.title, _text(Path(folder) / f"{one.name}.template.json")) for one in built)


def write(templates: tuple[Template, ...], folder: Path) -> None:
    """Write the templates and `stacks.json`, their order; templates of stacks that are no more are removed.

    All are written aside first: where the disk is full, the folder stays what it was.
    """
    names = {f"{one.name}.json" for one in templates}
    order = {"version": 1, "stacks": [{"name": one.name, "title": one.title} for one in templates]}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stale = _listed(folder) - names
        with tempfile.TemporaryDirectory(prefix=".fig-", dir=folder) as aside:
            for one in templates:
                (Path(aside) / f"{one.name}.json").write_text(one.text, encoding="utf-8")
            (Path(aside) / "stacks.json").write_text(json.dumps(order, indent=2) + "\n", encoding="utf-8")
            for name in (*names, "stacks.json"):
                (Path(aside) / name).replace(folder / name)
        for name in stale:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        message = f"{folder} cannot be written: {error.strerror or error}"
        raise SynthesisFailed(message) from error


def _listed(folder: Path) -> set[str]:
    """The files of the stacks that stand in a folder's list; others in it are not ours to remove."""
    try:
        stacks = json.loads((folder / "stacks.json").read_text(encoding="utf-8"))["stacks"]
        return {f"{Path(one['name']).name}.json" for one in stacks}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _text(path: Path) -> str:
    return json.dumps(json.loads(path.read_text(encoding="utf-8")), indent=1) + "\n"
