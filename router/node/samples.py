"""Envoy's counters as Prometheus' text, the one format of its admin interface in which tags stay apart from names."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

_NAMED = re.compile(r"^envoy_(\w+)\{(.*)\}$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_NOT_IN_A_LABEL = re.compile(r"\W")
_BOUND = ',le="'
_INFINITE = "+Inf"
_REMEMBERED = 65_536
"""Names with their tags, which are the same in every reading: to take them apart is most of the work."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One counter, or one histogram: its name with underscores, its tags, its value.

    Of a histogram, whose name ends in `_bucket`, the value is how many there are, and `counts` how many lie at or below
    each of `bounds`.
    """

    name: str
    labels: Mapping[str, str]
    value: int
    bounds: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()

    def tag(self, name: str) -> str:
        """The value of the tag that is named so in the configuration; "" where the request had none."""
        value = self.labels.get(_label(name), "")
        return "" if value == "-" else value


def target(pattern: str) -> str:
    """The question for the counters whose names match the regular expression."""
    return f"/stats?format=prometheus&filter={quote(pattern)}"


def samples(text: bytes) -> Iterator[Sample]:
    """The samples in Envoy's answer. The buckets of a histogram stand one below the other, the infinite one last."""
    bounds, counts = list[str](), list[int]()
    for line in text.decode(errors="replace").split("\n"):
        key, _, value = line.rpartition(" ")
        if not value.isdecimal():
            continue
        head, _, bound = key.rpartition(_BOUND)
        if not head:
            if named := _named(key):
                yield Sample(*named, int(value))
            continue
        bounds.append(bound[:-2])
        counts.append(int(value))
        if bounds[-1] == _INFINITE:
            if named := _named(f"{head}}}"):
                yield Sample(*named, counts[-1], _bounds(tuple(bounds[:-1])), tuple(counts[:-1]))
            bounds, counts = [], []


@lru_cache(maxsize=_REMEMBERED)
def _named(key: str) -> tuple[str, Mapping[str, str]] | None:
    """The name and its tags; None for what Envoy does not say of itself."""
    found = _NAMED.match(key)
    return (found[1], dict(_LABEL.findall(found[2]))) if found else None


@lru_cache(maxsize=16)
def _bounds(texts: tuple[str, ...]) -> tuple[float, ...]:
    return tuple(map(float, texts))


@lru_cache(maxsize=256)
def _label(name: str) -> str:
    return _NOT_IN_A_LABEL.sub("_", name)
