"""Telemetry: the collector's configuration, the alarms on every limit that the planner names, a dashboard."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from constructs import Construct

from .alarms import SHARES, Unwatched, Watched, alarm_properties
from .logs import encryption_key, log_group
from .resource import export, policy, resource, statement, tags


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySettings:
    """Where telemetry goes (`cloudwatch`, or `clickhouse` at an address), and how long log records stay.

    `emails` and `urls` (https) hear of alarms, once they confirmed AWS's question.
    """

    name: str = "strangler-fig"
    to: str = "cloudwatch"
    clickhouse: str = ""
    retention_days: int = 90
    emails: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()


def collector(settings: TelemetrySettings) -> str:
    """The OpenTelemetry collector's configuration: OTLP in on loopback, batches out."""
    protocols = {"grpc": {"endpoint": "127.0.0.1:4317"}, "http": {"endpoint": "127.0.0.1:4318"}}
    exporters: dict[str, Any]
    if settings.to == "clickhouse":
        exporters = {
            "clickhouse": {
                "endpoint": settings.clickhouse,
                "database": "otel",
                "ttl": f"{settings.retention_days * 24}h",
            }
        }
        traces = metrics = logs = ["clickhouse"]
    else:
        group = f"/{settings.name}/telemetry"
        exporters = {
            "awsxray": {},
            "awsemf": {"namespace": "StranglerFig", "log_group_name": group},
            "awscloudwatchlogs": {"log_group_name": group, "log_stream_name": "records"},
        }
        traces, metrics, logs = ["awsxray"], ["awsemf"], ["awscloudwatchlogs"]
    pipelines = {
        kind: {"receivers": ["otlp"], "processors": ["memory_limiter", "batch"], "exporters": to}
        for kind, to in (("traces", traces), ("metrics", metrics), ("logs", logs))
    }
    values = {
        "receivers": {"otlp": {"protocols": protocols}},
        "processors": {"memory_limiter": {"check_interval": "1s", "limit_mib": 256}, "batch": {"timeout": "2s"}},
        "exporters": exporters,
        "service": {"pipelines": pipelines},
    }
    text: str = yaml.safe_dump(values, sort_keys=False)
    return text


class Telemetry(Construct):
    """A topic, an alarm at 70 % and at 90 % of each limit that a metric shows, a dashboard, the collector's part.

    Costs 0.10 USD a month for each alarm, 3 USD for the dashboard, 0.50 USD for a GB of log records, 5 USD for a
    million traces. What binds: nothing here; the alarms are about what binds elsewhere.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        settings: TelemetrySettings,
        watched: Sequence[Watched],
        unwatched: Sequence[Unwatched],
    ) -> None:
        super().__init__(scope, name)
        key = encryption_key(self, "Telemetry and alarms", has_alarms=True)
        group = log_group(self, "Records", f"/{settings.name}/telemetry", key=key, days=settings.retention_days)
        topic = resource(
            self, "Alarms", "AWS::SNS::Topic", {"KmsMasterKeyId": key, "Tags": tags(f"{settings.name}-alarms")}
        )
        owner = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
        publish = statement(
            ["sns:Publish"], topic.ref, Principal={"Service": "cloudwatch.amazonaws.com"}, Condition=owner
        )
        resource(
            self, "AlarmsPolicy", "AWS::SNS::TopicPolicy", {"Topics": [topic.ref], "PolicyDocument": policy(publish)}
        )
        for protocol, addresses in (("email", settings.emails), ("https", settings.urls)):
            for place, address in enumerate(addresses, start=1):
                told = {"TopicArn": topic.ref, "Protocol": protocol, "Endpoint": address}
                resource(self, f"Told{protocol.title()}{place}", "AWS::SNS::Subscription", told)
        for place, one in enumerate(watched, start=1):
            for word, properties in alarm_properties(one, topic.ref, settings.name):
                resource(self, f"Alarm{place}At{word}", "AWS::CloudWatch::Alarm", properties)
        configuration = {
            "Name": f"/{settings.name}/telemetry/collector",
            "Type": "String",
            "Value": collector(settings),
        }
        resource(self, "Collector", "AWS::SSM::Parameter", configuration)
        if settings.to == "cloudwatch":
            self._collector_policy(group.get_att("Arn"), settings.name)
        body = json.dumps(_dashboard(watched, unwatched), separators=(",", ":"))
        resource(
            self,
            "Dashboard",
            "AWS::CloudWatch::Dashboard",
            {"DashboardName": settings.name, "DashboardBody": {"Fn::Sub": body} if "${" in body else body},
        )
        export(self, f"/{settings.name}/telemetry/alarm-topic-arn", topic.ref)

    def _collector_policy(self, group: Any, owner: str) -> None:
        made = resource(
            self,
            "CollectorPolicy",
            "AWS::IAM::ManagedPolicy",
            {
                "Description": "What a collector on a router or proxy host may do",
                "PolicyDocument": policy(
                    statement(["logs:CreateLogStream", "logs:PutLogEvents"], group),
                    statement(["xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSampling*"], "*"),
                ),
            },
        )
        export(self, f"/{owner}/telemetry/collector-policy-arn", made.ref)


def _dashboard(watched: Sequence[Watched], unwatched: Sequence[Unwatched]) -> dict[str, Any]:
    """A graph for each watched limit, with its shares as lines, and a text of what has no metric.

    Values that are known at deployment stand as `${Name}`, for `Fn::Sub`.
    """
    graphs = [
        {
            "type": "metric",
            "width": 8,
            "height": 6,
            "properties": {
                "title": one.limit,
                "view": "timeSeries",
                "stat": one.statistic,
                "period": one.period,
                "region": "${AWS::Region}",
                "metrics": [[one.namespace, one.metric, *(_word(word) for pair in one.dimensions for word in pair)]],
                "annotations": {
                    "horizontal": [
                        {"label": f"{share}%", "value": round(one.value * share / 100, 3)} for share in (*SHARES, 100)
                    ]
                },
            },
        }
        for one in watched
    ]
    rows = "\n".join(f"* **{one.limit}**: {one.reason}" for one in unwatched)
    text = {"type": "text", "width": 24, "height": 9, "properties": {"markdown": f"Limits without a metric\n\n{rows}"}}
    return {"widgets": [*graphs, text]}


def _word(value: Any) -> str:
    """A dimension's value inside a text for `Fn::Sub`."""
    match value:
        case {"Ref": str(name)}:
            return f"${{{name}}}"
        case {"Fn::Sub": str(text)}:
            return text
        case _:
            return str(value)
