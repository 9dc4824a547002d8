"""When a decision may be based on the telemetry, and what is said when not."""

from collections.abc import Mapping
from typing import Any

import pytest

from observability.query.picture import picture

WHOLE: Mapping[str, list[dict[str, Any]]] = {
    "hops": [
        {"Side": "lambda", "Hops": 200, "WithChild": 198, "Refused": 0},
        {"Side": "legacy", "Hops": 200, "WithChild": 200, "Refused": 0},
    ],
    "orphans": [{"ServiceName": "shop", "Spans": 400, "Orphans": 2}],
    "clocks": [{"ServiceName": "shop", "Calls": 200, "BeforeParent": 1, "EarliestNanoseconds": -20_000}],
    "logs": [{"ServiceName": "shop", "Records": 100, "WithoutTrace": 3}],
    "drops": [],
    "router_batches": [{"Instance": "router-1", "Sent": 1200.0, "Taken": 1200.0}],
}
PROCESS: Mapping[str, Any] = {
    "fault": "",
    "free_bytes": 50 * 2**30,
    "queued_bytes": 0,
    "max_queued_bytes": 100,
    "door": {"refused": [], "invalid_ids": {}},
    "forward": {"to": None, "fault": "", "dropped": 0, "rejected": 0},
    "pages": {"policy_reports": 0},
}


Found = dict[str, Any]


def judged(process: Mapping[str, Any] | None = None, **found: list[dict[str, Any]]) -> dict[str, Any]:
    return picture({**WHOLE, **found}, {**PROCESS, **(process or {})})


def test_a_whole_picture() -> None:
    """Nothing is lost, nearly every hop leads somewhere: one may decide."""
    said = judged()
    assert (said["share"], said["level"]) == (0.995, "good")
    assert said["headline"] == "A decision may be based on this"
    texts = [one["text"] for one in said["findings"]]
    assert texts == [
        "all 1,200 batches that the router tells of were taken",
        "99 % of 200 hops to lambda lead to a span of whom they reached",
        "100 % of 200 hops to legacy lead to a span of whom they reached",
    ]


@pytest.mark.parametrize(
    ("found", "about", "level", "text"),
    [
        ({"router_batches": [{"Instance": "r", "Sent": 100.0, "Taken": 90.0}]}, "numbers", "bad", "10 of the router's"),
        (
            {"router_batches": [{"Instance": "r", "Sent": 100.0, "Taken": None}]},
            "numbers",
            "bad",
            "100 of the router's",
        ),
        ({"router_batches": []}, "numbers", "good", "no router tells of a loss"),
        (
            {"drops": [{"ServiceName": "fig-router", "MetricName": "x.logs_dropped", "Lost": 7.0}]},
            "numbers",
            "bad",
            "dropped 7 records",
        ),
        ({"hops": [], "logs": []}, "numbers", "odd", "no router tells of a request: there is nothing to decide on"),
        (
            {"hops": [], "logs": [], "router_batches": []},
            "numbers",
            "odd",
            "no router tells anything: there is nothing to decide on",
        ),
        ({"hops": [], "router_batches": []}, "numbers", "odd", "counted from the spans of applications"),
        ({"hops": []}, "traces", "odd", "nobody knows how whole"),
        (
            {"hops": [{"Side": "lambda", "Hops": 10, "WithChild": 9, "Refused": 0}]},
            "traces",
            "odd",
            "90 % of 10 hops to lambda",
        ),
        (
            {"hops": [{"Side": "", "Hops": 10, "WithChild": 7, "Refused": 0}]},
            "traces",
            "bad",
            "70 % of 10 hops to neither side",
        ),
        ({"orphans": [{"ServiceName": "", "Spans": 10, "Orphans": 1}]}, "traces", "odd", "a service without a name"),
        (
            {"clocks": [{"ServiceName": "fn", "Calls": 10, "BeforeParent": 9, "EarliestNanoseconds": -12_300_000}]},
            "traces",
            "odd",
            "behind its callers' by up to 12 ms",
        ),
        (
            {"drops": [{"ServiceName": "fn", "MetricName": "otel.sdk.exporter.span.exported", "Lost": 5.0}]},
            "traces",
            "odd",
            "fn says that it lost 5",
        ),
        ({"logs": [{"ServiceName": "shop", "Records": 100, "WithoutTrace": 90}]}, "logs", "odd", "90 % of the records"),
        (
            {"logs": [{"ServiceName": "a\u202eb\nc", "Records": 100, "WithoutTrace": 90}]},
            "logs",
            "odd",
            "of a\ufffdb\ufffdc carry",
        ),
    ],
)
def test_what_is_missing_is_said(found: dict[str, Any], about: str, level: str, text: str) -> None:
    """Each kind of loss is a sentence under its heading, as bad as it is."""
    said = judged(**found)
    assert said["levels"][about] == level
    assert any(text in one["text"] and one["level"] == level for one in said["findings"] if one["about"] == about)


