import json
import signal
import threading
from pathlib import Path

import pytest

from tests.local.running import Answer, Running, has_gone, process_state, serving, wait_for


def test_a_warm_environment_keeps_its_globals(lambda_: Running) -> None:
    """Invocations one after the other run in one process, which was started once."""
    first = lambda_.invoke("count:7").document
    second = lambda_.invoke("count:7").document
    assert (second["pid"], second["count"]) == (first["pid"], first["count"] + 1)


def test_versions_have_environments_of_their_own(lambda_: Running) -> None:
    """Two versions never share a process, even within a concurrency of one."""
    assert lambda_.invoke("count:6").document["pid"] != lambda_.invoke("count:7").document["pid"]


def test_an_exception_is_answered_with_its_stack_trace(lambda_: Running) -> None:
    """A handler's exception is a function error: 200, Unhandled, type, message and the frames of the user's code."""
    answer = lambda_.invoke("fail")
    assert (answer.status, answer.headers["x-amz-function-error"]) == (200, "Unhandled")
    document = answer.document
    assert (document["errorType"], document["errorMessage"]) == ("ValueError", "no such book")
    assert document["requestId"] == answer.headers["x-amzn-requestid"]
    assert len(document["stackTrace"]) == 1
    assert 'raise ValueError("no such book")' in document["stackTrace"][0]


def test_an_answer_that_is_not_json_is_an_error_of_the_runtime(lambda_: Running) -> None:
    """What json cannot write is Runtime.MarshalError."""
    assert lambda_.invoke("marshal").document["errorType"] == "Runtime.MarshalError"


def test_a_timeout_kills_the_environment(lambda_: Running) -> None:
    """The caller is told after the timeout, the process dies, and the next invocation has a fresh one."""
    lambda_.invoke("sleep", {"seconds": 0})
    old = lambda_.state("sleep")["process_ids"]
    answer = lambda_.invoke("sleep", {"seconds": 60})
    assert (answer.status, answer.headers["x-amz-function-error"]) == (200, "Unhandled")
    name = answer.headers["x-amzn-requestid"]
    assert answer.document == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {name} Error: Task timed out after 0.50 seconds",
    }
    assert lambda_.invoke("sleep", {"seconds": 0}).document == "slept"
    wait_for(lambda: any(has_gone(pid) for pid in old), "the old process to go")


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"code": 3}, "Runtime exited with error: exit status 3"),
        ({"code": 0}, "Runtime exited without providing a reason"),
        ({"signal": signal.SIGKILL}, "Runtime exited with error: signal: killed"),
    ],
)
def test_a_process_that_ends_is_an_exit_error(lambda_: Running, event: dict[str, int], reason: str) -> None:
    """A handler that ends its process answers Runtime.ExitError with the reason, and the function recovers."""
    answer = lambda_.invoke("leave", event)
    name = answer.headers["x-amzn-requestid"]
    assert (answer.status, answer.headers["x-amz-function-error"]) == (200, "Unhandled")
    assert answer.document == {"errorType": "Runtime.ExitError", "errorMessage": f"RequestId: {name} Error: {reason}"}


@pytest.mark.parametrize(
    ("name", "error_type"),
    [
        ("missing", "Runtime.ImportModuleError"),
        ("broken", "Runtime.UserCodeSyntaxError"),
        ("unnamed", "Runtime.HandlerNotFound"),
        ("raises", "KeyError"),
    ],
)
def test_an_error_at_import_is_answered_each_time(lambda_: Running, name: str, error_type: str) -> None:
    """A module that cannot be imported answers the runtime's own document, on every invocation."""
    for _ in range(2):
        answer = lambda_.invoke(name)
        assert (answer.status, answer.headers["x-amz-function-error"]) == (200, "Unhandled")
        assert answer.document["errorType"] == error_type
    assert lambda_.state(name)["invocations"] == 0


def test_an_answer_over_six_mebibytes_is_an_error(lambda_: Running) -> None:
    """6,291,556 bytes are answered; more is Function.ResponseSizeTooLarge, and the next invocation is served."""
    assert len(lambda_.invoke("large", {"size": 6_291_556 - 2}).body) == 6_291_556
    answer = lambda_.invoke("large", {"size": 6_291_557 - 2})
    assert answer.headers["x-amz-function-error"] == "Unhandled"
    assert answer.document["errorType"] == "Function.ResponseSizeTooLarge"
    assert lambda_.invoke("large", {"size": 9_000_000}).document["errorType"] == "Function.ResponseSizeTooLarge"
    assert lambda_.invoke("large", {"size": 1}).document == "x"


