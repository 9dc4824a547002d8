// Single keys, while nobody types. The help dialog lists what is in force.
import { useEffect } from "./html.js";

const inForce = [];
const isTyping = (target) => target instanceof Element && Boolean(target.closest("input, textarea, select, [contenteditable]"));

// `keys`: {"j": {does: "next row", run: (event) => ...}}. The latest that knows a key has it.
export function useKeys(keys) {
  useEffect(() => {
    inForce.push(keys);
    return () => inForce.splice(inForce.indexOf(keys), 1);
  });
}

export function known() {
  const found = new Map();
  for (const keys of [...inForce].reverse()) for (const [key, { does }] of Object.entries(keys)) if (does && !found.has(key)) found.set(key, does);
  return [...found];
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
