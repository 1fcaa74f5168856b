// The search palette: Ctrl+K or the search field opens it, results come from the server, arrows move, Enter opens.
import { on, word } from "./dom.js";

const WAIT_MS = 120;
const palette = () => document.getElementById("palette");
const hits = () => [...palette().querySelectorAll("a.hit")];
let timer = 0;

const mark = (hit) => {
  hits().forEach((one) => one.setAttribute("aria-selected", String(one === hit)));
  hit?.scrollIntoView({ block: "nearest" });
  document.getElementById("palette-q").setAttribute("aria-activedescendant", hit?.id ?? "");
};

const ask = (field) => {
  clearTimeout(timer);
  timer = setTimeout(() => field.dispatchEvent(new CustomEvent("palette:ask")), WAIT_MS);
};

export const openPalette = (text = "") => {
  const dialog = palette();
  if (!dialog || dialog.open) return;
  const field = document.getElementById("palette-q");
  field.value = text;
  dialog.showModal();
  field.focus();
  ask(field);
};

export const startPalette = () => {
  if (!palette()) return;
  on("mousedown", "[data-palette-open]", (event) => {
    event.preventDefault();
    openPalette();
  });
  on("keydown", "[data-palette-open] input", (event, field) => {
    if (event.key.length !== 1 || event.ctrlKey || event.metaKey || event.isComposing) return;
    event.preventDefault();
    openPalette(field.value + event.key);
  });
  on("input", "#palette-q", (event, field) => event.isComposing || ask(field));
  on("compositionend", "#palette-q", (_event, field) => ask(field));
  // Several numbers on several lines become one search.
  on("paste", "#palette-q", (event, field) => {
    const text = event.clipboardData.getData("text");
    if (!text.includes("\n")) return;
    event.preventDefault();
    field.value = text.split(/\s+/).filter(Boolean).join(" ");
    ask(field);
  });
  on("keydown", "#palette", (event) => {
    if (event.isComposing) return;
    const list = hits();
    const now = list.findIndex((hit) => hit.getAttribute("aria-selected") === "true");
    if (event.key === "Escape") {
      event.preventDefault(); // a search field would only be emptied
      palette().close();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      mark(list.at((now + (event.key === "ArrowDown" ? 1 : -1)) % list.length));
    } else if (event.key === "Enter" && now >= 0) {
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) globalThis.open(list[now].href, "_blank", "noopener");
      else list[now].click();
    }
  });
  on("click", "dialog.palette", (event, dialog) => event.target === dialog && dialog.close());
  document.getElementById("palette-hits").addEventListener("htmx:after:swap", () => mark(hits()[0]));
  document.getElementById("palette-hits").dataset.none = word("noHits");
};
