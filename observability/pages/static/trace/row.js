// One row: a span, the way to it, or a record. All that came from a sender is text.
import { html, steady } from "../frame/html.js";
import { nanoseconds } from "../frame/format.js";
import { GAP, IN_CIRCLE, LOG, NO_SPAN, STRAY, crosses, endOf, hasFailed, isBoundary, isShadow, kindOf, placeOf, text } from "./model.js";
import { joined, labelSide, place } from "./geometry.js";
import { boundary, severity, strayCount } from "./words.js";

const DEEPEST = 20;
const MOST_MARKS = 60;

export const placeClass = (trace, span) => (trace.router[span] ? "router" : text(trace, "Side", span) || "router");
export const placeName = (trace, span) => (trace.router[span] ? "router" : text(trace, "Side", span) || "unknown side");

const KINDS = { [GAP]: GapRow, [LOG]: LogRow, [STRAY]: StrayRow };
export const Row = steady((properties) => (KINDS[kindOf(properties.row)] ?? SpanRow)(properties));

const indent = (depth) => ({ "--depth": Math.min(depth, DEEPEST) });
const bounds = (part) => ({ left: `${part.left}%`, width: `${part.width}%` });

function SpanRow({ trace, row, number, view, doing, closed, open, hits, critical, isSelected }) {
  const span = placeOf(row);
  const [name, service] = [text(trace, "SpanName", span), text(trace, "ServiceName", span)];
  const [children, logs] = [trace.children[span], trace.logsOf.get(span) ?? []];
  const isClosed = closed.has(span);
  const looks = [
    "wf-row is-span",
    `in-${placeClass(trace, span)}`,
    isSelected && "is-selected",
    isShadow(trace, span) && "is-shadow",
    hasFailed(trace, span) && "is-bad",
    hits && (hits.has(span) ? "is-hit" : "is-miss"),
  ];
  return html`<div class=${looks.filter(Boolean).join(" ")} id=${`row-${row}`} role="row" aria-level=${trace.depth[span] + 1} aria-rowindex=${number + 1}
    aria-selected=${isSelected} aria-expanded=${children ? !isClosed : null} data-span=${trace.ids[span]} onClick=${() => doing.select(span)}>
    <div class="wf-name" role="gridcell" style=${indent(trace.depth[span])}>
      ${trace.depth[span] > DEEPEST && html`<span class="wf-deep" title="levels deep">${trace.depth[span]}</span>`}
      ${children
        ? html`<button class="wf-fold" tabindex="-1" aria-label=${isClosed ? "show what is below" : "hide what is below"}
            onClick=${(event) => (event.stopPropagation(), doing.fold(span))}>${isClosed ? "▸" : "▾"}</button>`
        : html`<span class="wf-fold"></span>`}
      <span class="wf-service" title=${`${service}, ${placeName(trace, span)}`}>${service}</span>
      <span class="wf-label" title=${name}>${name}</span>
      ${flags(trace, span, isClosed)}
      ${logs.length > 0 && html`<button class="wf-flag is-logs" tabindex="-1" aria-pressed=${open.has(span)} title="its records"
        onClick=${(event) => (event.stopPropagation(), doing.records(span))}>${logs.length} log${logs.length > 1 ? "s" : ""}</button>`}
    </div>
    <div class="wf-time" role="gridcell">${bars(trace, span, view, critical, logs)}</div>
  </div>`;
}

function flags(trace, span, isClosed) {
  const http = trace.http[span];
  const side = text(trace, "Side", span);
  const isHop = trace.router[span] === 1 && text(trace, "SpanKind", span) === "Client";
  return html`${isHop && side && html`<span class=${`wf-flag to-${side}`}>→ ${side}</span>`}
    ${isShadow(trace, span) && html`<span class="wf-flag is-dashed" title="a copy of the request: nobody got its answer">shadow</span>`}
    ${trace.cold[span] === 1 && html`<span class="wf-flag is-cold" title="the function's first call in this environment">cold start</span>`}
    ${text(trace, "Database", span) && html`<span class="wf-flag is-text" title=${text(trace, "Database", span)}>${text(trace, "Database", span)}</span>`}
    ${http > 0 && (http >= 400 || trace.depth[span] === 0) && html`<span class=${`wf-flag ${http >= 500 ? "is-bad" : ""}`}>${http}</span>`}
    ${hasFailed(trace, span) && http < 500 && html`<span class="wf-flag is-bad">error</span>`}
    ${trace.orphan[span] === 1 && html`<span class="wf-flag is-warn" title="its parent never came">orphan</span>`}
    ${trace.orphan[span] === IN_CIRCLE && html`<span class="wf-flag is-warn" title="its parent lies below it">circle</span>`}
    ${isClosed && html`<span class="wf-flag">+${trace.last[span] - span - 1}</span>`}`;
}

