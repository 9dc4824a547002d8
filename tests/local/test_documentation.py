import re
from pathlib import Path

from infra.local.functions.fault import Fault
from infra.local.functions.functions_file import load_functions

GUIDE = (Path(__file__).parents[2] / "docs" / "local-lambda.md").read_text()


def test_the_guides_file_loads(folder: Path) -> None:
    """The example of a file in the guide is one."""
    (folder / "functions" / "books").mkdir(parents=True)
    text = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)[0]
    environment = {"LAMBDA_SECRET": "s", "LAMBDA_TOKEN": "t"}
    loaded = load_functions(text, file="lambda.yaml", folder=folder, environment=environment)
    assert loaded.settings, loaded.diagnostics
    assert loaded.settings.functions["books"].timeout_seconds == 5


def test_the_guide_names_every_fault() -> None:
    """Each fault of the switch is in the guide's table."""
    assert [fault.value for fault in Fault if f"`{fault.value}`" not in GUIDE] == []
