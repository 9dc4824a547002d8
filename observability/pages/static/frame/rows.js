// A table's rows by keyboard: one of them takes part in the tab order, j, k, arrows, Home and End move among them.
import { useKeys } from "./keys.js";
import { useRef } from "./html.js";

// Give the body of the table `ref={rows.ref}` and each row `data-row tabIndex=${rows.tabIndex(i)} onFocus=${rows.onFocus(i)}`.
// A row is opened by its first link, unless it has `data-row` elements of another kind and handles Enter itself.
export function useRows() {
  const body = useRef(null);
  const current = useRef(0);
  const all = () => [...(body.current?.querySelectorAll("[data-row]") ?? [])];

  function go(to) {
    const rows = all();
    if (!rows.length) return false;
    const at = rows.indexOf(document.activeElement?.closest?.("[data-row]"));
    const next = rows[Math.min(Math.max(to(at, rows.length), 0), rows.length - 1)];
    for (const row of rows) row.tabIndex = row === next ? 0 : -1;
    current.current = rows.indexOf(next);
    next.focus();
    next.scrollIntoView({ block: "nearest" });
    return true;
  }
  const inside = (run) => (event) => (body.current?.contains(event.target) ? run() : false);
  // With several tables on a page: the one that has the focus, else the first.
  const mine = (run) => () => {
    const row = document.activeElement?.closest?.("[data-row]") ?? document.querySelector("#main [data-row]");
    return body.current?.contains(row) ? run() : false;
  };

  useKeys({
    j: { does: "next row", run: mine(() => go((at) => at + 1)) },
    k: { does: "previous row", run: mine(() => go((at) => at - 1)) },
    ArrowDown: { run: inside(() => go((at) => at + 1)) },
    ArrowUp: { run: inside(() => go((at) => at - 1)) },
    Home: { run: inside(() => go(() => 0)) },
    End: { run: inside(() => go((_, length) => length - 1)) },
    Enter: {
      does: "open the row",
      run: (event) => {
        if (!event.target.matches?.("[data-row]")) return false;
        const link = event.target.querySelector("a[href]");
        link?.click();
        return Boolean(link);
      },
    },
  });
  return {
    ref: body,
    tabIndex: (number) => (number === current.current ? 0 : -1),
    onFocus: (number) => () => { current.current = number; },
  };
}
