"""The demo's judgement: who bounced, which share is plausible, what is counted, and when the story holds."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from examples.bookshop.demo.estate import Shift
from examples.bookshop.demo.sides import Held, Mark, Sides
from examples.bookshop.demo.summary import Summary
from examples.bookshop.demo.tally import Tally, quantile
from examples.bookshop.demo.traffic import Load, Seen, Traffic

SEEN = Seen(
    user="alice",
    is_read=True,
    mark=Mark(0, in_force=True),
    status=200,
    assigned="lambda",
    side="lambda",
    seconds=0.01,
    fault=None,
)
HELD = Summary(
    requests=1000,
    reads=950,
    failed=0,
    users=400,
    bounced_users=0,
    fallbacks=10,
    answered_by_lambda=500,
    fallbacks_while_well=2,
    answered_by_lambda_while_broken=0,
    silent=0,
    shifts=(Shift(weight=5, in_force_ms=3.2), Shift(weight=0, in_force_ms=2.5)),
    held=(Held(weight=0, users=400, on_lambda=0), Held(weight=5, users=400, on_lambda=22)),
)


def ramp(sides: Sides, weight: float, *, settle: bool = True) -> None:
    sides.shifting(weight)
    if settle:
        sides.in_force()


def test_ramp_is_no_bounce() -> None:
    """A user who goes to Lambda as the weight rises, and back as it falls, did not bounce."""
    sides = Sides()
    sides.seen("alice", sides.mark(), "legacy")
    ramp(sides, 50)
    sides.seen("alice", sides.mark(), "lambda")
    ramp(sides, 100)
    sides.seen("alice", sides.mark(), "lambda")
    ramp(sides, 0)
    sides.seen("alice", sides.mark(), "legacy")
    assert sides.bounced == set()


def test_change_while_held() -> None:
    """A user whose side changes while the weight is held bounced, even towards the side that the ramp favours."""
    sides = Sides()
    ramp(sides, 50)
    sides.seen("alice", sides.mark(), "legacy")
    sides.seen("alice", sides.mark(), "lambda")
    assert sides.bounced == {"alice"}


def test_change_against_the_ramp() -> None:
    """A user who goes back to legacy while the weight rises bounced."""
    sides = Sides()
    ramp(sides, 50)
    sides.seen("alice", sides.mark(), "lambda")
    ramp(sides, 60)
    sides.seen("alice", sides.mark(), "legacy")
    assert sides.bounced == {"alice"}


def test_change_under_way() -> None:
    """A user seen while a shift was under way may change once it is in force, and not once more."""
    sides = Sides()
    ramp(sides, 50, settle=False)
    sides.seen("alice", sides.mark(), "legacy")
    sides.in_force()
    sides.seen("alice", sides.mark(), "lambda")
    assert sides.bounced == set()
    sides.seen("alice", sides.mark(), "legacy")
    assert sides.bounced == {"alice"}


def test_user_missed_steps() -> None:
    """A user who was away during a ramp up and down may be on either side; one away during a ramp up only forward."""
    sides = Sides()
    for user in ("alice", "bob"):
        sides.seen(user, sides.mark(), "legacy")
    ramp(sides, 100)
    ramp(sides, 0)
    ramp(sides, 50)
    sides.seen("alice", sides.mark(), "lambda")
    sides.seen("bob", sides.mark(), "legacy")
    assert sides.bounced == set()


@given(
    slots=st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 99), min_size=1, max_size=20),
    weights=st.lists(st.integers(0, 100), max_size=8),
)
def test_monotone_split_never_bounces(slots: dict[str, int], weights: list[int]) -> None:
    """With a fixed place for each user, no ramp whatever makes anybody bounce, and each share is exact."""
    sides = Sides()
    for weight in (0, *weights):
        sides.shifting(weight)
        sides.in_force()
        for user, slot in slots.items():
            sides.seen(user, sides.mark(), "lambda" if slot < weight else "legacy")
    assert sides.bounced == set()
    for held, weight in zip(sides.held()[1:], (0, *weights), strict=True):
        assert held.on_lambda == sum(slot < weight for slot in slots.values())


def test_plausible_shares() -> None:
    """A share is plausible within four standard deviations of its weight, and exactly at 0 % and 100 %."""
    assert Held(weight=25, users=400, on_lambda=112).is_plausible
    assert not Held(weight=25, users=400, on_lambda=150).is_plausible
    assert Held(weight=100, users=400, on_lambda=400).is_plausible
    assert not Held(weight=100, users=400, on_lambda=399).is_plausible
    assert not Held(weight=0, users=400, on_lambda=1).is_plausible
    assert not Held(weight=50, users=0, on_lambda=0).is_plausible


def test_tally() -> None:
    """Requests, failures and fallbacks are counted from the beginning, rates over the last two seconds."""
    tally = Tally()
    tally.add(replace(SEEN, seconds=9.0), 100.0)
    for _ in range(3):
        tally.add(SEEN, 110.0)
    tally.add(replace(SEEN, side="legacy", seconds=0.03), 110.5)
    tally.add(replace(SEEN, status=503, fault="status 503"), 110.5)
    tally.add(replace(SEEN, is_read=False, assigned="", side=""), 110.5)
    assert (tally.requests, tally.failed, tally.reads, tally.fallbacks, tally.silent) == (7, 1, 6, 1, 0)
    on_lambda, on_legacy = tally.rates("lambda", 111.0), tally.rates("legacy", 111.0)
    assert (on_lambda.per_second, on_lambda.errors, on_lambda.p50_ms) == (2.0, 1, 10.0)
    assert (on_legacy.per_second, on_legacy.errors, on_legacy.p99_ms) == (0.5, 0, 30.0)
    assert tally.faults == ["status 503"]


def test_quantile() -> None:
    """The p99 of a hundred values is the last but nothing; of none there is none."""
    assert quantile([], 0.5) is None
    assert quantile([float(value) for value in range(100)], 0.99) == 99.0
    assert quantile([1.0, 2.0, 3.0], 0.5) == 2.0


def test_story_holds() -> None:
    """A story without failures, bounces and implausible shares holds; each fault is said in words."""
    assert HELD.story_held
    for broken, said in (
        (replace(HELD, failed=2, faults=("status 503",)), "2 requests failed: status 503"),
        (replace(HELD, bounced_users=1), "1 users changed their side"),
        (replace(HELD, fallbacks=0), "legacy never answered for Lambda"),
        (replace(HELD, answered_by_lambda=0), "of 2 reads for Lambda, while it was well, it answered 0"),
        (replace(HELD, answered_by_lambda_while_broken=3), "3 reads were answered by a Lambda that was broken"),
        (replace(HELD, silent=4), "4 answers did not say"),
        (replace(HELD, held=(Held(weight=5, users=400, on_lambda=200),)), "at 5% 50.0% of 400 users"),
    ):
        assert not broken.story_held
        assert any(problem.startswith(said) for problem in broken.problems), broken.problems


def test_report() -> None:
    """The report has the counts, and each shift's weight in percent with its time."""
    report = json.loads(HELD.to_json())
    assert {name: report[name] for name in ("requests", "failed", "bounced_users", "fallbacks")} == {
        "requests": 1000,
        "failed": 0,
        "bounced_users": 0,
        "fallbacks": 10,
    }
    assert report["shifts"] == [{"weight": 5, "in_force_ms": 3.2}, {"weight": 0, "in_force_ms": 2.5}]


