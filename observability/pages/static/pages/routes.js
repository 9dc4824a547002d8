// The board: a row for each route, legacy above lambda, so that a column is read downwards and a pair at a glance.
import { html, useRef } from "../frame/html.js";
import { announce } from "../frame/announce.js";
import { useAnswer } from "../frame/ask.js";
import { NONE, clock, count, fromNanoseconds, milliseconds, rate, share, weight } from "../frame/format.js";
import { Counted, Fallbacks } from "../frame/counted.js";
import { Bar, Empty, Failure, Mark, SIDES, Waiting } from "../frame/parts.js";
import { changeQuery, useQuery } from "../frame/router.js";
import { useRows } from "../frame/rows.js";
import { Sending } from "../frame/sending.js";
import { href, useWindow } from "../frame/window.js";

const FEW = 20;
const SETTLE_MILLISECONDS = 10_000;
const COLUMNS = [
  { key: "rate", name: "req/s", title: "Requests per second", of: (one) => one.per_second, text: rate },
  { key: "errors", name: "errors", title: "Share of answers that were 5xx or none", of: (one) => one.error_share, text: share },
  { key: "p50", name: "p50", title: "Half of the requests were quicker", of: (one) => one.p50_ms, text: milliseconds },
  { key: "p95", name: "p95", title: "95 of 100 requests were quicker", of: (one) => one.p95_ms, text: milliseconds },
  { key: "p99", name: "p99", title: "99 of 100 requests were quicker", of: (one) => one.p99_ms, text: milliseconds },
];
const SORTS = {
  route: { name: "name", of: (one) => one.route },
  weight: { name: "weight", of: (one) => one.weight ?? -1 },
  fallbacks: { name: "fallbacks", of: (one) => one.total.fallbacks },
  rate: { name: "requests per second", of: (one) => one.total.per_second },
  ...Object.fromEntries(COLUMNS.slice(1).map((column) => [column.key, { name: `${column.name}, the worse side`, of: (one) => worse(one, column) }])),
};
const worse = (one, column) => Math.max(...Object.values(one.sides).map((side) => column.of(side) ?? -1));
const compare = (one, other) => (typeof one === "string" ? one.localeCompare(other) : one - other);

export default function Routes() {
  const query = useQuery();
  const { answer, error, askAgain } = useAnswer("/api/routes", { activity: 1, limit: 1000 }, { signals: ["logs", "traces"] });
  const filter = query.get("q") ?? "";
  const sort = Object.hasOwn(SORTS, query.get("sort")) ? query.get("sort") : "rate";
  const isRising = query.get("dir") === "asc";
  const rows = useRows();
  const ordered = useOrder(answer?.routes ?? [], sort, isRising, rows.ref);
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = ordered.filter((one) => words.every((word) => one.route.toLowerCase().includes(word)));

  const sortBy = (key) => {
    const rising = sort === key ? !isRising : key === "route";
    changeQuery({ sort: key === "rate" ? null : key, dir: rising ? "asc" : null });
    announce(`Sorted by ${SORTS[key].name}, ${rising ? "smallest" : "greatest"} first`);
  };
  return html`
    <div class="head">
      <h1>Routes</h1>
      <${Total} answer=${answer} />
      <${Counted} answer=${answer} />
      <span class="fill" />
      <input type="search" data-search value=${filter} placeholder="Filter  /" aria-label="Filter routes" onInput=${(event) => changeQuery({ q: event.currentTarget.value })} />
    </div>
    <p class="legend board-legend" aria-hidden="true"><span><${Mark} side="legacy" /> legacy</span><span><${Mark} side="lambda" /> lambda</span></p>
    <${Failure} error=${error} again=${askAgain} />
    ${!answer ? (error ? null : html`<${Waiting} lines=${9} />`) : shown.length ? html`<${Board} rows=${rows} shown=${shown} answer=${answer} sort=${sort} isRising=${isRising} sortBy=${sortBy} />` : html`<${Nothing} filter=${filter} />`}
  `;
}

// Rows that change places while somebody reads them are no help: the order is renewed now and then, and never under the pointer.
function useOrder(found, sort, isRising, body) {
  const kept = useRef({ key: "", at: 0, place: new Map() });
  const time = useWindow();
  const key = [sort, isRising, time.last, time.start, time.end].join();
  const isBusy = body.current?.matches(":hover, :focus-within");
  const isNew = found.some((one) => !kept.current.place.has(one.route));
  if (found.length && (key !== kept.current.key || isNew || (!isBusy && performance.now() - kept.current.at > SETTLE_MILLISECONDS))) {
    const direction = isRising ? 1 : -1;
    const sorted = [...found].sort((one, other) => direction * compare(SORTS[sort].of(one), SORTS[sort].of(other)) || compare(one.route, other.route));
    kept.current = { key, at: performance.now(), place: new Map(sorted.map((one, number) => [one.route, number])) };
  }
  return [...found].sort((one, other) => kept.current.place.get(one.route) - kept.current.place.get(other.route));
}

function Total({ answer }) {
  if (!answer) return null;
  const { total, window: time } = answer;
  const at = (value) => clock(fromNanoseconds(value));
  return html`<dl class="totals num" title=${`${at(time.start)} to ${at(time.end)}: numbers are of whole minutes`}>
    <div><dt>requests</dt><dd>${rate(total.per_second)}<small>/s</small></dd></div>
    <div><dt>on lambda</dt><dd>${share(total.shares.lambda ?? 0)}</dd></div>
    <div><dt>errors</dt><dd>${share(total.error_share)}</dd></div>
    <div><dt>fallbacks</dt><dd>${count(total.fallbacks)}</dd></div>
  </dl>`;
}

