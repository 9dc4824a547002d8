// The stretch of time that all pages look at. It stands in the address: `last=15m` moves along, `start` and `end` stand still.
import { changeQuery, here, usePlace } from "./router.js";

export const CHOICES = ["5m", "15m", "1h", "6h", "1d", "7d"];
const DEFAULT = "15m";
const UNITS = { m: 1, h: 60, d: 1440 };
const MAX_MINUTES = 400 * 1440;
const LATE_MILLISECONDS = 5_000;

export function minutesOf(text) {
  const found = /^(\d{1,6})([mhd])$/.exec(text ?? "");
  const minutes = found ? Number(found[1]) * UNITS[found[2]] : 0;
  return minutes > 0 && minutes <= MAX_MINUTES ? minutes : 0;
}

const isSpan = (start, end) => start >= 0 && end > start && end - start <= MAX_MINUTES * 60_000;

// {last, minutes, start, end, isLive}: start and end are milliseconds, null while the window moves along.
export function windowOf(search) {
  const query = new URLSearchParams(search);
  const last = minutesOf(query.get("last")) ? query.get("last") : DEFAULT;
  const start = Date.parse(query.get("start") ?? "");
  const end = Date.parse(query.get("end") ?? "");
  if (isSpan(start, end)) return { last, minutes: (end - start) / 60_000, start, end, isLive: false };
  return { last, minutes: minutesOf(last), start: null, end: null, isLive: true };
}

// What of an address is no window of time, by name: it is passed over, and the frame says so.
export function unreadWindow(search) {
  const query = new URLSearchParams(search);
  const [start, end] = ["start", "end"].map((name) => Date.parse(query.get(name) ?? ""));
  const isBroken = (query.has("start") || query.has("end")) && !isSpan(start, end);
  return [...(query.has("last") && !minutesOf(query.get("last")) ? ["last"] : []), ...(isBroken ? ["start", "end"].filter((name) => query.has(name)) : [])];
}

export const currentWindow = () => windowOf(here().search);
export const useWindow = () => windowOf(usePlace().search);

// The same as the API wants it. Nanoseconds do not fit a number here, so they are written.
export const askedWindow = (one) =>
  one.isLive ? { minutes: one.minutes } : { start: `${Math.floor(one.start)}000000`, end: `${Math.ceil(one.end)}000000` };

const MINUTE = 60_000;
// Numbers are counted by the minute: a stretch of time that shows them is whole.
export const wholeMinutes = (start, end) => [Math.floor(start / MINUTE) * MINUTE, Math.ceil(end / MINUTE) * MINUTE];
// The time that an answer of the API's counted, as an address has it.
export const timeOf = (told) => Object.fromEntries(["start", "end"].map((name) => [name, new Date(Number(told[name]) / 1e6).toISOString()]));

export const setLast = (last) => changeQuery({ last: last === DEFAULT ? null : last, start: null, end: null }, { push: true });
export const setWindow = (start, end) =>
  changeQuery({ start: new Date(start).toISOString(), end: new Date(end).toISOString() }, { push: true });
export const resume = () => changeQuery({ start: null, end: null });

// Stand still: from then on the address shows the same to everybody who opens it. Numbers end with the last minute that is over, and of which
// senders have had some seconds to tell; rows end now: what was on its way still comes in.
export function pause(now, { isWhole }) {
  const { minutes } = currentWindow();
  const end = isWhole ? Math.floor((now - LATE_MILLISECONDS) / MINUTE) * MINUTE : Math.ceil(now / 1000) * 1000;
  changeQuery({ start: new Date(end - minutes * 60_000).toISOString(), end: new Date(end).toISOString() });
}

// An address of ours with the window that is looked at now; `params` are added, `time` stands for the window's own values.
export function href(path, params = {}, time = null) {
  const now = new URLSearchParams(here().search);
  const query = new URLSearchParams();
  for (const name of ["last", "start", "end"]) if (!time && now.get(name)) query.set(name, now.get(name));
  for (const [name, value] of Object.entries({ ...time, ...params })) if (value !== null && value !== undefined && value !== "") query.set(name, value);
  const text = query.toString();
  return path + (text ? `?${text}` : "");
}