@asynccontextmanager
async def entry(answer: bytes) -> AsyncIterator[int]:
    """A server that gives every request the same answer, and its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                for line in head.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        await reader.readexactly(int(line.split(b":")[1]))
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


def take(answer: bytes, wanted: int) -> list[Seen]:
    """What the users saw until there were as many answers as wanted."""

    async def story() -> list[Seen]:
        taken: list[Seen] = []
        async with entry(answer) as port:
            load = Load(users=[f"user-{number}" for number in range(8)], requests_per_second=500, connections=4)
            mark = Mark(0, in_force=True)

            def keep(seen: Seen) -> None:
                taken.append(seen)
                if len(taken) >= wanted:
                    traffic.stop()

            traffic = Traffic("127.0.0.1", port, load, mark=lambda: mark, seen=keep)
            await traffic.run()
        return taken

    return asyncio.run(story())


def test_traffic_reads_both_framings() -> None:
    """Answers with a length and in chunks are read whole, and the side headers are taken from them."""
    headers = b"HTTP/1.1 200 OK\r\nX-Fig-Side: legacy\r\nx-fig-assigned: lambda\r\n"
    for answer in (
        headers + b"content-length: 5\r\n\r\nhello",
        headers + b"transfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n",
    ):
        reads = [seen for seen in take(answer, 40) if seen.is_read]
        assert all(seen.fault is None and seen.fell_back for seen in reads)
        assert {seen.user for seen in reads} == {f"user-{number}" for number in range(8)}


def test_traffic_counts_failures() -> None:
    """An unexpected status and a connection that breaks are failures, and the users go on."""
    assert all(seen.fault for seen in take(b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n", 10))
    broken = take(b"nonsense\r\n\r\n", 10)
    assert all(seen.fault and seen.status == 0 for seen in broken)
