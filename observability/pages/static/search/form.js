// What is searched for stands in the address. Typing changes it a moment later; what the API refuses is said at its field.
import { html, useEffect, useRef, useState } from "../frame/html.js";
import { changeQuery, useQuery } from "../frame/router.js";

const PAUSE_MILLISECONDS = 300;
const [MOST_LETTERS, MOST_SHOWN] = [512, 40];
const PLACES = { before: null, after: null };
const wide = matchMedia("(min-width: 62rem)");

/** The values of the fields that stand in the address, by the API's names. */
export function useWanted(fields) {
  const query = useQuery();
  return Object.fromEntries(fields.map(({ name, initial = "" }) => [name, query.get(name) ?? initial]));
}

/** Which field a refusal is about: its message begins with the field's name. */
export function faultsOf(error, fields) {
  const found = new Map();
  if (error?.status !== 422) return found;
  for (const { message } of error.diagnostics?.length ? error.diagnostics : [error]) {
    const name = /^([a-z_]+)[= ]/.exec(message)?.[1];
    if (fields.some((field) => field.name === name)) found.set(name, message);
  }
  return found;
}

/** What of the wanted values cannot be asked, by field, so that nothing is asked in vain. */
export function faultsIn(wanted, fields) {
  const found = new Map();
  for (const field of fields) {
    const why = faultOf(wanted[field.name], field);
    if (why) found.set(field.name, `${field.name}='${wanted[field.name].slice(0, MOST_SHOWN)}' ${why}`);
  }
  return found;
}

function faultOf(value, { choices, isCheck, isNumber, most, form, says }) {
  if (!value) return "";
  if (value.length > MOST_LETTERS) return `is longer than ${MOST_LETTERS} characters`;
  if (choices && !choices.some(([one]) => one === value)) return `is none of ${choices.map(([one]) => one).filter(Boolean).join(", ")}`;
  if (isCheck && !["1", "0"].includes(value)) return "is none of 1, 0";
  if (isNumber && !(/^\d*\.?\d+$/.test(value) && Number(value) <= most)) return `is not a number from 0 to ${most}`;
  return form && !form.test(value) ? says : "";
}

export function Form({ fields, faults, children }) {
  const wanted = useWanted(fields);
  const [main, ...others] = fields;
  const used = others.filter((field) => wanted[field.name] !== (field.initial ?? ""));
  const [isAll, setAll] = useState(false);
  const isNeeded = used.some((one) => one.isRare) || [...faults.keys()].some((name) => others.some((one) => one.isRare && one.name === name));
  useEffect(() => { if (isNeeded) setAll(true); }, [isNeeded]); // and it stays: a field must not go while it is emptied
  const shown = others.filter((one) => isAll || isNeeded || !one.isRare);
  const set = (changes) => changeQuery({ ...PLACES, ...changes });
  const field = (one) => html`<${Field} key=${one.name} field=${one} value=${wanted[one.name]} fault=${faults.get(one.name)} set=${set} />`;
  return html`<form class="search" role="search" onSubmit=${(event) => event.preventDefault()}>
    <div class="search-main">${field({ ...main, isMain: true })}${children}
      ${(used.length > 0 || wanted[main.name]) && html`<button type="button" class="quiet" onClick=${() => set(Object.fromEntries(fields.map(({ name }) => [name, null])))}>Clear</button>`}</div>
    <details class="search-more" open=${wide.matches || used.length > 0 || faults.size > 0}><summary>Filters${used.length ? html` <span class="tag">${used.length}</span>` : null}</summary>
      <div class="search-fields">${shown.map(field)}${shown.length < others.length && html`<button type="button" class="quiet more" onClick=${() => setAll(true)}>${others.length - shown.length} more filters</button>`}</div></details>
  </form>`;
}

function Field({ field, value, fault, set }) {
  const id = `f-${field.name}`;
  const label = html`<label class=${field.isMain ? "unseen" : ""} for=${id}>${field.label}</label>`;
  if (field.choices) {
    return html`<div class="field">${label}<select id=${id} value=${value} aria-invalid=${Boolean(fault)} onChange=${(event) => set({ [field.name]: event.currentTarget.value === (field.initial ?? "") ? null : event.currentTarget.value })}>
      ${field.choices.map(([key, name]) => html`<option key=${key} value=${key} selected=${key === value}>${name}</option>`)}
      ${!field.choices.some(([key]) => key === value) && html`<option value=${value} selected>${value}</option>`}</select>
      ${fault && html`<p class="fault" role="alert">${fault}</p>`}</div>`;
  }
  if (field.isCheck) {
    return html`<div class="field is-check"><label for=${id}><input id=${id} type="checkbox" checked=${value === "1"} onChange=${(event) => set({ [field.name]: event.currentTarget.checked ? "1" : null })} />${field.label}</label></div>`;
  }
  return html`<${Text} id=${id} label=${label} field=${field} value=${value} fault=${fault} set=${set} />`;
}

function Text({ id, label, field, value, fault, set }) {
  const [typed, setTyped] = useState(value);
  const sent = useRef(value);
  // The address may have changed by itself: a link, or the browser's way back.
  useEffect(() => {
    if (value !== sent.current) setTyped(value);
    sent.current = value;
  }, [value]);
  useEffect(() => {
    if (typed === sent.current) return undefined;
    const timer = setTimeout(() => {
      sent.current = typed;
      set({ [field.name]: typed });
    }, PAUSE_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [typed]);
  return html`<div class=${`field ${field.isMain ? "is-main" : ""} ${field.isNumber ? "is-number" : ""}`}>${label}
    <input id=${id} type=${field.isMain ? "search" : "text"} data-search=${field.isMain ? "" : null} inputmode=${field.isNumber ? "decimal" : null} value=${typed} placeholder=${field.hint ?? ""}
      spellcheck=${false} autocomplete="off" aria-invalid=${Boolean(fault)} aria-describedby=${fault ? `${id}-fault` : null} onInput=${(event) => setTyped(event.currentTarget.value)} />
    ${fault && html`<p class="fault" id=${`${id}-fault`} role="alert">${fault}</p>`}</div>`;
}
