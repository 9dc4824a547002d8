"""How figures are divided: the sums, who may grow when, and what a restart of control changes."""

import random
from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from router.control.shares import grants, steady_targets, targets
from router.control.sharing import Holding, Sharing
from router.control.waiting import Bell
from router.snapshot.figures import Figure, Resource, Shares, untold_share

NAMES = st.sets(st.sampled_from([f"n{number}" for number in range(12)]), min_size=1)
MOST = st.integers(1, 200)
KEY = st.sampled_from(["circuit_breakers.legacy.shop.default.max_requests", "b", "c"])


@given(KEY, MOST, NAMES)
def test_targets_are_the_whole_figure_and_differ_by_one(key: str, most: int, nodes: set[str]) -> None:
    """Targets add up to the figure, are equal but for one, and are at least one each."""
    found = targets(key, most, nodes)
    assert found.keys() == nodes
    assert sum(found.values()) == max(most, len(nodes))
    assert min(found.values()) >= 1
    assert max(found.values()) - min(found.values()) <= 1


@given(KEY, MOST, NAMES, st.data())
def test_nobody_grows_by_a_newcomer_or_shrinks_by_a_leaver(
    key: str, most: int, nodes: set[str], data: st.DataObject
) -> None:
    """When a node joins, no other node's target grows; seen from the other end, when one leaves, none shrinks."""
    newcomer = data.draw(st.sampled_from(["x", "y", "z"]))
    before, after = targets(key, most, nodes), targets(key, most, {*nodes, newcomer})
    assert all(after[name] <= before[name] for name in nodes)


def test_what_is_left_over_of_different_figures_goes_to_different_nodes() -> None:
    """No node gets the larger part of everything."""
    first = {next(iter(targets(f"figure-{number}", 3, {"a", "b"}))) for number in range(20)}
    assert first == {"a", "b"}


@given(KEY, MOST, NAMES, st.dictionaries(st.sampled_from([f"n{n}" for n in range(12)]), st.integers(0, 60)))
def test_grants_never_add_to_what_is_too_much_already(
    key: str, most: int, nodes: set[str], held: dict[str, int]
) -> None:
    """What nodes hold and are granted together is at most the figure, or what they held, or one for each newcomer."""
    held = {name: held.get(name, 0) for name in nodes}
    wanted = targets(key, most, nodes)
    found = grants(most, wanted, held)
    largest = sum(max(held[name], found[name]) for name in nodes)
    assert largest <= max(most, sum(max(share, 1) for share in held.values()))
    assert all(found[name] >= 1 for name in nodes)
    assert all(found[name] <= wanted[name] for name in nodes)


@given(KEY, MOST, NAMES)
def test_whoever_has_its_target_keeps_it(key: str, most: int, nodes: set[str]) -> None:
    """Grants are at rest once everybody holds its target."""
    wanted = targets(key, most, nodes)
    assert grants(most, wanted, wanted) == wanted


@given(MOST, NAMES, st.data())
def test_while_nodes_are_missing_nobody_grows(most: int, nodes: set[str], data: st.DataObject) -> None:
    """After a restart of control, who holds a part keeps it, and a figure that nobody holds is divided by all."""
    missing = data.draw(st.integers(1, 5))
    everybody = {*nodes, *(f"m{number}" for number in range(missing))}
    parts = targets("k", most, everybody)
    held = {name: parts[name] for name in nodes}
    assert steady_targets(most, nodes, held, count=len(everybody)) == held
    fresh = steady_targets(most, nodes, {}, count=len(everybody))
    assert sum(fresh.values()) <= max(most, len(everybody))


