// One value that parts of the page share, and who wants to know when it changes.
import { useEffect, useState } from "./html.js";

export function makeStore(initial) {
  let value = initial;
  const listeners = new Set();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener(value);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function useStore(store) {
  const [value, setValue] = useState(store.get());
  useEffect(() => {
    setValue(store.get());
    return store.subscribe(setValue);
  }, [store]);
  return value;
}

// A setting of this browser alone; where storage is forbidden it lives as long as the page does.
export function remembered(name, initial) {
  let first = initial;
  try {
    first = localStorage.getItem(name) ?? initial;
  } catch { /* no storage: the initial value */ }
  const store = makeStore(first);
  store.subscribe((value) => {
    try {
      localStorage.setItem(name, value);
    } catch { /* as above */ }
  });
  return store;
}
