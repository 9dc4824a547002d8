// Rows that are being read stay where they are: what comes in meanwhile waits behind a button.
import { useRef, useState } from "../frame/html.js";

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
