"""The one masker: what is taken out of text before anything is stored or sent on.

Two questions, in this order. What does the *name* of a value say (a password, a query, a statement of SQL)? And what
does the *text* look like (a token, a card, an e-mail address), whatever its name? Masking twice gives what masking once
gives. No pattern here can take more than linear time on hostile text: each is guarded by a plain search and bounded.
"""

import re
from collections.abc import Callable
from functools import lru_cache

REDACTED = "[redacted]"
CARD = "[card]"
EMAIL = "[email]"
TOKEN = "[token]"  # noqa: S105 - what stands in a token's place

_MAX_DIGITS, _MIN_DIGITS = 19, 13
"""Digits of a card's number. Source: ISO/IEC 7812-1."""

_SECRET_NAME = re.compile(
    r"(?:^|[._\-])(?:authorization|cookies?|set[-_]cookie|password|passwd|pwd|secret|client[-_]?secret|token|"
    r"[a-z]{1,20}[-_]token|x-amz-security-token|api[-_]?key|x-api-key|access[-_]?key|private[-_]?key|credentials?|"
    r"session[-_]?id|sessionid|jsessionid|otp|pin|cvv|cvc|iban)(?:\.\d+)?$",
    re.IGNORECASE,
)
_URL_NAMES = frozenset({"url.full", "http.url", "http.target", "url.original", "http.referer"})
_QUERY_NAMES = frozenset({"url.query"})
_SQL_NAMES = frozenset({"db.query.text", "db.statement", "db.query.summary"})

