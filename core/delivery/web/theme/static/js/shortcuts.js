// Keyboard shortcuts. Never while somebody types or composes, never with a dialog open; off when the person chose so (WCAG 2.1.4).
import { tinykeys } from "../vendor/tinykeys-3.1.0/tinykeys.module.js";
import { isTyping } from "./dom.js";
import { openPalette } from "./palette.js";
import { follow, openPeek } from "./peek.js";
import { addressOf, currentRow, goTo } from "./rows.js";

const isOff = () => document.documentElement.dataset.shortcuts === "off";

const guarded = (act) => (event) => {
  if (isOff() || isTyping(event) || document.querySelector("dialog[open], :popover-open")) return;
  act(event);
};

const move = (step) => () => {
  const row = currentRow();
  const next = row ? (step > 0 ? row.nextElementSibling : row.previousElementSibling) : currentRow(true);
  goTo(next);
  follow();
};

const visit = (url) => { if (url) location.assign(url); };
const neighbour = (name) => () => visit(document.querySelector(`[data-${name}]`)?.dataset[name]);

const onRow = (act) => (event) => {
  const row = currentRow();
  const elsewhere = event.target instanceof Element && event.target.closest("button, summary, a:not(.rows a)");
  if (!row || elsewhere) return;
  event.preventDefault();
  act(row);
};

export const startShortcuts = () => {
  const keys = {
    "/": guarded((event) => {
      const field = document.querySelector("[data-find]");
      event.preventDefault();
      if (field) field.focus();
      else openPalette();
    }),
    "Shift+?": guarded(() => document.getElementById("keys")?.showModal()),
    j: guarded(move(1)),
    k: guarded(move(-1)),
    x: guarded(onRow((row) => row.querySelector(".c-pick input")?.click())),
    e: guarded(() => visit(addressOf(currentRow(), "edit") || document.querySelector(".record[data-edit]")?.dataset.edit)),
    Enter: guarded((event) => { if (event.target === document.body) visit(addressOf(currentRow(), "show")); }),
    Space: guarded(onRow((row) => openPeek(addressOf(row, "peekUrl")))),
    "[": guarded(neighbour("previous")),
    "]": guarded(neighbour("next")),
  };
  document.querySelectorAll("[data-jump]").forEach((link) => { keys[`g ${link.dataset.jump}`] = guarded(() => visit(link.href)); });
  tinykeys(globalThis, keys);
  tinykeys(globalThis, {
    "$mod+k": (event) => {
      if (event.isComposing) return;
      event.preventDefault();
      openPalette();
    },
  });
};
