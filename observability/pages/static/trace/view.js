// One trace: its head, where the time went, what to doubt, the rows, and the chosen span.
import { html, useEffect, useMemo, useRef, useState } from "../frame/html.js";
import { announce } from "../frame/announce.js";
import { getJson } from "../frame/api.js";
import { clock, count, day, fromNanoseconds, nanoseconds } from "../frame/format.js";
import { useKeys } from "../frame/keys.js";
import { Copy, Side, Status } from "../frame/parts.js";
import { changeQuery, useQuery } from "../frame/router.js";
import { href } from "../frame/window.js";
import { around, within, zoomed } from "./geometry.js";
import { Details, useSettled } from "./details.js";
import { deeperThan, endOf, hasFailed, matching, revealed, text, visibleRows } from "./model.js";
import { criticalPath, rootOf, stages } from "./path.js";
import { Waterfall, stepped } from "./waterfall.js";
import { Way } from "./way.js";
import { notices } from "./words.js";

const SEARCH_MILLISECONDS = 250;
const QUICK = 5_000;
const ELSEWHERE = { tone: "warn", text: "The address names a span that is not in this trace, or has not come yet.", spans: [] };

const toggled = (set, one) => {
  const next = new Set(set);
  if (!next.delete(one)) next.add(one);
  return next;
};

export function TraceView({ trace, at }) {
  const whole = useMemo(() => ({ from: 0, to: trace.end }), [trace]);
  const [view, look] = useState(whole);
  const [closed, setDrawnClosed] = useState(new Set());
  const latestClosed = useRef(closed);
  const setClosed = (change) => setDrawnClosed((latestClosed.current = change(latestClosed.current)));
  const [open, setOpen] = useState(new Set());
  const query = useQuery();
  const wanted = query.get("span") ?? "";
  const selected = useMemo(() => (wanted ? trace.ids.indexOf(wanted) : -1), [trace, wanted]);
  const [isDetailed, setDetailed] = useState(selected >= 0);
  const [isCritical, setCritical] = useState(true);
  const search = useSearch(trace, at);
  const parts = useSoon(trace, criticalPath);
  const rows = useMemo(() => visibleRows(trace, closed, open), [trace, closed, open]);
  const critical = useMemo(() => (isCritical && parts ? bySpan(parts) : null), [parts, isCritical]);
  const found = useMemo(() => notices(trace), [trace]);
  const told = wanted && selected < 0 ? [ELSEWHERE, ...found] : found;
  const way = useMemo(() => (parts ? stages(trace, parts) : null), [parts]);

  const known = useRef(trace);
  // More of the same trace came in: what is folded, opened and looked at stays so, although places have changed.
  useEffect(() => {
    const old = known.current;
    if (old === trace) return;
    known.current = trace;
    setClosed((set) => carried(set, old, trace));
    setOpen((set) => carried(set, old, trace));
    look((one) => (one.from <= 0 && one.to >= old.end ? whole : within(one, whole)));
  }, [trace]);
  useEffect(() => { if (selected >= 0) setClosed((old) => (isHidden(trace, old, selected) ? revealed(trace, old, selected) : old)); }, [trace, selected]);

  const choose = (span) => changeQuery({ span: span < 0 ? null : trace.ids[span] });
  // The same from one drawing to the next, so that rows of which nothing has changed are not drawn again.
  const doing = useMemo(() => ({
    select: (span) => { choose(span); setDetailed(true); },
    fold: (span) => setClosed((old) => toggled(old, span)),
    records: (span) => setOpen((old) => toggled(old, span)),
    look,
  }), [trace]);
  // Keys may come faster than pages are drawn: the address knows the chosen span at once.
  const chosen = () => (here("span") ? trace.ids.indexOf(here("span")) : -1);
  const currentRows = () => (latestClosed.current === closed ? rows : visibleRows(trace, latestClosed.current, open));
  const step = (by) => choose(stepped(currentRows(), chosen(), by));
  const jump = (spans, by) => {
    const next = nextOf(spans, chosen(), by);
    if (next >= 0) choose(next);
    return next >= 0;
  };
  const zoomTo = () => chosen() >= 0 && look(around(trace.offset[chosen()], endOf(trace, chosen()), whole));
  useTreeKeys({ trace, chosen, isClosed: (span) => latestClosed.current.has(span), doing, choose, step, jump, search, zoomTo, whole, view, isDetailed, setDetailed });

  const all = trace.count ? [...trace.logsOf.keys()] : [-1];
  return html`<div class="trace">
    <${Head} trace=${trace} at=${at} />
    ${way && html`<${Way} stages=${way} onSelect=${doing.select} />`}
    ${told.length > 0 && html`<ul class="notices">${told.map((one) => html`<li key=${one.text} data-tone=${one.tone}><span>${one.text}</span>
      ${one.spans.length > 0 && html` <button type="button" class="link" onClick=${() => jump(new Set(one.spans), 1)}>${one.spans.length > 1 ? "next" : "show"}</button>`}</li>`)}</ul>`}
    <div class="trace-tools">
      <${Search} search=${search} jump=${jump} />
      <button type="button" class="quiet" onClick=${() => setClosed((old) => (old.size ? new Set() : deeperThan(trace, 1)))}>${closed.size ? "Unfold all" : "Fold"}</button>
      ${trace.logs.length > 0 && html`<button type="button" class="quiet" aria-pressed=${open.size > 0} onClick=${() => setOpen(open.size ? new Set() : new Set(all))}>${open.size ? "Hide records" : `Show ${count(trace.logs.length)} record${trace.logs.length === 1 ? "" : "s"}`}</button>`}
      <button type="button" class="quiet" aria-pressed=${isCritical} onClick=${() => setCritical(!isCritical)} title="What the caller waited for">Critical path</button>
      <button type="button" class="quiet" disabled=${view.from <= 0 && view.to >= trace.end} onClick=${() => look(whole)} title="All of the time (0)">Whole time</button>
      <${Legend} />
    </div>
    <div class=${`trace-body ${isDetailed && selected >= 0 ? "has-details" : ""}`}>
      <${Waterfall} trace=${trace} rows=${rows} view=${view} selected=${selected} doing=${doing} closed=${closed} open=${open} hits=${search.hits} critical=${critical} />
      ${isDetailed && selected >= 0 && html`<${Details} trace=${trace} span=${selected} at=${at} onSelect=${doing.select} onClose=${() => setDetailed(false)} />`}
    </div>
  </div>`;
}

