r"""Paths and regular expressions of a match.

Envoy compiles expressions with RE2. What RE2 lacks (lookaround, backreferences, possessive and atomic groups) is
refused here, by reading the pattern once; the rest means the same in Python, so `fig explain` answers without Envoy.
Envoy itself has the last word when a snapshot is validated.

Source: RE2 wiki, "Syntax", 2024.
"""

import re
import warnings

from .fault import Fault

PATH = "ES111"
REGEX = "ES112"

_PATH_CHARACTERS = re.compile(r"/[!-~]*")
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_DOT_SEGMENT = re.compile(r"/\.\.?(?:/|$)")
_MAX_PATH = 4_096
_MAX_PATTERN = 1_000
_MAX_REPEAT = 1_000  # Source: RE2 wiki, "Syntax": "Implementations reject forms that create ... above 1000"
_REPEAT = re.compile(r"\{([0-9]+)(?:,([0-9]*))?\}")
# named, non-capturing and flag groups mean the same in both engines; what RE2 lacks has a reason of its own below
_GROUP = re.compile(r"\?(?:P<[A-Za-z_][A-Za-z0-9_]*>|[ims]*(?:-[ims]+)?:|[ims]+\))")
_GROUPS_WITHOUT_RE2 = {
    "?=": "a lookahead",
    "?!": "a lookahead",
    "?<=": "a lookbehind",
    "?<!": "a lookbehind",
    "?>": "an atomic group",
    "?P=": "a backreference",
    "?(": "a conditional group",
    "?#": "a comment",
}
_ESCAPES = frozenset("AbBdDsSwWfnrtv")
_HINT = "RE2, which Envoy uses, has no lookaround, backreferences, possessive or atomic groups"


def parse_path(text: str) -> str:
    """A path as it arrives on the wire: begins with `/`, percent-encoded, without a query. Raises `Fault`."""
    for mark, part in (("?", "a query"), ("#", "a fragment")):
        if mark in text:
            hint = f"the path is compared without {part}: write {text.partition(mark)[0] or '/'!r}"
            raise Fault(PATH, f"{_shown(text)} has {part}", hint)
    if not text.startswith("/"):
        raise Fault(PATH, f"{_shown(text)} does not begin with '/'", f"write /{text[:80]}" if text.isascii() else "")
    if not _PATH_CHARACTERS.fullmatch(text):
        hint = "percent-encode spaces and everything outside ASCII, as in /caf%C3%A9"
        raise Fault(PATH, f"{_shown(text)} has characters that no request's path can have", hint)
    if len(text) > _MAX_PATH:
        raise Fault(PATH, f"the path has {len(text)} characters", f"at most {_MAX_PATH} are allowed")
    if _PERCENT.search(text):
        raise Fault(PATH, f"{_shown(text)}: '%' is not followed by two hexadecimal digits", "write %25 for '%'")
    if _DOT_SEGMENT.search(text):
        raise Fault(
            PATH, f"{_shown(text)} has a segment '.' or '..'", "requests arrive without them: write it resolved"
        )
    return text


def parse_health_path(text: str) -> str:
    """The path of a health check, which may have a query. Raises `Fault`."""
    path, mark, query = text.partition("?")
    if not re.fullmatch(r"[!-~]*", query) or "#" in query:
        raise Fault(PATH, f"{_shown(text)} has characters that no request can have", "percent-encode them")
    return parse_path(path) + mark + query


def parse_regex(text: str) -> str:
    """An expression that the whole path must match, in the syntax that RE2 and Python share. Raises `Fault`."""
    if not text:
        raise Fault(REGEX, "the expression is empty", "a path is never empty: write /.* for every path")
    if len(text) > _MAX_PATTERN:
        raise Fault(REGEX, f"the expression has {len(text)} characters", f"at most {_MAX_PATTERN} are allowed")
    if not text.isascii() or not text.isprintable():
        raise Fault(REGEX, f"{_shown(text)} has characters that no path can have", "percent-encode them")
    if problem := _without_re2(text):
        raise Fault(REGEX, f"{_shown(text)} uses {problem}", _HINT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", FutureWarning
            )  # `[[` may become a set in Python; today it is what RE2 reads
            re.compile(text, re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise Fault(REGEX, f"{_shown(text)} is not a regular expression: {error}", "") from error
    if re.match(r"[A-Za-z0-9]", text) and "|" not in text:
        raise Fault(REGEX, f"{_shown(text)} can never match: every path begins with '/'", f"write /{text[:80]}")
    return text


def _without_re2(pattern: str) -> str | None:
    """What the pattern uses that RE2 does not have, or reads otherwise than Python; None when nothing was seen."""
    at, quantified = 0, False
    while at < len(pattern):
        character = pattern[at]
        width, problem, is_quantifier = 1, None, False
        if character == "\\":
            width, problem = 2, _escape_problem(pattern[at + 1 : at + 2])
        elif character == "[":
            width, problem = _class(pattern, at)
        elif character == "(" and pattern[at + 1 : at + 2] == "?":
            problem = _group_problem(pattern, at + 1)
            found = _GROUP.match(pattern, at + 1)
            width = 1 + len(found[0]) if found else 2
        elif pattern.startswith("{,", at):
            problem = "a repetition without its least count (write {0,n})"
        elif character in "*+?" or (character == "{" and _REPEAT.match(pattern, at)):
            is_quantifier = True
            width, problem = _quantifier(pattern, at, after_quantifier=quantified)
        if problem:
            return problem
        at, quantified = at + width, is_quantifier
    return None


def _escape_problem(letter: str) -> str | None:
    if letter.isdigit():
        return f"the backreference \\{letter}"
    if letter == "Z":
        return "\\Z (write $)"
    if letter.isalpha() and letter not in _ESCAPES:
        return f"\\{letter}, which does not mean the same everywhere"
    return None


def _class(pattern: str, at: int) -> tuple[int, str | None]:
    """The length of the bracket expression at `at`, and what is wrong inside it."""
    end = at + 1
    end += pattern[end : end + 1] == "^"
    end += pattern[end : end + 1] == "]"
    while end < len(pattern) and pattern[end] != "]":
        if pattern[end] == "\\":
            problem = _escape_problem(pattern[end + 1 : end + 2])
            if problem:
                return 0, problem
            end += 1
        elif pattern.startswith("[:", end):
            return 0, "a POSIX class (write its characters, as in [A-Za-z])"
        end += 1
    return end + 1 - at, None


def _group_problem(pattern: str, at: int) -> str | None:
    for opening in sorted(_GROUPS_WITHOUT_RE2, key=len, reverse=True):
        if pattern.startswith(opening, at):
            return f"{_GROUPS_WITHOUT_RE2[opening]} ({opening}"
    return None if _GROUP.match(pattern, at) else f"the group ({pattern[at : at + 3]}"


def _quantifier(pattern: str, at: int, *, after_quantifier: bool) -> tuple[int, str | None]:
    found = _REPEAT.match(pattern, at)
    if found and any(int(bound[:6]) > _MAX_REPEAT for bound in found.groups() if bound):
        return 0, f"more than {_MAX_REPEAT} repetitions"
    if after_quantifier:
        return 0, f"a quantifier after a quantifier ({pattern[at]})"
    width = len(found[0]) if found else 1
    following = pattern[at + width : at + width + 1]
    if following == "+":
        return 0, "a possessive quantifier"
    return width + (following == "?"), None


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:80] + "...")  # noqa: PLR2004 - a line's worth
