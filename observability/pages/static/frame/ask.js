// A question that stays asked: again when its words or the window change, and, while the page is live, when something came in.
import { useEffect, useRef, useState } from "./html.js";
import { getJson, urlOf } from "./api.js";
import { isFollowing, live } from "./live.js";
import { askedWindow, useWindow } from "./window.js";

const IDLE_MILLISECONDS = 15_000;
const PATIENCE = 8;

// {answer, error, isBusy, askAgain}. `path` null asks nothing. `every`: at least so many milliseconds between two questions; a slow answer
// makes them rarer. `signals`: traces, logs, metrics; only these make it ask again. `windowed` false leaves the window out.
export function useAnswer(path, params = {}, { every = 1_000, signals = null, windowed = true } = {}) {
  const time = useWindow();
  const url = path === null ? null : urlOf(path, { ...(windowed ? askedWindow(time) : {}), ...params });
  const [state, setState] = useState({ url: null, answer: null, error: null, isBusy: true });
  const again = useRef(() => {});

  useEffect(() => {
    if (url === null) return undefined;
    const asking = new AbortController();
    let [timer, idle, isAsking, wanted, asked, took] = [0, 0, false, false, 0, 0];

    async function ask() {
      clearTimeout(timer);
      timer = 0;
      [isAsking, wanted, asked] = [true, false, performance.now()];
      setState((old) => ({ ...old, isBusy: true }));
      try {
        const answer = await getJson(url, {}, { signal: asking.signal });
        if (!asking.signal.aborted) setState({ url, answer, error: null, isBusy: false });
      } catch (error) {
        if (!asking.signal.aborted) setState((old) => ({ url, answer: old.url === url ? old.answer : null, error, isBusy: false }));
      }
      [isAsking, took] = [false, performance.now() - asked];
      if (wanted) soon();
    }
    function soon() {
      wanted = true;
      if (isAsking || timer || asking.signal.aborted) return;
      timer = setTimeout(ask, Math.max(Math.max(every, PATIENCE * took) - (performance.now() - asked), 0));
    }
    const amount = () => (signals ? signals.map((name) => live.get().records[name] ?? 0).join() : live.get().number) + live.get().boot;

    let seen = amount();
    const forget = live.subscribe(() => {
      const current = amount();
      if (isFollowing() && current !== seen) soon();
      seen = current;
    });
    // Without anything new the window moves along all the same.
    if (time.isLive && windowed) idle = setInterval(() => isFollowing() && soon(), Math.max(IDLE_MILLISECONDS, every));
    again.current = soon;
    ask();
    return () => {
      asking.abort();
      clearTimeout(timer);
      clearInterval(idle);
      forget();
    };
  }, [url]);

  return { answer: state.answer, error: state.error, isBusy: state.isBusy, isStale: state.url !== url, askAgain: () => again.current() };
}
