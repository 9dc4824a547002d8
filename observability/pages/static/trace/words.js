// What the trace page says: labels of ways, and what is wrong with the picture, in words.

import { count as number, nanoseconds, said } from "../frame/format.js";
import { IN_CIRCLE, crosses, hasFailed, isInit, isShadow, text, NO_SPAN } from "./model.js";

const REFUSALS = [429, 503];

/** Moments at round distances between two: at most so many. */
export function ticks(from, to, most = 6) {
  const rough = Math.max((to - from) / most, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const found = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) found.push(at);
  return found;
}

/** What the way from a span"s parent to it is called, and the way back. */
export function boundary(trace, span) {
  const parent = trace.parent[span];
  const [from, to] = [text(trace, "Side", parent), text(trace, "Side", span)];
  const service = said(text(trace, "ServiceName", span));
  if (trace.router[span]) return { label: "to the router", back: "back from the router" };
  if (to === "lambda" && (trace.router[parent] || from !== "lambda")) {
    if (trace.afterInit[span]) return { label: "from init to the handler", back: "back from Lambda" };
    const isCold = trace.cold[span] === 1 && !isInit(trace, span);
    return { label: isCold ? "Lambda API, then init (cold start)" : "Lambda API", back: "back from Lambda" };
  }
  if (trace.router[parent]) return { label: `to ${service}`, back: `back from ${service}` };
  if (from === "lambda" && to === "legacy") return { label: "back to on-premises", back: "back from on-premises" };
  return { label: `to ${service}`, back: `back from ${service}` };
}

/** What somebody should know before believing the picture: [{tone, text, spans}]. */
export function notices(trace) {
  return [...gone(trace), ...changed(trace), ...fallbacks(trace), ...orphans(trace), ...circles(trace), ...clocks(trace), ...refused(trace), ...silent(trace), ...failures(trace)];
}

function gone(trace) {
  const found = [];
  if (trace.isCut) {
    found.push({ tone: "warn", text: `This trace has ${number(trace.rows)} spans; these are the first ${number(trace.count)} by time. The others are in the table otel_traces.`, spans: [] });
  }
  if (trace.areLogsCut) found.push({ tone: "warn", text: `Of this trace"s records only the first ${number(trace.logs.length)} are here.`, spans: [] });
  if (!trace.count && trace.logs.length) found.push({ tone: "warn", text: "Records carry this trace’s id, but no span of it came: it was not sampled, or its spans are no longer kept.", spans: [] });
  return found;
}

// What the door could not keep as it was sent, and what no picture can show.
function changed(trace) {
  const { moved = [], clamped = [], doubled = [] } = trace;
  const say = (spans, one, many, why) => (spans.length ? [{ tone: "warn", text: `${spans.length === 1 ? one : `${number(spans.length)} ${many}`}: ${why}`, spans }] : []);
  return [
    ...say(doubled, "One span’s id was given to several spans", "spans’ ids were given to several spans each", "only the latest of each is here, and what is below one may belong to another."),
    ...say(moved, "One span’s time could not be true", "spans’ times could not be true", "each stands at the time at which it was received (fig.original_time has what was said)."),
    ...say(clamped, "One span’s duration could not be true", "spans’ durations could not be true", "it was bounded (fig.original_duration has what was said)."),
  ];
}

function fallbacks(trace) {
  for (let span = 0; span < trace.count; span++) {
    if (!trace.router[span] || text(trace, "SpanKind", span) !== "Client" || isShadow(trace, span)) continue;
    const parent = trace.parent[span];
    if (parent < 0 || !trace.router[parent]) continue;
    if (text(trace, "Side", span) === "lambda" && text(trace, "Side", parent) === "legacy") {
      return [{ tone: "warn", text: "Lambda was asked first; legacy gave the answer.", spans: [span] }];
    }
  }
  return [];
}

