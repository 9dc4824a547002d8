// A trace is asked for while the modules that draw it are still on their way; `frame/api.js` takes the answer.
(() => {
  const id = /^\/traces\/([0-9a-f]{32})$/i.exec(location.pathname)?.[1].toLowerCase();
  if (!id) return;
  const at = new URLSearchParams(location.search).get("at") ?? "";
  const url = `/api/traces/${id}/outline${/^\d{1,19}$/.test(at) ? `?at=${at}` : ""}`;
  const answer = fetch(url, { credentials: "same-origin", cache: "no-store", redirect: "error" });
  answer.catch(() => {}); // whoever takes it says so
  globalThis.early = { url, answer };
})();
