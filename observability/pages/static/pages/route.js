// One route: both sides next to each other now, over time, and at their slowest.
import { html } from "../frame/html.js";
import { useAnswer } from "../frame/ask.js";
import { Chart } from "../frame/chart.js";
import { NONE, clock, count, fromNanoseconds, milliseconds, moment, nanoseconds, rate, share, span, weight } from "../frame/format.js";
import { Counted, Fallbacks } from "../frame/counted.js";
import { Bar, Copy, Empty, Failure, SIDES, Side, Status, Waiting, bySide } from "../frame/parts.js";
import { useRows } from "../frame/rows.js";
import { now, useLive } from "../frame/live.js";
import { href, timeOf, useWindow } from "../frame/window.js";

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 360, 1440];
const POINTS = 120;
const SHOWN = 10;

export default function Route({ route }) {
  const time = useWindow();
  const at = `/api/routes/${encodeURIComponent(route)}`;
  const step = STEPS.find((one) => one * POINTS >= time.minutes) ?? STEPS.at(-1);
  const totals = useAnswer("/api/routes", { route }, { signals: ["logs", "traces"] });
  const series = useAnswer(`${at}/series`, { step }, { signals: ["logs", "traces"], every: 2_000 });
  const found = totals.answer?.routes[0];
  // Where time stands still, what is found is of the minutes that are counted here.
  const during = time.isLive || !totals.answer ? null : timeOf(totals.answer.window);
  return html`
    <p class="path"><a href=${href("/")}><span aria-hidden="true">← </span>Routes</a></p>
    <div class="head">
      <h1>${route}</h1>
      ${found && found.weight !== null ? html`<span class="row"><span class="muted small">${time.isLive ? "weight now" : "weight then"}</span><${Bar} value=${found.weight / 10_000} text=${weight(found.weight)} /></span>` : null}
      ${found?.source === "span" ? html`<span class="tag">counted from spans, which may be a sample</span>` : null}
      <${Counted} answer=${totals.answer} />
      <span class="fill" />
      <nav class="links" aria-label="Of this route"><a href=${href("/traces", { route }, during)}>Traces</a><a href=${href("/traces", { route, errors: 1 }, during)}>Failed traces</a><a href=${href("/traces", { route, fallback: 1 }, during)}>Rescued traces</a><a href=${href("/logs", { route }, during)}>Logs</a><${Copy} text=${location.href} label="Copy link" /></nav>
    </div>
    <${Failure} error=${totals.error ?? series.error} again=${() => { totals.askAgain(); series.askAgain(); }} />
    ${!totals.answer ? (totals.error ? null : html`<${Waiting} lines=${4} />`) : found ? html`<${Sides} found=${found} answer=${totals.answer} />` : html`<${Empty} title="This route had no requests during this time"><p>Look at more time, or at <a href=${href("/")}>all routes</a>.</p><//>`}
    ${series.answer && found ? html`<${Charts} answer=${series.answer} step=${step} />` : null}
    ${found ? html`<div class="twins">${SIDES.slice(0, 2).map((side) => html`<${Slowest} key=${side} at=${at} side=${side} />`)}</div>` : null}
  `;
}

function Sides({ found, answer }) {
  const sides = Object.keys(found.sides).sort(bySide);
  const line = (name, numbers) => html`<tr key=${name} class=${name ? "" : "all"}>
    <th scope="row">${name ? html`<${Side} side=${name} />` : "all"}</th>
    <td class="right">${count(numbers.requests)}</td><td class="right">${rate(numbers.per_second)}</td>
    <td class="right">${count(numbers.errors)}</td><td class="right">${share(numbers.error_share)}</td>
    <td class="right">${milliseconds(numbers.mean_ms)}</td><td class="right">${milliseconds(numbers.p50_ms)}</td><td class="right">${milliseconds(numbers.p95_ms)}</td><td class="right">${milliseconds(numbers.p99_ms)}</td>
    <td class="right">${name === "legacy" || !name ? html`<${Fallbacks} route=${found.route} number=${numbers.fallbacks} answer=${answer} />` : count(numbers.fallbacks)}</td></tr>`;
  return html`<div class="card"><table class="sides">
    <caption class="unseen">Numbers of each side</caption>
    <thead><tr><th scope="col">side</th>${["requests", "req/s", "errors", "error share", "mean", "p50", "p95", "p99", "fallbacks"].map((name) => html`<th key=${name} scope="col" class="right">${name}</th>`)}</tr></thead>
    <tbody>${sides.map((side) => line(side, found.sides[side]))}${sides.length > 1 ? line("", found.total) : null}</tbody>
  </table></div>`;
}

function Charts({ answer, step }) {
  useLive();
  const steps = answer.steps.filter((one, _, all) => one.seconds >= step * 30 || all.length < 4);
  const at = withGaps([...new Set(steps.map((one) => Number(one.at) / 1e9))], step * 60);
  const place = new Map(at.map((when, number) => [when, number]));
  const known = SIDES.filter((side) => steps.some((one) => one.side === side));
  const weights = at.map(() => null);
  for (const one of steps) if (one.weight !== null) weights[place.get(Number(one.at) / 1e9)] = one.weight / 10_000;
  const lines = (of) => known.map((side) => {
    const values = at.map(() => null);
    for (const one of steps) if (one.side === side) values[place.get(Number(one.at) / 1e9)] = of(one);
    return { side, name: side, values };
  });
  const { start, end } = answer.window;
  const range = [Number(start) / 1e9, Math.min(Number(end), now() * 1e6) / 1e9];
  const shared = { at, range, weights: weights.some((one) => one !== null) ? weights : null };
  return html`<div class="charts">
    <${Chart} ...${shared} title="Requests per second" note=${step > 1 ? `steps of ${span(step)}` : null} lines=${lines((one) => one.per_second)} format=${rate} />
    <${Chart} ...${shared} title="Errors" lines=${lines((one) => one.error_share)} format=${share} top=${0.01} />
    <${Chart} ...${shared} title="p95" lines=${lines((one) => one.p95_ms)} format=${milliseconds} />
  </div>`;
}

// Where steps had no request one moment without a value stands: a line over it would tell of traffic that there was not.
function withGaps(at, seconds) {
  return at.flatMap((when, number) => (number && when - at[number - 1] > seconds ? [at[number - 1] + seconds, when] : [when]));
}

function Slowest({ at, side }) {
  const { answer, error, askAgain } = useAnswer(`${at}/slowest`, { side, limit: SHOWN * 3 }, { signals: ["traces"], every: 5_000 });
  const rows = useRows();
  const seen = new Set();
  const spans = (answer?.spans ?? []).filter((one) => !seen.has(one.TraceId) && seen.add(one.TraceId)).slice(0, SHOWN);
  return html`<section class="card"><header><h2>Slowest on <${Side} side=${side} /></h2></header>
    <div class="scroll"><${Failure} error=${error} again=${askAgain} />
    ${!answer ? (error ? null : html`<${Waiting} lines=${3} />`) : !spans.length ? html`<p class="none muted">No trace of it during this time.</p>` : html`<table class="slowest">
      <thead><tr><th scope="col" class="right">took</th><th scope="col">request</th><th scope="col">status</th><th scope="col" class="service">service</th><th scope="col" class="right">at</th></tr></thead>
      <tbody ref=${rows.ref}>${spans.map((one, number) => html`<tr key=${one.TraceId} data-row tabIndex=${rows.tabIndex(number)} onFocus=${rows.onFocus(number)}>
        <td class="right"><a href=${href(`/traces/${one.TraceId}`, { at: one.Timestamp })}>${nanoseconds(one.Duration)}</a></td>
        <td class="name"><bdi>${one.SpanName || NONE}</bdi>${one.ColdStart ? html` <span class="tag">cold start</span>` : null}</td>
        <td><${Status} code=${one.HttpStatus} /></td><td class="muted service">${one.ServiceName}</td>
        <td class="right muted" title=${moment(fromNanoseconds(one.Timestamp))}>${clock(fromNanoseconds(one.Timestamp))}</td></tr>`)}</tbody>
    </table>`}</div></section>`;
}
