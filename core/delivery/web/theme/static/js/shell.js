// The sidebar: folding on wide screens, sliding in on narrow ones; the API page of FAB.
import { on } from "./dom.js";
import { choose } from "./preferences.js";

const frame = () => document.querySelector(".frame");

export const startShell = () => {
  on("click", "[data-fold]", (event) => {
    event.preventDefault();
    choose("sidebar", document.documentElement.dataset.sidebar === "folded" ? "open" : "folded");
  });
  on("click", ".side-open", (event) => {
    event.preventDefault();
    frame()?.classList.add("side-shown");
    document.querySelector("#side a, #side summary")?.focus();
  });
  on("click", ".side-shade", (event) => {
    event.preventDefault();
    frame()?.classList.remove("side-shown");
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") frame()?.classList.remove("side-shown");
  });
  document.querySelector("[data-focus]")?.focus();
  const api = document.getElementById("swagger-ui");
  if (api && globalThis.SwaggerUIBundle) globalThis.SwaggerUIBundle({ url: api.dataset.openapi, dom_id: "#swagger-ui", layout: "BaseLayout" });
};
