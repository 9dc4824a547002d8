// Requests and other spans that are like what is wanted: as points over time, and as rows that lead to their traces.
import { html } from "../frame/html.js";
import { useAnswer } from "../frame/ask.js";
import { clock, count, day, fromNanoseconds, nanoseconds } from "../frame/format.js";
import { Empty, Failure, Side, Status, Waiting } from "../frame/parts.js";
import { changeQuery, useQuery } from "../frame/router.js";
import { useRows } from "../frame/rows.js";
import { Sending } from "../frame/sending.js";
import { href, useWindow } from "../frame/window.js";
import { Form, faultsIn, faultsOf, useWanted } from "../search/form.js";
import { Fresh, useHeld, useSame } from "../search/held.js";
import { pastedTrace, traceLink } from "../search/links.js";
import { Pages, usePlaceInTime } from "../search/paging.js";
import { Scatter } from "../search/scatter.js";

const LIMIT = 100;
const FIELDS = [
  { name: "text", label: "Text", hint: "Name, path, or a trace’s id  /" },
  { name: "kind", label: "Show", initial: "Entry", choices: [["Entry", "requests"], ["Server", "server spans"], ["Client", "calls"], ["Internal", "internal"], ["Producer", "producers"], ["Consumer", "consumers"], ["all", "all spans"]] },
  { name: "side", label: "Side", choices: [["", "any"], ["legacy", "legacy"], ["lambda", "lambda"]] },
  { name: "route", label: "Route", hint: "any" },
  { name: "service", label: "Service", hint: "any" },
  { name: "min_ms", label: "Longer than, ms", isNumber: true, most: 1e9, hint: "0" },
  { name: "errors", label: "Errors only", isCheck: true },
  { name: "fallback", label: "Fallbacks only", isCheck: true },
  { name: "role", label: "Role", isRare: true, choices: [["", "any"], ["primary", "primary"], ["shadow", "shadow"]] },
  { name: "min_status", label: "Status from", isNumber: true, most: 599, isRare: true, hint: "100" },
  { name: "max_status", label: "Status to", isNumber: true, most: 599, isRare: true, hint: "599" },
  { name: "max_ms", label: "Shorter than, ms", isNumber: true, most: 1e9, isRare: true },
  { name: "request_id", label: "Request id", isRare: true },
];
const keyOf = (row) => `${row.TraceId}${row.SpanId}${row.Timestamp}`;

export default function Traces() {
  const wanted = useWanted(FIELDS);
  const isSlowest = useQuery().get("order") === "slowest";
  const place = usePlaceInTime(!isSlowest);
  const faults = faultsIn(wanted, FIELDS);
  const params = { ...wanted, kind: wanted.kind === "all" ? "" : wanted.kind, limit: LIMIT, ...(isSlowest ? { order: "slowest" } : {}), ...place.params };
  const { answer, error, isStale, askAgain } = useAnswer(faults.size ? null : "/api/traces", params, { signals: place.isNewest ? ["traces"] : [], every: 2_000 });
  const rows = useRows();
  const time = useWindow();
  const found = answer && (place.isTurned ? answer.spans.toReversed() : answer.spans);
  const held = useHeld(useSame(found, answer), isStale ? null : JSON.stringify([params, time.last, time.start, time.end]), keyOf, rows.ref);
  const refused = faults.size ? faults : faultsOf(error, FIELDS);
  const pasted = pastedTrace(wanted.text);
  return html`
    <div class="head"><h1>Traces</h1><span class="fill" />
      <div class="choice" role="group" aria-label="Order">
        <button type="button" aria-pressed=${!isSlowest} onClick=${() => changeQuery({ order: null, before: null, after: null })}>newest</button>
        <button type="button" aria-pressed=${isSlowest} onClick=${() => changeQuery({ order: "slowest", before: null, after: null })}>slowest</button></div></div>
    <${Form} fields=${FIELDS} faults=${refused} />
    ${pasted && html`<p class="found"><a href=${href(`/traces/${pasted}`)}>Open the trace ${pasted}</a></p>`}
    ${error && !refused.size && html`<${Failure} error=${error} again=${askAgain} />`}
    ${refused.size || !held.rows ? (error || refused.size ? (refused.size ? html`<${Empty} title="Nothing was searched"><p>What is marked above cannot be asked: mend it, and the search goes on.</p><//>` : null) : html`<${Waiting} lines=${9} />`) : held.rows.length ? html`
      <${Scatter} rows=${held.rows} linkOf=${traceLink} range=${rangeOf(held.rows, answer, place)} />
      <${Fresh} held=${held} noun="span" />
      <${Table} rows=${rows} spans=${held.rows} isStale=${isStale} />
      <${Pages} answer=${answer} place=${place} count=${count(held.rows.length)} noun="spans" />
      ${isSlowest && answer?.is_cut && html`<p class="muted small">The slowest ${LIMIT} of this time.</p>`}` : html`<${Nothing} wanted=${wanted} place=${place} />`}
  `;
}

