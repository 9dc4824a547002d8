// The page of one trace: asks for its outline, and says what to do where there is none.
import { html, useEffect, useState } from "../frame/html.js";
import { getJson } from "../frame/api.js";
import { now } from "../frame/live.js";
import { Empty, Failure, Waiting } from "../frame/parts.js";
import { useQuery } from "../frame/router.js";
import { href } from "../frame/window.js";
import { decode } from "../trace/model.js";
import { TraceView } from "../trace/view.js";

const TRACE_ID = /^[0-9a-f]{32}$/i;
const FRESH_MILLISECONDS = 20_000;
const AGAIN_MILLISECONDS = 2_500;
const MOST_AGAIN = 5_000;

export default function TracePage({ id }) {
  const at = useQuery().get("at") ?? "";
  if (!TRACE_ID.test(id)) {
    return html`<${Empty} title="This is no trace"><p>A trace’s id has 32 hexadecimal digits.</p><p><a href=${href("/traces")}>Search the traces</a></p><//>`;
  }
  return html`<${Loaded} key=${id} id=${id.toLowerCase()} at=${/^\d{1,19}$/.test(at) ? at : ""} />`;
}

function Loaded({ id, at }) {
  const { trace, error, isMissing, again } = useTrace(id, at);
  if (trace) return html`<${TraceView} trace=${trace} at=${at || String(trace.start)} />`;
  if (isMissing) return html`<${Missing} id=${id} />`;
  if (error) return html`<${Failure} error=${error} again=${again} />`;
  return html`<${Waiting} lines=${12} />`;
}

const Missing = ({ id }) => html`<${Empty} title="This trace is not here">
  <p>No span and no record with the id <code>${id}</code> is kept.</p>
  <ul class="reasons">
    <li>It may not have come yet: senders wait some seconds before they send. <button type="button" class="link" onClick=${() => location.reload()}>Look again</button></li>
    <li>It may be older than what is kept (<code>fig observe --keep</code>).</li>
    <li>It may not have been sampled: the router decides, and its records tell of every request. <a href=${href("/logs")}>Search the logs</a></li>
    <li>Its sender may not reach this process. <a href=${href("/health")}>How whole is the picture?</a></li>
  </ul><//>`;

// A fresh trace is asked for again: its last spans may still be on their way.
function useTrace(id, at) {
  const [state, setState] = useState({ trace: null, error: null, isMissing: false, turn: 0 });
  useEffect(() => {
    const asking = new AbortController();
    let timer = 0;
    const ask = async (known) => {
      let next = known;
      try {
        const answer = await getJson(`/api/traces/${id}/outline`, { at }, { signal: asking.signal });
        if (!answer.rows && !answer.logs.length) {
          setState((old) => ({ ...old, isMissing: true }));
          return;
        }
        const isNew = !known || answer.rows !== known.rows || answer.logs.length !== known.logs.length;
        if (isNew) next = decode(answer);
        if (isNew) setState((old) => ({ ...old, trace: next, error: null }));
      } catch (error) {
        if (!asking.signal.aborted && !known) setState((old) => ({ ...old, error }));
      }
      const ended = next ? Number(next.start / 1_000_000n) + next.end / 1e6 : 0;
      if (next && next.rows < MOST_AGAIN && now() - ended < FRESH_MILLISECONDS) timer = setTimeout(() => ask(next), AGAIN_MILLISECONDS);
    };
    setState((old) => ({ ...old, trace: null, error: null, isMissing: false }));
    ask(null);
    return () => {
      asking.abort();
      clearTimeout(timer);
    };
  }, [id, at, state.turn]);
  return { ...state, again: () => setState((old) => ({ ...old, turn: old.turn + 1 })) };
}
