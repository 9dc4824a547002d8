// Ways between traces and records. An id from a sender becomes part of an address only when it is nothing but an id.
import { href } from "../frame/window.js";

const TRACE_ID = /^[0-9a-f]{32}$/;
const SPAN_ID = /^[0-9a-f]{16}$/;
const MINUTES = 5;

/** The address of a span's or a record's trace, or null. */
export function traceLink({ TraceId: trace, SpanId: span, Timestamp: at }) {
  if (!TRACE_ID.test(trace ?? "")) return null;
  return href(`/traces/${trace}`, { at: String(at), span: SPAN_ID.test(span ?? "") ? span : "" });
}

/** The stretch of time around a moment in milliseconds, as an address has it. */
export function timeAround(from, to = from) {
  const iso = (at) => new Date(at).toISOString();
  return { start: iso(from - MINUTES * 60_000), end: iso(to + MINUTES * 60_000) };
}

/** What somebody pasted that is a trace's id, else nothing. */
export const pastedTrace = (text) => (TRACE_ID.test(text.trim().toLowerCase()) ? text.trim().toLowerCase() : "");
