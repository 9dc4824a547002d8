"""Names that go on the wire or into runtime keys: ids, salts, methods, header and cookie names, header values."""

import re

from strangler_fig.names import HEADER_PREFIX

from .fault import Fault

NAME = "ES105"
METHOD = "ES106"
HEADER = "ES107"
COOKIE = "ES108"
RESERVED = "ES109"
SALT = "ES110"

ID_PATTERN = "[a-z][a-z0-9-]{0,62}"
SALT_PATTERN = "[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
METHOD_PATTERN = "[A-Z][A-Z0-9_-]{0,31}"
TOKEN_PATTERN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}"  # noqa: S105 - RFC 9110's `token`, no secret

WORD_PATTERN = r"[!#-\[\]-~]{1,256}"
VARIABLE = "ES118"
WORD = "ES119"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORD = re.compile(WORD_PATTERN)
_ID = re.compile(ID_PATTERN)
_SALT = re.compile(SALT_PATTERN)
_METHOD = re.compile(METHOD_PATTERN)
_TOKEN = re.compile(TOKEN_PATTERN)
_HEADER_VALUE = re.compile(r"[!-~](?:[ -~]{0,4094}[!-~])?")


def parse_id(text: str) -> str:
    """The name of a route, a legacy service or a function. Raises `Fault`."""
    if not _ID.fullmatch(text):
        hint = "a name begins with a letter a-z and goes on with a-z, 0-9 and '-', at most 63 characters"
        raise Fault(NAME, f"{text!r} is not a name", hint)
    return text


def parse_salt(text: str) -> str:
    """What decorrelates a route's users from other routes'. Raises `Fault`."""
    if not _SALT.fullmatch(text):
        raise Fault(SALT, f"{text!r} is not a salt", "a salt has 1 to 63 of A-Z, a-z, 0-9, '.', '_' and '-'")
    return text


def parse_method(text: str) -> str:
    """A request method, in upper case as it is compared. Raises `Fault`."""
    if not _METHOD.fullmatch(text):
        upper = text.upper()
        hint = f"did you mean {upper}?" if _METHOD.fullmatch(upper) else "as in GET"
        raise Fault(METHOD, f"{text!r} is not a method: methods are upper-case words", hint)
    return text


def parse_header_name(text: str) -> str:
    """A request header's name, in lower case. Raises `Fault`, for the router's own headers too."""
    if not _TOKEN.fullmatch(text):
        raise Fault(HEADER, f"{text!r} is not a header's name", "as in X-User")
    name = text.lower()
    if name.startswith(HEADER_PREFIX):
        hint = f"every inbound {HEADER_PREFIX}* header is removed at the entry; choose another"
        raise Fault(RESERVED, f"header {text} is the router's own", hint)
    return name


def parse_match_header(text: str) -> str:
    """A header that a match may compare. Raises `Fault`."""
    name = parse_header_name(text)
    if name == "host":
        raise Fault(RESERVED, "header Host is compared by the key host", "write host: beside path:")
    return name


def parse_sticky_header(text: str) -> str:
    """A header that identifies a user. Raises `Fault`."""
    name = parse_header_name(text)
    if name == "cookie":
        raise Fault(RESERVED, "header Cookie holds all cookies and changes with each", "write cookie: NAME instead")
    if name == "host":
        raise Fault(RESERVED, "header Host is the same for every user", "choose a header that names the user")
    return name


def parse_header_value(text: str) -> str:
    """The exact value that a header must have. Raises `Fault`."""
    if not _HEADER_VALUE.fullmatch(text):
        hint = "a value is printable ASCII without spaces at its ends; to match any value is not offered"
        raise Fault(HEADER, f"{_shown(text)} is not a header's value", hint)
    return text


def parse_cookie_name(text: str) -> str:
    """A cookie's name; case counts. Raises `Fault`."""
    if not _TOKEN.fullmatch(text):
        raise Fault(COOKIE, f"{text!r} is not a cookie's name", "as in session")
    return text


def parse_variable(text: str) -> str:
    """The name of an environment variable. Raises `Fault`."""
    if not _VARIABLE.fullmatch(text):
        raise Fault(VARIABLE, f"{text!r} is not the name of an environment variable", "as in CLAIMS_KEY")
    return text


def parse_word(text: str) -> str:
    """A scope or a role: RFC 6749's `scope-token`, without spaces, quotes and backslashes. Raises `Fault`."""
    if not _WORD.fullmatch(text):
        raise Fault(WORD, f"{_shown(text)} is not a scope or a role", "one word, as in books:read")
    return text


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:80] + "...")  # noqa: PLR2004 - a line's worth
