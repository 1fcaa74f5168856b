// Forms with data-guard: warn before leaving with unsaved work, no double sending, errors get the focus.
import { on } from "./dom.js";

const state = (form) => new URLSearchParams([...new FormData(form)].filter(([, value]) => typeof value === "string")).toString();
const saved = new WeakMap();
let sending = false;

const changed = () => [...document.querySelectorAll("form[data-guard]")].some((form) => saved.has(form) && saved.get(form) !== state(form));

export const startGuard = () => {
  document.querySelectorAll("form[data-guard]").forEach((form) => saved.set(form, state(form)));
  on("input", "form[data-guard]", (_event, form) => {
    const sign = form.querySelector("[data-guard-state]");
    if (sign) sign.hidden = saved.get(form) === state(form);
  });
  on("submit", "form[data-guard]", (event, form) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    sending = true;
  });
  addEventListener("pageshow", () => {
    sending = false;
    document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
  });
  addEventListener("beforeunload", (event) => {
    if (!sending && changed()) event.preventDefault();
  });
};
