// Everything of one span, asked for when it is looked at. Names and values came from senders: they are text, never addresses.
import { html, useEffect, useState } from "../frame/html.js";
import { useAnswer } from "../frame/ask.js";
import { clock, count, day, fromNanoseconds, nanoseconds } from "../frame/format.js";
import { Copy, Failure, Side, Status, Waiting } from "../frame/parts.js";
import { href } from "../frame/window.js";
import { timeAround, traceLink } from "../search/links.js";
import { boundary, severity } from "./words.js";
import { crosses, hasFailed, isShadow, text } from "./model.js";

const SETTLE_MILLISECONDS = 120;
const ORIGINAL = /^(envoy|original)\./;
const around = (trace) => timeAround(fromNanoseconds(trace.start), fromNanoseconds(trace.start) + trace.end / 1e6);
const SPAN_ID = /^[0-9a-f]{16}$/;

/** A value once it has not changed for a moment: keys that pass over many spans ask for the last alone. */
export function useSettled(value, milliseconds = SETTLE_MILLISECONDS) {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

export function Details({ trace, span, at, onClose, onSelect }) {
  const id = useSettled(trace.ids[span]);
  const path = SPAN_ID.test(id) ? `/api/traces/${trace.id}/spans/${id}` : null;
  const { answer, error, isStale } = useAnswer(path, { at }, { windowed: false, signals: [] });
  const isCurrent = answer && !isStale && answer.span.SpanId === trace.ids[span];
  return html`<aside class="details" aria-label="The chosen span">
    <header><h2>${text(trace, "SpanName", span)}</h2><button type="button" class="quiet" onClick=${onClose} aria-label="Close (Escape)" title="Close (Escape)">✕</button></header>
    <${Summary} trace=${trace} span=${span} full=${isCurrent ? answer.span : null} onSelect=${onSelect} />
    ${path === null && html`<p class="muted">Its sender gave it no id: nothing more can be asked for.</p>`}
    <${Failure} error=${error} />
    ${isCurrent ? html`<${Full} ...${answer} trace=${trace} />` : path !== null && !error && html`<${Waiting} lines=${5} />`}
  </aside>`;
}

function Summary({ trace, span, full, onSelect }) {
  const parent = trace.parent[span];
  const start = trace.start + BigInt(Math.round(trace.offset[span]));
  const when = fromNanoseconds(start);
  const gap = trace.gap[span];
  const facts = [
    ["service", text(trace, "ServiceName", span)],
    ["side", html`<${Side} side=${trace.router[span] ? "" : text(trace, "Side", span)} />${trace.router[span] && text(trace, "Side", span) ? ` answered by ${text(trace, "Side", span)}` : ""}`],
    ["role", isShadow(trace, span) ? "shadow: a copy, nobody got its answer" : "primary"],
    ["duration", nanoseconds(trace.duration[span])],
    ["began", `${trace.offset[span] ? `${nanoseconds(trace.offset[span])} after` : "with"} the trace, ${day(when)} ${clock(when, { fraction: true })}`],
    crosses(trace, span) && [gap < 0 ? "clocks" : "on the way", gap < 0 ? `begins ${nanoseconds(-gap)} before it was called` : `${nanoseconds(gap)}, ${boundary(trace, span).label}`],
    ["kind", text(trace, "SpanKind", span)],
    ["status", html`${hasFailed(trace, span) ? html`<strong class="bad">failed</strong> ` : ""}${text(trace, "StatusCode", span)}${full?.StatusMessage ? `: ${full.StatusMessage}` : ""}`],
    trace.http[span] > 0 && ["HTTP", html`<${Status} code=${trace.http[span]} />`],
    trace.cold[span] >= 0 && ["cold start", trace.cold[span] ? "yes" : "no"],
    text(trace, "Route", span) && ["route", html`<a href=${href(`/routes/${encodeURIComponent(text(trace, "Route", span))}`)}>${text(trace, "Route", span)}</a>`],
    full?.RequestId && ["request", html`<bdi>${full.RequestId}</bdi> <a href=${href("/logs", { request_id: full.RequestId }, around(trace))}>logs</a> <${Copy} text=${full.RequestId} />`],
    ["span id", html`<code>${trace.ids[span] || "none"}</code> <${Copy} text=${trace.ids[span]} />`],
    parent >= 0
      ? ["parent", html`<button type="button" class="link" onClick=${() => onSelect(parent)}>${text(trace, "SpanName", parent)}</button>`]
      : trace.orphan[span] === 1 && ["parent", html`${full ? html`<code>${full.ParentSpanId}</code> ` : ""}never came`],
  ];
  return html`<dl class="span-facts">${facts.filter(Boolean).map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function Full({ trace, span, logs }) {
  const own = Object.entries(span.SpanAttributes ?? {});
  const sent = own.filter(([name]) => ORIGINAL.test(name));
  const start = BigInt(span.Timestamp);
  const events = (span["Events.Name"] ?? []).map((name, number) => ({ name, at: Number(BigInt(span["Events.Timestamp"][number]) - start), values: span["Events.Attributes"][number] }));
  const links = (span["Links.TraceId"] ?? []).map((other, number) => ({ other, span: span["Links.SpanId"][number] }));
  return html`
    <${Section} name="Attributes" values=${own.filter(([name]) => !ORIGINAL.test(name))} isOpen />
    ${events.length > 0 && html`<details open><summary>Events <span class="num">${events.length}</span></summary>
      ${events.map((one, number) => html`<div class="event" key=${number}><p><strong><bdi>${one.name}</bdi></strong> <span class="muted">${nanoseconds(Math.abs(one.at))} ${one.at < 0 ? "before" : "after"} its beginning</span></p><${Values} values=${Object.entries(one.values ?? {})} /></div>`)}</details>`}
    ${logs.length > 0 && html`<details open><summary>Records <span class="num">${logs.length}</span></summary>
      ${logs.map((log, number) => html`<${Record} key=${number} log=${log} start=${start} />`)}</details>`}
    ${links.length > 0 && html`<details open><summary>Links <span class="num">${links.length}</span></summary><ul class="links">${links.map((link, number) => html`<li key=${number}><${Link} ...${link} /></li>`)}</ul></details>`}
    ${sent.length > 0 && html`<${Section} name="As its sender called it" values=${sent} />`}
    <${Section} name="Resource" values=${Object.entries(span.ResourceAttributes ?? {})} />
    <p class="muted small">${span.ScopeName ? `${span.ScopeName} ${span.ScopeVersion}` : "no instrumentation scope"}${span.TraceState ? `, tracestate ${span.TraceState}` : ""}</p>
    <p class="row"><${Copy} text=${JSON.stringify({ ...span, logs }, null, 2)} label="Copy as JSON" /> <a class="small" href=${href("/logs", { trace_id: trace.id }, around(trace))}>All logs of this trace</a></p>`;
}

function Record({ log, start }) {
  const values = Object.entries(log.LogAttributes ?? {});
  const after = Number(BigInt(log.Timestamp) - start);
  return html`<div class=${`event is-${severity(log.SeverityNumber)}`}><p><span class="wf-level">${severity(log.SeverityNumber) || log.SeverityText || "log"}</span> <span class="muted">${nanoseconds(Math.abs(after))} ${after < 0 ? "before" : "after"} its beginning</span></p>
    <pre>${log.Body}</pre>${values.length > 0 && html`<details><summary>Attributes <span class="num">${values.length}</span></summary><${Values} values=${values} /></details>`}</div>`;
}

function Link({ other, span }) {
  const link = traceLink({ TraceId: other, SpanId: span, Timestamp: "" });
  return link ? html`<a href=${link}>trace ${other.slice(0, 8)}…, span ${span}</a>` : html`<span>${other}</span>`;
}

function Section({ name, values, isOpen = false }) {
  if (!values.length) return null;
  return html`<details open=${isOpen}><summary>${name} <span class="num">${values.length}</span></summary><${Values} values=${values} /></details>`;
}

export function Values({ values }) {
  const sorted = [...values].sort(([one], [other]) => (one < other ? -1 : 1));
  const dropped = values.find(([name, value]) => name === "fig.dropped" && /^\d+$/.test(value))?.[1];
  return html`${dropped && html`<p class="cut small">${count(dropped)} more came than are kept of one thing: they are not here.</p>`}<dl class="values">${sorted.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd><span>${value}</span><${Copy} text=${value} /></dd></div>`)}</dl>`;
}