_SUSPECT = re.compile(
    r"[@?]|%40|eyJ|://|\d(?:[ -]?\d){12}|-----BEGIN|AKIA|ASIA|gh[pousr]_|xox[abprs]-|sk[_-]|[Bb]earer|[Bb]asic|"
    r"(?i:passw|pwd|secret|token|api[-_]?key|authorization|cookie|credential)"
)
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{8,8192}\.[A-Za-z0-9_-]{1,8192}(?:\.[A-Za-z0-9_-]{0,8192})?")
_SCHEME = re.compile(r"\b(bearer|basic|digest|negotiate)([ :=]{1,3})(?!\[)[A-Za-z0-9._~+/=:-]{6,8192}", re.IGNORECASE)
_KEYS = re.compile(
    r"\b(?:(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,255}|xox[abprs]-[A-Za-z0-9-]{10,255}"
    r"|sk[_-](?:live_|test_)?[A-Za-z0-9]{16,255})\b"
)
_PEM = re.compile(r"-----BEGIN [A-Z ]{1,40}-----[^-]{0,16384}(?:-----END [A-Z ]{1,40}-----)?")
_USER_INFO = re.compile(r"(://)(?!\[redacted\]@)[^/?#@\s]{1,512}@")
_QUERY = re.compile(r"([?&][^=&#\s\"'<>]{1,256}=)(?!\[redacted\])[^&#\s\"'<>]{1,8192}")
_ASSIGNED = re.compile(
    r"((?:passw(?:or)?d|pwd|secret|token|api[-_]?key|authorization|(?:set-)?cookie|credentials?)[\"']?\s{0,4}[=:]\s{0,4})"
    r"(\"(?!\[)[^\"]{0,4096}\"?|'(?!\[)[^']{0,4096}'?|(?!\[|[\"']|(?:bearer|basic|digest|negotiate)\b)[^\s,;&\"'}\]]{1,4096})",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[\w.+%-]{1,64}?(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_DIGITS = re.compile(r"(?<![\w.])\d(?:[ -]?\d){12,18}(?![\w])")
_SQL_LITERAL = re.compile(
    r"'(?:[^']|'')*(?:'|$)|\$([A-Za-z_]{0,16})\$.*?(?:\$\1\$|$)|\b0x[0-9a-f]+\b|(?<![\w.$:@%?\"`\]])\d+(?:\.\d+)?(?:e[+-]?\d+)?\b",
    re.IGNORECASE | re.DOTALL,
)
_SQL_DOUBLE_QUOTED = re.compile(r"([=(,<>]\s{0,8}|\b(?:like|in|values)\s{1,8})\"(?:[^\"]|\"\")*(?:\"|$)", re.IGNORECASE)


def mask_attribute(name: str, value: str) -> str:
    """The value of an attribute of this name, without what its name or its text gives away."""
    return _mask_attribute(name, value) if len(value) <= _CACHED_CHARACTERS else _masked(name, value)


def mask_text(value: str) -> str:
    """The text without tokens, keys, passwords, card numbers, e-mail addresses, and the values of queries in URLs."""
    if not _SUSPECT.search(value):
        return value
    for marks, mask in _TEXT_RULES:
        if any(mark in value for mark in marks):
            value = mask(value)
    value = _ASSIGNED.sub(_assigned, value)
    return _DIGITS.sub(_card, value)


def mask_query(value: str) -> str:
    """A URL's query, its names kept, each value replaced. Text without names is replaced as a whole."""
    bare = value.removeprefix("?")
    if "=" not in bare:
        return REDACTED if bare and bare != REDACTED else value
    parts = [
        f"{name}={REDACTED}" if equals else REDACTED
        for name, equals, _ in (part.partition("=") for part in bare.split("&"))
    ]
    return value[: len(value) - len(bare)] + "&".join(mask_text(part) for part in parts)


def mask_url(value: str) -> str:
    """A URL or a request target without the values of its query, its user, and what its fragment may carry."""
    head, mark, _ = value.partition("#")
    path, question, query = head.partition("?")
    query = mask_query(query) if question else ""
    return mask_text(path) + question + query + (mark + REDACTED if mark else "")


def mask_sql(value: str) -> str:
    """A statement whose literals are question marks; what is left is what the statement does."""
    return mask_text(_SQL_DOUBLE_QUOTED.sub(r"\1?", _SQL_LITERAL.sub("?", value)))


_CACHED_CHARACTERS = 256


def _masked(name: str, value: str) -> str:
    if not value:
        return value
    if _is_secret_name(name):
        return REDACTED
    return _by_name(name)(value)


_mask_attribute = lru_cache(maxsize=32_768)(_masked)


@lru_cache(maxsize=4096)
def _is_secret_name(name: str) -> bool:
    return len(name) <= 512 and _SECRET_NAME.search(name) is not None  # noqa: PLR2004 - names have ends


def _by_name(name: str) -> Callable[[str], str]:
    if name in _SQL_NAMES:
        return mask_sql
    if name in _QUERY_NAMES:
        return mask_query
    return mask_url if name in _URL_NAMES else mask_text


def _assigned(found: "re.Match[str]") -> str:
    return found[1] + REDACTED


def _card(found: "re.Match[str]") -> str:
    digits = [int(letter) for letter in found[0] if letter.isdecimal()]
    if not _MIN_DIGITS <= len(digits) <= _MAX_DIGITS:
        return found[0]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return CARD if (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 else found[0]


_TEXT_RULES: tuple[tuple[tuple[str, ...], Callable[[str], str]], ...] = (
    (("-----BEGIN",), lambda text: _PEM.sub(TOKEN, text)),
    (("eyJ",), lambda text: _JWT.sub(TOKEN, text)),
    (
        ("earer", "asic", "igest", "egotiate", "EARER", "ASIC", "IGEST", "EGOTIATE"),
        lambda text: _SCHEME.sub(rf"\1\2{TOKEN}", text),
    ),
    (
        ("AKIA", "ASIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "xox", "sk_", "sk-"),
        lambda text: _KEYS.sub(TOKEN, text),
    ),
    (("://",), lambda text: _USER_INFO.sub(rf"\1{REDACTED}@", text)),
    (("?",), lambda text: _QUERY.sub(rf"\1{REDACTED}", text)),
    (("@", "%40"), lambda text: _EMAIL.sub(EMAIL, text)),
)
