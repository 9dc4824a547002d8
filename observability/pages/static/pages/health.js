// How whole the picture is: first whether one may decide, then why, then the counts that it rests on.
import { html } from "../frame/html.js";
import { useAnswer } from "../frame/ask.js";
import { NONE, bytes, clock, count, milliseconds, moment, share, span } from "../frame/format.js";
import { Bar, Failure, Side, Waiting, bySide } from "../frame/parts.js";
import { useRows } from "../frame/rows.js";
import { href, useWindow } from "../frame/window.js";

const ABOUT = { numbers: "Numbers of routes", traces: "Traces", logs: "Logs", process: "This process" };
const QUIET = { numbers: "", traces: "Nothing is odd.", logs: "Records carry their traces.", process: "It stores what comes, and nothing waits." };
const SIGNALS = ["traces", "logs", "metrics"];
const WORDS = { good: "whole", odd: "odd", bad: "missing" };

export default function Health() {
  const time = useWindow();
  const { answer, error, askAgain } = useAnswer("/api/health", {}, { every: 5_000 });
  return html`
    <div class="head"><h1>Health of the telemetry</h1><span class="muted small">${time.isLive ? `the last ${span(time.minutes)}` : `${moment(time.start)} to ${moment(time.end)}`}</span></div>
    <${Failure} error=${error} again=${askAgain} />
    ${answer ? html`<${Picture} answer=${answer} />` : error ? null : html`<${Waiting} />`}
  `;
}

const Level = ({ level }) => html`<span class="level" data-level=${level}><i aria-hidden="true" />${WORDS[level]}</span>`;

