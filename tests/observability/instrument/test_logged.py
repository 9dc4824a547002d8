"""Log lines with the trace that they belong to, whatever handlers and extras there are."""

import io
import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from aws_lambda_powertools import Logger

from observability.instrument.encode import Record
from observability.instrument.logged import Keeping, mark, severity

CONTEXT = SimpleNamespace(is_valid=True, trace_id=5, span_id=6, trace_flags=1)


class Lines:
    """A Powertools Logger that writes to memory, and what a collector would get."""

    def __init__(self, name: str) -> None:
        self.stream = io.StringIO()
        self.kept: list[Record] = []
        self.keeping = Keeping(lambda: CONTEXT, self.kept.append)
        self.filters: list[logging.Filter] = []
        self.logger = Logger(service=name, stream=self.stream)

    def listen(self) -> None:
        """What an invocation does at its begin."""
        mark(lambda: CONTEXT, self.keeping, self.filters)

    def printed(self) -> list[dict[str, str]]:
        """What was printed."""
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def lines(request: pytest.FixtureRequest) -> Iterator[Lines]:
    found = Lines(request.node.name)
    yield found
    for logger in (logging.root, *logging.root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            logger.removeHandler(found.keeping)
            for handler in logger.handlers:
                for one in found.filters:
                    handler.removeFilter(one)


def test_what_the_user_says_himself_stays(lines: Lines) -> None:
    """A key of the same name in `extra` is the user's, and no error."""
    lines.listen()
    lines.logger.info("mine", extra={"trace_id": "own"})
    lines.logger.info("ours", extra={"book": 7})
    mine, ours = lines.printed()
    assert (mine["trace_id"], ours["trace_id"], ours["span_id"]) == ("own", f"{5:032x}", f"{6:016x}")
    assert [one.attributes.get("book") for one in lines.kept] == [None, 7]
    assert lines.kept[0].trace_id == 5


def test_each_line_is_kept_once(lines: Lines) -> None:
    """However often handlers are looked through, and though two of them lead to the collector."""
    for _ in range(3):
        lines.listen()
    apart = logging.getLogger("apart-of-all")
    apart.propagate = False
    apart.addHandler(logging.NullHandler())
    lines.listen()
    lines.logger.warning("one")
    apart.warning("two")
    logging.getLogger("observability.instrument").warning("of ourselves")
    assert [one.body for one in lines.kept] == ["one", "two"]
    apart.propagate = True


def test_an_exception_is_told_with_its_stack(lines: Lines) -> None:
    """`exc_info` becomes OpenTelemetry's attributes of exceptions."""
    lines.listen()
    try:
        raise KeyError("book")  # noqa: EM101, TRY301 - what is logged
    except KeyError:
        lines.logger.exception("no book")
    (record,) = lines.kept
    assert (record.attributes["exception.type"], record.severity) == ("KeyError", 17)
    assert "Traceback" in record.attributes["exception.stacktrace"]


@pytest.mark.parametrize(
    ("level", "number"), [(0, 0), (5, 1), (10, 5), (20, 9), (25, 12), (30, 13), (40, 17), (50, 21), (99, 24)]
)
def test_severities(level: int, number: int) -> None:
    """Python's levels have OpenTelemetry's numbers, those between them lie between."""
    assert severity(level) == number
