"""What real emitters send, as rows: golden files, so that a change of names is seen."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from observability.normalise.bounds import Clock
from observability.normalise.logs import logs_batch
from observability.normalise.metrics import metrics_batch
from observability.normalise.minutes import RouteNames
from observability.normalise.spans import spans_batch
from observability.receive.decode import JSON, PROTOBUF, decoded
from observability.tables import TABLES, Batch
from tests.observability.telemetry import CAPTURED, PAYLOADS

CASES = sorted((Path(__file__).parents[1] / "golden").glob("*.txt"))
_MAX_ROWS = 12


def batch_of(name: str) -> Batch:
    """The rows of a captured payload."""
    body = (PAYLOADS / name).read_bytes()
    stem, _, form = name.rpartition(".")
    signal = stem.rpartition("-")[2]
    message, clock = decoded(signal, JSON if form == "json" else PROTOBUF, body), Clock(CAPTURED)
    match signal:
        case "traces":
            return spans_batch(message, clock, RouteNames(), len(body))
        case "logs":
            return logs_batch(message, clock, RouteNames(), len(body))
        case _:
            return metrics_batch(message, clock, len(body))


def as_text(name: str) -> str:
    """The first rows of each table, without what is empty."""
    lines = []
    for table, rows in batch_of(name.strip()).rows.items():
        columns = TABLES.tables[table].columns.keys()
        lines.append(f"{table}: {len(rows)}")
        for row in rows[:_MAX_ROWS]:
            full = {key: value for key, value in zip(columns, row, strict=True) if value not in ("", [], {}, None)}
            lines.append(json.dumps(full, sort_keys=True, ensure_ascii=False))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_real_payloads(case: Path, golden: Callable[[Path, Callable[[str], str]], None]) -> None:
    """A payload that a real emitter sent becomes these rows."""
    golden(case, as_text)


@pytest.mark.parametrize("name", sorted(path.name for path in PAYLOADS.iterdir()))
def test_no_planted_secret_is_in_the_rows(name: str) -> None:
    """The secrets that were planted in the requests and records are nowhere in the rows."""
    text = json.dumps(list(batch_of(name).rows.values()))
    for secret in ("planted-secret", "jane@bank.example", "4111 1111 1111 1111", "'Jane'"):
        assert secret not in text


def test_the_payloads_do_carry_them() -> None:
    """The secrets really are in the payloads: what is not there cannot be taken out."""
    everything = b"".join(path.read_bytes() for path in PAYLOADS.iterdir())
    for secret in (b"planted-secret", b"jane@bank.example", b"4111 1111 1111 1111", b"'Jane'"):
        assert secret in everything
