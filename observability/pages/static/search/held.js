// Rows that are being read stay where they are: what comes in meanwhile waits behind a button.
import { html, useRef, useState } from "../frame/html.js";
import { count } from "../frame/format.js";

const NEAR_THE_TOP = 120;

/**
 * {rows, fresh, take}: the rows to show of the latest answer, how many new ones wait, and what shows them.
 *
 * `key` says what was asked: another question's answer is shown at once. `isReading()` is asked besides the page's own
 * signs: scrolled down, the pointer or the focus in the table.
 */
export function useHeld(latest, key, keyOf, body, isReading = () => false) {
  const [, draw] = useState(0);
  const kept = useRef({ key: null, rows: latest, seen: latest });
  const state = kept.current;
  if (latest !== state.seen || key !== state.key) {
    const isBusy = scrollY > NEAR_THE_TOP || body.current?.matches(":hover, :focus-within") || isReading();
    if (key !== state.key || !state.rows?.length || !latest || !isBusy) state.rows = latest;
    state.seen = latest;
    state.key = key;
  }
  const shown = new Set((state.rows ?? []).map(keyOf));
  const fresh = state.rows === latest ? 0 : (latest ?? []).filter((row) => !shown.has(keyOf(row))).length;
  return { rows: state.rows, fresh, take: () => (state.rows = state.seen, draw((old) => old + 1)) };
}

// The same answer gives the same rows: turning them makes a new list each time.
export function useSame(value, cause) {
  const kept = useRef({ cause: undefined, value });
  if (kept.current.cause !== cause) kept.current = { cause, value };
  return kept.current.value;
}

// What shows the rows that wait.
export function Fresh({ held, noun }) {
  if (!held.fresh) return null;
  return html`<div class="fresh" role="status"><button type="button" onClick=${() => (held.take(), scrollTo(0, 0))}>${count(held.fresh)} new ${noun}${held.fresh === 1 ? "" : "s"}: show</button></div>`;
}
