import { html, render } from "./frame/html.js";
import { Frame } from "./frame/frame.js";

const root = document.querySelector("#app");
root.replaceChildren();
render(html`<${Frame} />`, root);
