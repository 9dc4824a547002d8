// Records that are like what is wanted, newest first and live; each opens in place, and leads to its trace.
import { html, useState } from "../frame/html.js";
import { useAnswer } from "../frame/ask.js";
import { clock, count, day, fromNanoseconds } from "../frame/format.js";
import { Copy, Empty, Failure, Mark, Status, Waiting } from "../frame/parts.js";
import { Tail } from "../frame/pausing.js";
import { useKeys } from "../frame/keys.js";
import { changeQuery } from "../frame/router.js";
import { useRows } from "../frame/rows.js";
import { Sending } from "../frame/sending.js";
import { href, useWindow } from "../frame/window.js";
import { Form, faultsIn, faultsOf, useWanted } from "../search/form.js";
import { Fresh, useHeld, useSame } from "../search/held.js";
import { pastedTrace, traceLink } from "../search/links.js";
import { Pages, usePlaceInTime } from "../search/paging.js";
import { Values } from "../trace/details.js";
import { severity } from "../trace/words.js";

const LIMIT = 200;
const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"];
const FIELDS = [
  { name: "text", label: "Text", hint: "In the text or the path  /" },
  { name: "severity", label: "At least", choices: [["", "any level"], ...LEVELS.map((one) => [one, one])] },
  { name: "side", label: "Side", choices: [["", "any"], ["legacy", "legacy"], ["lambda", "lambda"]] },
  { name: "route", label: "Route", hint: "any" },
  { name: "service", label: "Service", hint: "any" },
  { name: "errors", label: "Errors only", isCheck: true },
  { name: "fallback", label: "Fallbacks only", isCheck: true },
  { name: "role", label: "Role", isRare: true, choices: [["", "any"], ["primary", "primary"], ["shadow", "shadow"]] },
  { name: "min_status", label: "Status from", isNumber: true, most: 599, isRare: true, hint: "100" },
  { name: "max_status", label: "Status to", isNumber: true, most: 599, isRare: true, hint: "599" },
  { name: "request_id", label: "Request id", isRare: true },
  { name: "trace_id", label: "Trace id", isRare: true, form: /^\s*[0-9a-f]{32}\s*$/i, says: "is no trace’s id: 32 hexadecimal digits" },
];
const keyOf = (row) => `${row.Timestamp}|${row.SpanId}|${row.ServiceName}|${row.Body}`;

export default function Logs() {
  const wanted = useWanted(FIELDS);
  const place = usePlaceInTime();
  const faults = faultsIn(wanted, FIELDS);
  const params = { ...wanted, limit: LIMIT, ...place.params };
  const { answer, error, isStale, askAgain } = useAnswer(faults.size ? null : "/api/logs", params, { signals: place.isNewest ? ["logs"] : [] });
  const [open, setOpen] = useState(new Set());
  const rows = useRows();
  const time = useWindow();
  const found = answer && (place.isTurned ? answer.records.toReversed() : answer.records);
  const held = useHeld(useSame(found, answer), isStale ? null : JSON.stringify([params, time.last, time.start, time.end]), keyOf, rows.ref, () => open.size > 0);
  const refused = faults.size ? faults : faultsOf(error, FIELDS);
  const pasted = pastedTrace(wanted.text);
  useKeys({ t: { does: "the row’s trace", about: "Rows", run: () => openTrace() } });
  const toggle = (key) => setOpen((old) => {
    const next = new Set(old);
    if (!next.delete(key)) next.add(key);
    return next;
  });
  return html`
    <div class="head"><h1>Logs</h1><span class="fill" />${place.isNewest && html`<${Tail} />`}</div>
    <${Form} fields=${FIELDS} faults=${refused} />
    ${pasted && html`<p class="found"><a href=${href(`/traces/${pasted}`)}>Open the trace ${pasted}</a></p>`}
    ${error && !refused.size && html`<${Failure} error=${error} again=${askAgain} />`}
    ${refused.size || !held.rows ? (error || refused.size ? (refused.size ? html`<${Empty} title="Nothing was searched"><p>What is marked above cannot be asked: mend it, and the search goes on.</p><//>` : null) : html`<${Waiting} lines=${12} />`) : held.rows.length ? html`
      <${Fresh} held=${held} noun="record" />
      <div class=${`card found-table is-logs ${isStale ? "is-stale" : ""}`}><table role="table"><caption class="unseen">Records that were found</caption>
        <thead role="rowgroup"><tr role="row">${["time", "level", "service", "text", "trace"].map((name) => html`<th role="columnheader" scope="col" key=${name}>${name}</th>`)}</tr></thead>
        <tbody role="rowgroup" ref=${rows.ref}>${numbered(held.rows).map(([key, record], number) => html`<${Line} key=${key} id=${key} record=${record} number=${number} rows=${rows} isOpen=${open.has(key)} toggle=${toggle} />`)}</tbody></table></div>
      <${Pages} answer=${answer} place=${place} count=${count(held.rows.length)} noun="records" />` : html`<${Nothing} wanted=${wanted} place=${place} />`}
  `;
}