function Picture({ answer }) {
  const { picture, process } = answer;
  const shares = (name, part) => answer[name].map((row) => ({ ...row, share: row[part[0]] / row[part[1]] }));
  const hops = shares("hops", ["WithChild", "Hops"]).sort((one, other) => bySide(one.Side, other.Side));
  const orphans = shares("orphans", ["Orphans", "Spans"]);
  const logs = shares("logs", ["WithoutTrace", "Records"]);
  const spansOf = (row) => named(row, "/traces", { kind: "all" });
  const recordsOf = (row) => named(row, "/logs");
  return html`
    <section class="verdict" data-level=${picture.level}><i aria-hidden="true" /><div><h2>${picture.headline}</h2>
      <p>${picture.share === null ? "No router told of a hop." : html`Of the router's hops <strong class="num">${share(picture.share)}</strong> lead to a span of whom they reached.`}</p>
      ${isPart(answer) && html`<p class="small">So many spans came in that hops, parents and clocks were compared for the last ${span(answer.joined.seconds / 60)} of this time alone; everything else is of all of it.</p>`}</div></section>
    <div class="findings">${Object.entries(ABOUT).map(([about, title]) => {
      const found = picture.findings.filter((one) => one.about === about);
      return html`<section class="card" key=${about}><header><h2>${title}</h2><${Level} level=${picture.levels[about]} /></header>
        <ul class="body">${found.map((one) => html`<li key=${one.text} data-level=${one.level}>${sentence(one.text)}</li>`)}${found.length ? null : html`<li data-level="good">${about === "logs" && !logs.length ? "No records came in." : QUIET[about]}</li>`}</ul></section>`;
    })}</div>
    <div class="tables">
      <${Table} title="Hops of the router" none="No router told of a hop." rows=${hops} columns=${[
        ["side", (row) => html`<a class="plain" href=${href("/traces", { service: "fig-router", kind: "Client", side: row.Side })}><${Side} side=${row.Side} /></a>`], ["hops", (row) => count(row.Hops), "right"], ["refused", (row) => count(row.Refused), "right"], ["with a child", (row) => (row.Hops ? html`<${Bar} kind="share" value=${row.share} />` : NONE), "right"]]} />
      <${Table} title="Spans without their parent" none="No spans came in." rows=${orphans} columns=${[
        ["service", spansOf], ["spans", (row) => count(row.Spans), "right"], ["orphans", (row) => count(row.Orphans), "right"], ["share", (row) => share(row.share), "right"]]} />
      <${Table} title="Clocks that disagree" none="No service called another." rows=${answer.clocks} columns=${[
        ["service", spansOf], ["calls", (row) => count(row.Calls), "right"], ["too early", (row) => count(row.BeforeParent), "right"],
        ["by up to", (row) => (row.EarliestNanoseconds < 0 ? milliseconds(-row.EarliestNanoseconds / 1e6) : NONE), "right"]]} />
      <${Table} title="Records without a trace" none="No records came in." rows=${logs} columns=${[
        ["service", recordsOf], ["records", (row) => count(row.Records), "right"], ["without", (row) => count(row.WithoutTrace), "right"], ["share", (row) => share(row.share), "right"]]} />
      <${Table} title="Losses that exporters tell of" none="None tells of a loss." rows=${answer.drops} columns=${[
        ["service", recordsOf], ["counter", (row) => html`<span class="mono">${row.MetricName}</span>`], ["lost", (row) => count(row.Lost), "right"]]} />
      <${Table} title="Batches of routers" none="No router counts its batches." rows=${answer.router_batches} columns=${[
        ["router", (row) => row.Instance || NONE], ["sent", (row) => count(row.Sent), "right"], ["taken", (row) => count(row.Taken), "right"]]} />
      <${Process} process=${process} invalid=${answer.invalid_ids ?? process.invalid_ids ?? process.door.invalid_ids ?? {}} />
    </div>`;
}

// Counts by signal in words: `{traces: 3, logs: 0}` is "3 in traces".
const told = (counts) => Object.entries(counts).filter(([, number]) => number > 0).map(([signal, number]) => `${count(number)} in ${signal}`).join(", ");

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`;

// Of fewer spans than came in during the time that is looked at: the API says which.
const isPart = ({ joined, window: time }) => Boolean(joined) && joined.seconds < time.seconds - 1;

// A service leads to what it told.
const named = (row, path, more = {}) => (row.ServiceName ? html`<a class="plain" href=${href(path, { service: row.ServiceName, ...more })}>${row.ServiceName}</a>` : NONE);

function Table({ title, none, rows, columns }) {
  const keys = useRows();
  return html`<section class="card"><header><h2>${title}</h2></header>${rows.length
    ? html`<div class="scroll"><table><caption class="unseen">${title}</caption><thead><tr>${columns.map(([name, , kind]) => html`<th key=${name} scope="col" class=${kind}>${name}</th>`)}</tr></thead>
      <tbody ref=${keys.ref}>${rows.map((row, number) => html`<tr key=${number} data-row tabIndex=${keys.tabIndex(number)} onFocus=${keys.onFocus(number)}>${columns.map(([name, cell, kind]) => html`<td key=${name} class=${kind}>${cell(row)}</td>`)}</tr>`)}</tbody></table></div>`
    : html`<p class="body muted">${none}</p>`}</section>`;
}

function Process({ process, invalid }) {
  const { door, forward, pages } = process;
  const refused = door.refused.reduce((sum, one) => sum + one.requests, 0);
  const facts = [
    ["since", moment(door.since * 1000)],
    ["records", SIGNALS.map((one) => `${count(door.records[one] ?? 0)} ${one}`).join(", ")],
    ["commits", `${count(process.commits)}, the slowest ${milliseconds(process.slowest_commit_seconds * 1000)}${process.failed_commits ? `, ${count(process.failed_commits)} failed` : ""}`],
    ["queue", `${bytes(process.queued_bytes)} of ${bytes(process.max_queued_bytes)}`],
    ["store", `${bytes(process.used_bytes)}, ${bytes(process.free_bytes)} free on its disk`],
    ["refused", refused ? `${count(refused)}: ${door.refused.map((one) => `${one.signal} ${one.reason} ${count(one.requests)}`).join(", ")}` : "nothing"],
    ["invalid ids", told(invalid) || "none came"],
    ...(door.last_refusal ? [["last refusal", door.last_refusal]] : []),
    ["sent on", forward.to ? `${count(forward.sent)} to ${forward.to}, ${count(forward.waiting)} wait, ${count(forward.dropped + forward.rejected)} lost` : "to nobody"],
    ["pages", `${count(pages.listeners)} browser${pages.listeners === 1 ? "" : "s"} watching${pages.policy_reports ? `; ${count(pages.policy_reports)} breaches of the policy, the last: ${pages.last_policy_report}` : ""}`],
    ...(process.fault ? [["fault", process.fault]] : []),
  ];
  return html`<section class="card"><header><h2>This process</h2><span class="muted small">asked at ${clock(Date.now())}</span></header>
    <dl class="body facts">${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd class="num">${value}</dd></div>`)}</dl></section>`;
}

