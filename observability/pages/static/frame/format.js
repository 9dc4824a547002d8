// Numbers and times as people read them. What is not known is a dash, never a zero.
export const NONE = "–";
const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

const known = (value) => value !== null && value !== undefined && Number.isFinite(Number(value));

export const count = (value) => (known(value) ? grouped.format(value) : NONE);

export function rate(value) {
  if (!known(value)) return NONE;
  if (value === 0) return "0";
  if (value < 0.01) return "<0.01";
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : grouped.format(value);
}

export function share(value) {
  if (!known(value)) return NONE;
  const percent = value * 100;
  if (percent === 0 || percent === 100) return `${percent} %`;
  if (percent < 0.01) return "<0.01 %";
  if (percent > 99.99) return ">99.99 %";
  return `${percent < 1 || percent > 99 ? percent.toFixed(2) : percent.toFixed(1)} %`;
}

export const weight = (value) => (known(value) ? `${Number((value / 100).toFixed(2))} %` : NONE);

export function milliseconds(value) {
  if (!known(value)) return NONE;
  if (value === 0) return "0 ms";
  if (value < 1) return `${(value * 1000).toPrecision(value < 0.1 ? 2 : 3)} µs`;
  if (value < 1_000) return `${value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0)} ms`;
  if (value < 60_000) return `${(value / 1000).toFixed(2)} s`;
  const seconds = Math.round(value / 1000);
  const [whole, unit, part, small] = seconds < 3_600 ? [60, "min", 1, "s"] : seconds < 86_400 ? [3_600, "h", 60, "min"] : [86_400, "d", 3_600, "h"];
  return `${Math.floor(seconds / whole)} ${unit} ${Math.floor((seconds % whole) / part)} ${small}`;
}
// A sender's text to be drawn: what colours a terminal is taken out, what would turn the direction of writing or is not to be seen is made visible.
const COLOURS = /\u001b\[[0-9;:]*m/g;
const UNSEEN = /[\p{Cc}\p{Bidi_Control}]/u;
export const shown = (text) => (UNSEEN.test(text) ? text.replace(COLOURS, "").replace(/(?![\t\n\r])[\p{Cc}\p{Bidi_Control}]/gu, "\ufffd") : text);
// The same for a sentence of ours, whose line it does not break.
export const said = (text) => shown(String(text)).replace(/[\t\n\r]/g, "\ufffd");

export const nanoseconds = (value) => milliseconds(known(value) ? value / 1e6 : null);

export function bytes(value) {
  if (!known(value)) return NONE;
  const units = ["B", "kB", "MB", "GB", "TB"];
  let [amount, unit] = [Number(value), 0];
  while (amount >= 1000 && unit < units.length - 1) [amount, unit] = [amount / 1000, unit + 1];
  return `${unit && amount < 100 ? amount.toFixed(1) : amount.toFixed(0)} ${units[unit]}`;
}

export function span(minutes) {
  if (minutes >= 2880 && minutes % 1440 === 0) return `${minutes / 1440} d`;
  if (minutes >= 60) return `${Number((minutes / 60).toFixed(1))} h`;
  return minutes >= 1 ? `${Number(minutes.toFixed(1))} min` : `${Math.round(minutes * 60)} s`;
}

const two = (value) => String(value).padStart(2, "0");
// Times are shown in the reader's zone, `at` in milliseconds since 1970.
export function clock(at, { fraction = false } = {}) {
  const when = new Date(at);
  const text = `${two(when.getHours())}:${two(when.getMinutes())}:${two(when.getSeconds())}`;
  return fraction ? `${text}.${String(when.getMilliseconds()).padStart(3, "0")}` : text;
}
export function day(at) {
  const when = new Date(at);
  return `${when.getFullYear()}-${two(when.getMonth() + 1)}-${two(when.getDate())}`;
}
export const moment = (at) => `${day(at)} ${clock(at)}`;
// Nanoseconds since 1970, as the API has them, in milliseconds.
export const fromNanoseconds = (value) => Number(value) / 1e6;
