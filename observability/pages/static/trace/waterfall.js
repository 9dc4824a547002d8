// The rows of a trace. Only those that are seen are in the document: 50,000 spans cost as much as 50.
import { html, useEffect, useMemo, useRef, useState } from "../frame/html.js";
import { Axis, Lines } from "./axis.js";
import { Row } from "./row.js";
import { SPAN, kindOf, placeOf, rowOf } from "./model.js";

const OVERSCAN = 6;
const WIDE = { row: 26 };
const NARROW = { row: 44 };
const narrow = matchMedia("(max-width: 720px)");

function useRowHeight() {
  const [isNarrow, setNarrow] = useState(narrow.matches);
  useEffect(() => {
    const note = () => setNarrow(narrow.matches);
    narrow.addEventListener("change", note);
    return () => narrow.removeEventListener("change", note);
  }, []);
  return (isNarrow ? NARROW : WIDE).row;
}

// What of a long list is seen: {first, height} of a scrolling element, in whole rows, so that not every pixel draws anew.
// At first it is taken to be as high as the style lets it be: asking would lay the page out before it is complete.
function useScroll(element, row) {
  const [seen, setSeen] = useState({ first: 0, height: Math.max(288, innerHeight - 192) });
  const read = () => {
    if (!element.current) return; // the page was left meanwhile
    const first = Math.floor(element.current.scrollTop / row);
    const height = element.current.clientHeight;
    setSeen((old) => (old.first === first && old.height === height ? old : { first, height }));
  };
  useEffect(() => {
    const watcher = new ResizeObserver(read);
    watcher.observe(element.current);
    return () => watcher.disconnect();
  }, [row]);
  return [seen, read];
}

export function Waterfall({ trace, rows, view, selected, doing, ...looks }) {
  const scroller = useRef(null);
  const height = useRowHeight();
  const [seen, read] = useScroll(scroller, height);
  const first = Math.max(seen.first - OVERSCAN, 0);
  const last = Math.min(seen.first + Math.ceil(seen.height / height) + 1 + OVERSCAN, rows.length);
  const at = useMemo(() => (selected < 0 ? -1 : rows.indexOf(rowOf(selected))), [rows, selected]);

  useEffect(() => {
    if (at < 0) return;
    const box = scroller.current;
    if (at * height < box.scrollTop) box.scrollTop = at * height - height;
    else if ((at + 1) * height > box.scrollTop + box.clientHeight) box.scrollTop = (at + 2) * height - box.clientHeight;
  }, [at, height]);

  const shown = [];
  for (let number = first; number < last; number++) {
    const row = rows[number];
    shown.push(html`<${Row} key=${row} trace=${trace} row=${row} number=${number} view=${view} doing=${doing} ...${looks}
      isSelected=${number === at} />`);
  }
  return html`<div class="wf">
    <${Axis} trace=${trace} view=${view} onView=${doing.look} />
    <div class="wf-rows" ref=${scroller} onScroll=${read} role="treegrid" aria-label="Spans of the trace" tabindex="0"
      aria-rowcount=${rows.length} aria-activedescendant=${at < 0 ? null : `row-${rows[at]}`}>
      <${Lines} view=${view} height=${seen.height} />
      <div class="wf-space" role="presentation" style=${{ height: `${rows.length * height}px` }}>
        <div class="wf-window" role="presentation" style=${{ transform: `translateY(${first * height}px)` }}>${shown}</div>
      </div>
    </div>
  </div>`;
}

/** The span that a step of so many rows leads to: records and gaps are passed over. */
export function stepped(rows, selected, step) {
  const at = selected < 0 ? (step > 0 ? -1 : rows.length) : rows.indexOf(rowOf(selected));
  const goal = Math.min(Math.max(at + step, 0), rows.length - 1);
  for (const way of [Math.sign(step), -Math.sign(step)]) {
    for (let number = goal; number >= 0 && number < rows.length && number !== at; number += way) {
      if (kindOf(rows[number]) === SPAN) return placeOf(rows[number]);
    }
  }
  return selected;
}
