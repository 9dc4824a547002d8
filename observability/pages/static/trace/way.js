// Where the request's time went: one bar of stages, in the order in which they came, with the ways between them.
import { html } from "../frame/html.js";
import { nanoseconds, share } from "../frame/format.js";

export function Way({ stages, onSelect }) {
  const whole = stages.reduce((sum, stage) => sum + stage.time, 0);
  if (!whole) return null;
  const between = stages.filter((stage) => stage.side === "way").reduce((sum, stage) => sum + stage.time, 0);
  const looks = (stage) => `in-${stage.side || "router"} ${stage.isDatabase ? "is-database" : ""}`;
  return html`<section class="way" aria-labelledby="way-title"><h2 id="way-title">Where the time went</h2>
    <div class="way-bar" aria-hidden="true">${stages.map((stage) => html`<i key=${stage.key} class=${looks(stage)} style=${{ flexGrow: stage.time }} title=${`${stage.label}: ${nanoseconds(stage.time)}`} />`)}</div>
    <ol>${stages.map((stage) => html`<li key=${stage.key}><button type="button" class="way-stage" onClick=${() => onSelect(stage.span)} title="Show the span">
      <i class=${looks(stage)} aria-hidden="true" /><span class="way-name">${stage.label}</span> <span class="num">${nanoseconds(stage.time)}</span> <span class="muted num">${share(stage.time / whole)}</span></button></li>`)}</ol>
    ${between > 0 && html`<p class="muted small">Between the services: <span class="num">${nanoseconds(between)}</span>, ${share(between / whole)} of what the caller waited for.</p>`}
  </section>`;
}
