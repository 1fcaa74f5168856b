// Messages at the lower edge. Good news leaves by itself, bad news waits to be closed.
import { on, word } from "./dom.js";

const SIGNS = { ok: "circle-check", warn: "alert-triangle", bad: "alert-circle", info: "info-circle" };
const STAYS_MS = 6000;

const leave = (note) => {
  if (["ok", "info"].includes(note.dataset.toast)) setTimeout(() => note.matches(":hover, :focus-within") || note.remove(), STAYS_MS);
};

/** Show a message; `kind` is ok, info, warn or bad. */
export const toast = (kind, text) => {
  const box = document.getElementById("toasts");
  if (!box || !text) return;
  const note = document.createElement("div");
  note.className = `note note-${kind}`;
  note.dataset.toast = kind;
  const sign = document.createElement("i");
  sign.className = `i i-${SIGNS[kind] ?? SIGNS.info}`;
  const body = Object.assign(document.createElement("span"), { textContent: text });
  const close = Object.assign(document.createElement("button"), { type: "button", className: "note-close", ariaLabel: word("close") });
  close.dataset.dismiss = "";
  close.append(Object.assign(document.createElement("i"), { className: "i i-x" }));
  note.append(sign, body, close);
  box.append(note);
  leave(note);
};

export const startToasts = () => {
  document.querySelectorAll("[data-toast]").forEach(leave);
  on("click", "[data-dismiss]", (_event, button) => button.closest(".note")?.remove());
  // A server may answer an htmx request with the header HX-Trigger: {"toast": {"kind": "ok", "text": "…"}}.
  document.addEventListener("toast", (event) => toast(event.detail.kind, event.detail.text));
};
