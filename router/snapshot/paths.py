"""Paths that two servers may read differently: the regex that finds them, and what strictness makes of them.

A function is never asked about one, unless its route says `paths: as-is`: the inner hop leaves it to legacy, which
reads it as it always did. How many there are is counted by route, so that strictness holds no surprise.
"""

from strangler_fig.names import ROUTE_ATTRIBUTE

from ..estate import Entry, Paths
from . import counters
from .proto import Json

AS_IS_HEADER = "x-fig-as-is"
_ENCODED = "2[def]|3[0-9]|4[1-9a-f]|5[0-9acf]|6[1-9a-f]|7[0-9ae]|00"
ODD_PATH = rf"(?i)[^?]*(//|/\.\.?(/|;|$)|\\|%({_ENCODED})|%([^0-9a-f]|[0-9a-f][^0-9a-f]|.?$))[^?]*"
"""RE2, of a path without its query: empty segments, dot segments (also as `..;`), backslashes, encoded slashes,
backslashes and NULs, percent signs that encode nothing, and ones that encode what needs none (RFC 3986, section 2.3):
`/%61dmin` is `/admin` to one server and not to another.
"""


def refused_by_default(entry: Entry) -> list[Json]:
    """The entry in front of the default route's that answers odd paths 400, where the estate wants it so."""
    if entry.paths is Paths.AS_IS:
        return []
    refused = {"status": 400, "body": {"inline_string": "The path is ambiguous.\n"}}
    return [{"name": "default", "match": {"safe_regex": {"regex": ODD_PATH}}, "direct_response": refused}]


def odd_path_counter() -> Json:
    """The access logger that counts odd paths by route."""
    odd = {"name": ":path", "string_match": {"safe_regex": {"regex": ODD_PATH + r"(\?.*)?"}}}
    only = {"header_filter": {"header": odd}}
    odd_paths = counters.counter("odd", {ROUTE_ATTRIBUTE: "%ROUTE_NAME%"})
    return counters.counting(counters.passing("fig.paths"), [odd_paths], only=only)
