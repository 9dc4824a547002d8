// A table's rows by keyboard: one of them takes part in the tab order, j, k, arrows, Home and End move among them.
import { useKeys } from "./keys.js";
import { useRef } from "./html.js";

// Give the body of the table `ref={rows.ref}` and each row `data-row tabIndex=${rows.tabIndex(i)} onFocus=${rows.onFocus(i)}`.
// A row is opened by what has `data-open` in it, else by its first link. With several tables on a page the keys go from one to the next.
export function useRows() {
  const body = useRef(null);
  const current = useRef(0);
  const all = () => [...(body.current?.querySelectorAll("[data-row]") ?? [])];

  function go(rows, to) {
    if (!rows.length) return false;
    const at = rows.indexOf(document.activeElement?.closest?.("[data-row]"));
    const next = rows[Math.min(Math.max(to(at, rows.length), 0), rows.length - 1)];
    for (const row of next.parentElement.querySelectorAll("[data-row]")) row.tabIndex = row === next ? 0 : -1;
    next.focus();
    next.scrollIntoView({ block: "nearest" });
    return true;
  }
  const inside = (to) => (event) => (body.current?.contains(event.target) ? go(all(), to) : false);
  const anywhere = (to) => () => go([...document.querySelectorAll("#main [data-row]")], to);

  useKeys({
    j: { does: "next row", about: "Rows", run: anywhere((at) => at + 1) },
    k: { does: "row before", about: "Rows", run: anywhere((at) => at - 1) },
    ArrowDown: { run: inside((at) => at + 1) },
    ArrowUp: { run: inside((at) => at - 1) },
    Home: { run: inside(() => 0) },
    End: { run: inside((_, length) => length - 1) },
    Enter: {
      does: "open the row",
      about: "Rows",
      run: (event) => {
        if (!event.target.matches?.("[data-row]")) return false;
        const link = event.target.querySelector("[data-open]") ?? event.target.querySelector("a[href]");
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
