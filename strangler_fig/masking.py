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
    r"(?:authorization|cookies?|password|passwd|passphrase|pwd|secret|token|(?:api|access|private|secret)[-_.]?key|"
    r"credentials?|(?:^|[._\-])(?:session[-_]?id|jsessionid|otp|pin|cvv|cvc|iban))(?:\.\d+)?$"
    r"|^db\.(?:query|operation|statement)\.parameters?(?:\.|$)",
    re.IGNORECASE,
)
_URL_NAMES = frozenset({"url.full", "http.url", "http.target", "url.original", "http.referer"})
_QUERY_NAMES = frozenset({"url.query"})
_SQL_NAMES = frozenset({"db.query.text", "db.statement", "db.query.summary"})

_SUSPECT = re.compile(
    r"[@?]|%40|eyJ|://|\d(?:[ -]?\d){12}|-----BEGIN|AKIA|ASIA|gh[pousr]_|github_pat_|AIza|xox[abprs]-|sk[_-]|[Bb]earer|"
    r"[Bb]asic|(?i:pass[wp]|pwd|secret|token|(?:api|access|private)[-_]?key|authorization|cookie|credential)"
)
_SUSPECT_MARKS = re.compile(
    r"@|\?|%40|eyJ|://|-----BEGIN|AKIA|ASIA|AIza|gh[pousr]_|github_pat_|xox[abprs]-|sk[_-]|Bearer|bearer|Basic|basic"
)
_SUSPECT_DIGITS = re.compile(r"\d[\d -]{12}")
_SUSPECT_WORDS = re.compile(
    r"pass[wp]|pwd|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|authorization|cookie|credential"
)
"""At least what `_SUSPECT` finds, in ASCII (the last in text of small letters), several times as fast: each begins with
a letter of a small set, so that the search skips all others."""
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{8,8192}\.[A-Za-z0-9_-]{1,8192}(?:\.[A-Za-z0-9_-]{0,8192})?")
_SCHEME = re.compile(r"\b(bearer|basic|digest|negotiate)([ :=]{1,3})(?!\[)[A-Za-z0-9._~+/=:-]{6,8192}", re.IGNORECASE)
_SCHEME_MARKS = re.compile(r"earer|asic|igest|egotiate|EARER|ASIC|IGEST|EGOTIATE")
_KEY_MARKS = re.compile(r"AKIA|ASIA|AIza|gh[pousr]_|github_pat_|xox|sk[_-]")
_KEYS = re.compile(
    r"\b(?:(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}|xox[abprs]-[A-Za-z0-9-]{10,255}"
    r"|sk[_-](?:live_|test_)?[A-Za-z0-9]{16,255}|AIza[A-Za-z0-9_-]{30,100})\b"
)
_PEM = re.compile(r"-----BEGIN [A-Z ]{1,40}-----[^-]{0,16384}(?:-----END [A-Z ]{1,40}-----)?")
_USER_INFO = re.compile(r"(://)(?!\[redacted\]@)[^/?#@\s]{1,512}@")
_QUERY = re.compile(r"([?&][^=&#\s\"'<>]{1,256}=)(?!\[redacted\])[^&#\s\"'<>]{1,8192}")
_GONE = r"\[(?:redacted|token|email|card)\]"
_IS = r"(?:\\{0,8}[\"']|%(?:25){0,3}22)?\s{0,4}(?:[=:]|%(?:25){0,3}3d|%(?:25){0,3}3a)\s{0,4}"
"""Between a name and its value: a quote (escaped, or as in a URL) that ends the name, and what assigns."""
_PIECE = rf"{_GONE}|[^\s,;&\"'}}\]\\]|\\(?!\\{{0,8}}[\"'])"
_ASSIGNED = re.compile(
    r"((?:passw(?:or)?d|passphrase|pwd|secret|token|(?:api|access|private|secret)[-_]?key|authorization|cookies?|"
    rf"credentials?){_IS})"
    rf"(?!{_GONE}(?:[\s,;&\"'}}\]\\]|$))(?:"
    rf"\"(?!{_GONE}\")(?:[^\"\\]++|\\.)*+\"?"
    rf"|'(?!{_GONE}')(?:[^'\\]++|\\.)*+'?"
    rf"|(?P<escape>\\{{1,8}})(?P<quote>[\"'])(?!{_GONE}\\).*?(?:(?<!\\)(?P=escape)(?P=quote)|\Z)"
    rf"|(?!(?:bearer|basic|digest|negotiate)\b)(?:(?:token|api-?key)\ {{1,4}})?(?!\[(?!(?:token|email|card)\]))"
    rf"(?:{_PIECE})++"
    r"|\[[^\]]{0,4096}\]?)",
    re.IGNORECASE | re.DOTALL,
)
_COOKIE_PIECE = r"[^\s;,\"'\\]|\\(?!\\{0,8}[\"'])"
_COOKIES = re.compile(
    rf"(cookies?{_IS})(?:\[redacted\](?=;)|(?:\[(?:token|email|card)\]|(?![\[\]}}])(?:{_COOKIE_PIECE}))(?:{_COOKIE_PIECE})*+)"
    rf"(?:;[ \t]{{0,4}}(?:(?!=)(?:{_COOKIE_PIECE})){{1,256}}=(?:{_COOKIE_PIECE})*+)*+",
    re.IGNORECASE,
)
"""All of a header's cookies: what follows the first is one, too."""
_EMAIL = re.compile(r"[\w.+%-]{1,64}?(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_DIGITS = re.compile(r"(?<![\w.])\d(?:[ -]?\d){12,18}(?![\w])")
_SQL_LITERAL = re.compile(
    r"'(?:[^']|'')*(?:'|$)|\$([A-Za-z_]{0,16})\$.*?(?:\$\1\$|$)|\b0x[0-9a-f]+\b|(?<![\w.$:@%?\"`\]])\d+(?:\.\d+)?(?:e[+-]?\d+)?\b",
    re.IGNORECASE | re.DOTALL,
)
_SQL_LITERAL_ASCII = re.compile(
    r"['$0-9](?:(?<=')[^']*(?:''[^']*)*(?:'|$)|(?<=\$)([A-Za-z_]{0,16})\$.*?(?:\$\1\$|$)|(?<=0)(?<!\w0)[xX][0-9a-fA-F]+\b"
    r"|(?<=[0-9])(?<![\w.$:@%?\"`\]][0-9])[0-9]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\b)",
    re.DOTALL,
)
"""The same for ASCII, where the search skips what begins no literal."""
_SQL_DOUBLE_QUOTED = re.compile(r"([=(,<>]\s{0,8}|\b(?:like|in|values)\s{1,8})\"(?:[^\"]|\"\")*(?:\"|$)", re.IGNORECASE)


def mask_attribute(name: str, value: str) -> str:
    """The value of an attribute of this name, without what its name or its text gives away."""
    return _mask_attribute(name, value) if len(value) <= _CACHED_CHARACTERS else mask_attribute_anew(name, value)


def mask_text(value: str) -> str:
    """The text without tokens, keys, passwords, card numbers, e-mail addresses, and the values of queries in URLs."""
    if not _is_suspect(value):
        return value
    if "-----BEGIN" in value:
        value = _PEM.sub(TOKEN, value)
    value = _without_tokens(value)
    if "://" in value:
        value = _USER_INFO.sub(_of_a_user, value)
    if "?" in value:
        value = _QUERY.sub(_assigned, value)
    if "@" in value or "%40" in value:
        value = _EMAIL.sub(EMAIL, value)
    if _may_assign(value):
        if not value.isascii() or "cookie" in value.lower():
            value = _COOKIES.sub(_assigned, value)
        value = _ASSIGNED.sub(_assigned, value)
    if _SUSPECT_DIGITS.search(value):
        value = _DIGITS.sub(_card, value)
    # A user was none while a number in it had spaces.
    return _USER_INFO.sub(_of_a_user, value) if "://" in value and "@" in value else value


def _without_tokens(value: str) -> str:
    """The text without tokens and keys that are known by their looks; no quote is part of one."""
    if "eyJ" in value:
        value = _JWT.sub(TOKEN, value)
    if _SCHEME_MARKS.search(value):
        value = _SCHEME.sub(_schemed, value)
    return _KEYS.sub(TOKEN, value) if _KEY_MARKS.search(value) else value


def _is_suspect(value: str) -> bool:
    """Whether the text needs a closer look. Some letters that are not ASCII are like ours when case is ignored."""
    if not value.isascii():
        return _SUSPECT.search(value) is not None
    return (
        _SUSPECT_MARKS.search(value) is not None
        or _SUSPECT_WORDS.search(value.lower()) is not None
        or _SUSPECT_DIGITS.search(value) is not None
    )


def _may_assign(value: str) -> bool:
    """Whether `_ASSIGNED` may find something: one of its words is there."""
    return not value.isascii() or _SUSPECT_WORDS.search(value.lower()) is not None


def mask_query(value: str) -> str:
    """A URL's query, its names kept, each value replaced. Text without names is replaced as a whole."""
    bare = value.removeprefix("?")
    if "=" not in bare:
        return REDACTED if bare and bare != REDACTED else value
    parts = (
        f"{mask_text(name)}={REDACTED}" if equals else REDACTED
        for name, equals, _ in (part.partition("=") for part in bare.split("&"))
    )
    return value[: len(value) - len(bare)] + "&".join(parts)


def mask_url(value: str) -> str:
    """A URL or a request target without the values of its query, its user, and what its fragment may carry."""
    head, mark, _ = value.partition("#")
    path, question, query = head.partition("?")
    query = mask_query(query) if question else ""
    return mask_text(path) + question + query + (mark + REDACTED if mark else "")


def mask_sql(value: str) -> str:
    """A statement whose literals are question marks; what is left is what the statement does.

    Tokens and addresses go first: a number in the middle of one is a literal, and hides what is left of it.
    """
    if _is_suspect(value):
        value = _without_tokens(value)
        if "@" in value and "://" not in value:
            value = _EMAIL.sub(EMAIL, value)
    bare = (_SQL_LITERAL_ASCII if value.isascii() else _SQL_LITERAL).sub("?", value)
    return mask_text(_SQL_DOUBLE_QUOTED.sub(r"\1?", bare) if '"' in bare else bare)


def mask_bytes(name: str, value: bytes) -> str | None:
    """The text that the bytes are, masked; None where they are no text and nothing in them is secret."""
    said = value.decode("utf-8", "replace")
    masked = mask_attribute(name, said)
    is_text = "\N{REPLACEMENT CHARACTER}" not in said and said.translate(_BLANKS).isprintable()
    return masked if is_text or masked != said else None


_BLANKS = dict.fromkeys(map(ord, "\t\r\n"), " ")
_CACHED_CHARACTERS = 256


def mask_attribute_anew(name: str, value: str) -> str:
    """The same, which is not remembered: for whoever remembers it by himself."""
    if not value:
        return value
    if is_secret_name(name):
        return REDACTED
    return _by_name(name)(value)


_mask_attribute = lru_cache(maxsize=32_768)(mask_attribute_anew)


def is_secret_name(name: str) -> bool:
    """Whether values of this name are secret, whatever they look like."""
    if len(name) > _CACHED_CHARACTERS:  # what begins it, and what ends it, says so
        name = f"{name[: _CACHED_CHARACTERS // 2]} {name[-_CACHED_CHARACTERS // 2 :]}"
    return _is_secret_name(name)


@lru_cache(maxsize=4096)
def _is_secret_name(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _by_name(name: str) -> Callable[[str], str]:
    if name in _SQL_NAMES:
        return mask_sql
    if name in _QUERY_NAMES:
        return mask_query
    return mask_url if name in _URL_NAMES else mask_text


def _assigned(found: "re.Match[str]") -> str:
    return found[1] + REDACTED


def _schemed(found: "re.Match[str]") -> str:
    return found[1] + found[2] + TOKEN


def _of_a_user(found: "re.Match[str]") -> str:
    return f"{found[1]}{REDACTED}@"


def _card(found: "re.Match[str]") -> str:
    digits = [int(letter) for letter in found[0] if letter.isdecimal()]
    if not _MIN_DIGITS <= len(digits) <= _MAX_DIGITS:
        return found[0]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return CARD if (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 else found[0]
