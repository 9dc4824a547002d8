"""What can go wrong between the router, a handler and what stayed on-premises, by who must act.

    AdaptersFailed
      |- EventUnreadable        the router's side: the event is not what Envoy's filter sends; the handler did not run
      |    '- BodyDamaged       the body lost bytes on its way into the event: another side must serve it
      |- AnswerInvalid          the function's author: what the handler returned is no API Gateway v2 answer; it did run
      |- ProfileInvalid         the function's author: a profile is missing or wrong; carries every fault
      |- ShadowSuppressed       nobody: a shadow would have changed something, so the call was not made
      '- TargetFailed           what stayed on-premises, or the way to it; says which profile and what it was doing
           |- DeadlineExceeded       the invocation's time is over
           |- Unreachable            no connection came about on any endpoint: nothing was sent, any side may serve
           |    |- ProxyRefused      the proxy on the way said no: its allow-list or its credentials
           |    |- TlsUnverified     the peer's certificate is not what the profile asks for
           |    '- Overloaded        the connection budget, the server's limit, or an open breaker
           |- CredentialsRefused     the target or the secret's store denied them, after one refresh
           |- ConnectionLost         a connection broke: whether the work was done is not known
           |- StatementTimedOut      the server ended the statement at its bound: nothing was written by it
           |- ConflictRetryable      deadlock, lock wait, serialisation: the transaction was rolled back, try again
           '- Rejected               the target understood and refuses: the request is wrong, no retry helps

`retry` says whether the same call may succeed if made again; `nothing_done` whether it is certain that the target did
nothing, so that legacy may answer whatever the method.

The root is not `strangler_fig.diagnostics.Failed`: no command of `fig` runs a handler, and importing `dataclasses` for
it would double the time that this package adds to a cold start.
"""


class AdaptersFailed(Exception):  # noqa: N818 - the root of a tree, named like the other packages' roots
    """A request could not be brought to the handler, its answer not back, or a call not made."""


class EventUnreadable(AdaptersFailed):
    """The event has Envoy's keys but not its shape; the handler did not run, so any side may serve the request."""

    status = 502


class BodyDamaged(EventUnreadable):
    """The body is text in the event although its bytes were not: Envoy put spaces where the bytes were no UTF-8."""

    status = 415


class AnswerInvalid(AdaptersFailed):
    """The handler returned what API Gateway v2 would not accept; the function fails instead of answering 200."""


class ProfileInvalid(AdaptersFailed):
    """A profile is missing or wrong; `faults` has every fault of it, as sentences."""

    def __init__(self, name: str, faults: tuple[str, ...]) -> None:
        self.name = name
        self.faults = faults
        super().__init__(f"profile {name}: " + "; ".join(faults))


class ShadowSuppressed(AdaptersFailed):
    """A shadow would have sent something that changes a target: it was not sent, and the shadow ends here."""

    def __init__(self, target: str, method: str) -> None:
        super().__init__(f"a shadow does not send {method} to {target}")


class TargetFailed(AdaptersFailed):
    """A call to what stayed on-premises failed; the message names the profile, the endpoint and what it was doing."""

    retry = False
    nothing_done = False
    status = 502


class DeadlineExceeded(TargetFailed):
    """The invocation's time was over before the call was; `doing` says what it was doing."""

    status = 504

    def __init__(self, doing: str, *, nothing_done: bool = False) -> None:
        self.doing = doing
        self.nothing_done = nothing_done
        super().__init__(f"the invocation's time was over while {doing}")


class Unreachable(TargetFailed):
    """No connection came about on any endpoint: nothing was sent."""

    retry = True
    nothing_done = True
    status = 503


class ProxyRefused(Unreachable):
    """The proxy on the way answered and said no; retrying does not change its mind."""

    retry = False


class TlsUnverified(Unreachable):
    """The peer could not prove that it is who the profile asks for."""

    retry = False


class Overloaded(Unreachable):
    """There is no room: the connection budget, the server's limit of connections, or an open breaker."""


class CredentialsRefused(TargetFailed):
    """Credentials were denied, also after they were refreshed once, or could not be had at all."""

    nothing_done = True
    status = 503


class ConnectionLost(TargetFailed):
    """A connection broke while it was in use: whether the target did the work is not known."""


class StatementTimedOut(TargetFailed):
    """The server ended the statement at its bound."""

    status = 504


class ConflictRetryable(TargetFailed):
    """The target rolled the transaction back because of others: made again, it may succeed."""

    retry = True
    nothing_done = True
    status = 503


class Rejected(TargetFailed):
    """The target understood and refuses: the statement, the data or the request is wrong."""
