// Live or paused: paused, the window of time stands in the address, which then shows the same to everybody who opens it.
import { html, useEffect } from "./html.js";
import { announce } from "./announce.js";
import { now, useLive } from "./live.js";
import { pause, resume, useWindow } from "./window.js";

const HAVE_ROWS = new Set(["/traces", "/logs"]);
const WORDS = { live: "Live", paused: "Paused", lost: "Lost" };
const TITLES = { live: "Pause (p): the address then shows the same to everybody", paused: "Go on live (p)", lost: "No connection; trying again" };

export function togglePause() {
  const isLive = !new URLSearchParams(location.search).get("start");
  if (isLive) pause(now(), { isWhole: !HAVE_ROWS.has(location.pathname) });
  else resume();
  announce(isLive ? "Paused" : "Live");
}

export function Pause() {
  const { isLive } = useWindow();
  const { state } = useLive();
  const shown = !isLive ? "paused" : state === "lost" ? "lost" : "live";
  useEffect(() => { if (shown === "lost") announce("The connection is lost; trying again"); }, [shown]);
  return html`<button type="button" class="pause" data-state=${shown} aria-pressed=${!isLive} title=${TITLES[shown]} onClick=${togglePause}><i aria-hidden="true" />${WORDS[shown]}</button>`;
}

// The same beside rows that come in by themselves, in the words of whoever watches them.
export function Tail() {
  const { isLive } = useWindow();
  const { state } = useLive();
  const says = !isLive ? "these rows stand still" : state === "lost" ? "the connection is lost, trying again" : "new rows appear at the top";
  return html`<span class="tail"><span class="muted small">${says}</span>
    <button type="button" class="small" onClick=${togglePause} title=${isLive ? TITLES.live : TITLES.paused}>${isLive ? "Pause the tail" : "Follow again"} <kbd>p</kbd></button></span>`;
}
