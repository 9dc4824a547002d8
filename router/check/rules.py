"""All rules. To add one: write a function from `Subject` to findings in the module of its noun, and list it here."""

from collections.abc import Callable, Iterable

from strangler_fig.diagnostics import Diagnostic

from . import entry, identities, limits, matches, references, services, sides, stickiness, timeouts, upstreams
from .subject import Subject

Rule = Callable[[Subject], Iterable[Diagnostic]]

RULES: tuple[Rule, ...] = (
    references.default_exists,
    references.sides_exist,
    references.all_used,
    entry.believed_are_known,
    entry.proxy_headers_are_asked_for,
    entry.monitors_are_heard,
    entry.calls_of_functions_are_told,
    entry.clients_are_told_apart,
    sides.has_a_side,
    sides.long_lived_stay_on_legacy,
    sides.connect_has_no_path,
    sides.fallback_has_somewhere_to_fall,
    sides.a_cohort_has_two_sides,
    sides.rewrite_fits,
    timeouts.tries_fit,
    timeouts.connecting_fits,
    timeouts.health_checks_end,
    upstreams.functions_are_pinned,
    upstreams.invocations_are_encrypted,
    upstreams.regions_agree,
    upstreams.nothing_calls_the_entry,
    stickiness.keys_are_steady,
    stickiness.cohorts_share_a_key,
    services.logins_reach_functions,
    services.affinity_is_steady,
    services.protocols_carry_what_is_asked,
    identities.identities_exist,
    identities.identities_are_used,
    identities.somebody_can_pass,
    identities.sessions_say_whose_they_are,
    identities.sticky_keys_survive,
    identities.claims_are_short_lived,
    identities.legacy_can_tell,
    limits.figures_can_be_divided,
    limits.connections_can_be_limited,
    limits.requests_may_wait_for_connections,
    limits.periods_can_be_kept,
    limits.clients_are_known,
    matches.matches_are_reachable,
)


def check(subject: Subject) -> list[Diagnostic]:
    """Everything that the rules find."""
    return [finding for rule in RULES for finding in rule(subject)]
