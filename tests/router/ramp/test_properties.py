"""What a ramp never does, whatever happens in whatever order."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from router.gate.verdict import Outcome
from router.ramp.events import Command, Judged, RouteVerdict, SetWeight, Versions, Warmed
from router.ramp.machine import wanted
from router.ramp.state import RampState
from router.release.values import OnBreach, Ramp, Ready, Step, StepKind
from router.release.windows import ALWAYS, Hours, Windows
from router.weight import Weight

from .ramps import HOUR, MONDAY, PILOTS, World, at_share, ramp_of, verdict

OFFICE = Windows(
    zone="Europe/Zurich",
    hours=(Hours(weekdays=frozenset(range(5)), start=MONDAY.time(), until=MONDAY.time().replace(hour=16)),),
)
STEPS = (
    Step(number=1, kind=StepKind.SHADOW, weight=Weight(0), shadow=1000, hold_seconds=600),
    Step(number=2, kind=StepKind.COHORT, weight=Weight(0), cohort=PILOTS, hold_seconds=600),
    at_share(3, 100, 600, cohort=PILOTS, ready=Ready(warm_calls=5)),
    Step(number=4, kind=StepKind.APPROVAL, weight=Weight(100), cohort=PILOTS),
    at_share(5, 1000, HOUR, cohort=PILOTS, glide_seconds=600),
    at_share(6, 9800, HOUR, cohort=PILOTS, holdback=200),
    Step(number=6, kind=StepKind.FINISH, weight=Weight(10_000), cohort=PILOTS),
)


@st.composite
def ramps(draw: st.DrawFn) -> Ramp:
    """Ramps of one route or a group, with and without windows, of every policy."""
    routes = draw(st.sampled_from([("books",), ("books", "search", "cart")]))
    windows = draw(st.sampled_from([ALWAYS, OFFICE]))
    first = draw(st.integers(0, 3))
    return ramp_of(*STEPS[first:], routes=routes, windows=windows, on_breach=draw(st.sampled_from(list(OnBreach))))


class Ramping(RuleBasedStateMachine):
    """A ramp, and everything that may happen to it."""

    world: World

    @initialize(ramp=ramps(), hour=st.integers(0, 168))
    def begin(self, ramp: Ramp, hour: int) -> None:
        """Begin at some hour of a week."""
        self.world = World(ramp, now=MONDAY + timedelta(hours=hour))

    @rule(seconds=st.sampled_from([1, 60, 700, 3700, 40_000]))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self._watch(lambda: self.world.wait(seconds))

    @rule()
    def in_force(self) -> None:
        """Let the weight come into force."""
        self._watch(self.world.in_force)

    @rule(outcomes=st.lists(st.sampled_from(list(Outcome)), min_size=3, max_size=3), late=st.integers(0, 1))
    def judge(self, outcomes: list[Outcome], late: int) -> None:
        """Let the gate judge each route, sometimes over a window that is gone."""
        routes = self.world.ramp.routes
        given_ = outcomes[: len(routes)]
        verdicts = tuple(RouteVerdict(route=r, verdict=verdict(o)) for r, o in zip(routes, given_, strict=True))
        is_pass = set(given_) == {Outcome.PASS} and not late
        self._watch(lambda: self.world.tell(Judged(window=self.world.state.window - late, verdicts=verdicts)), is_pass)

    @rule()
    def all_pass(self) -> None:
        """Let the gate pass every route, after the hold."""
        self.world.now += timedelta(hours=1)
        self._watch(lambda: self.world.judge(Outcome.PASS), is_pass=True)

    @rule(command=st.sampled_from([one for one in Command if one not in {Command.ABORT, Command.ROLLBACK}]))
    def order(self, command: Command) -> None:
        """Let a person order something."""
        self._watch(lambda: self.world.order(command))

    @rule()
    def warmed(self) -> None:
        """Let the function be warm."""
        self._watch(lambda: self.world.tell(Warmed()))

    @rule(version=st.sampled_from(["7", "8"]))
    def version(self, version: str) -> None:
        """Let a version of the function answer."""
        self._watch(lambda: self.world.tell(Versions(versions=((self.world.ramp.routes[0], version),))))

    @rule()
    def crash(self) -> None:
        """Forget all but what the ledger keeps, and go on."""
        read = RampState.from_json(self.world.state.to_json())
        assert read == self.world.state
        self.world.state = read
        before = dict(self.world.weights)
        for _twice in range(2):
            for action in wanted(self.world.ramp, read):
                self.world.carry_out(action)
        assert self.world.weights == before

    @invariant()
    def members_are_at_one_weight(self) -> None:
        """All routes have the weight that the state wants."""
        if hasattr(self, "world"):
            assert set(self.world.weights.values()) == {self.world.state.weight.parts}
            assert self.world.shadow == self.world.state.shadow
            assert self.world.cohort == self.world.state.cohort

    @invariant()
    def a_rollback_is_possible(self) -> None:
        """From here one order has everybody on legacy."""
        if hasattr(self, "world"):
            aside = World(self.world.ramp)
            aside.state, aside.weights = self.world.state, dict(self.world.weights)
            aside.order(Command.ROLLBACK)
            assert set(aside.weights.values()) == {0}

    def _watch(self, happen: object, is_pass: bool = False) -> None:  # noqa: FBT001, FBT002 - a mark of the caller's
        before = self.world.state
        assert callable(happen)
        decision = happen()
        after = self.world.state
        ups = [one for one in decision.actions if isinstance(one, SetWeight) and one.is_upward]
        if after.weight > before.weight or ups:
            assert self.world.ramp.windows.is_open(self.world.now)
            assert not after.paused
            assert not after.frozen
        left = self.world.ramp.steps[before.step]
        assert after.step <= before.step or not left.needs_pass or is_pass
        assert after.step <= before.step or set(range(before.step, after.step)) - {before.step} <= {
            index for index, step in enumerate(self.world.ramp.steps) if not step.needs_pass
        }
        assert after.window >= before.window


Ramping.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
test_a_ramp = Ramping.TestCase


@given(ramps(), st.lists(st.sampled_from([1, 600, 3600]), max_size=30))
@settings(max_examples=60, deadline=None)
def test_the_same_events_give_the_same_ramp(ramp: Ramp, waits: list[int]) -> None:
    """A decision depends on nothing but its arguments."""

    def run() -> list[dict[str, object]]:
        world, states = World(ramp), []
        for seconds in waits:
            world.in_force()
            world.wait(seconds)
            world.judge(Outcome.PASS)
            states.append(world.state.to_json())
        return states

    assert run() == run()
