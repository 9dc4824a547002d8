"""What is remembered of telemetry that repeats itself, and how much at most."""

from observability.normalise.memo import Memo


def test_what_was_met_before_is_not_made_again() -> None:
    """A value is made once for its bytes, as long as it is asked for."""
    made: list[bytes] = []

    def make(raw: bytes) -> str:
        made.append(raw)
        return raw.decode()

    memo = Memo(make, most=8, longest=10)
    assert [memo[b"a"], memo[b"b"], memo[b"a"]] == ["a", "b", "a"]
    assert made == [b"a", b"b"]
    for number in range(1_000):
        assert memo[str(number).encode()] == str(number)
        assert memo[b"a"] == "a"
    assert made.count(b"a") == 1


def test_it_is_bounded() -> None:
    """Of a thousand values at most so many are kept, and none of long bytes; what fails is not kept either."""
    memo = Memo(lambda raw: len(raw) // (raw != b"bad"), most=8, longest=10)
    for number in range(1_000):
        assert memo[str(number).encode()] == len(str(number))
    assert len(memo) + len(memo._older) <= 8  # noqa: SLF001 - what is bounded
    assert memo[b"x" * 11] == 11
    assert b"x" * 11 not in memo
    for _ in range(2):
        try:
            memo[b"bad"]
        except ZeroDivisionError:
            continue
        raise AssertionError
