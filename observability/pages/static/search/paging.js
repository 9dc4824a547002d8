// Pages of rows by time. The address says where a page begins, so that it is the same for everybody who opens it.
import { html } from "../frame/html.js";
import { changeQuery, useQuery } from "../frame/router.js";

const DIGITS = /^\d{1,19}$/;

/** The API's values for the page that the address names, and whether it is the newest. */
export function usePlaceInTime(isByTime = true) {
  const query = useQuery();
  const [before, after] = ["before", "after"].map((name) => (DIGITS.test(query.get(name) ?? "") ? query.get(name) : ""));
  if (!isByTime) return { params: {}, isNewest: true };
  if (before) return { params: { end: before }, isNewest: false };
  if (after) return { params: { start: after, order: "oldest" }, isNewest: false, isTurned: true };
  return { params: {}, isNewest: true };
}

export function Pages({ answer, place, count, noun }) {
  if (!answer || (!answer.is_cut && place.isNewest)) return null;
  const [newest, oldest] = place.isTurned ? [answer.last, answer.first] : [answer.first, answer.last];
  const hasOlder = place.isTurned ? Boolean(oldest) : answer.is_cut;
  const go = (changes) => (changeQuery({ before: null, after: null, ...changes }, { push: true }), scrollTo(0, 0));
  return html`<nav class="paging" aria-label="Pages by time">
    <button type="button" disabled=${place.isNewest} onClick=${() => go({})}>Newest</button>
    <button type="button" disabled=${place.isNewest || !newest || (place.isTurned && !answer.is_cut)} onClick=${() => go({ after: String(BigInt(newest) + 1n) })}>← Newer</button>
    <button type="button" disabled=${!hasOlder || !oldest} onClick=${() => go({ before: oldest })}>Older →</button>
    <span class="muted small num">${count} ${noun} on this page</span>
  </nav>`;
}
