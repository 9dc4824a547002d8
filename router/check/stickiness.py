"""What identifies users must be steady, and the same for routes that move one cohort."""

from collections.abc import Iterator

from strangler_fig.diagnostics import Diagnostic

from ..estate import Route, Sticky, StickyKind
from .subject import Subject

UNSTEADY_KEY = "ES218"
MIXED_COHORT = "ES219"


def keys_are_steady(subject: Subject) -> Iterator[Diagnostic]:
    """A token is renewed while its user stays: hashed, it moves them between the sides."""
    for route in subject.estate.routes:
        sticky = route.sticky
        if sticky.kind is StickyKind.HEADER and sticky.name == "authorization" and route.has_two_sides:
            message = f"route {route.name}: Authorization changes with each token, and its user's side with it"
            hint = "choose a header or a cookie that stays the same for a user"
            yield subject.warning(UNSTEADY_KEY, message, "routes", route.name, "sticky", hint=hint)


def cohorts_share_a_key(subject: Subject) -> Iterator[Diagnostic]:
    """Routes with one salt move one cohort, which holds only when they identify users alike."""
    first: dict[str, Route] = {}
    for route in subject.estate.routes:
        other = first.setdefault(route.salt, route)
        if _identity(other.sticky) != _identity(route.sticky) and other.has_two_sides and route.has_two_sides:
            message = (
                f"route {route.name} shares salt {route.salt!r} with {other.name}, but identifies users by "
                f"{_words(route.sticky)}, not by {_words(other.sticky)}: their users move apart"
            )
            yield subject.warning(MIXED_COHORT, message, "routes", route.name, "salt", hint="give both the same sticky")


def _identity(sticky: Sticky) -> tuple[StickyKind, str]:
    return sticky.kind, sticky.name


def _words(sticky: Sticky) -> str:
    return f"{sticky.kind.value} {sticky.name}" if sticky.name else "the client's address"
