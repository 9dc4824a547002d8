"""The values that the demand file's shapes are made of: each type parses its grammar and knows its JSON Schema.

What a shape holds is already the domain's value.
"""

import functools
import ipaddress
import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from ..addresses.block import Block
from . import quantity
from .fault import Fault

NAME = "DM105"
TEXT = "DM106"
BLOCK = "DM107"
ZONE = "DM108"

NAME_PATTERN = "[a-z][a-z0-9-]{0,62}"
ZONE_PATTERN = "[a-z][a-z0-9-]{0,31}"
MOST_SOCKETS = 1_024
"""Source: AWS Lambda Developer Guide, "Lambda quotas": 1,024 file descriptors in an execution environment, 2025."""
_MOST = 1_000_000
_MOST_BYTES = 2**30
_NAME = re.compile(NAME_PATTERN)
_ZONE = re.compile(ZONE_PATTERN)
_KINDS = {bool: "a truth value", int: "a number", float: "a number", list: "a list", dict: "a mapping"}


def refused(fault: Fault) -> PydanticCustomError:
    """The fault as what pydantic collects."""
    return PydanticCustomError(fault.code, "{text}", {"text": fault.message, "hint": fault.hint})


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise refused(Fault(TEXT, f"it is {_KINDS[type(value)]}, not text", "write it as text"))


def _parsed(parse: Callable[[str], Any], *, of_number: bool = False) -> PlainValidator:
    """Validate by `parse`; with `of_number` a bare number goes there too, whose message asks for the unit.

    What was parsed is remembered: thousands of functions share a few rates, durations and sizes.
    """
    remembered = functools.lru_cache(maxsize=4_096)(parse)

    def validate(value: Any) -> Any:
        try:
            if isinstance(value, str):
                return remembered(value)
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            return remembered(str(value)) if of_number and is_number else remembered(_text(value))
        except Fault as fault:
            raise refused(fault) from fault

    return PlainValidator(validate)


def _described(pattern: str, *examples: str) -> WithJsonSchema:
    """The JSON Schema of a text: its pattern, or anything with a variable in it, which only the reader can resolve."""
    return WithJsonSchema({"type": "string", "pattern": rf"^({pattern})$|\$\{{", "examples": list(examples)})


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        hint = "a name begins with a letter a-z and goes on with a-z, 0-9 and '-', at most 63 characters"
        raise Fault(NAME, f"{text!r} is not a name", hint)
    return text


def _zone(text: str) -> str:
    if not _ZONE.fullmatch(text):
        raise Fault(ZONE, f"{text!r} is not an Availability Zone", "as in eu-west-1a")
    return text


def _block(text: str) -> Block:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise Fault(BLOCK, f"{text!r} is not a block of addresses", "as in 10.20.0.0/16") from error
    if "/" not in text:
        raise Fault(BLOCK, f"{text!r} has no prefix length", f"as in {text}/24")
    try:
        return Block.of(text)
    except ValueError as error:
        raise Fault(BLOCK, f"{text!r} has host bits set", f"did you mean {network}?") from error


def _of_version(version: int, kind: str) -> Callable[[str], Block]:
    def parse(text: str) -> Block:
        block = _block(text)
        if block.version != version:
            raise Fault(BLOCK, f"{text!r} is IPv{block.version}, and here stands IPv{version}", kind)
        return block

    return parse


Name = Annotated[str, _parsed(_name), _described(NAME_PATTERN, "books")]
Zone = Annotated[str, _parsed(_zone), _described(ZONE_PATTERN, "eu-west-1a")]
Zones = Annotated[list[Zone], Field(min_length=1, max_length=6)]
Region = Annotated[str, _parsed(_zone), _described(ZONE_PATTERN, "eu-west-1")]
Ipv4Block = Annotated[
    Block,
    _parsed(_of_version(4, "IPv6 belongs into ipv6_parent")),
    _described(r"[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}", "100.64.0.0/10"),
]
Ipv6Block = Annotated[
    Block,
    _parsed(_of_version(6, "IPv4 belongs into spoke or hub")),
    _described(r"[0-9a-fA-F:]+/[0-9]{1,3}", "2001:db8::/40"),
]
Rate = Annotated[
    float, _parsed(quantity.rate_per_second, of_number=True), _described(quantity.RATE_PATTERN, "60/s", "90000/h")
]
Duration = Annotated[
    float,
    _parsed(quantity.duration_up_to(quantity.LAMBDA_LIMIT_SECONDS), of_number=True),
    _described(quantity.DURATION_PATTERN, "500ms", "2s"),
]
Memory = Annotated[
    int,
    _parsed(quantity.memory_mb, of_number=True),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": quantity.MEMORY_MB[0], "maximum": quantity.MEMORY_MB[1]},
                {"type": "string", "pattern": rf"^({quantity.MEMORY_PATTERN})$|\$\{{"},
            ],
            "examples": [1536, "1536MB"],
        }
    ),
]
Size = Annotated[
    int,
    _parsed(quantity.size_between(0, _MOST_BYTES), of_number=True),
    _described(quantity.SIZE_PATTERN, "12KB", "500B"),
]
ProxyMemory = Annotated[
    int,
    _parsed(quantity.size_between(2**26, 2**43), of_number=True),
    _described(quantity.SIZE_PATTERN, "4GiB"),
]
ShareOfOne = Annotated[float, _parsed(quantity.share_of_one, of_number=True), _described(quantity.SHARE_PATTERN, "40%")]
GrowthRate = Annotated[float, _parsed(quantity.growth, of_number=True), _described(quantity.SHARE_PATTERN, "30%")]
Gbps = Annotated[float, _parsed(quantity.gbps, of_number=True), _described(quantity.BANDWIDTH_PATTERN, "10Gbps")]
Count = Annotated[int, Field(ge=0, le=_MOST)]
Positive = Annotated[int, Field(ge=1, le=_MOST)]
Sockets = Annotated[int, Field(ge=0, le=MOST_SOCKETS)]
Years = Annotated[float, Field(ge=0, le=20)]
PerRequest = Annotated[float, Field(ge=0, le=1_000)]


class Shape(BaseModel):
    """A mapping of the file: nothing but its own keys, nothing converted silently."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True)