function Head({ trace, at }) {
  const root = rootOf(trace);
  const start = fromNanoseconds(trace.start);
  const services = new Set(trace.codes.ServiceName).size;
  const route = root >= 0 && text(trace, "Route", root);
  const address = () => new URL(`/traces/${trace.id}?${new URLSearchParams({ at: String(trace.start), ...(here("span") ? { span: here("span") } : {}) })}`, location.href).href;
  return html`<header class="head trace-head">
    <h1>${root >= 0 ? text(trace, "SpanName", root) : "Records without spans"}</h1>
    ${root >= 0 && html`<${Side} side=${text(trace, "Side", root)} /><${Status} code=${trace.http[root]} />`}
    <span class="num"><strong>${nanoseconds(root >= 0 ? trace.duration[root] : trace.end)}</strong></span>
    <span class="muted num">${day(start)} ${clock(start, { fraction: true })}</span>
    <span class="muted num">${count(trace.count)} span${trace.count === 1 ? "" : "s"}, ${services} service${services === 1 ? "" : "s"}, ${count(trace.logs.length)} record${trace.logs.length === 1 ? "" : "s"}</span>
    ${route && html`<a href=${href(`/routes/${encodeURIComponent(route)}`)}>${route}</a>`}
    <span class="fill"></span>
    <span class="trace-acts"><code class="muted trace-id" title=${trace.id}>${trace.id.slice(0, 8)}…</code>
      <${Copy} text=${trace.id} label="Copy id" /><${Copy} text=${address()} label="Copy link" />
      <a class="small plain" href=${`/api/traces/${trace.id}?at=${at || trace.start}`} download=${`${trace.id}.json`}>JSON</a></span>
  </header>`;
}

const here = (name) => new URLSearchParams(location.search).get(name);

const Legend = () => html`<p class="wf-legend muted small" aria-label="Legend">
  <span class="in-router"><i class="wf-swatch" />router</span><span class="in-legacy"><i class="wf-swatch" />legacy</span><span class="in-lambda"><i class="wf-swatch" />lambda</span>
  <span class="is-way"><i class="wf-swatch" />on the way</span><span class="in-router is-shadow"><i class="wf-swatch" />shadow</span></p>`;

function Search({ search, jump }) {
  const { wanted, setWanted, hits, isBusy } = search;
  const key = (event) => {
    if (event.key === "Enter") jump(hits ?? new Set(), event.shiftKey ? -1 : 1);
    if (event.key === "Escape") setWanted("");
  };
  return html`<div class="trace-search" role="search"><input type="search" data-search value=${wanted} onInput=${(event) => setWanted(event.target.value)} onKeyDown=${key}
      placeholder="Find in this trace" aria-label="Find in this trace: names, services, values, records" maxlength="512" />
    ${hits && html`<span class="muted num" role="status">${count(hits.size)} span${hits.size === 1 ? "" : "s"}${isBusy ? " …" : ""}</span>
      <button type="button" class="quiet" onClick=${() => jump(hits, -1)} aria-label="The hit before (N)">↑</button><button type="button" class="quiet" onClick=${() => jump(hits, 1)} aria-label="The next hit (n)">↓</button>`}</div>`;
}

