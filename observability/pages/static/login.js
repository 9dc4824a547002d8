// A link from another site comes without the strict cookie, whoever is logged in: asked from here, it comes along.
const answer = await fetch("/api/session", { credentials: "same-origin", cache: "no-store" }).catch(() => null);
if (answer?.ok && !location.pathname.startsWith("/login")) location.replace(location.pathname + location.search);