function Nothing({ filter }) {
  if (filter) return html`<${Empty} title="No route has this in its name"><p>Escape leaves the field; <a href=${href("/")}>show all routes</a>.</p><//>`;
  return html`<${Empty} title="Nothing came in during this time">
    <p>The first request that is told of appears here by itself.</p>
    <${Sending} /><//>`;
}

function Board({ rows, shown, answer, sort, isRising, sortBy }) {
  const { isLive } = useWindow();
  const head = (id, name, title = null, kind = "") => html`<th key=${id} role="columnheader" scope="col" class=${`c-${id} ${kind}`} title=${title} aria-sort=${sort === id ? (isRising ? "ascending" : "descending") : null}><button type="button" onClick=${() => sortBy(id)}>${name}</button></th>`;
  return html`<div class="card board"><table role="table">
    <caption class="unseen">Numbers of each route by side</caption>
    <thead role="rowgroup"><tr role="row">
      ${head("route", "route")}
      ${head("weight", isLive ? "weight now" : "weight then", "The share of users that the router sends to Lambda; where time stands still, at its end")}
      <th role="columnheader" scope="col" class="c-activity">activity</th>
      <th role="columnheader" scope="col" class="c-side"><span class="unseen">side</span></th>
      ${COLUMNS.map((column) => head(column.key, column.name, column.title, "right"))}
      ${head("fallbacks", "fallbacks", "Requests that Lambda failed and legacy answered", "right")}
    </tr></thead>
    <tbody role="rowgroup" ref=${rows.ref}>
      ${shown.map((one, number) => html`<${Line} key=${one.route} one=${one} number=${number} rows=${rows} answer=${answer} />`)}
    </tbody>
  </table></div>`;
}

function Line({ one, number, rows, answer }) {
  const sides = SIDES.filter((side) => one.sides[side] || side !== "router");
  const slowest = Math.max(...sides.map((side) => one.sides[side]?.p95_ms ?? 0));
  return html`<tr role="row" data-row tabIndex=${rows.tabIndex(number)} onFocus=${rows.onFocus(number)}>
    <th role="rowheader" scope="row" class="c-route"><a href=${href(`/routes/${encodeURIComponent(one.route)}`)}>${one.route}</a>${one.source === "span" ? html` <span class="tag" title="No router tells of it: counted from its application's spans, which may be a sample">from spans</span>` : null}</th>
    <td role="cell" class="c-weight">${one.weight === null ? html`<span class="faint">${NONE}</span>` : html`<${Bar} value=${one.weight / 10_000} text=${weight(one.weight)} />`}</td>
    <td role="cell" class="c-activity"><${Spark} activity=${answer.activity[one.route]} /></td>
    <td role="cell" class="c-side">${sides.map((side) => html`<div key=${side} class="half" data-none=${one.sides[side] ? null : ""}><${Mark} side=${side} /><span class="word">${side}</span></div>`)}</td>
    ${COLUMNS.map((column) => html`<td role="cell" key=${column.key} class=${`c-${column.key} right`}>
      ${sides.map((side) => html`<${Half} key=${side} side=${side} column=${column} numbers=${one.sides[side]} slowest=${slowest} />`)}
    </td>`)}
    <td role="cell" class="c-fallbacks right"><${Fallbacks} route=${one.route} number=${one.total.fallbacks} answer=${answer} /></td>
  </tr>`;
}

function Half({ side, column, numbers, slowest }) {
  if (!numbers) return html`<div class="half" data-none>${NONE}</div>`;
  const few = numbers.requests < FEW && column.key !== "rate";
  const isBad = column.key === "errors" && numbers.error_share >= 0.01;
  const length = column.key === "p95" && slowest ? (numbers.p95_ms ?? 0) / slowest : null;
  return html`<div class="half" data-few=${few ? "" : null} data-bad=${isBad ? "" : null} title=${few ? `of ${numbers.requests} requests only` : null}>
    <span class="unseen">${side} </span>${column.text(column.of(numbers))}
    ${length === null ? null : html`<i class="length" data-side=${side} style=${{ width: `${Math.max(length * 100, 2)}%` }} />`}</div>`;
}

const [WIDTH, HEIGHT] = [132, 34];

function Spark({ activity }) {
  if (!activity) return null;
  const lines = Object.entries(activity.sides).filter(([side]) => side !== "router");
  const top = Math.max(...lines.flatMap(([, line]) => line), 0.001);
  const points = (line) => line.map((value, at) => [line.length > 1 ? (at / (line.length - 1)) * WIDTH : WIDTH / 2, HEIGHT - 2 - (value / top) * (HEIGHT - 4)].map((one) => one.toFixed(1)));
  const path = (line) => (line.length > 1 ? `M${points(line).join("L")}` : `M0 ${points(line)[0][1]}H${WIDTH}`);
  return html`<svg class="spark" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} width=${WIDTH} height=${HEIGHT} role="img" aria-label=${`Requests per second, at most ${rate(top)} on one side`}>
    ${lines.map(([side, line]) => html`<g key=${side} data-side=${side}>${side === "lambda" ? html`<path class="area" d=${`${path(line)}L${WIDTH} ${HEIGHT}L0 ${HEIGHT}Z`} />` : null}<path class="line" d=${path(line)} /></g>`)}
  </svg>`;
}
