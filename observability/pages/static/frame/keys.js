// Single keys, while nobody types. The help dialog lists what is in force.
import { useEffect } from "./html.js";

const inForce = [];
const isTyping = (target) => target instanceof Element && Boolean(target.closest("input, textarea, select, [contenteditable]"));

// `keys`: {"j": {does: "next row", about: "Rows", run: (event) => ...}}. The latest that knows a key has it; `about` is where help lists it.
export function useKeys(keys) {
  useEffect(() => {
    inForce.push(keys);
    return () => inForce.splice(inForce.indexOf(keys), 1);
  });
}

// What is in force, by what it is about: [key, what it does] of each; this page first.
export function known() {
  const found = new Map([["This page", []]]);
  const seen = new Set();
  for (const keys of [...inForce].reverse()) {
    for (const [key, { does, about = "This page" }] of Object.entries(keys)) {
      if (!does || seen.has(key)) continue;
      seen.add(key);
      found.set(about, [...(found.get(about) ?? []), [key, does]]);
    }
  }
  return new Map([...found].filter(([, some]) => some.length));
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (document.querySelector("dialog[open]")) return;
  if (isTyping(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  for (const keys of [...inForce].reverse()) {
    const found = keys[event.key];
    if (found && found.run(event) !== false) {
      event.preventDefault();
      return;
    }
  }
});
