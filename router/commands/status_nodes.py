"""A node in `fig status`: what runs there, what is in force, what it lends and reads, and what is wrong."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from . import advice
from .tables import until

_ENDS_SOON = timedelta(days=30)
_SKEW_SECONDS = 60.0
"""Source: docs/operate.md; the Lambda API refuses signatures from 300 s on."""

Line = tuple[str, Text]


def node_view(node: Mapping[str, Any], now: datetime) -> RenderableType:
    """One node's section."""
    facts = Table.grid(padding=(0, 2, 0, 0))
    facts.add_column(no_wrap=True)
    facts.add_column(overflow="fold")
    for label, text in _facts(node, now):
        facts.add_row(label, text)
    problems = [Text(f"! {text}", style="yellow") for text in _problems(node)]
    return Group(_heading(node), Padding(Group(facts, *problems), (0, 0, 0, 2)))


def _heading(node: Mapping[str, Any]) -> Text:
    if node["live"]:
        state = ("in force", "") if node["in_force"] else ("not in force yet", "yellow")
        return Text.assemble((node["name"], "bold"), ": live, ", state)
    return Text.assemble(
        (node["name"], "bold"), (f": not live, last seen {node['last_seen_seconds']:.0f} s ago", "red")
    )


def _facts(node: Mapping[str, Any], now: datetime) -> Iterator[Line]:
    envoy = node.get("envoy") or {}
    words = [str(envoy[key]) for key in ("state", "version") if envoy.get(key)]
    words += [f"pid {envoy['pid']}"] if envoy.get("pid") else []
    words += [f"restarts: {envoy['restarts']}"] if envoy.get("restarts") else []
    yield "Envoy", Text(", ".join(words) or "none")
    if node.get("entry"):
        yield "entry", Text(node["entry"])
    yield "snapshot", Text(f"{(node.get('snapshot') or 'none')[:12]}, weights version {node['weights_version']}")
    if node.get("aws"):
        yield "credentials", _credentials(node["aws"], now)
    if node.get("certificates"):
        yield "certificates", _certificates(node["certificates"], now)
    telemetry = (node.get("counters") or {}).get("telemetry")
    if telemetry and telemetry.get("lost", {}).get("recent", 0) > 0:
        yield "telemetry", _telemetry(telemetry)
    for alarm, services in sorted((node.get("counters") or {}).get("alarms", {}).items()):
        for service, counts in sorted(services.items()):
            yield "ALARM", _alarm(alarm, service, counts)


def _credentials(aws: Mapping[str, Any], now: datetime) -> Text:
    text = Text(aws["source"] + (f" ({aws['method']})" if aws.get("method") else ""))
    if aws.get("valid") is False:
        text.append(", none that are valid: calls go to legacy", "red")
    elif aws.get("expires_at"):
        over = datetime.fromisoformat(aws["expires_at"]) <= now
        text.append(f", {'expired' if over else 'until'} {until(aws['expires_at'], now)}", "red" if over else "")
    skew = aws.get("clock_skew_seconds")
    if skew is not None:
        side = "ahead of" if skew > 0 else "behind"
        text.append(
            f"; the clock is {abs(skew):.1f} s {side} the Lambda API's", "red" if abs(skew) > _SKEW_SECONDS else ""
        )
    return text


def _certificates(certificates: list[Mapping[str, Any]], now: datetime) -> Text:
    first = min(certificates, key=lambda one: datetime.fromisoformat(one["not_after"]).astimezone(UTC))
    ends = datetime.fromisoformat(first["not_after"]).astimezone(UTC)
    verb = "ended" if ends <= now else "ends"
    text = Text(f"the first of {len(certificates)} " if len(certificates) > 1 else "one, ")
    style = "red" if ends <= now else "yellow" if ends - now < _ENDS_SOON else ""
    text.append(f"{verb} {until(first['not_after'], now)}", style)
    text.append(": " + ", ".join(filter(None, (first.get("subject"), first["file"]))))
    if style:
        text.append("; replace the file, nothing needs a restart", style)
    return text


def _telemetry(counts: Mapping[str, Mapping[str, int]]) -> Text:
    lost, sent = counts["lost"], counts["batches"]
    what = f"{lost['recent']:,} of {sent['recent']:,} batches were lost lately"
    return Text(f"{what}: the receiver is down, slow, or refuses them; requests do not wait for it", "yellow")


def _alarm(alarm: str, service: str, counts: Mapping[str, int]) -> Text:
    what, to_do = advice.words_of(advice.ALARMS, alarm)
    return Text(f"{service}: {counts['total']:,} {what} ({counts['recent']:,} lately)\n-> {to_do}", "red")


def _problems(node: Mapping[str, Any]) -> list[str]:
    rejected = node.get("rejected")
    said = [f"rejected snapshot {rejected['snapshot'][:12]}: {rejected['reason']}"] if rejected else []
    return [*said, *node.get("problems", ())]
