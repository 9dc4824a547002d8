// Each found request as a point: when, and how long. Sides have the shapes that they have everywhere, legacy's hollow; a click opens the trace, a drag chooses the time.
import { html, useEffect, useLayoutEffect, useRef, useState } from "../frame/html.js";
import uPlot from "../vendor/uplot.mjs";
import { clock, milliseconds } from "../frame/format.js";
import { Mark } from "../frame/parts.js";
import { navigate } from "../frame/router.js";
import { setWindow } from "../frame/window.js";

const HEIGHT = 150;
const NAMES = ["legacy", "lambda", "router"];
const sideOf = (row) => row.Side || "router";

function colours(element) {
  const probe = element.appendChild(document.createElement("i"));
  const read = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const found = Object.fromEntries(["muted", "line", "surface", "legacy-fill", "lambda-fill", "router-fill"].map((name) => [name, read(name)]));
  probe.remove();
  return found;
}

export function Scatter({ rows, linkOf, range }) {
  const box = useRef(null);
  const [pointed, setPointed] = useState(null);
  const [skin, setSkin] = useState(0);
  const sorted = [...rows].sort((one, other) => one.Timestamp - other.Timestamp);
  const latest = useRef({});
  latest.current = { sorted, linkOf, range };
  const data = [sorted.map((row) => row.Timestamp / 1e9), ...NAMES.map((name) => sorted.map((row) => (sideOf(row) === name ? Math.max(row.Duration / 1e6, 0.001) : null)))];
  const plot = useRef(null);

  useEffect(() => {
    const again = () => setSkin((old) => old + 1);
    const system = matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", again);
    addEventListener("themechange", again);
    return () => {
      system.removeEventListener("change", again);
      removeEventListener("themechange", again);
    };
  }, []);
  useLayoutEffect(() => {
    const made = new uPlot(options(box.current, latest, setPointed), data, box.current);
    plot.current = made;
    const sized = new ResizeObserver(([entry]) => made.setSize({ width: Math.max(Math.floor(entry.contentRect.width), 120), height: HEIGHT }));
    sized.observe(box.current);
    return () => {
      sized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [skin]);
  useLayoutEffect(() => plot.current?.setData(data), [rows, range.join()]);

  const row = pointed === null ? null : sorted[pointed];
  return html`<figure class="card scatter"><figcaption class="small"><span class="muted">Duration of what was found</span>
      <span class="num">${row ? html`${clock(row.Timestamp / 1e6)} <${Mark} side=${sideOf(row)} /> ${milliseconds(row.Duration / 1e6)} ${row.SpanName}` : html`<span class="muted"><${Mark} side="legacy" /> legacy, hollow  <${Mark} side="lambda" /> lambda${rows.some((one) => !one.Side) ? html`  <${Mark} side="router" /> router` : null}</span>`}</span></figcaption>
    <div class="canvas" ref=${box} aria-hidden="true" /></figure>`;
}

const decades = (_, values) => values.map((one) => (Math.abs(Math.log10(one) % 1) < 1e-6 ? one : null));

const SHAPES = {
  legacy: (path, x, y, radius) => { path.moveTo(x, y - radius); path.lineTo(x + radius, y + radius * 0.8); path.lineTo(x - radius, y + radius * 0.8); path.closePath(); },
  lambda: (path, x, y, radius) => { path.moveTo(x + radius, y); path.arc(x, y, radius, 0, 2 * Math.PI); },
  router: (path, x, y, radius) => path.rect(x - radius * 0.8, y - radius * 0.8, radius * 1.6, radius * 1.6),
};
const CLIP_BOTH = 3;

function shapes(name) {
  return (plot, series, from, to) => {
    const [fill, clip] = [new Path2D(), new Path2D()];
    const { left, top, width, height } = plot.bbox;
    const radius = 3.5 * devicePixelRatio;
    clip.rect(left - radius, top - radius, width + 2 * radius, height + 2 * radius);
    const [times, values] = [plot.data[0], plot.data[series]];
    for (let place = from; place <= to; place++) {
      if (values[place] !== null) SHAPES[name](fill, plot.valToPos(times[place], "x", true), plot.valToPos(values[place], "y", true), radius);
    }
    return { stroke: fill, fill, clip, flags: CLIP_BOTH };
  };
}

function options(element, latest, point) {
  const found = colours(element);
  const font = `11px ${getComputedStyle(element).fontFamily}`;
  const axis = { stroke: found.muted, font, ticks: { show: false }, grid: { stroke: found.line, width: 1 } };
  const open = (plot) => {
    const row = latest.current.sorted[plot.cursor.idx ?? -1];
    if (row) navigate(latest.current.linkOf(row));
  };
  let pressed = 0;
  return {
    width: Math.max(element.clientWidth, 120),
    height: HEIGHT,
    legend: { show: false },
    padding: [8, 28, 0, 4],
    cursor: { y: false, points: { size: 11 }, drag: { x: true, y: false, setScale: false } },
    scales: { x: { time: true, range: () => latest.current.range }, y: { distr: 3, range: (_, least, most) => uPlot.rangeLog(least ?? 1, most ?? 1000, 10, true) } },
    axes: [
      { ...axis, grid: { show: false }, values: (_, values) => values.map((at) => clock(at * 1000)), space: 80, size: 26 },
      { ...axis, size: 62, space: 26, grid: { ...axis.grid, filter: decades }, filter: decades, values: (_, values) => values.map((one) => (one === null ? "" : milliseconds(one).replace(/\.0+(?= )/, ""))) },
    ],
    series: [{}, ...NAMES.map((name) => ({
      stroke: found[`${name}-fill`],
      paths: () => null,
      points: { show: true, size: 7, width: 1.5, stroke: found[`${name}-fill`], fill: name === "legacy" ? found.surface : found[`${name}-fill`], paths: shapes(name) },
    }))],
    hooks: {
      setCursor: [(plot) => point(plot.cursor.left < 0 ? null : (plot.cursor.idx ?? null))],
      ready: [(plot) => {
        plot.over.addEventListener("pointerdown", (event) => { pressed = event.clientX; });
        plot.over.addEventListener("click", (event) => Math.abs(event.clientX - pressed) < 4 && open(plot));
      }],
      setSelect: [(plot) => {
        const { left, width } = plot.select;
        if (width < 6) return;
        const ends = [left, left + width].map((one) => plot.posToVal(one, "x") * 1000);
        plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        setWindow(...ends);
      }],
    },
  };
}
