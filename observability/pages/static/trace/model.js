// A trace as its page holds it: typed columns, parents before children; and the rows that are to be seen of it.
// Nothing here touches the document, so that it runs anywhere.

export const SPAN = 0;
export const GAP = 1;
export const LOG = 2;
export const STRAY = 3; // the line above records that name no span of the trace

const KINDS = 4;
export const NO_SPAN = -1;
export const IN_CIRCLE = 2; // of `orphan`: the parent is there, but below; 1 is that it never came

/** The trace of what the API calls an outline. */
export function decode(outline) {
  const count = outline.id.length;
  const trace = {
    id: outline.trace_id,
    start: BigInt(outline.start),
    count,
    rows: outline.rows,
    isCut: outline.is_cut,
    areLogsCut: outline.are_logs_cut,
    ids: outline.id,
    parent: Int32Array.from(outline.parent),
    depth: Int32Array.from(outline.depth),
    orphan: Uint8Array.from(outline.orphan),
    router: Uint8Array.from(outline.router),
    offset: Float64Array.from(outline.offset),
    duration: Float64Array.from(outline.duration),
    gap: outline.gap,
    http: outline.http,
    cold: Int8Array.from(outline.cold),
    texts: outline.texts,
    codes: outline.codes,
    logs: outline.logs,
    moved: outline.moved,
    clamped: outline.clamped,
    doubled: outline.doubled,
    events: outline.events,
    last: new Int32Array(count),
    children: new Int32Array(count),
  };
  measure(trace);
  trace.afterInit = afterInit(trace);
  trace.logsOf = grouped(trace.logs, (log) => log.span);
  trace.eventsOf = grouped(trace.events, (event) => event[0]);
  trace.end = extent(trace);
  return trace;
}

/** A text of a span: `SpanName`, `SpanKind`, `ServiceName`, `StatusCode`, `Side`, `Role`, `Route` or `Database`. */
export function text(trace, name, span) {
  return trace.texts[trace.codes[name][span]];
}

export function endOf(trace, span) {
  return trace.offset[span] + trace.duration[span];
}

/** What happened in another service than its parent"s, on its way there. */
export function crosses(trace, span) {
  const parent = trace.parent[span];
  return parent >= 0 && trace.codes.ServiceName[parent] !== trace.codes.ServiceName[span];
}

/** Whether the way from the parent leads from one world to the other, or from the router into one of them. */
export function isBoundary(trace, span) {
  if (!crosses(trace, span)) return false;
  const parent = trace.parent[span];
  return Boolean(trace.router[parent] || trace.router[span]) || text(trace, "Side", parent) !== text(trace, "Side", span);
}

export function hasFailed(trace, span) {
  return text(trace, "StatusCode", span) === "Error" || trace.http[span] >= 500;
}

export function isShadow(trace, span) {
  return text(trace, "Role", span) === "shadow";
}

/** The children of a span, by their beginnings. */
export function* childrenOf(trace, span) {
  for (let child = span + 1; child < trace.last[span]; child = trace.last[child]) yield child;
}

/** The rows to be seen, each as one number: `closed` holds spans whose children are hidden, `open` those with records. */
export function visibleRows(trace, closed, open) {
  const rows = [];
  for (let span = 0; span < trace.count; ) {
    if (trace.gap[span] > 0 && isBoundary(trace, span)) rows.push(span * KINDS + GAP);
    rows.push(span * KINDS + SPAN);
    if (open.has(span)) for (const log of trace.logsOf.get(span) ?? []) rows.push(log * KINDS + LOG);
    span = closed.has(span) ? trace.last[span] : span + 1;
  }
  const stray = trace.logsOf.get(NO_SPAN);
  if (stray) rows.push(STRAY);
  if (stray && open.has(NO_SPAN)) for (const log of stray) rows.push(log * KINDS + LOG);
  return rows;
}

export function kindOf(row) {
  return row % KINDS;
}

export function placeOf(row) {
  return (row - (row % KINDS)) / KINDS;
}

export function rowOf(span) {
  return span * KINDS + SPAN;
}

/** Opens what hides a span: `closed` without its ancestors. */
export function revealed(trace, closed, span) {
  const next = new Set(closed);
  for (let parent = trace.parent[span]; parent >= 0; parent = trace.parent[parent]) next.delete(parent);
  return next;
}

/** Spans that have children at this depth or deeper: closing them leaves so many levels. */
export function deeperThan(trace, depth) {
  const found = new Set();
  for (let span = 0; span < trace.count; span++) {
    if (trace.depth[span] >= depth && trace.children[span]) found.add(span);
  }
  return found;
}

/** Spans whose names, services, routes, statuses or sides have the text, case aside. */
export function matching(trace, wanted) {
  const low = wanted.toLowerCase();
  const hits = new Set();
  if (!low) return hits;
  const has = trace.texts.map((one) => one.toLowerCase().includes(low));
  const columns = ["SpanName", "ServiceName", "Route", "StatusCode", "Side", "Role", "Database"].map((name) => trace.codes[name]);
  for (let span = 0; span < trace.count; span++) {
    if (columns.some((codes) => has[codes[span]]) || trace.ids[span] === low || String(trace.http[span]) === low) hits.add(span);
  }
  for (const log of trace.logs) {
    if (log.span >= 0 && log.body.toLowerCase().includes(low)) hits.add(log.span);
  }
  return hits;
}

/** A function's start that somebody waited for, told as a span of its own beside the handler's. */
export function isInit(trace, span) {
  return trace.cold[span] === 1 && text(trace, "SpanName", span) === "init" && text(trace, "SpanKind", span) !== "Server";
}

// The handler of a cold start begins after init: what is on the way before init is no way of the handler's, too.
function afterInit(trace) {
  const found = new Uint8Array(trace.count);
  for (let init = 0; init < trace.count; init++) {
    if (!isInit(trace, init) || trace.parent[init] < 0) continue;
    for (const other of childrenOf(trace, trace.parent[init])) {
      if (other === init || trace.codes.ServiceName[other] !== trace.codes.ServiceName[init] || !(trace.gap[other] >= trace.gap[init])) continue;
      found[other] = 1;
      trace.gap[other] = Math.max(trace.offset[other] - endOf(trace, init), 0);
    }
  }
  return found;
}

function measure(trace) {
  const open = [];
  for (let span = 0; span < trace.count; span++) {
    while (open.length && trace.depth[open.at(-1)] >= trace.depth[span]) trace.last[open.pop()] = span;
    if (trace.parent[span] >= 0) trace.children[trace.parent[span]] += 1;
    open.push(span);
  }
  for (const span of open) trace.last[span] = trace.count;
}

function grouped(things, keyOf) {
  const found = new Map();
  things.forEach((thing, place) => {
    const key = keyOf(thing);
    if (found.has(key)) found.get(key).push(place);
    else found.set(key, [place]);
  });
  return found;
}

function extent(trace) {
  let end = 1;
  for (let span = 0; span < trace.count; span++) end = Math.max(end, endOf(trace, span));
  for (const log of trace.count ? [] : trace.logs) end = Math.max(end, log.offset);
  return end;
}
