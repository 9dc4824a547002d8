// A link from another site comes without the strict cookie, whoever is logged in: asked from here, it comes along.
// The origin is written: a path that begins with two slashes would lead to another site.
const answer = await fetch("/api/session", { credentials: "same-origin", cache: "no-store" }).catch(() => null);
if (answer?.ok && !location.pathname.startsWith("/login")) location.replace(location.origin + location.pathname + location.search);
