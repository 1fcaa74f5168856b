// Colours, row height, folded sidebar, shortcuts: kept in cookies, applied at once. Without scripts the same buttons post a form.
import { on } from "./dom.js";

const YEAR_S = 31536000;
const paint = {
  theme: (root, value) => {
    root.dataset.theme = value;
    const dark = value === "dark" || (value === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
    root.dataset.bsTheme = dark ? "dark" : "light";
  },
  density: (root, value) => { root.dataset.density = value; },
  sidebar: (root, value) => { root.dataset.sidebar = value; },
  shortcuts: (root, value) => { root.dataset.shortcuts = value; },
};

/** Keep one choice and show it. */
export const choose = (name, value) => {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `ol_${name}=${value}; Path=/; Max-Age=${YEAR_S}; SameSite=Lax${secure}`;
  paint[name](document.documentElement, value);
  document.querySelectorAll(`button[name="${name}"][aria-pressed]`).forEach((button) => {
    button.setAttribute("aria-pressed", String(button.value === value));
  });
};

export const startPreferences = () => {
  on("submit", "[data-prefs]", (event) => {
    const button = event.submitter;
    if (!button || !(button.name in paint)) return;
    event.preventDefault();
    choose(button.name, button.value);
  });
};
