"""Who may ask: a command with the process's token, or a browser that came by a one-time address."""

import enum
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

COOKIE = "fig_observe"
SESSION_SECONDS = 12 * 3600.0
LOGIN_SECONDS = 24 * 3600.0
_MAX_SESSIONS = 1_000
_BYTES = 32


class Role(enum.Enum):
    """What somebody may do: look, or change what the process does as well."""

    VIEWER = "viewer"
    ADMIN = "admin"

    @property
    def may_change(self) -> bool:
        """Whether the role may change what the process does."""
        return self is Role.ADMIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody who may ask, until when, and the proof that pages must add to what changes something."""

    role: Role
    until: float
    csrf: str
    user: str = ""


@dataclass(slots=True)
class Sessions:
    """One-time logins and the sessions that they became, in memory: a restart logs everybody out."""

    token: str
    clock: Callable[[], float] = time.monotonic
    _logins: dict[str, tuple[Role, float]] = field(default_factory=dict)
    _sessions: dict[str, Session] = field(default_factory=dict)

    def mint(self, role: Role) -> str:
        """A new one-time login."""
        self._forget()
        login = secrets.token_urlsafe(_BYTES)
        self._logins[login] = (role, self.clock() + LOGIN_SECONDS)
        return login

    def redeem(self, login: str) -> str | None:
        """The new session's cookie for a login that was not used yet; None for any other text."""
        self._forget()
        known = self._logins.pop(login, None)
        if known is None:
            return None
        if len(self._sessions) >= _MAX_SESSIONS:
            self._sessions.pop(next(iter(self._sessions)))
        cookie = secrets.token_urlsafe(_BYTES)
        until = self.clock() + SESSION_SECONDS
        self._sessions[cookie] = Session(role=known[0], until=until, csrf=secrets.token_urlsafe(_BYTES))
        return cookie

    def of_cookie(self, cookie: str) -> Session | None:
        """The session of a cookie, None when there is none any more."""
        session = self._sessions.get(cookie)
        return session if session and session.until > self.clock() else None

    def of_token(self, sent: str) -> Session | None:
        """A command's session: it has the process's own token."""
        if not sent or not hmac.compare_digest(sent.encode(), self.token.encode()):
            return None
        return Session(role=Role.ADMIN, until=float("inf"), csrf="")

    def end(self, cookie: str) -> None:
        """Log a browser out."""
        self._sessions.pop(cookie, None)

    def _forget(self) -> None:
        now = self.clock()
        self._logins = {login: known for login, known in self._logins.items() if known[1] > now}
        self._sessions = {cookie: known for cookie, known in self._sessions.items() if known.until > now}
