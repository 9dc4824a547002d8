// What stands around every page: where to go, which time, live or paused, how whole the picture is, help, light or dark.
import { html, useEffect, useErrorBoundary, useRef, useState } from "./html.js";
import { PAGES } from "../pages.js";
import { announced } from "./announce.js";
import { getSession, sendJson } from "./api.js";
import { useAnswer } from "./ask.js";
import { moment, clock, day, said, share } from "./format.js";
import { known, useKeys } from "./keys.js";
import { live, now, useFollowing, useLive } from "./live.js";
import { Empty, Failure, Mark, Waiting } from "./parts.js";
import { Pause, togglePause } from "./pausing.js";
import { match, navigate, usePlace } from "./router.js";
import { makeStore, remembered, useStore } from "./store.js";
import { CHOICES, askedWindow, href, setLast, unreadWindow, useWindow } from "./window.js";

const MOST_NAMES = 5;
const MOST_LETTERS = 60;
const TURN_MILLISECONDS = 300;
const SPELT = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc" };
const theme = remembered("fig-theme", "system");
const release = makeStore("");
const show = (choice) => {
  if (choice === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
  dispatchEvent(new Event("themechange"));
};
theme.subscribe(show);
live.subscribe((told) => {
  if (told.release && !release.get()) release.set(told.release);
});

export function Frame() {
  const place = usePlace();
  const { page, values } = found(place.path);
  const hasTime = Boolean(page) && !page.isTimeless;
  const help = useRef(null);
  useFollowing(place.search);
  useEffect(() => {
    document.title = `${page ? said(page.title?.(values) ?? page.name) : "Not here"} · fig observe`;
  }, [place.path]);
  useKeys({
    "?": { does: "this help", about: "Everywhere", run: () => help.current?.open() },
    "/": { does: "search or filter", about: "Everywhere", run: () => focusSearch() },
    ...(hasTime ? { p: { does: "pause, or go on live", about: "Everywhere", run: togglePause } } : {}),
    ...Object.fromEntries(PAGES.filter((one) => one.nav).map((one, number) => [String(number + 1), { does: one.name, about: "Pages", run: () => navigate(href(one.path)) }])),
    Escape: { does: "leave a field, close a panel", about: "Everywhere", run: () => false },
  });
  return html`
    <a class="skip" href="#main">To the content</a>
    <header class="top">
      <a class="brand" href=${href("/")}><${Fig} /><span>observe</span></a>
      <nav aria-label="Pages"><${Navigation} page=${page} /></nav>
      <div class="tools"><${Whole} />${hasTime ? html`<${Time} /><${Pause} />` : null}<${Menu} onHelp=${() => help.current?.open()} /></div>
    </header>
    <${Newer} />
    ${page ? html`<${Unread} page=${page} search=${place.search} />` : null}
    <main id="main" tabindex="-1">${page ? html`<${Page} key=${place.path} page=${page} values=${values} />` : html`<${Nowhere} />`}</main>
    <div class="unseen" role="status" aria-live="polite"><${Spoken} /></div>
    <${Help} control=${help} />
  `;
}

function found(path) {
  for (const page of PAGES) {
    const values = match(page.path, path);
    if (values) return { page, values };
  }
  return { page: null, values: {} };
}

// What the address says and nobody reads: somebody who wrote it believes that it counts.
function Unread({ page, search }) {
  const query = new URLSearchParams(search);
  const known = new Set(["last", "start", "end", ...(page.knows ?? [])]);
  const [broken, strange] = [unreadWindow(search), [...new Set(query.keys())].filter((name) => !known.has(name))];
  const wrong = Object.entries(page.takes ?? {}).filter(([name, taken]) => query.get(name) && !isTaken(query.get(name), taken));
  if (!broken.length && !strange.length && !wrong.length) return null;
  const shown = (names) => names.slice(0, MOST_NAMES).map((name) => said(`${name}=${query.get(name)}`.slice(0, MOST_LETTERS))).join(", ");
  return html`<p class="unread" role="status">${broken.length ? html`<span>This is no time, and was passed over: <code>${shown(broken)}</code>. </span>` : null}
    ${strange.length ? html`<span>This page knows no such value, and passed it over: <code>${shown(strange)}</code>. </span>` : null}
    ${wrong.map(([name, taken]) => html`<span key=${name}><code>${shown([name])}</code> was passed over: it is ${Array.isArray(taken) ? `none of ${taken.join(", ")}` : taken.says}. </span>`)}</p>`;
}

const isTaken = (value, taken) => (Array.isArray(taken) ? taken.includes(value) : taken.form.test(value));

function focusSearch() {
  const field = document.querySelector("[data-search]");
  field?.focus();
  field?.select?.();
  return Boolean(field);
}

function Page({ page, values }) {
  const [loaded, setLoaded] = useState(null);
  const [failed, setFailed] = useState(null);
  const [broken] = useErrorBoundary((error) => console.error(error));
  useEffect(() => {
    let isHere = true;
    page.load().then((module) => isHere && setLoaded(() => module.default), (error) => isHere && setFailed(error));
    return () => { isHere = false; };
  }, [page]);
  if (failed || broken) {
    const message = failed ? "This page could not be loaded" : "This page failed while it was drawn";
    return html`<${Failure} error=${{ message, hint: String((failed ?? broken).message) }} again=${() => location.reload()} />`;
  }
  return loaded ? html`<${loaded} ...${values} />` : html`<${Waiting} />`;
}

const Nowhere = () => html`<${Empty} title="There is no such page"><p><a href=${href("/")}>To the routes</a></p><//>`;
const Spoken = () => useStore(announced);
const Fig = () => html`<svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true"><path class="fig" d="M16 3c1.200 2.900.9 4.700-.3 6.400C21.900 10.400 26 14.900 26 20.200c0 5.400-4.400 9.300-10 9.300S6 25.600 6 20.200c0-4.600 3.200-8.400 7.700-10C13.500 7.800 14.200 5.300 16 3z"/><path class="seeds" d="M11 14.500c-2 1.600-2.700 4.200-1.900 6.600M16 13.500v12.500M21 14.500c2 1.600 2.700 4.200 1.900 6.600"/></svg>`;

function Navigation({ page }) {
  const current = page?.under ?? page?.path;
  usePlace();
  return PAGES.filter((one) => one.nav).map(
    (one) => html`<a key=${one.path} href=${href(one.path)} aria-current=${one.path === current ? "page" : null}>${one.name}</a>`,
  );
}

// How much of what the router sent on told of itself: without it no number of traces means much.
function Whole() {
  const isTurn = useTurn();
  const { isLive, start, end } = useWindow();
  const lately = isLive ? { minutes: 5 } : askedWindow({ start: Math.max(start, end - 300_000), end });
  const { answer } = useAnswer(isTurn ? "/api/health" : null, lately, { every: 15_000, windowed: false, signals: ["traces"] });
  const picture = answer?.picture;
  if (!picture) return html`<span class="whole is-asked" aria-hidden="true"><i /><span class="wide">traces whole </span>100 %</span>`;
  const isQuiet = picture.share === null && picture.level !== "bad";
  return html`<a class="whole" data-level=${isQuiet ? "none" : picture.level} href=${href("/health")} title=${picture.headline}>
    <i aria-hidden="true" />${isQuiet ? "no hops" : html`<span class="wide">traces whole </span><span class="num">${share(picture.share)}</span>`}</a>`;
}

// What stands around a page comes after the page itself: its question would hold up the other.
function useTurn() {
  const [isTurn, setTurn] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setTurn(true), TURN_MILLISECONDS);
    return () => clearTimeout(timer);
  }, []);
  return isTurn;
}

