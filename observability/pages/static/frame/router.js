// Where we are: the address is the state, so every view can be sent to somebody. Clicks on our own links stay in the page.
import { makeStore, useStore } from "./store.js";

const read = () => ({ path: location.pathname, search: location.search });
const place = makeStore(read());

export const here = () => place.get();
export const usePlace = () => useStore(place);

export function navigate(href, { replace = false } = {}) {
  const url = new URL(href, location.href);
  if (url.href === location.href) return;
  history[replace ? "replaceState" : "pushState"](null, "", url);
  const moved = url.pathname !== place.get().path;
  place.set(read());
  if (moved && !replace) {
    scrollTo(0, 0);
    document.querySelector("#main")?.focus({ preventScroll: true });
  }
}

// The address's query with some values changed; null takes one away. History gets an entry only when asked for.
export function changeQuery(changes, { push = false } = {}) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  navigate(location.pathname + (text ? `?${text}` : ""), { replace: !push });
}

export const useQuery = () => new URLSearchParams(usePlace().search);

// The values of a path like /routes/{route}, decoded; null when the path is another.
export function match(pattern, path) {
  const names = [];
  const source = pattern.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{(\w+)\}/g, (_, name) => (names.push(name), "(.+)"));
  const found = new RegExp(`^${source}$`).exec(path);
  if (!found) return null;
  try {
    return Object.fromEntries(names.map((name, number) => [name, decodeURIComponent(found[number + 1])]));
  } catch {
    return null;
  }
}

addEventListener("popstate", () => place.set(read()));
addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (link.target || link.hasAttribute("download") || link.origin !== location.origin || link.dataset.leaves !== undefined) return;
  if (link.hash && link.pathname === location.pathname) return;
  event.preventDefault();
  navigate(link.href);
});