def test_what_lambda_refused_is_no_loss() -> None:
    """Hops that reached nobody are told apart, and make no trace less whole."""
    said = judged(hops=[{"Side": "lambda", "Hops": 10, "WithChild": 10, "Refused": 90}])
    assert (said["share"], said["level"]) == (1.0, "good")
    assert any(one["text"].startswith("refused by Lambda: 90 hops") for one in said["findings"])
    assert judged(hops=[{"Side": "lambda", "Hops": 0, "WithChild": 0, "Refused": 3}])["share"] is None


def test_nothing_is_no_good_news() -> None:
    """An empty store approves of nothing, also where some application sends spans."""
    nothing: Found = {name: [] for name in WHOLE}
    for found in (nothing, nothing | {"orphans": WHOLE["orphans"]}):
        said = judged(**found)
        assert said["headline"] == "No router tells anything: there is nothing to decide on"
        assert (said["level"], said["levels"]["numbers"]) == ("odd", "odd")
    told = nothing | {"logs": [{"ServiceName": "fig-router", "Records": 3, "WithoutTrace": 0}]}
    assert judged(**told)["levels"]["numbers"] == "good"


def test_what_belongs_to_no_request_needs_no_trace() -> None:
    """The decisions of fig-control and the few lines of a start are no reason to doubt."""
    told = [("fig-control", 5_000), ("uvicorn", 6), ("shop", 100)]
    rows = [{"ServiceName": name, "Records": n, "WithoutTrace": n if name != "shop" else 0} for name, n in told]
    assert judged(logs=rows)["level"] == "good"


@pytest.mark.parametrize(
    ("process", "level", "text"),
    [
        ({"fault": "the disk is full"}, "bad", "nothing is stored at the moment: the disk is full"),
        ({"free_bytes": 500 * 10**6}, "odd", "500 MB left"),
        ({"free_bytes": 10**6}, "bad", "1 MB left"),
        ({"queued_bytes": 51}, "odd", "half of the queue"),
        (
            {"door": {"invalid_ids": {}, "refused": [{"requests": 2}, {"requests": 3}]}},
            "odd",
            "5 requests of senders were refused",
        ),
        ({"door": {"invalid_ids": {"traces": 3, "logs": 1}, "refused": []}}, "odd", "4 ids of senders were none"),
        (
            {"forward": {"to": "u", "fault": "away", "dropped": 0, "rejected": 0}},
            "odd",
            "sending on does not work: away",
        ),
        ({"forward": {"to": "u", "fault": "", "dropped": 2, "rejected": 1}}, "odd", "3 messages were not sent on to u"),
        ({"pages": {"policy_reports": 4}}, "odd", "4 breaches"),
    ],
)
def test_the_process_is_part_of_the_picture(process: dict[str, Any], level: str, text: str) -> None:
    """A store that does not store makes the best telemetry useless."""
    said = judged(process)
    assert said["levels"]["process"] == level
    assert any(text in one["text"] for one in said["findings"])


def test_the_worst_of_all_decides_what_is_advised() -> None:
    """Lost records forbid a decision; torn traces forbid one that rests on traces; what is odd wants to be read."""
    lost: Found = {"router_batches": [{"Instance": "r", "Sent": 2.0, "Taken": 1.0}]}
    torn: Found = {"hops": [{"Side": "lambda", "Hops": 10, "WithChild": 1, "Refused": 0}]}
    odd: Found = {"orphans": [{"ServiceName": "a", "Spans": 10, "Orphans": 9}]}
    assert judged(**lost, **torn)["headline"].startswith("Do not decide on this")
    assert judged({"fault": "full"})["headline"].startswith("Do not decide on this")
    assert judged(**torn)["headline"].startswith("Decide on the numbers of routes, not on traces")
    assert judged(**odd)["headline"].startswith("A decision may be based on the numbers of routes; read")
    assert judged(**odd)["level"] == "odd"
