// The time axis: labels, the lines behind the rows, and the small picture of the whole trace on which a part is chosen.
import { html, useEffect, useRef, useState } from "../frame/html.js";
import { nanoseconds } from "../frame/format.js";
import { hasFailed, isShadow, text } from "./model.js";
import { ticks } from "./words.js";
import { moved, within, zoomed } from "./geometry.js";

const HEIGHT = 44;
const LEAST_DRAG = 4;
const ROOM_FOR_LABELS = 0.985;
const dark = matchMedia("(prefers-color-scheme: dark)");

const shareOf = (view, at) => `${((at - view.from) / (view.to - view.from)) * 100}%`;

export function Lines({ view, height }) {
  const lines = ticks(view.from, view.to).map((at) => html`<i key=${at} style=${{ left: shareOf(view, at) }} />`);
  return html`<div class="wf-lines" aria-hidden="true"><div style=${{ height: `${height}px` }}>${lines}</div></div>`;
}

export function Axis({ trace, view, onView }) {
  const labels = ticks(view.from, view.from + (view.to - view.from) * ROOM_FOR_LABELS).map(
    (at) => html`<span key=${at} style=${{ left: shareOf(view, at) }}>${at ? nanoseconds(at) : "0"}</span>`,
  );
  return html`<div class="wf-head">
    <div class="wf-headname">span</div>
    <div class="wf-axis"><${Overview} trace=${trace} view=${view} onView=${onView} /><div class="wf-labels">${labels}</div></div>
  </div>`;
}

// A canvas knows no variables: the element is asked what each of them is here and now.
function colours(element) {
  const read = (name) => {
    element.style.color = `var(${name})`;
    return getComputedStyle(element).color;
  };
  return { legacy: read("--legacy-fill"), lambda: read("--lambda-fill"), router: read("--router-fill"), bad: read("--bad") };
}

// One canvas, one pass: each span is a line at its place in the list, those of one pixel line over each other.
function draw(canvas, trace) {
  const width = canvas.clientWidth;
  const scale = devicePixelRatio || 1;
  canvas.width = Math.max(width * scale, 1);
  canvas.height = HEIGHT * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  const known = colours(canvas);
  const thick = Math.max(Math.min((HEIGHT - 4) / Math.max(trace.count, 1), 4), 1);
  for (let span = 0; span < trace.count; span++) {
    const side = trace.router[span] ? "router" : text(trace, "Side", span);
    pen.globalAlpha = isShadow(trace, span) ? 0.4 : 1;
    pen.fillStyle = hasFailed(trace, span) ? known.bad : (known[side] ?? known.router);
    const long = Math.max((trace.duration[span] / trace.end) * width, 1);
    pen.fillRect((trace.offset[span] / trace.end) * width, 2 + (span / Math.max(trace.count, 1)) * (HEIGHT - 4), long, Math.max(thick - 0.5, 0.75));
  }
}

function Overview({ trace, view, onView }) {
  const canvas = useRef(null);
  const box = useRef(null);
  const [drag, setDrag] = useState(null);
  const whole = { from: 0, to: trace.end };

  useEffect(() => {
    const again = () => canvas.current && draw(canvas.current, trace);
    const size = new ResizeObserver(again);
    size.observe(canvas.current);
    addEventListener("themechange", again);
    dark.addEventListener("change", again);
    return () => {
      size.disconnect();
      removeEventListener("themechange", again);
      dark.removeEventListener("change", again);
    };
  }, [trace]);

  const at = (event) => {
    const { left, width } = box.current.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - left) / width, 0), 1) * trace.end;
  };
  const down = (event) => {
    if (event.button) return;
    box.current.setPointerCapture(event.pointerId);
    setDrag({ from: at(event), to: at(event), x: event.clientX });
  };
  const move = (event) => drag && setDrag({ ...drag, to: at(event) });
  const up = (event) => {
    if (!drag) return;
    const [from, to] = [Math.min(drag.from, at(event)), Math.max(drag.from, at(event))];
    setDrag(null);
    if (Math.abs(event.clientX - drag.x) >= LEAST_DRAG) onView(within({ from, to }, whole));
  };
  const key = (event) => {
    const next = {
      ArrowLeft: () => moved(view, whole, -0.2),
      ArrowRight: () => moved(view, whole, 0.2),
      ArrowUp: () => zoomed(view, whole, 0.5),
      ArrowDown: () => zoomed(view, whole, 2),
    }[event.key];
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    onView(next());
  };
  const chosen = drag ? { from: Math.min(drag.from, drag.to), to: Math.max(drag.from, drag.to) } : view;
  const isWhole = !drag && view.from <= 0 && view.to >= trace.end;
  const share = (time) => `${(time / trace.end) * 100}%`;
  return html`<div class="wf-overview" ref=${box} role="slider" tabindex="0" aria-label="Part of the time that is shown: left and right move it, up and down zoom"
    aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round((view.from / trace.end) * 100)} aria-valuetext=${`${nanoseconds(view.from)} to ${nanoseconds(view.to)}`}
    onPointerDown=${down} onPointerMove=${move} onPointerUp=${up} onPointerCancel=${() => setDrag(null)} onDblClick=${() => onView(whole)} onKeyDown=${key}
    title="Drag to look at a part of the time; a double click shows all of it">
    <canvas ref=${canvas} aria-hidden="true"></canvas>
    ${!isWhole && html`<i class="wf-shade" style=${{ left: 0, width: share(chosen.from) }} /><i class="wf-shade" style=${{ left: share(chosen.to), right: 0 }} />
      <i class="wf-chosen" style=${{ left: share(chosen.from), width: share(chosen.to - chosen.from) }} />`}
  </div>`;
}
