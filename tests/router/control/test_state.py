"""The pure rules of the desired state, for random sequences of changes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from router.control.state import (
    AT_REST,
    MOST_MOVING,
    Move,
    caught_up,
    published,
    returned,
    settled,
    shifted,
    too_many,
    weight_of,
    weights_to_fold,
)
from router.estate import Endpoint
from router.ledger.records import Desired, Held, Kind, NewEntry, RampRecord, ReleaseRecord, Step
from router.snapshot.manifest import Manifest, RouteKeys
from router.weight import MOST_COUNTED, Weight

AT = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
ENTRY = NewEntry(at=AT, kind=Kind.PUBLISH, actor="ann")
ROUTES = ("books", "pens", "maps")


def manifest(digest: str, built_in: dict[str, int]) -> Manifest:
    """A manifest of routes with these weights built in."""
    routes = {name: RouteKeys(weight=parts, lambda_key="l", legacy_key="g") for name, parts in built_in.items()}
    return Manifest(digest=digest, entry=Endpoint("127.0.0.1", 1), routes=routes, files={})


def move(route: str, parts: int) -> Move:
    """A person's move."""
    return Move(route=route, to=Weight(parts), actor="ann", reason="", at=AT)


_CHANGES = st.one_of(
    st.tuples(st.just("shift"), st.sampled_from(ROUTES), st.integers(0, 10_000)),
    st.tuples(st.just("publish"), st.sets(st.sampled_from(ROUTES)), st.just(0)),
    st.tuples(st.just("settle"), st.none(), st.just(0)),
    st.tuples(st.just("return"), st.none(), st.just(0)),
    st.tuples(st.just("overtake"), st.none(), st.integers(0, 50)),
)


@given(st.lists(_CHANGES, max_size=30))
def test_versions_only_grow_and_every_weight_stays_in_force(changes: list[tuple[str, object, int]]) -> None:
    """Versions never fall, other keys mean another version, and a key, or what is built in, is always the weight."""
    desired, present, earlier = Desired(), manifest("0", dict.fromkeys(ROUTES, 0)), None
    for index, (kind, about, number) in enumerate(changes, start=1):
        step: Step | None = None
        match kind:
            case "shift" if str(about) in present.routes:
                step = shifted(desired, move(str(about), number))
            case "publish":
                assert isinstance(about, set)
                earlier = present
                present = manifest(str(index), {name: weight_of(desired, name).parts for name in about})
                step = published(desired, present, ENTRY)
            case "settle":
                step = settled(desired, present)
            case "return" if earlier is not None:
                present, earlier = earlier, None
                step = returned(desired, present, ENTRY)
            case "overtake":
                step = caught_up(desired, revision=number, weights_version=number)
        if step is None:
            continue
        assert step.before is desired
        assert step.after.revision > desired.revision
        assert step.after.weights_version >= desired.weights_version
        if step.after.moving() != desired.moving():
            assert step.after.weights_version > desired.weights_version
        desired = step.after
        for name, keys in present.routes.items():
            in_force = desired.moving().get(name, keys.weight)
            assert in_force == weight_of(desired, name).parts


def test_a_lost_weight_is_told_in_the_history() -> None:
    """A publish that takes away routes whose weight is above 0 has one entry for each, with the weight."""
    desired = shifted(Desired(), move("books", 300)).after
    step = published(desired, manifest("2", {}), ENTRY)
    assert [(entry.route, entry.before, entry.after) for entry in step.entries] == [
        (None, None, None),
        ("books", Weight(300), Weight(0)),
    ]


def test_what_is_at_rest_is_folded_and_what_moves_is_not() -> None:
    """Only weights that have rested for fifteen minutes are folded; the others keep what is built in."""
    present = manifest("1", {"books": 0, "pens": 100})
    rested = shifted(Desired(), move("books", 300)).after
    later = AT + AT_REST
    both = shifted(rested, Move(route="pens", to=Weight(200), actor="ann", reason="", at=later)).after
    assert weights_to_fold(both, present, later - timedelta(seconds=1)) is None
    assert weights_to_fold(both, present, later) == {"books": Weight(300), "pens": Weight(100)}


def test_too_many_keys_are_all_folded() -> None:
    """More than two hundred moving routes are folded at once, rested or not."""
    names = [f"r{number}" for number in range(MOST_MOVING + 1)]
    desired = Desired()
    for name in names[:-1]:
        desired = shifted(desired, move(name, 1)).after
    present = manifest("1", dict.fromkeys(names, 0))
    assert weights_to_fold(desired, present, AT) is None
    desired = shifted(desired, move(names[-1], 1)).after
    assert weights_to_fold(desired, present, AT) == dict.fromkeys(names, Weight(1))


def test_what_moves_beside_a_release_makes_room_for_its_evidence() -> None:
    """With more routes in motion than are counted, status names those beside releases, and they are folded at once."""
    names = [f"r{number:02}" for number in range(MOST_COUNTED)]
    held = {name: Held(weight=Weight(100), since=AT, by="ann", moving=True) for name in [*names, "books"]}
    release = ReleaseRecord(id="r#1", name="r", document="", plan="", actor="", reason="", started_at=AT)
    ramps = {("r#1", "books"): RampRecord(routes=("books",), state="{}", at=AT)}
    desired = Desired(weights=held, releases={"r#1": release}, ramps=ramps)
    present = manifest("1", dict.fromkeys(held, 0))
    assert f"{MOST_COUNTED + 1} routes move at once, and gates have evidence of at most {MOST_COUNTED}" in too_many(
        desired
    )
    assert too_many(desired).endswith(", ".join(names[-3:]))
    folded = weights_to_fold(desired, present, AT)
    assert folded is not None
    assert (folded["books"], folded["r00"]) == (Weight(0), Weight(100))
    fewer = replace(desired, weights={name: one for name, one in held.items() if name != "r00"})
    assert (too_many(fewer), weights_to_fold(fewer, present, AT)) == ("", None)
    alone = replace(desired, releases={}, ramps={})
    assert (too_many(alone), weights_to_fold(alone, present, AT)) == ("", None)