function orphans(trace) {
  const spans = [];
  for (let span = 0; span < trace.count; span = trace.last[span]) if (trace.orphan[span] === 1) spans.push(span);
  if (!spans.length) return [];
  const one = spans.length === 1;
  const told = one ? "One span names a parent that never came" : `${number(spans.length)} spans name parents that never came`;
  return [{ tone: "warn", text: `${told}: what lies above ${one ? "it" : "them"} is missing. A sender was not heard, or was not sampled.`, spans }];
}

function circles(trace) {
  const spans = [];
  for (let span = 0; span < trace.count; span = trace.last[span]) if (trace.orphan[span] === IN_CIRCLE) spans.push(span);
  if (!spans.length) return [];
  const told = spans.length === 1 ? "The parents of some spans form a circle, which is" : `The parents of some spans form ${number(spans.length)} circles, which are`;
  return [{ tone: "warn", text: `${told} entered at the earliest span: a sender names as a parent what lies below it, or gives one id to several spans.`, spans }];
}

function clocks(trace) {
  const worst = new Map();
  for (let span = 0; span < trace.count; span++) {
    if (!(trace.gap[span] < 0) || !crosses(trace, span)) continue;
    const [own, other] = [said(text(trace, "ServiceName", span)), said(text(trace, "ServiceName", trace.parent[span]))];
    const key = `${own}\0${other}`;
    if (!worst.has(key) || trace.gap[span] < worst.get(key).gap) worst.set(key, { gap: trace.gap[span], own, other, span });
  }
  return [...worst.values()].slice(0, 4).map(({ gap, own, other, span }) => ({
    tone: "warn",
    text: `${own} seems to begin ${nanoseconds(-gap)} before ${other} called it: their clocks disagree by at least that much. Bars stand where their senders’ clocks say.`,
    spans: [span],
  }));
}

/** Whether the Lambda API said no, so that no function was there to tell anything. */
export function isRefused(trace, span) {
  const isHop = trace.router[span] && text(trace, "SpanKind", span) === "Client" && !trace.children[span];
  return Boolean(isHop) && text(trace, "Side", span) === "lambda" && REFUSALS.includes(trace.http[span]);
}

function refused(trace) {
  const found = [];
  for (let span = 0; span < trace.count; span++) if (isRefused(trace, span)) found.push(span);
  if (!found.length) return [];
  const codes = [...new Set(found.map((span) => trace.http[span]))].join(", ");
  return [{ tone: "warn", text: `Lambda refused the call (${codes}): no function ran.`, spans: found }];
}

function silent(trace) {
  const found = [];
  for (let span = 0; span < trace.count; span++) {
    if (trace.router[span] && text(trace, "SpanKind", span) === "Client" && !trace.children[span] && !isRefused(trace, span)) found.push(span);
  }
  if (!found.length) return [];
  const sides = [...new Set(found.map((span) => text(trace, "Side", span) || (isShadow(trace, span) ? "the shadow" : "an upstream")))];
  return [{ tone: "note", text: `The router called ${sides.join(" and ")}, and nothing was told from there: what happened behind the hop is not in the picture.`, spans: found }];
}

function failures(trace) {
  const found = [];
  for (let span = 0; span < trace.count; span++) if (hasFailed(trace, span) && !isShadow(trace, span)) found.push(span);
  if (!found.length) return [];
  const deepest = found.reduce((best, span) => (trace.depth[span] > trace.depth[best] ? span : best));
  const where = `${said(text(trace, "SpanName", deepest))} in ${said(text(trace, "ServiceName", deepest))}`;
  return [{ tone: "bad", text: found.length === 1 ? `One span failed: ${where}.` : `${number(found.length)} spans failed; the deepest is ${where}.`, spans: found }];
}

/** How many records are there that name no span of the trace. */
export function strayCount(trace) {
  return trace.count ? (trace.logsOf.get(NO_SPAN)?.length ?? 0) : 0;
}

const SEVERITIES = [
  [21, "fatal"],
  [17, "error"],
  [13, "warn"],
  [9, "info"],
  [5, "debug"],
  [1, "trace"],
];

/** The severity"s name by OpenTelemetry"s number. */
export function severity(level) {
  return SEVERITIES.find(([least]) => level >= least)?.[1] ?? "";
}
