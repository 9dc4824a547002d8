// What the process says by itself: that something was stored. Pages ask again then; nothing is drawn from a frame.
import { makeStore, useStore } from "./store.js";
import { currentWindow } from "./window.js";
import { here } from "./router.js";
import { useEffect } from "./html.js";

const TRY_AGAIN = [2_000, 5_000, 10_000, 30_000];

// state: live | paused | lost; records: what came in by signal since the process began; release: of the files it serves.
export const live = makeStore({ state: "paused", number: -1, boot: "", records: {}, release: "", hasFault: false });
export const useLive = () => useStore(live);

let source = null;
let timer = 0;
let failures = 0;
let offset = 0;

// The process's clock, milliseconds: ours may be wrong.
export const now = () => Date.now() + offset;

function close(state) {
  clearTimeout(timer);
  source?.close();
  source = null;
  live.set({ ...live.get(), state });
}

function open() {
  clearTimeout(timer);
  if (source) return;
  source = new EventSource("/events");
  source.addEventListener("stored", (event) => {
    const told = JSON.parse(event.data);
    failures = 0;
    offset = Math.abs(told.at - Date.now()) > 2_000 ? told.at - Date.now() : 0;
    live.set({ state: "live", number: told.number, boot: told.boot, records: told.records, release: told.release, hasFault: told.has_fault });
  });
  source.addEventListener("open", () => live.set({ ...live.get(), state: "live" }));
  source.addEventListener("error", () => {
    // A browser comes again by itself after a break, but not after a refusal; and its own pauses never grow.
    close("lost");
    timer = setTimeout(follow, TRY_AGAIN[Math.min(failures++, TRY_AGAIN.length - 1)]);
  });
}

// Listen while somebody looks: a hidden tab would hold one of the six connections that a browser has for all its tabs.
function follow() {
  if (!currentWindow().isLive) close("paused");
  else if (document.hidden) close("paused");
  else open();
}

// To be used once, by the frame: listens as the address and the tab want it.
export function useFollowing(search) {
  useEffect(follow, [search]);
  useEffect(() => {
    document.addEventListener("visibilitychange", follow);
    return () => document.removeEventListener("visibilitychange", follow);
  }, []);
}

export const isFollowing = () => !document.hidden && currentWindow().isLive && Boolean(here());
