// What a screen reader should hear: what the reader did, and what broke. New numbers are not read out.
import { makeStore } from "./store.js";

export const announced = makeStore("");
export const announce = (text) => announced.set(text);