function rangeOf(rows, answer, place) {
  const times = rows.map((row) => row.Timestamp / 1e9);
  if (place.isNewest && answer && !answer.is_cut) return [answer.window.start / 1e9, answer.window.end / 1e9];
  const [least, most] = [Math.min(...times), Math.max(...times)];
  const room = Math.max((most - least) * 0.03, 0.5);
  return [least - room, most + room];
}

function Nothing({ wanted, place }) {
  const isFiltered = Object.entries(wanted).some(([name, value]) => value && !(name === "kind" && value === "Entry"));
  if (!place.isNewest) return html`<${Empty} title="Nothing further in this time"><p><button type="button" onClick=${() => changeQuery({ before: null, after: null })}>To the newest</button></p><//>`;
  if (isFiltered) return html`<${Empty} title="No span is like this in this time">${wanted.kind !== "all" && html`<p><button type="button" onClick=${() => changeQuery({ kind: "all" })}>Search all spans, not these alone</button></p>`}<p>Take a filter away, or look at more time (1h, 6h, 1d above). Only what is sampled is here; <a href=${href("/logs")}>the router’s records</a> tell of every request.</p><//>`;
  return html`<${Empty} title="No request was traced in this time"><p>Whether anything comes in says <a href=${href("/health")}>the health page</a>.</p>
    <${Sending} /><//>`;
}

function Table({ rows, spans, isStale }) {
  const slowest = Math.max(...spans.map((span) => span.Duration), 1);
  return html`<div class=${`card found-table ${isStale ? "is-stale" : ""}`}><table role="table"><caption class="unseen">Spans that were found</caption>
    <thead role="rowgroup"><tr role="row">${["time", "name", "route", "service", "side", "status"].map((name) => html`<th role="columnheader" scope="col" key=${name}>${name}</th>`)}<th role="columnheader" scope="col" class="right">duration</th></tr></thead>
    <tbody role="rowgroup" ref=${rows.ref}>${spans.map((span, number) => html`<${Line} key=${keyOf(span)} span=${span} number=${number} rows=${rows} slowest=${slowest} />`)}</tbody></table></div>`;
}

function Line({ span, number, rows, slowest }) {
  const at = fromNanoseconds(span.Timestamp);
  const link = traceLink(span);
  const isBad = span.StatusCode === "Error" && !(span.HttpStatus >= 500);
  return html`<tr role="row" data-row tabIndex=${rows.tabIndex(number)} onFocus=${rows.onFocus(number)}>
    <td role="cell" class="c-time num" title=${day(at)}>${clock(at, { fraction: true })}</td>
    <td role="cell" class="c-name">${link ? html`<a href=${link}>${span.SpanName || "(no name)"}</a>` : span.SpanName}${span.Role === "shadow" && html` <span class="tag">shadow</span>`}${span.ColdStart && html` <span class="tag">cold start</span>`}</td>
    <td role="cell" class="c-route">${span.Route}</td>
    <td role="cell" class="c-service">${span.ServiceName}</td>
    <td role="cell" class="c-side"><${Side} side=${span.Side} /></td>
    <td role="cell" class="c-status"><${Status} code=${span.HttpStatus} />${isBad && html`<span class="status" data-kind="bad">error</span>`}</td>
    <td role="cell" class="c-duration right num"><span class="long"><i data-side=${span.Side || "router"} style=${{ width: `${Math.max((span.Duration / slowest) * 100, 1)}%` }} /></span><b>${nanoseconds(span.Duration)}</b></td>
  </tr>`;
}
