// Every page: its path, its name, and the module whose default export draws it with the path's values as properties.
// A page is loaded when it is first opened, so a fault in one leaves the others alone. `nav` puts it into the header; `knows` are the values that it reads
// from its address, `takes` those of them that are one of a few, or of a form; one that `isTimeless` shows the same whatever the window of time.
const MOMENT = { form: /^\d{1,19}$/, says: "no moment in nanoseconds since 1970" };
const PLACES = { before: MOMENT, after: MOMENT };
const ORDERS = ["route", "weight", "fallbacks", "rate", "errors", "p50", "p95", "p99"];
const SEARCH = ["text", "side", "role", "route", "service", "min_status", "max_status", "request_id", "errors", "fallback", "before", "after"];
export const PAGES = [
  { path: "/", name: "Routes", nav: true, knows: ["q", "sort", "dir"], takes: { sort: ORDERS, dir: ["asc", "desc"] }, load: () => import("./pages/routes.js") },
  { path: "/routes/{route}", name: "Route", under: "/", title: ({ route }) => route, load: () => import("./pages/route.js") },
  { path: "/traces", name: "Traces", nav: true, knows: [...SEARCH, "kind", "min_ms", "max_ms", "order"], takes: { order: ["newest", "slowest"], ...PLACES }, load: () => import("./pages/traces.js") },
  { path: "/traces/{id}", name: "Trace", under: "/traces", isTimeless: true, knows: ["at", "span"], takes: { at: MOMENT, span: { form: /^[0-9a-f]{16}$/, says: "no span’s id, which has 16 hexadecimal digits" } }, title: ({ id }) => `Trace ${id.slice(0, 8)}`, load: () => import("./pages/trace.js") },
  { path: "/logs", name: "Logs", nav: true, knows: [...SEARCH, "severity", "trace_id"], takes: PLACES, load: () => import("./pages/logs.js") },
  { path: "/health", name: "Health", nav: true, load: () => import("./pages/health.js") },
];