function bars(trace, span, view, critical, logs) {
  const [from, to] = [trace.offset[span], endOf(trace, span)];
  const part = place(view, from, to);
  const gap = trace.gap[span] > 0 && crosses(trace, span) && !isBoundary(trace, span) ? place(view, from - trace.gap[span], from) : null;
  const parts = critical?.has(span) ? joined(critical.get(span), view) : [];
  if (!part) return html`<span class=${`wf-beyond ${to < view.from ? "is-left" : "is-right"}`} title="outside of the time that is shown">${to < view.from ? "‹" : "›"}</span>`;
  const marks = [
    ...logs.slice(0, MOST_MARKS).map((log) => ({ at: trace.logs[log].offset, looks: `is-log is-${severity(trace.logs[log].severity)}`, says: trace.logs[log].body })),
    ...(trace.eventsOf.get(span) ?? []).slice(0, MOST_MARKS).map((event) => ({ at: trace.events[event][1], looks: "is-event", says: trace.events[event][2] })),
  ];
  const side = labelSide(part);
  const label = side === "right" ? { left: `${part.left + part.width}%` } : side === "left" ? { right: `${100 - part.left}%` } : { left: `${part.left}%` };
  return html`${gap && html`<i class="wf-gap is-inline" style=${bounds(gap)} title=${`${nanoseconds(trace.gap[span])} on the way`} />`}
    <i class=${`wf-bar ${text(trace, "Database", span) ? "is-database" : ""}`} style=${bounds(part)} />
    ${parts.map((one) => html`<i key=${one.from} class="wf-critical" style=${bounds(place(view, one.from, one.to))} />`)}
    ${marks.map((mark, number) => {
      const spot = place(view, mark.at, mark.at);
      return spot && html`<i key=${number} class=${`wf-mark ${mark.looks}`} style=${{ left: `${spot.left}%` }} title=${mark.says} />`;
    })}
    <span class=${`wf-duration is-${side}`} style=${label}>${nanoseconds(trace.duration[span])}</span>`;
}

function GapRow({ trace, row, number, view, doing }) {
  const span = placeOf(row);
  const { label } = boundary(trace, span);
  const gap = trace.gap[span];
  const part = place(view, trace.offset[span] - gap, trace.offset[span]);
  const side = part && labelSide(part);
  const at = part && (side === "right" ? { left: `${part.left + part.width}%` } : side === "left" ? { right: `${100 - part.left}%` } : { left: `${part.left}%` });
  return html`<div class=${`wf-row is-gap`} id=${`row-${row}`} role="row" aria-level=${trace.depth[span] + 1} aria-rowindex=${number + 1} onClick=${() => doing.select(span)}>
    <div class="wf-name" role="gridcell" style=${indent(trace.depth[span])}><span class="wf-fold" aria-hidden="true">↳</span><span class="wf-label" title=${label}>${label}</span></div>
    <div class="wf-time" role="gridcell">${part
      ? html`<i class="wf-gap" style=${bounds(part)} /><span class=${`wf-duration is-${side}`} style=${at}>${nanoseconds(gap)}</span>`
      : html`<span class="wf-beyond is-left">‹</span>`}</div>
  </div>`;
}

function LogRow({ trace, row, number, view, doing }) {
  const log = trace.logs[placeOf(row)];
  const depth = log.span === NO_SPAN ? 0 : trace.depth[log.span] + 1;
  const spot = place(view, log.offset, log.offset);
  const name = severity(log.severity) || log.level || "log";
  return html`<div class=${`wf-row is-record is-${severity(log.severity)}`} id=${`row-${row}`} role="row" aria-level=${depth + 1} aria-rowindex=${number + 1}
    onClick=${() => log.span !== NO_SPAN && doing.select(log.span)}>
    <div class="wf-body" role="gridcell" style=${indent(depth)}>
      <span class="wf-level">${name}</span><span class="wf-when">${nanoseconds(Math.abs(log.offset))}${log.offset < 0 ? " before" : ""}</span><span class="wf-text" title=${log.body}>${log.body || "(no text)"}</span>
    </div>
    <div class="wf-time is-behind" aria-hidden="true">${spot && html`<i class=${`wf-mark is-log is-${severity(log.severity)}`} style=${{ left: `${spot.left}%` }} />`}</div>
  </div>`;
}

function StrayRow({ trace, row, number, doing, open }) {
  const isOpen = open.has(NO_SPAN);
  const count = strayCount(trace) || trace.logs.length;
  return html`<div class="wf-row is-stray" id=${`row-${row}`} role="row" aria-level="1" aria-rowindex=${number + 1} aria-expanded=${isOpen} onClick=${() => doing.records(NO_SPAN)}>
    <div class="wf-body" role="gridcell"><button class="wf-fold" tabindex="-1" aria-label="records without a span">${isOpen ? "▾" : "▸"}</button>
      <span class="wf-label">${count} record${count === 1 ? "" : "s"} of this trace name${count === 1 ? "s" : ""} no span of it</span></div>
  </div>`;
}
