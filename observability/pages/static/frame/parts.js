// Small things that several pages show, so that they look the same everywhere.
import { html } from "./html.js";
import { share } from "./format.js";

export const SIDES = ["legacy", "lambda", "router"];
// Legacy comes first, wherever sides stand in a list.
export const bySide = (one, other) => SIDES.indexOf(one || "router") - SIDES.indexOf(other || "router");

// A side is told by shape and word as well as by colour: amber triangle, blue disc, grey square.
export function Mark({ side }) {
  const shape = side === "legacy" ? html`<path d="M5 1 9.500 9h-9z"/>` : side === "lambda" ? html`<circle cx="5" cy="5" r="4"/>` : html`<path d="M1.500 1.500h7v7h-7z"/>`;
  return html`<svg class="mark" data-side=${side || "router"} viewBox="0 0 10 10" width="10" height="10" aria-hidden="true">${shape}</svg>`;
}

export const Side = ({ side }) => html`<span class="side" data-side=${side || "router"}><${Mark} side=${side} />${side || "router"}</span>`;

// How a request went: the word says it, the colour repeats it.
export function Status({ code }) {
  if (!code) return null;
  return html`<span class="status" data-kind=${code >= 500 ? "bad" : code >= 400 ? "odd" : "good"}>${code}</span>`;
}

export function Failure({ error, again = null }) {
  if (!error) return null;
  const more = (error.diagnostics ?? []).slice(1);
  return html`<div class="failure" role="alert">
    <p><strong>${error.message}</strong>${error.hint ? html` – ${error.hint}` : null}</p>
    ${more.map((one) => html`<p>${one.message}</p>`)}
    ${again ? html`<button type="button" onClick=${again}>Try again</button>` : null}
  </div>`;
}

export const Empty = ({ title, children }) => html`<div class="empty"><h2>${title}</h2>${children}</div>`;

// Lines where rows will be, while a first answer is on its way.
export const Waiting = ({ lines = 6 }) =>
  html`<div class="waiting" aria-busy="true"><span class="unseen">Loading</span>${Array.from({ length: lines }, (_, number) => html`<i key=${number} />`)}</div>`;

// A share as a bar with its number: of the traffic that goes to Lambda, or of what is there.
export const Bar = ({ value, text = share(value), kind = "weight" }) =>
  html`<span class="bar" data-kind=${kind}><i><b style=${{ width: `${Math.min(Math.max(value ?? 0, 0), 1) * 100}%` }} /></i><span class="num">${text}</span></span>`;

export function Copy({ text, label = "Copy" }) {
  const copy = async (event) => {
    const button = event.currentTarget;
    await navigator.clipboard?.writeText(text).catch(() => {});
    button.dataset.done = "";
    setTimeout(() => delete button.dataset.done, 1_500);
  };
  return html`<button type="button" class="quiet copy" onClick=${copy} title=${`Copy ${text}`}>${label}</button>`;
}
