// Preact and htm under one name. Text in a template is always text: there is no way to markup from here.
import { Fragment, createContext, h, render } from "../vendor/preact.mjs";
import { useCallback, useContext, useEffect, useErrorBoundary, useId, useLayoutEffect, useMemo, useRef, useState } from "../vendor/hooks.mjs";
import htm from "../vendor/htm.mjs";

export const html = htm.bind(h);
export { Fragment, createContext, render, useCallback, useContext, useEffect, useErrorBoundary, useId, useLayoutEffect, useMemo, useRef, useState };
