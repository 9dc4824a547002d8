// Numbers of routes are counted by whole minutes: which ones, and the way to the requests behind a number of them.
import { html } from "./html.js";
import { clock, count, fromNanoseconds } from "./format.js";
import { href, timeOf, useWindow } from "./window.js";

// Said where the address names another stretch of time than the one that is counted, or nothing was told for so long.
export function Counted({ answer }) {
  const time = useWindow();
  if (!answer) return null;
  const [start, end] = [answer.window.start, answer.window.end].map(fromNanoseconds);
  if (time.isLive) {
    const isShort = end - start < (time.minutes - 1) * 60_000;
    return isShort ? html`<span class="counted muted small num" title="Rates are of the time since then">since ${clock(start)}, when the first was told</span>` : null;
  }
  if (Math.abs(start - time.start) < 1 && Math.abs(end - time.end) < 1) return null;
  return html`<span class="counted muted small num" title="Numbers of routes are counted by the minute">counted ${clock(start)}–${clock(end)}, whole minutes</span>`;
}

// The router's records of the requests that legacy answered for Lambda, as many as the number says.
export function Fallbacks({ route, number, answer }) {
  if (!number) return html`<span class="faint">0</span>`;
  const link = href("/logs", { route, service: "fig-router", fallback: 1 }, timeOf(answer.window));
  return html`<a href=${link} title="The records of these requests"><strong>${count(number)}</strong></a>`;
}
