"""What the counted faults and alarms mean, and what to do about them, in words for whoever is called at night."""

from collections.abc import Mapping

Words = tuple[str, str]
"""What happened, and what to do."""

REQUESTS: Mapping[str, Words] = {
    "fallback": ("requests that legacy answered because Lambda failed", "the failed calls in this list say why"),
    "timeout": (
        "requests that an upstream did not answer in time",
        "look at the upstream, then at the route's timeout",
    ),
    "overload": (
        "requests over a limit of connections or requests",
        "lower the load or the weight, or raise the figure after asking the upstream's owner",
    ),
    "reset": ("requests whose connection the upstream dropped", "look at the upstream: it crashes or restarts"),
    "unreachable": (
        "requests that reached no host of the upstream",
        "look whether it runs, at its name, and at the firewall between",
    ),
    "unauthenticated": ("requests refused without a valid identity (401)", "expected when attacked; else ask clients"),
    "forbidden": ("requests refused for want of scopes or roles (403)", "look at the route's authorize"),
    "limited": ("requests over the route's limit (429)", "raise the limit, or let it protect"),
    "loop": (
        "requests that went round in circles (508)",
        "an upstream calls the VIP again: name the functions' ranges in entry.proxies",
    ),
}
"""Faults of requests, by kind."""

_LOOK = "look at the function's log"
CALLS: Mapping[str, Words] = {
    "throttled": (
        "calls that the Lambda API refused because too many ran",
        "raise the function's concurrency, or lower the weight",
    ),
    "overflow": ("calls over max_concurrency", "raise it after the function's concurrency, or lower the weight"),
    "timeout": ("calls that took longer than the function's timeout", f"{_LOOK}, then at its timeout in the estate"),
    "function_error": ("calls whose handler raised an error", f"{_LOOK}; shift the route to 0 when it goes on"),
    "invalid_answer": ("calls whose answer was no JSON object", "the handler must answer as for API Gateway"),
    "own_5xx": ("calls that the function answered with a 5xx of its own", _LOOK),
    "function_asked": ("calls that the function handed to legacy by x-fig-fallback", "nothing: it wanted that"),
    "broken_connection": ("calls whose connection broke", "look at the way to the Lambda API"),
    "unreachable": (
        "calls that did not reach the Lambda API",
        "look at its endpoint, its name, and the firewall; legacy answers meanwhile",
    ),
    "api_error": ("calls that the Lambda API answered with an error", "look at the state of Lambda in the region"),
    "denied": ("calls refused for the credentials or their rights", "look at the host's role and its clock"),
    "no_credentials": ("calls that were not made for want of credentials", "look at the host's credentials below"),
    "not_found": ("calls of a function or an alias that does not exist", "deploy it, or correct its arn"),
    "too_large": (
        "calls whose body does not fit into an event",
        "leave large bodies to legacy by a route of their own",
    ),
    "unsupported_body": ("calls whose text body is not plain UTF-8", "nothing: legacy takes them"),
    "odd_path": ("calls whose path two servers may read differently", "nothing: legacy takes them"),
    "preflight": ("CORS preflights", "nothing: legacy answers them"),
    "conflict": ("calls of a function that is being changed", "wait until its update is over"),
    "not_ready": ("calls of a function that is not ready yet", "wait until its version is active"),
    "request": ("calls that the Lambda API could not read", "look at the requests: their headers or bodies are odd"),
    "recursive": (
        "calls that AWS ended because functions call each other in circles",
        "look at what the function calls",
    ),
    "runtime": ("calls that failed on the function's package or runtime", "deploy it anew"),
    "snapstart": ("calls that failed on the function's SnapStart", "look at its version's state"),
    "storage": ("calls that failed on the function's file system (EFS)", "look at its mount targets"),
    "key": ("calls that failed on the key of the function's environment (KMS)", "look at the key and its grants"),
    "network": ("calls that failed on the function's subnets or interfaces", "look for free addresses in its subnets"),
}
"""Faults of calls of candidates, by the inner hop's reason."""

ALARMS: Mapping[str, Words] = {
    "login_on_pooled_connection": (
        "answers that ask for NTLM or Negotiate on connections that clients share: users may be taken for one another",
        "set connections: per-client for the service now, and publish",
    ),
}
"""Alarms, by name."""

ODD_PATHS: Words = (
    "requests with an odd path (//, .., %2F)",
    "they stay on legacy: nothing, unless functions need them",
)


def words_of(kinds: Mapping[str, Words], kind: str) -> Words:
    """The words for a kind; a node that is newer may count what has none here."""
    return kinds.get(kind, (kind.replace("_", " "), _LOOK if kinds is CALLS else ""))