class Fleet(RuleBasedStateMachine):
    """Nodes that come, go, fall silent and follow in any order, against one control.

    What all Envoys may be using together never exceeds the figure, but for one unit for each node that is new until
    the others have given: they are counted until everybody has followed once.
    """

    MOST = 10

    def __init__(self) -> None:
        super().__init__()
        self.figure = Figure(of="legacy shop", cluster="legacy.shop", resource=Resource.REQUESTS, most=self.MOST)
        self.now = 1000.0
        self.sharing = self._control([])
        self.in_force: dict[str, Shares] = {}
        self.versions: dict[str, str | None] = {}
        self.new: set[str] = set()
        self.names = 0

    @rule()
    def join(self) -> None:
        """A node that nobody knows asks what it may use."""
        self.names += 1
        name = f"n{self.names}"
        self._follow(name)
        self.new.add(name)

    @precondition(lambda self: self.in_force)
    @rule(choice=st.randoms(use_true_random=False))
    def follow(self, choice: random.Random) -> None:
        """A node puts in force what it is told now."""
        self._follow(choice.choice(sorted(self.in_force)))

    @precondition(lambda self: self.in_force)
    @rule(choice=st.randoms(use_true_random=False))
    def report(self, choice: random.Random) -> None:
        """A node says what is in force there."""
        self._report(choice.choice(sorted(self.in_force)))

    @precondition(lambda self: self.in_force)
    @rule(choice=st.randoms(use_true_random=False))
    def leave(self, choice: random.Random) -> None:
        """A node ends and says so."""
        name = choice.choice(sorted(self.in_force))
        del self.in_force[name]
        self.new.discard(name)
        self.sharing.left(name)

    @rule()
    def restart_control(self) -> None:
        """Control begins anew; its ledger knows who ever reported, and nothing of what they hold."""
        for name in self.in_force:
            self._report(name)
        everybody = [f"n{number}" for number in range(1, self.names + 1)]
        self.sharing = self._control(everybody)

    @rule(seconds=st.floats(0, 20))
    def time_passes(self, seconds: float) -> None:
        """Time passes, in which every node reports."""
        self.now += seconds
        for name in self.in_force:  # nobody is silent for the whole grace time
            self._report(name)

    @invariant()
    def the_figure_holds(self) -> None:
        """What Envoys may use together."""
        used = sum(one.of[self.figure.key] for one in self.in_force.values())
        assert used <= max(self.MOST, len(self.in_force)) + len(self.new)

    @invariant()
    def everybody_has_at_least_one(self) -> None:
        """No node refuses everything."""
        assert all(one.of[self.figure.key] >= 1 for one in self.in_force.values())

    def teardown(self) -> None:
        """Once everybody followed and reported often enough, everybody has exactly its part."""
        self.now += 59
        for name in self.in_force:
            self._report(name)
        self.now += 2  # nobody of before is waited for any more
        for _ in range(3):
            for name in self.in_force:
                self._follow(name)
                self._report(name)
        parts = {name: one.of[self.figure.key] for name, one in self.in_force.items()}
        assert parts == targets(self.figure.key, self.MOST, parts.keys())
        assert {one.nodes for one in self.in_force.values()} <= {len(parts)}

    def _control(self, expected: list[str]) -> Sharing:
        return Sharing(lambda: (self.figure,), bell=Bell(), clock=lambda: self.now, expected=expected, grace_seconds=60)

    def _follow(self, name: str) -> None:
        self.sharing.polled(name)
        told = self.sharing.told_to(name)
        if told is not None:
            self.in_force[name], self.versions[name] = told.shares, told.version

    def _report(self, name: str) -> None:
        self.sharing.heard(name, Holding(version=self.versions[name], shares=self.in_force[name]))
        if all(self._confirmed(one) for one in self.in_force):
            self.new.clear()

    def _confirmed(self, name: str) -> bool:
        told = self.sharing.told_to(name)
        return told is not None and told.version == self.versions[name]


TestFleet = Fleet.TestCase
TestFleet.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


def figure(most: int = 10) -> Figure:
    return Figure(of="legacy shop", cluster="legacy.shop", resource=Resource.REQUESTS, most=most)


class Clock:
    """Seconds that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        """The present second."""
        return self.now


def sharing(clock: Clock, *, most: int = 10, expected: tuple[str, ...] = ()) -> Sharing:
    return Sharing(lambda: (figure(most),), bell=Bell(), clock=clock, expected=expected, grace_seconds=60)


def hold(control: Sharing, name: str, share: int, *, nodes: int | None = None, in_use: int = 0) -> None:
    """The node reports this share, which is not what it was told."""
    key = figure().key
    control.heard(name, Holding(version=None, shares=Shares(nodes=nodes, of={key: share}), in_use={key: in_use}))


def follow(control: Sharing, name: str, *, in_use: int = 0) -> None:
    """The node reports that it has in force what it was told."""
    told = control.told_to(name)
    assert told is not None
    control.heard(name, Holding(version=told.version, shares=told.shares, in_use={figure().key: in_use}))


def granted(control: Sharing) -> Mapping[str, int]:
    return {name: told.shares.of[figure().key] for name, told in control.told().items()}


def test_a_newcomer_waits_until_the_others_have_given() -> None:
    """One node holds 10 of 10; a second gets 1 until the first has confirmed 5, then 5."""
    control = sharing(Clock())
    control.polled("a")
    follow(control, "a")
    control.polled("b")
    assert granted(control) == {"a": 5, "b": 1}
    hold(control, "a", 10)  # a report that was under way before the news arrived
    assert granted(control) == {"a": 5, "b": 1}
    follow(control, "a")
    assert granted(control) == {"a": 5, "b": 5}


def test_what_is_still_in_use_is_not_given_away() -> None:
    """A smaller share ends no request: the newcomer grows by what the other's requests have left, as they end."""
    control = sharing(Clock())
    control.polled("a")
    follow(control, "a")
    control.polled("b")
    for in_use, others in ((10, 1), (8, 2), (6, 4), (5, 5), (0, 5)):
        follow(control, "a", in_use=in_use)
        follow(control, "b")
        assert granted(control) == {"a": 5, "b": others}


