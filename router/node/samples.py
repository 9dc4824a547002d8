"""Envoy's counters as Prometheus' text, the one format of its admin interface in which tags stay apart from names."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

_SAMPLE = re.compile(r"^envoy_(\w+)\{(.*)\} (\d+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_NOT_IN_A_LABEL = re.compile(r"\W")


@dataclass(frozen=True, slots=True)
class Sample:
    """One counter, or one bucket of a histogram: its name with underscores, its tags, its value."""

    name: str
    labels: Mapping[str, str]
    value: int

    def tag(self, name: str) -> str:
        """The value of the tag that is named so in the configuration; "" where the request had none."""
        value = self.labels.get(_NOT_IN_A_LABEL.sub("_", name), "")
        return "" if value == "-" else value


def target(pattern: str) -> str:
    """The question for the counters whose names match the regular expression."""
    return f"/stats?format=prometheus&filter={quote(pattern)}"


def samples(text: bytes) -> Iterator[Sample]:
    """The samples in Envoy's answer."""
    for name, labels, value in _SAMPLE.findall(text.decode(errors="replace")):
        yield Sample(name, dict(_LABEL.findall(labels)), int(value))