// Names are found at once, values of attributes by the API a moment later.
function useSearch(trace, at) {
  const [wanted, setWanted] = useState("");
  const [more, setMore] = useState({ wanted: "", hits: new Set() });
  const settled = useSettled(wanted.trim(), SEARCH_MILLISECONDS);
  const own = useMemo(() => matching(trace, wanted.trim()), [trace, wanted]);
  useEffect(() => {
    if (settled.length < 2) return undefined;
    const asking = new AbortController();
    const places = new Map(trace.ids.map((id, span) => [id, span]));
    getJson(`/api/traces/${trace.id}/mentions`, { at, text: settled }, { signal: asking.signal }).then(
      ({ ids }) => setMore({ wanted: settled, hits: new Set(ids.map((id) => places.get(id)).filter((span) => span !== undefined)) }),
      (error) => error.name === "AbortError" || setMore({ wanted: settled, hits: new Set() }),
    );
    return () => asking.abort();
  }, [trace, settled]);
  const isAnswered = more.wanted === wanted.trim();
  const hits = useMemo(() => (wanted.trim() ? (isAnswered ? new Set([...own, ...more.hits]) : own) : null), [own, more, wanted]);
  return { wanted, setWanted, hits, isBusy: wanted.trim().length > 1 && !isAnswered };
}

// Of a usual trace it is reckoned at once, so that nothing moves after the first picture; of a large one after the rows are drawn.
function useSoon(trace, reckon) {
  const isQuick = trace.count <= QUICK;
  const quick = useMemo(() => (isQuick ? reckon(trace) : null), [trace]);
  const [late, setLate] = useState(null);
  useEffect(() => {
    if (isQuick) return undefined;
    const timer = setTimeout(() => setLate(reckon(trace)), 0);
    return () => clearTimeout(timer);
  }, [trace]);
  return isQuick ? quick : late;
}

function carried(spans, old, next) {
  const places = new Map(next.ids.map((id, span) => [id, span]));
  return new Set([...spans].map((span) => (span < 0 ? span : places.get(old.ids[span]))).filter((span) => span !== undefined));
}

function bySpan(parts) {
  const found = new Map();
  for (const part of parts) {
    if (found.has(part.span)) found.get(part.span).push(part);
    else found.set(part.span, [part]);
  }
  return found;
}

function isHidden(trace, closed, span) {
  for (let parent = trace.parent[span]; parent >= 0; parent = trace.parent[parent]) if (closed.has(parent)) return true;
  return false;
}

function nextOf(spans, selected, by) {
  if (!spans.size) return -1;
  const sorted = [...spans].sort((one, other) => one - other);
  if (by > 0) return sorted.find((span) => span > selected) ?? sorted[0];
  return sorted.findLast((span) => span < (selected < 0 ? Infinity : selected)) ?? sorted.at(-1);
}

function useTreeKeys({ trace, chosen, isClosed, doing, choose, step, jump, search, zoomTo, whole, view, isDetailed, setDetailed }) {
  const inTree = (run) => (event) => {
    if (event.target.closest?.("button, a, summary, .details, .wf-overview, nav, .menu")) return false;
    run();
    return true;
  };
  const right = () => {
    const selected = chosen();
    if (selected < 0) return step(1);
    if (isClosed(selected)) return doing.fold(selected);
    return trace.children[selected] ? choose(selected + 1) : undefined;
  };
  const left = () => {
    const selected = chosen();
    if (selected < 0) return undefined;
    if (trace.children[selected] && !isClosed(selected)) return doing.fold(selected);
    return trace.parent[selected] >= 0 ? choose(trace.parent[selected]) : undefined;
  };
  const escape = () => {
    if (isDetailed && chosen() >= 0) setDetailed(false);
    else if (search.wanted) search.setWanted("");
    else if (view.from > whole.from || view.to < whole.to) doing.look(whole);
    else return false;
    document.querySelector(".wf-rows")?.focus({ preventScroll: true });
    return true;
  };
  const failed = () => {
    const spans = new Set();
    for (let span = 0; span < trace.count; span++) if (hasFailed(trace, span)) spans.add(span);
    if (!jump(spans, 1)) announce("No span failed");
  };
  useKeys({
    j: { does: "next span", run: () => step(1) },
    k: { does: "span before", run: () => step(-1) },
    ArrowDown: { run: inTree(() => step(1)) },
    ArrowUp: { run: inTree(() => step(-1)) },
    ArrowRight: { does: "unfold, or to the first child", run: inTree(right) },
    ArrowLeft: { does: "fold, or to the parent", run: inTree(left) },
    Home: { does: "first span", run: inTree(() => choose(0)) },
    End: { does: "last span", run: inTree(() => step(Number.MAX_SAFE_INTEGER)) },
    Enter: { does: "the chosen span's details", run: inTree(() => (chosen() < 0 ? step(1) : null, setDetailed(true))) },
    Escape: { does: "close details, search, zoom", run: escape },
    n: { does: "next hit", run: () => jump(search.hits ?? new Set(), 1) },
    N: { does: "hit before", run: () => jump(search.hits ?? new Set(), -1) },
    e: { does: "next span that failed", run: failed },
    l: { does: "the span's records", run: () => (chosen() >= 0 ? doing.records(chosen()) : false) },
    z: { does: "zoom to the span", run: zoomTo },
    "0": { does: "all of the time", run: () => doing.look(whole) },
    "+": { does: "zoom in", run: () => doing.look(zoomed(view, whole, 0.5)) },
    "-": { does: "zoom out", run: () => doing.look(zoomed(view, whole, 2)) },
  });
}