def test_a_node_that_ends_on_purpose_gives_its_part_back_at_once() -> None:
    """What a node held that has left is free, without any grace time."""
    control = sharing(Clock())
    for _ in range(3):
        for name in ("a", "b"):
            control.polled(name)
            follow(control, name)
    control.left("b")
    assert granted(control) == {"a": 10}
    assert control.told_to("b") is None


def test_a_silent_node_is_counted_for_the_grace_time_and_no_longer() -> None:
    """59 seconds after its last report a silent node still has its part; after 60 the others have it."""
    clock = Clock()
    control = sharing(clock)
    for _ in range(3):
        for name in ("a", "b"):
            control.polled(name)
            follow(control, name)
    assert granted(control) == {"a": 5, "b": 5}
    clock.now = 59.0
    follow(control, "a")
    assert granted(control) == {"a": 5, "b": 5}
    clock.now = 60.0
    follow(control, "a")
    assert granted(control) == {"a": 10}


def test_a_node_that_comes_back_after_the_grace_time_is_shrunk_not_doubled() -> None:
    """A node that was cut off still uses 5 while the other has 10: both are told 5 at once, none grows."""
    control = sharing(Clock())
    control.polled("a")
    follow(control, "a")
    hold(control, "b", 5)
    assert granted(control) == {"a": 5, "b": 5}


def test_a_restarted_control_changes_nothing() -> None:
    """The first report after a restart says that the fleet has two nodes: nobody grows before the second is heard."""
    clock = Clock()
    control = sharing(clock, expected=("a", "b", "gone for a year"))
    hold(control, "a", 5, nodes=2)
    assert granted(control) == {"a": 5}
    assert control.told()["a"].shares.nodes == 2
    hold(control, "b", 5, nodes=2)
    assert granted(control) == {"a": 5, "b": 5}
    clock.now = 60.0
    hold(control, "a", 5, nodes=2)
    hold(control, "b", 5, nodes=2)
    assert {told.shares.nodes for told in control.told().values()} == {2}


def test_a_node_of_before_keeps_what_it_has_until_it_has_said_what_that_is() -> None:
    """After a restart polls come before reports: they are answered without shares, and nobody grows by them."""
    control = sharing(Clock(), expected=("a", "b"))
    control.polled("a")
    control.heard("a", None)  # its agent does not know yet what Envoy has
    assert control.told_to("a") is None
    hold(control, "a", 5, nodes=2)
    assert granted(control) == {"a": 5}


def test_a_new_node_takes_nothing_from_those_that_a_restarted_control_has_not_heard() -> None:
    """Right after a restart a newcomer gets the least; then its part of a fleet that has all nodes of before."""
    clock = Clock()
    control = sharing(clock, expected=("a", "b"))
    control.polled("new")
    assert granted(control) == {"new": 1}
    hold(control, "a", 5, nodes=2)
    assert granted(control) == {"a": 4, "new": 1}
    clock.now = 5.0
    follow(control, "a")
    assert granted(control) == {"a": 4, "new": 2}  # ten by three; four are a's, and four may be b's
    hold(control, "b", 5, nodes=2)
    for _ in range(3):
        for name in ("a", "b", "new"):
            follow(control, name)
    assert sorted(granted(control).values()) == [3, 3, 4]


def test_a_figure_that_is_new_is_divided_at_once_whoever_is_missing() -> None:
    """Right after a restart, a figure that a node of before does not know is nobody's yet: each gets its part of it."""
    control = sharing(Clock(), expected=("a", "b"))
    control.heard("a", Holding(version=None, shares=Shares(nodes=2)))
    assert granted(control) == {"a": 5}
    follow(control, "a")
    assert granted(control) == {"a": 5}


def test_a_restarted_control_waits_for_a_missing_node_as_long_as_for_a_silent_one() -> None:
    """Of two nodes one does not come back after the restart: the other grows when the grace time is over."""
    clock = Clock()
    control = sharing(clock, expected=("a", "b"))
    hold(control, "a", 5, nodes=2)
    clock.now = 59.0
    hold(control, "a", 5, nodes=2)
    assert granted(control) == {"a": 5}
    clock.now = 60.0
    hold(control, "a", 5, nodes=2)
    assert granted(control) == {"a": 10}


def test_a_node_that_says_nothing_of_shares_is_counted_all_the_same() -> None:
    """A node of an earlier version takes part in the division: it uses something, whatever it is."""
    control = sharing(Clock())
    control.heard("old", None)
    control.polled("new")
    assert granted(control)["new"] <= 5


def test_a_share_that_was_never_told_is_a_quarter_and_at_least_one() -> None:
    """A node that nobody told anything assumes that it is one of four."""
    assert [untold_share(most) for most in (1, 3, 4, 10, 100)] == [1, 1, 1, 2, 25]
