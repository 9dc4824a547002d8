// What a request waited for: its critical path, and the time of each stage of the way on it.

import { childrenOf, crosses, endOf, isInit, isShadow, text } from "./model.js";
import { said } from "../frame/format.js";
import { boundary, isRefused } from "./words.js";

/** The span that stands for the request: the longest that has no parent, rather one that never had any. */
export function rootOf(trace) {
  let best = -1;
  for (let span = 0; span < trace.count; span = trace.last[span]) {
    if (isShadow(trace, span)) continue;
    if (best < 0 || rank(trace, span) > rank(trace, best)) best = span;
  }
  return best;
}

function rank(trace, span) {
  return trace.duration[span] + (trace.orphan[span] ? 0 : 1e18);
}

/**
 * The parts of time in which the request waited for a span and for none of its children, in order: [{span, from, to}].
 *
 * From the end backwards: the child that ended last before the moment is what was waited for, until that one"s
 * beginning. Children that outlive their parent count to its end; shadows are waited for by nobody.
 */
export function criticalPath(trace) {
  const root = rootOf(trace);
  const found = [];
  const waiting = root < 0 ? [] : [{ span: root, from: trace.offset[root], until: endOf(trace, root) }];
  while (waiting.length) {
    const { span, from, until } = waiting.pop();
    let cursor = until;
    for (const child of trace.children[span] ? lastFirst(trace, span, until) : []) {
      const begin = Math.max(trace.offset[child], from);
      const end = Math.min(endOf(trace, child), until);
      if (end > cursor || end <= begin) continue;
      if (cursor > end) found.push({ span, from: end, to: cursor });
      if (trace.children[child]) waiting.push({ span: child, from: begin, until: end });
      else found.push({ span: child, from: begin, to: end });
      cursor = begin;
    }
    if (cursor > from) found.push({ span, from, to: cursor });
  }
  return found.sort((one, other) => one.from - other.from);
}

/** The children that somebody waits for, those that ended last before all others. */
function lastFirst(trace, span, until) {
  const children = [];
  for (const child of childrenOf(trace, span)) {
    if (!isShadow(trace, child) && trace.offset[child] < until) children.push(child);
  }
  return children.sort((one, other) => Math.min(endOf(trace, other), until) - Math.min(endOf(trace, one), until));
}

/** The stages of the way with the time that the request spent in each: [{key, side, label, time, span}], as they came. */
export function stages(trace, parts) {
  const found = new Map();
  const ways = new Map();
  for (const part of parts) {
    if (!ways.has(part.span)) ways.set(part.span, wayOf(trace, part.span));
    const stage = stageOf(trace, part, ways.get(part.span));
    const known = found.get(stage.key);
    if (known) known.time += part.to - part.from;
    else found.set(stage.key, { ...stage, time: part.to - part.from, span: part.span });
  }
  return [...found.values()];
}

/** The child in another service that a call led to, or -1: what the call waited for besides is the way. */
function wayOf(trace, span) {
  if (!["Client", "Producer"].includes(text(trace, "SpanKind", span))) return -1;
  for (const child of childrenOf(trace, span)) if (crosses(trace, child) && !isShadow(trace, child)) return child;
  return -1;
}

function stageOf(trace, { span, from }, child) {
  if (child >= 0) {
    const way = boundary(trace, child);
    const isThere = from < trace.offset[child];
    return isThere ? { key: `to ${way.label}`, label: way.label, side: "way" } : { key: `from ${way.back}`, label: way.back, side: "way" };
  }
  const side = text(trace, "Side", span);
  const service = said(text(trace, "ServiceName", span));
  if (trace.router[span]) {
    const isHop = text(trace, "SpanKind", span) === "Client";
    return isHop ? { key: `hop ${side}`, label: isRefused(trace, span) ? "Lambda, which refused the call" : `${side || "upstream"}, which told nothing`, side } : { key: "router", label: "router", side: "router" };
  }
  if (isInit(trace, span)) return { key: `init ${service}`, label: "init (cold start)", side };
  if (text(trace, "Database", span)) return { key: `db ${service}`, label: `database, from ${service}`, side, isDatabase: true };
  return { key: `in ${service}`, label: side === "lambda" ? `handler ${service}` : service, side };
}