function Time() {
  const time = useWindow();
  const label = time.isLive
    ? null
    : html`<span class="span num" title=${`${moment(time.start)} to ${moment(time.end)}`}>${day(time.start) === day(now()) ? "" : `${day(time.start)} `}${clock(time.start)}–${clock(time.end)}</span>`;
  const choices = CHOICES.includes(time.last) ? CHOICES : [...CHOICES, time.last];
  return html`<div class="time">${label}<div class="choice" role="group" aria-label="Time window">
    ${choices.map((one) => html`<button type="button" key=${one} aria-pressed=${time.isLive && one === time.last} onClick=${() => setLast(one)}>${one}</button>`)}
  </div></div>`;
}

function Menu({ onHelp }) {
  const choice = useStore(theme);
  const [who, setWho] = useState(null);
  const box = useRef(null);
  useEffect(() => {
    const leave = (event) => {
      if (box.current?.open && (event.type === "keydown" ? event.key === "Escape" : !box.current.contains(event.target))) {
        box.current.open = false;
        if (event.type === "keydown") box.current.querySelector("summary").focus();
      }
    };
    addEventListener("pointerdown", leave);
    addEventListener("keydown", leave);
    return () => { removeEventListener("pointerdown", leave); removeEventListener("keydown", leave); };
  }, []);
  const logout = () => sendJson("DELETE", "/api/session").finally(() => location.assign("/"));
  const opened = () => { if (box.current.open && !who) getSession().then(setWho, () => {}); };
  return html`<details class="menu" ref=${box} onToggle=${opened}>
    <summary aria-label="Settings and help" title="Settings and help"><svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><circle cx="8" cy="3" r="1.400"/><circle cx="8" cy="8" r="1.400"/><circle cx="8" cy="13" r="1.400"/></svg></summary>
    <div class="panel">
      <p class="who">${who ? html`${who.user ? html`<strong>${who.user}</strong>, ` : null}<span>${who.role}</span>` : "…"}</p>
      <fieldset><legend>Appearance</legend><div class="choice">
        ${["system", "light", "dark"].map((one) => html`<button type="button" key=${one} aria-pressed=${one === choice} onClick=${() => theme.set(one)}>${one}</button>`)}
      </div></fieldset>
      <p class="legend"><span><${Mark} side="legacy" /> legacy</span><span><${Mark} side="lambda" /> lambda</span><span><${Mark} side="router" /> router alone</span></p>
      <button type="button" onClick=${() => { box.current.open = false; onHelp(); }}>Keyboard help <kbd>?</kbd></button>
      ${who && !who.user ? html`<button type="button" onClick=${logout}>Log out</button>` : null}
    </div>
  </details>`;
}

// The process that answers now has other files than this page: what is drawn may not fit what is asked.
function Newer() {
  const mine = useStore(release);
  const { release: theirs } = useLive();
  if (!mine || !theirs || mine === theirs) return null;
  return html`<p class="newer" role="status">fig observe was replaced by another release. <a href=${location.href} data-leaves onClick=${() => location.reload()}>Load its pages</a></p>`;
}

function Help({ control }) {
  const box = useRef(null);
  const [keys, setKeys] = useState(new Map());
  control.current = { open: () => { setKeys(known()); box.current.showModal(); } };
  const outside = (event) => { if (event.target === box.current) box.current.close(); };
  return html`<dialog ref=${box} class="help" aria-labelledby="help-title" onClick=${outside}><div>
    <h2 id="help-title">Keyboard</h2>
    <div class="help-parts">${[...keys].map(([about, some]) => html`<section key=${about}><h3>${about}</h3>
      <dl>${some.map(([key, does]) => html`<div key=${key}><dt><kbd>${SPELT[key] ?? key}</kbd></dt><dd>${does}</dd></div>`)}</dl></section>`)}</div>
    <form method="dialog"><button>Close</button></form>
  </div></dialog>`;
}
