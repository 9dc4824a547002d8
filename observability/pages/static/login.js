// The way back to what was wanted: a login that is pasted here leads there, and one that another window had is noticed.
// A link from another site comes without the strict cookie, whoever is logged in: asked from here, it comes along.
const isRefused = location.pathname.startsWith("/login");
const wanted = isRefused ? (new URLSearchParams(location.search).get("next") ?? "/") : location.pathname + location.search;

// Whether it is one of our own addresses is judged where the login is.
document.querySelector("form").append(Object.assign(document.createElement("input"), { type: "hidden", name: "next", value: wanted }));

async function look() {
  const answer = await fetch("/login/known", { credentials: "same-origin", cache: "no-store" }).catch(() => null);
  const { is_known: isKnown } = answer?.ok ? await answer.json().catch(() => ({})) : {};
  // The origin is written: a path that begins with two slashes would lead to another site.
  if (isKnown) location.replace(location.origin + (isRefused ? "/" : wanted));
}
if (!isRefused) await look();
document.addEventListener("visibilitychange", () => document.hidden || look());