function openTrace() {
  const link = document.activeElement?.closest?.("[data-row]")?.querySelector(".c-trace a");
  link?.click();
  return Boolean(link);
}

// Two records may be the same in everything that is shown: each has a key of its own all the same.
function numbered(records) {
  const times = new Map();
  return records.map((record) => {
    const key = keyOf(record);
    const seen = times.get(key) ?? 0;
    times.set(key, seen + 1);
    return [`${key}|${seen}`, record];
  });
}

function Nothing({ wanted, place }) {
  if (!place.isNewest) return html`<${Empty} title="Nothing further in this time"><p><button type="button" onClick=${() => changeQuery({ before: null, after: null })}>To the newest</button></p><//>`;
  if (Object.values(wanted).some(Boolean)) return html`<${Empty} title="No record is like this in this time"><p>Take a filter away, or look at more time (1h, 6h, 1d above).</p><//>`;
  return html`<${Empty} title="No record came in during this time"><p>Whether anything comes in says <a href=${href("/health")}>the health page</a>.</p>
    <${Sending} /><//>`;
}

// The router’s records end with the status already.
const saysIt = ({ Body, HttpStatus }) => Body.endsWith(` ${HttpStatus}`);

function Line({ id, record, number, rows, isOpen, toggle }) {
  const at = fromNanoseconds(record.Timestamp);
  const link = traceLink(record);
  const level = severity(record.SeverityNumber) || record.SeverityText || "–";
  return html`<tr role="row" data-row data-level=${severity(record.SeverityNumber)} tabIndex=${rows.tabIndex(number)} onFocus=${rows.onFocus(number)}>
      <td role="cell" class="c-time num" title=${day(at)}>${clock(at, { fraction: true })}</td>
      <td role="cell" class="c-level"><span class="log-level">${level}</span></td>
      <td role="cell" class="c-service"><${Mark} side=${record.Side} /> ${record.ServiceName}</td>
      <td role="cell" class="c-text"><button type="button" class="text" data-open aria-expanded=${isOpen} onClick=${() => toggle(id)}>${record.Body || "(no text)"}</button> <${Status} code=${record.HttpStatus >= 400 && !saysIt(record) ? record.HttpStatus : 0} />${record.Role === "shadow" && html` <span class="tag">shadow</span>`}</td>
      <td role="cell" class="c-trace">${link && html`<a href=${link} title="The trace of this record">${record.TraceId.slice(0, 8)}</a>`}</td>
    </tr>
    ${isOpen && html`<tr role="row" class="opened"><td role="cell" colspan="5"><div class="opened-body">
      <pre>${record.Body}</pre>
      <p class="row small"><${Copy} text=${record.Body} label="Copy the text" />${record.RequestId && html`<a href=${href("/logs", { request_id: record.RequestId })}>records of this request</a>`}${record.Route && html`<a href=${href("/logs", { route: record.Route })}>records of this route</a>`}${link && html`<a href=${link}>its trace</a>`}</p>
      <${Values} values=${Object.entries(record.LogAttributes ?? {})} /></div></td></tr>`}`;
}
