// What to do where nothing came in: where to send, each way to copy, and more time to look at.
import { html, useEffect, useState } from "./html.js";
import { getSession } from "./api.js";
import { Copy } from "./parts.js";
import { setLast, useWindow } from "./window.js";

const EVERYWHERE = ["", "0.0.0.0", "::"];
const LONGER = ["1h", "1d", "7d"];

// The receiver's address as this browser would call it; a process that listens everywhere has the name that we called it by.
function addressOf(receiver) {
  if (!receiver?.port) return "http://HOST:4318";
  const host = EVERYWHERE.includes(receiver.host) ? location.hostname : receiver.host;
  return `http://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${receiver.port}`;
}

export function Sending() {
  const [receiver, setReceiver] = useState(null);
  const { last, minutes } = useWindow();
  useEffect(() => { getSession().then(({ otlp }) => setReceiver(otlp ?? null), () => {}); }, []);
  const address = addressOf(receiver);
  const ways = [
    ["any OpenTelemetry SDK, by a variable", `OTEL_EXPORTER_OTLP_ENDPOINT=${address}`],
    ["the router, in its estate", `telemetry: {otlp: ${address}, sample: 100%}`],
  ];
  const longer = LONGER.filter((one) => one !== last && minutes < { "1h": 60, "1d": 1440, "7d": 10_080 }[one]);
  return html`
    ${longer.length > 0 && html`<p class="row longer">Look at the last ${longer.map((one) => html`<button type="button" key=${one} onClick=${() => setLast(one)}>${one}</button>`)}</p>`}
    <dl class="ways">${ways.map(([name, text]) => html`<div key=${name}><dt>${name}</dt><dd><code>${text}</code><${Copy} text=${text} /></dd></div>`)}</dl>`;
}
