"""Address ranges as the estate file writes them: CIDR blocks or single addresses."""

import ipaddress

from .fault import Fault

RANGE = "ES117"


def parse_range(text: str) -> str:
    """The range in its canonical form, as in `10.0.0.0/8`; a lone address is a range of one. Raises `Fault`."""
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        pass
    try:
        wide = ipaddress.ip_network(text, strict=False)
    except ValueError:
        hint = "write an address with its prefix length, as in 10.20.0.0/24"
        raise Fault(RANGE, f"{text!r} is not a range of addresses", hint) from None
    raise Fault(RANGE, f"{text!r} is not a range: it has bits set behind its prefix", f"did you mean {wide}?")
