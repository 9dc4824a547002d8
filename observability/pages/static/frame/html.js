// Preact and htm under one name. Text in a template is always text: there is no way to markup from here.
import { Component, Fragment, createContext, h, render } from "../vendor/preact.mjs";
import { useCallback, useContext, useEffect, useErrorBoundary, useId, useLayoutEffect, useMemo, useRef, useState } from "../vendor/hooks.mjs";
import { shown } from "./format.js";
import htm from "../vendor/htm.mjs";

const DRAWN = ["title", "aria-label", "placeholder", "alt"];

// Whatever is drawn passes here, so no letter of a sender's turns the direction of writing or hides: see `shown`.
function clean(child) {
  if (typeof child === "string") return shown(child);
  return Array.isArray(child) ? child.map(clean) : child;
}

function drawn(type, properties, ...children) {
  for (const name of properties ? DRAWN : []) if (typeof properties[name] === "string") properties[name] = shown(properties[name]);
  return h(type, properties, ...children.map(clean));
}

export const html = htm.bind(drawn);

// A component that is drawn again only when one of its properties has become another: for rows of which there are many.
export function steady(draw) {
  return class extends Component {
    shouldComponentUpdate(next) {
      const [own, others] = [Object.keys(this.props), Object.keys(next)];
      return own.length !== others.length || others.some((name) => next[name] !== this.props[name]);
    }

    render() {
      return draw(this.props);
    }
  };
}
export { Fragment, createContext, render, useCallback, useContext, useEffect, useErrorBoundary, useId, useLayoutEffect, useMemo, useRef, useState };
