// A chart of both sides over time. Drag over it to look at that time alone; the numbers stand in a table below it, too.
import { html, useEffect, useLayoutEffect, useRef, useState } from "./html.js";
import uPlot from "../vendor/uplot.mjs";
import { clock, day, moment } from "./format.js";
import { Mark } from "./parts.js";
import { setWindow, wholeMinutes } from "./window.js";

const HEIGHT = 190;
const DASH = [5, 3];
const together = uPlot.sync("time");

// Tokens hold light-dark(), which a canvas does not know: an element resolves them.
function colours(element, names) {
  const probe = element.appendChild(document.createElement("i"));
  const found = {};
  for (const name of names) {
    probe.style.color = `var(--${name})`;
    found[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return found;
}

function ticks(_, values) {
  const isLong = values.length > 1 && values.at(-1) - values[0] > 86_400;
  return values.map((at) => (isLong ? `${day(at * 1000).slice(5)} ${clock(at * 1000).slice(0, 5)}` : clock(at * 1000).slice(0, 5)));
}

// `lines`: [{name, side, values}], `at`: seconds of each value, `range`: [start, end] in seconds, `format`: a value as text, `weights`: parts of one
// of each step or null; `top`: the least top of the scale.
export function Chart({ title, note = null, at, lines, weights = null, range, format, top = 0 }) {
  const box = useRef(null);
  const plot = useRef(null);
  const [pointed, setPointed] = useState(null);
  const [skin, setSkin] = useState(0);
  const data = [at, ...(weights ? [weights] : []), ...lines.map((line) => line.values)];
  const latest = useRef({});
  latest.current = { range, format, top };
  const shape = [skin, Boolean(weights), ...lines.map((line) => line.side)].join();

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
    const made = new uPlot(options(box.current, lines, Boolean(weights), latest, setPointed), data, box.current);
    plot.current = made;
    const sized = new ResizeObserver(([entry]) => made.setSize({ width: Math.max(Math.floor(entry.contentRect.width), 120), height: HEIGHT }));
    sized.observe(box.current);
    return () => {
      sized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape]);

  useLayoutEffect(() => plot.current?.setData(data), [at, ...data]);

  const index = pointed !== null && pointed < at.length ? pointed : null;
  const value = (values) => format(index === null ? (values.findLast((one) => one !== null) ?? null) : values[index]);
  return html`<figure class="card chart">
    <figcaption><h2>${title}</h2>${note ? html`<span class="muted small">${note}</span>` : null}
      <span class="values num">${index === null ? null : html`<time>${clock(at[index] * 1000).slice(0, 5)}</time>`}
        ${lines.map((line) => html`<span key=${line.side} class="side" data-side=${line.side}><${Mark} side=${line.side} />${value(line.values)}</span>`)}
        ${weights ? html`<span class="weight">${weightText(weights, index)}</span>` : null}</span>
    </figcaption>
    <div class="canvas" ref=${box} aria-hidden="true" />
    <details class="numbers"><summary>As a table</summary><div class="scroll"><table><caption class="unseen">${title}</caption>
      <thead><tr><th scope="col">from</th>${lines.map((line) => html`<th key=${line.side} scope="col" class="right">${line.name}</th>`)}${weights ? html`<th scope="col" class="right">weight</th>` : null}</tr></thead>
      <tbody>${at.map((when, row) => html`<tr key=${when}><td>${moment(when * 1000)}</td>${lines.map((line) => html`<td key=${line.side} class="right">${format(line.values[row])}</td>`)}${weights ? html`<td class="right">${weightText(weights, row)}</td>` : null}</tr>`)}</tbody>
    </table></div></details>
  </figure>`;
}

function weightText(weights, index) {
  const value = index === null ? (weights.findLast((one) => one !== null) ?? null) : weights[index];
  return value === null || value === undefined ? "" : `weight ${Number((value * 100).toFixed(2))} %`;
}

function options(element, lines, hasWeight, latest, point) {
  const found = colours(element, ["muted", "line", "line-strong", "text", "accent", "surface", "legacy-fill", "lambda-fill", "router-fill"]);
  const font = `11px ${getComputedStyle(element).fontFamily}`;
  const axis = { stroke: found.muted, font, ticks: { show: false }, grid: { stroke: found.line, width: 1 } };
  const shade = { scale: "weight", stroke: found["line-strong"], width: 1, fill: tint(found.muted, 0.1), paths: uPlot.paths.stepped({ align: 1 }), points: { show: false }, spanGaps: true };
  return {
    width: Math.max(element.clientWidth, 120),
    height: HEIGHT,
    legend: { show: false },
    padding: [8, hasWeight ? 4 : 12, 0, 4],
    cursor: { sync: { key: together.key, setSeries: false }, points: { size: 7 }, y: false, drag: { x: true, y: false, setScale: false } },
    select: { show: true },
    scales: {
      x: { time: true, range: () => latest.current.range },
      y: { range: (_, least, most) => [0, Math.max(most || 0, latest.current.top) * 1.08 || 1] },
      ...(hasWeight ? { weight: { range: [0, 1] } } : {}),
    },
    axes: [
      { ...axis, grid: { show: false }, values: ticks, space: 64, size: 26 },
      { ...axis, size: 58, space: 34, values: (_, values) => values.map((one) => latest.current.format(one)) },
      ...(hasWeight ? [{ ...axis, scale: "weight", side: 1, size: 46, grid: { show: false }, space: 60, values: (_, values) => values.map((one) => `${Math.round(one * 100)} %`) }] : []),
    ],
    series: [{}, ...(hasWeight ? [shade] : []), ...lines.map((line) => ({
      stroke: found[`${line.side}-fill`],
      width: 2,
      dash: line.side === "legacy" ? DASH : undefined,
      points: { size: 7, show: false, filter: (plot, series) => lonely(plot.data[series]) },
    }))],
    hooks: {
      setCursor: [(plot) => point(plot.cursor.idx ?? null)],
      setSelect: [(plot) => {
        const { left, width } = plot.select;
        if (width < 6) return;
        const ends = [left, left + width].map((one) => plot.posToVal(one, "x") * 1000);
        plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        setWindow(...wholeMinutes(...ends));
      }],
    },
  };
}

// What no line reaches, as nothing stands beside it: it is drawn as a point.
function lonely(values) {
  const isThere = (place) => values[place] !== null && values[place] !== undefined;
  return values.flatMap((_, place) => (isThere(place) && !isThere(place - 1) && !isThere(place + 1) ? [place] : []));
}

const tint = (colour, share) => `color-mix(in srgb, ${colour} ${share * 100}%, transparent)`;
