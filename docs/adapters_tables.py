"""What docs/adapters.md takes from the code: the settings of a profile with their defaults, and the errors.

`python docs/adapters_tables.py` (which `make golden` runs) writes both between their marks; a test holds them there. It
fails when a profile knows a key, or the tree an error, of which nothing is said here.
"""

import enum
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from adapters import errors
from adapters.profiles.document import database, service
from adapters.profiles.values import DatabaseProfile, ServiceProfile

DOCUMENT = Path(__file__).parent / "adapters.md"
_MARKS = r"(<!-- begin: {} -->\n).*?(<!-- end: {} -->)"
_NEEDED = "needed"

SETTINGS: Mapping[str, str] = {
    "endpoints": "`host[:port]`, or `{host, port, az}`; a list, or one text with commas. Own zone first, then in order."
    " The port is by default 3306 of a database, 443 of a service.",
    "proxy": "`http://[user:password@]host:port` (CONNECT) or `socks5://...`; it resolves the endpoint's name.",
    "proxy_protocol": "`v1` or `v2`: the PROXY header that the target wants first.",
    "connect_timeout": "For each endpoint, the proxy on the way included.",
    "handshake_timeout": "From the connection to the login, or to TLS: the greeting included.",
    "read_timeout": "Each wait for the server; of a service: sending, the answer's head, its body, each.",
    "write_timeout": "Each wait until the server takes what is sent.",
    "statement_timeout": "For a statement, on the server too; without it what remains of the invocation.",
    "idle_recycle": "A connection that was idle for longer is not used again.",
    "ping_after": "A connection that was idle for longer is pinged before it is used.",
    "ping_timeout": "How long that ping may take: what a black hole costs.",
    "database": "The schema to use.",
    "sql_comments": "Put the trace context behind each statement. It defeats caches of statements on the way.",
    "host": "The `Host` header, `HOST` or `HOST:PORT`. By default the TLS name, or the endpoint's host.",
    "base_path": "Stands before every path.",
    "retries": "Tries after the first one, where that is safe and there is time.",
    "largest_answer": "Bytes of an answer's body, unpacked; more is `Rejected`.",
    "shadow": "The profile that shadows use instead of this one: another one, which is judged with it.",
    "tls.mode": "`verify`; `unverified` and `off` must be written down.",
    "tls.name": "The name in the target's certificate, never the hop's. By default the only endpoint's host.",
    "tls.ca_file": "The CA that signed it; by default the system's.",
    "tls.certificate_file": "What the function shows (mTLS).",
    "tls.key_file": "Its key.",
    "tls.lenient_x509": "Accept old corporate CAs that Python 3.13 refuses for their form. It verifies all the same.",
    "credentials.user": "With `credentials.password`, which may be empty: as they stand here, for tests.",
    "credentials.password": "See `credentials.user`.",
    "credentials.secret": "A secret of Secrets Manager with `username` and `password`.",
    "credentials.max_age": "How long it is kept; a denied login fetches it anew, once.",
    "credentials.iam_user": "Log in with tokens that the function's role signs; with `credentials.region`.",
    "credentials.region": "See `credentials.iam_user`.",
    "credentials.file": "A JSON file with `username` and `password`, there at the start, read again when it changes.",
    "budget.environments": "The function's reserved concurrency; said in the log with the next one.",
    "budget.connections": "What the target grants to all environments; fewer than environments is a fault.",
}
"""What each key of a profile's document means."""

ACTIONS: Mapping[str, str] = {
    "EventUnreadable": "Nothing: legacy serves it. Often: ask why the router sends such events.",
    "BodyDamaged": "Nothing: legacy serves it. Often: keep that route's binary bodies on legacy.",
    "AnswerInvalid": "Mend the function: return what API Gateway takes.",
    "ProfileInvalid": "Mend the profile; the message has every fault of it.",
    "ShadowSuppressed": "Nothing, and do not catch it: the shadow ends here, honoured.",
    "TargetFailed": "Catch this one to catch all that a target can do.",
    "DeadlineExceeded": "Look at what it was doing; give the function more time, or the call less.",
    "Unreachable": "Look at the way: endpoint, security group, proxy, the target itself. The message has each try.",
    "ProxyRefused": "Have the endpoint put on the proxy's allow-list, or mend the proxy's credentials.",
    "TlsUnverified": "Set `tls.name` to the name in the certificate and `tls.ca_file` to its CA. Not `unverified`.",
    "Overloaded": "Lower the function's reserved concurrency, or have the target grant more.",
    "CredentialsRefused": "Look at the secret and its rotation; it was fetched anew once already.",
    "ConnectionLost": "Make the work idempotent, then the caller may try again.",
    "StatementTimedOut": "Look for the statement's plan, or raise `statement_timeout`.",
    "ConflictRetryable": "Run the whole block again, while there is time.",
    "Rejected": "Mend the statement or the request.",
}
"""What whoever runs into each error does about it."""


