"""Where control is found, and how its answers and its silence become errors of ours."""

import json
from pathlib import Path

import httpx2
import pytest

from router import run_file
from router.client import ControlAddress, ControlClient, estate_environment, find_control
from router.errors import ControlRefused, ControlUnreachable, RouterFailed
from router.run_file import RunFile
from strangler_fig.diagnostics import Refused

RUN = RunFile(control="http://127.0.0.1:8901", token="secret-of-the-run-file", environment={"ENTRY_PORT": "8080"})  # noqa: S106


def test_control_is_found_by_option_then_environment_then_run_file(tmp_path: Path) -> None:
    """`--control` wins over FIG_CONTROL, which wins over the run file, whose token goes to its own control only."""
    run_file.write(tmp_path / run_file.NAME, RUN)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert find_control(environ={}, start=below) == ControlAddress(
        url=RUN.control, token=RUN.token, environment=RUN.environment
    )
    elsewhere = find_control(environ={"FIG_CONTROL": "http://far:1/", "FIG_TOKEN": "t"}, start=below)
    assert (elsewhere.url, elsewhere.token) == ("http://far:1", "t")
    named = find_control("http://near:2", environ={"FIG_CONTROL": "http://far:1"}, start=below)
    assert (named.url, named.token) == ("http://near:2", "")
    same = find_control(RUN.control, environ={}, start=below)
    assert same.token == RUN.token
    assert RUN.token not in repr(same)


def test_without_any_address_the_user_is_told_how_to_start_one(tmp_path: Path) -> None:
    """Where nothing says where control is, the message names fig up, fig control and --control."""
    with pytest.raises(ControlUnreachable, match=r"fig up ESTATE, fig control.*--control URL"):
        find_control(environ={}, start=tmp_path)


def test_the_process_s_environment_wins_over_the_run_file_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The values for an estate are the run file's where the process has none."""
    run_file.write(tmp_path / run_file.NAME, RUN)
    monkeypatch.delenv("ENTRY_PORT", raising=False)
    assert estate_environment(tmp_path)["ENTRY_PORT"] == "8080"
    monkeypatch.setenv("ENTRY_PORT", "9090")
    assert estate_environment(tmp_path)["ENTRY_PORT"] == "9090"


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"control": 1}', "[" * 100_000, '{"control":"x","token":"y","environment":3}']
)
def test_a_run_file_that_is_none_is_named(tmp_path: Path, content: str) -> None:
    """A damaged run file fails with its path and the way out."""
    path = tmp_path / "run.json"
    path.write_text(content)
    with pytest.raises(RouterFailed, match=r"run\.json does not read as a run file"):
        run_file.read(path)


def test_a_run_file_that_others_may_write_is_not_trusted(tmp_path: Path) -> None:
    """A run file that other users can change could send commands elsewhere: it is refused."""
    path = tmp_path / "run.json"
    run_file.write(path, RUN)
    path.chmod(0o666)
    with pytest.raises(RouterFailed, match="it is not trusted"):
        run_file.read(path)


def test_a_run_file_of_another_process_is_left_alone(tmp_path: Path) -> None:
    """At its end a process removes its own run file only."""
    path = tmp_path / "run.json"
    run_file.write(path, RUN)
    run_file.remove_own(path, RunFile(control="http://127.0.0.1:1", token=""))
    assert path.exists()
    run_file.remove_own(path, RUN)
    assert not path.exists()


def answering(status: int, body: str) -> ControlClient:
    """A client of a control that always answers this."""
    transport = httpx2.MockTransport(lambda _request: httpx2.Response(status, text=body))
    return ControlClient(ControlAddress(url="http://control", token=""), transport=transport)


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422])
def test_a_wrong_request_is_refused_with_control_s_words(status: int) -> None:
    """What control says about the request becomes a diagnostic with its code and hint."""
    body = json.dumps({"error": {"code": "CT404", "message": "there is no route 'x'", "hint": "did you mean y?"}})
    with answering(status, body) as client, pytest.raises(Refused) as refused:
        client.shift({"wait_seconds": 0})
    (found,) = refused.value.diagnostics
    assert (found.code, found.message, found.hint) == ("CT404", "there is no route 'x'", "did you mean y?")


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, '{"error": {"code": "CT401", "message": "the token is wrong", "hint": "set it"}}', "the token is wrong"),
        (503, '{"error": {"code": "CT503", "message": "disk full"}}', "disk full"),
        (500, "{}", "HTTP 500"),
        (502, "<html>", "is not control"),
        (200, "[]", "is not control"),
    ],
)
def test_other_refusals_are_failures_of_the_world(status: int, body: str, said: str) -> None:
    """A refusal that is not about the request, and an answer that is not control's, say so with the status."""
    with answering(status, body) as client, pytest.raises(ControlRefused, match=said) as refused:
        client.status()
    assert refused.value.status == status


@pytest.mark.parametrize(
    "error",
    [
        httpx2.ConnectError("no"),
        httpx2.ConnectTimeout("no"),
        httpx2.ReadTimeout("no"),
        httpx2.WriteError("no"),
        httpx2.RemoteProtocolError("no"),
        httpx2.ProxyError("no"),
        httpx2.TooManyRedirects("no"),
        httpx2.DecodingError("no"),
    ],
)
def test_no_foreign_exception_leaves_the_client(error: Exception) -> None:
    """Each failure of the HTTP library becomes ControlUnreachable, with the address in its message."""

    def fail(_request: httpx2.Request) -> httpx2.Response:
        raise error

    address = ControlAddress(url="http://control:1", token="")
    with (
        ControlClient(address, transport=httpx2.MockTransport(fail)) as client,
        pytest.raises(ControlUnreachable, match="http://control:1"),
    ):
        client.status()


@pytest.mark.parametrize("url", ["nonsense", "ftp://x", "http://[", "http://x:99999", "http://"])
def test_an_address_that_is_none_is_the_user_s_fault(url: str) -> None:
    """A `--control` that is no HTTP address is refused with the form that is meant."""
    with (
        pytest.raises(Refused, match="is not control's address"),
        ControlClient(ControlAddress(url=url, token="")) as client,
    ):
        client.status()