def test_a_process_that_dies_between_invocations_costs_nobody_an_answer(folder: Path) -> None:
    """What was not delivered yet when a process died runs in another one."""
    text = "version: 1\nfunctions:\n  f: {handler: app.answer_then_die, code: code, concurrency: 1}\n"
    with serving(folder, text) as running:
        pid = running.invoke("f", {"die": True}).document
        wait_for(lambda: has_gone(pid), "the process to die")
        answers = [running.invoke("f") for _ in range(5)]
        assert all("x-amz-function-error" not in answer.headers for answer in answers)
        assert running.state("f")["invocations"] == 6


def test_a_burst_uses_as_many_processes_as_the_concurrency_allows(folder: Path) -> None:
    """Simultaneous invocations run side by side, each in a process of its own."""
    text = "version: 1\nfunctions:\n  f: {handler: app.sleep, code: code, concurrency: 3}\n"
    with serving(folder, text) as running:
        answers = invoke_together(running, "f", {"seconds": 0.4}, 3)
        assert [answer.document for answer in answers] == ["slept"] * 3
        assert running.state("f")["environments"] == 3


def test_failures_of_every_kind_under_load_leave_nothing_behind(folder: Path) -> None:
    """Timeouts, exits, exceptions and processes killed between invocations: each caller gets an answer of its own."""
    text = (
        "version: 1\nfunctions:\n  f: {handler: app.chaos, code: code, concurrency: 4, timeout: 200ms, freeze: true}\n"
    )
    kinds = ("fine", "raise", "exit", "late", "fine", "sleep", "fine", "fine")
    wrong: list[tuple[str, Answer]] = []
    with serving(folder, text) as running:

        def call(start: int) -> None:
            for number in range(40):
                kind = kinds[(start + number) % len(kinds)]
                answer = running.invoke("f", {"kind": kind, "id": f"{start}-{number}"})
                failed = "x-amz-function-error" in answer.headers
                # "late" kills the process after its answer: whatever comes next there may be what dies
                if answer.status != 200 or (not failed and answer.document["id"] != f"{start}-{number}"):
                    wrong.append((kind, answer))
                if kind in ("raise", "exit", "sleep") and not failed:
                    wrong.append((kind, answer))

        callers = [threading.Thread(target=call, args=(start,)) for start in range(4)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        assert wrong == []
        wait_for(lambda: running.state("f")["in_flight"] == 0, "no invocation to be in flight")
        assert running.state("f")["environments"] <= 4
        pids = running.state("f")["process_ids"]
    assert all(has_gone(pid) for pid in pids)


def invoke_together(running: Running, name: str, event: object, times: int) -> list[Answer]:
    answers: list[Answer] = []
    threads = [threading.Thread(target=lambda: answers.append(running.invoke(name, event))) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


FREEZING = "version: 1\nfunctions:\n  f: {handler: app.count, code: code, concurrency: 3, freeze: true}\n"


def test_a_frozen_environment_stands_still_between_invocations(folder: Path) -> None:
    """With `freeze` the process is stopped while nobody invokes it, and runs on when somebody does."""
    with serving(folder, FREEZING) as running:
        pid = running.invoke("f").document["pid"]
        wait_for(lambda: process_state(pid) == "T", "the process to stop")
        again = running.invoke("f").document
        assert (again["pid"], again["count"]) == (pid, 2)
        wait_for(lambda: process_state(pid) == "T", "the process to stop again")
    assert has_gone(pid)


def test_freezing_loses_no_wake_up_under_load(folder: Path) -> None:
    """1,500 invocations from three callers through environments that freeze each time all get their answers."""
    with serving(folder, FREEZING) as running:
        answers: list[Answer] = []

        def call() -> None:
            for _ in range(500):
                answers.append(running.invoke("f"))  # noqa: PERF401 - each is a request

        callers = [threading.Thread(target=call) for _ in range(3)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        assert {answer.status for answer in answers} == {200}
        assert running.state("f")["invocations"] == 1_500
        counts = [json.loads(answer.body)["count"] for answer in answers]
        assert len({(json.loads(one.body)["pid"], count) for one, count in zip(answers, counts, strict=True)}) == 1_500
