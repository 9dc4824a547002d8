// Where things stand on the time axis, as shares of its width. Nothing here touches the document.

/** A stretch of time in a view {from, to}: {left, width, isBefore, isAfter} in percent, or null where none of it is seen. */
export function place(view, from, to) {
  const whole = view.to - view.from;
  if (to < view.from || from > view.to) return null;
  const left = Math.max((from - view.from) / whole, 0) * 100;
  const right = Math.min((to - view.from) / whole, 1) * 100;
  return { left, width: right - left, isBefore: from < view.from, isAfter: to > view.to };
}

/** Where a bar's label has room: right of it, left of it, or in it. */
export function labelSide({ left, width }) {
  if (left + width < 82) return "right";
  return left > 18 ? "left" : "inside";
}

/** Stretches of time with those joined that no eye could tell apart in this view: at most so many. */
export function joined(stretches, view, most = 300) {
  const least = (view.to - view.from) / most;
  const found = [];
  for (const { from, to } of stretches) {
    if (to < view.from || from > view.to) continue;
    const known = found.at(-1);
    if (known && from - known.to < least) known.to = Math.max(known.to, to);
    else found.push({ from, to });
  }
  return found;
}

/** The view zoomed around a moment, within the whole. */
export function zoomed(view, whole, factor, around = (view.from + view.to) / 2) {
  const length = Math.min(Math.max((view.to - view.from) * factor, 10), whole.to - whole.from);
  const share = (around - view.from) / (view.to - view.from);
  return within({ from: around - share * length, to: around + (1 - share) * length }, whole);
}

/** The view moved by a share of its length, within the whole. */
export function moved(view, whole, share) {
  const by = (view.to - view.from) * share;
  return within({ from: view.from + by, to: view.to + by }, whole);
}

export function within(view, whole) {
  const length = Math.min(view.to - view.from, whole.to - whole.from);
  const from = Math.min(Math.max(view.from, whole.from), whole.to - length);
  return { from, to: from + length };
}

/** The view of one span with a little room at both sides. */
export function around(from, to, whole) {
  const room = Math.max((to - from) * 0.08, 5);
  return within({ from: from - room, to: to + room }, whole);
}
