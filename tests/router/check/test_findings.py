"""What `fig check` says about estate files, case by case."""

from collections.abc import Callable
from pathlib import Path

import pytest

from router.source.load import load_estate
from tests.golden.cases import cases


def findings(text: str) -> str:
    loaded = load_estate(text, file="estate.yaml", environment={})
    return "".join(f"{finding}\n" for finding in loaded.diagnostics)


@pytest.mark.parametrize("case", cases("check"), ids=lambda case: case.stem)
def test_findings(case: Path, golden: Callable[[Path, Callable[[str], str]], None]) -> None:
    """An estate file gives exactly the findings of its golden case: place, code, what was found, what to do."""
    golden(case, findings)
