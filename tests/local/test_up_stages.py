"""The processes of `fig up`: what each of them is told."""

from pathlib import Path

import pytest

from infra.local.estate_run.local_file import LocalFile, LocalLambda
from infra.local.estate_run.run_file import ControlAddress
from infra.local.estate_run.stages import Plan, first, node

KEYS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
OWN = {"AWS_ACCESS_KEY_ID": "mine", "AWS_SECRET_ACCESS_KEY": "too"}


@pytest.mark.parametrize(
    ("has_lambda", "own", "told"),
    [(True, {}, KEYS), (True, OWN, OWN), (False, {}, {})],
)
def test_whoever_calls_the_local_lambda_has_keys(
    tmp_path: Path, *, has_lambda: bool, own: dict[str, str], told: dict[str, str]
) -> None:
    """Envoy and control (which makes warm calls) sign by the user's keys, or by any where there are none."""
    functions = LocalLambda(functions=tmp_path / "lambda.yaml", port=9002) if has_lambda else None
    plan = Plan(
        estate=tmp_path / "estate.yaml",
        entry="127.0.0.1:8080",
        state=tmp_path,
        local=LocalFile(folder=tmp_path, local_lambda=functions),
        environment=own,
        chosen={},
        ports={},
        is_observed=False,
    )
    control = next(one for one in first(plan) if one.name == "control")
    address = ControlAddress(url="http://127.0.0.1:1", token="t")  # noqa: S106 - it opens nothing
    for spec in (control, node(plan, address)):
        assert {name: value for name, value in spec.environment.items() if name in KEYS} == told, spec.name