def renewed(document: str) -> str:
    """The document's text with both tables as they are now. Raises `LookupError` where marks are missing."""
    for name, rows in (("settings", settings()), ("errors", tree())):
        pattern = re.compile(_MARKS.format(name, name), re.DOTALL)
        content = "\n".join(rows)
        document, count = pattern.subn(lambda found, new=content: f"{found[1]}\n{new}\n\n{found[2]}", document)  # type: ignore[misc]
        if count != 1:
            message = f"{DOCUMENT.name} has not one place for {name}"
            raise LookupError(message)
    return document


class _Asked(dict[str, Any]):
    """A document that notes which keys are asked for; the inner mappings do, too."""

    INNER = ("tls", "credentials", "budget")

    def __init__(self, values: Mapping[str, Any], place: str = "", keys: set[str] | None = None) -> None:
        super().__init__(values)
        self.keys_asked: set[str] = set() if keys is None else keys
        self._place = place

    def get(self, key: str, default: Any = None) -> Any:
        if not self._place and key in self.INNER:
            return _Asked(super().get(key, {}), f"{key}.", self.keys_asked)
        self.keys_asked.add(self._place + key)
        return super().get(key, default)


_LOGINS = ({"user": "x", "password": "y"}, {"secret": "x"}, {"iam_user": "x", "region": "eu-west-1"}, {"file": "x"})


def known() -> tuple[set[str], set[str]]:
    """Every key that a database's profile knows, and every key that a service's does."""
    of_databases: set[str] = set()
    for login in _LOGINS:
        asked = _Asked({"endpoints": ["db.example:3306"], "credentials": login})
        database("x", asked)
        of_databases |= asked.keys_asked
    asked = _Asked({"endpoints": ["core.example:443"]})
    service("x", asked)
    return of_databases, asked.keys_asked


def settings() -> Iterator[str]:
    """The rows of the table of settings. Raises `LookupError` where a key has no meaning, or a meaning no key."""
    of_databases, of_services = known()
    if (of_databases | of_services) ^ SETTINGS.keys():
        message = f"not said, or not known: {sorted((of_databases | of_services) ^ SETTINGS.keys())}"
        raise LookupError(message)
    one = database("x", {"endpoints": ["x"], "credentials": {"secret": "x"}})
    other = service("x", {"endpoints": ["x"]})
    yield "| key | of | by default | what it means |"
    yield "|---|---|---|---|"
    for key, meaning in SETTINGS.items():
        owners = [name for name, keys in (("database", of_databases), ("service", of_services)) if key in keys]
        found = [_default(key, profile) for profile, name in ((one, "database"), (other, "service")) if name in owners]
        default = (
            found[0]
            if len(set(found)) == 1
            else ", ".join(f"{name}: {value}" for name, value in zip(owners, found, strict=True))
        )
        yield f"| `{key}` | {'both' if len(owners) > 1 else owners[0]} | {default} | {meaning} |"


def _default(key: str, profile: DatabaseProfile | ServiceProfile) -> str:
    place, _, name = key.rpartition(".")
    if key == "endpoints":
        return _NEEDED
    if place == "credentials":
        return "5m" if name == "max_age" else ""
    owner: Any = getattr(profile, place) if place else profile
    if key in {"host", "tls.name"}:
        return ""
    value = getattr(owner, name) if hasattr(owner, name) else getattr(profile.way, name)
    return _shown(name, value)


def _shown(name: str, value: object) -> str:
    if isinstance(value, enum.Enum):
        return f"`{value.value}`"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value * 1000:g}ms" if value < 1 else f"{value:g}s" if value < 60 else f"{value / 60:g}m"  # noqa: PLR2004 - seconds of a minute
    if name == "largest_answer" and isinstance(value, int):
        return f"{value // 1024 // 1024} MiB"
    return "" if value is None or value == "" else str(value)


def tree() -> Iterator[str]:
    """The rows of the table of errors. Raises `LookupError` where an error has no action, or an action no error."""
    found = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.AdaptersFailed)]
    found.remove(errors.AdaptersFailed)
    if {one.__name__ for one in found} ^ ACTIONS.keys():
        message = f"not said, or not there: {sorted({one.__name__ for one in found} ^ ACTIONS.keys())}"
        raise LookupError(message)
    yield "| error | answered | nothing was done | again? | what it means | what to do |"
    yield "|---|---:|---|---|---|---|"
    for one in found:
        meaning = str(one.__doc__).partition("\n")[0].rstrip(".")
        facts = [str(getattr(one, "status", "")), _yes(one, "nothing_done"), _yes(one, "retry")]
        yield f"| `{one.__name__}` | {' | '.join(facts)} | {meaning}. | {ACTIONS[one.__name__]} |"


def _yes(one: type, name: str) -> str:
    if one is errors.DeadlineExceeded and name == "nothing_done":
        return "it says"
    return "yes" if getattr(one, name, False) else ""


if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
