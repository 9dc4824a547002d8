// Asks the API. What it refuses is an ApiError with its code, message and hint; who is logged out gets the page that says so.
export class ApiError extends Error {
  constructor(status, { code = "", message = "", hint = null, diagnostics = [] } = {}) {
    super(message || `the answer was HTTP ${status}`);
    Object.assign(this, { status, code, hint, diagnostics });
  }
}

let session = null;

// {role, user, csrf} of who looks at this page.
export const getSession = () => (session ??= ask("/api/session").catch((error) => ((session = null), Promise.reject(error))));

export function urlOf(path, params = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value !== null && value !== undefined && value !== "") query.set(name, value);
  const text = query.toString();
  return path + (text ? `?${text}` : "");
}

export const getJson = (path, params = {}, { signal } = {}) => ask(urlOf(path, params), { signal });

// `method` is POST or DELETE: what changes something carries the session's proof.
export async function sendJson(method, path, body = {}) {
  const { csrf } = await getSession();
  return ask(path, { method, body: JSON.stringify(body), headers: { "Content-Type": "application/json", "X-Fig-CSRF": csrf } });
}

// What `early.js` asked for before there were modules; once.
function early(url) {
  const asked = globalThis.early;
  if (asked?.url !== url) return null;
  delete globalThis.early;
  return asked.answer;
}

async function ask(url, options = {}) {
  let answer;
  try {
    answer = await (early(url) ?? fetch(url, { credentials: "same-origin", cache: "no-store", redirect: "error", ...options }));
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, { code: "OB000", message: "fig observe does not answer", hint: "is it still running?" });
  }
  const content = await answer.json().catch(() => ({}));
  if (answer.status === 401) location.reload();
  if (!answer.ok) throw new ApiError(answer.status, content.error);
  return content;
}
