// Lists: choosing rows (with Shift for a range), the current row, the menu of a row.
import { on, word } from "./dom.js";

const boxes = (table) => [...table.querySelectorAll("tbody .c-pick input")];
const filled = (pattern, row) => pattern.replaceAll(/\{pk\}|%7Bpk%7D/gi, encodeURIComponent(row.dataset.pk));
let last = null;

const count = (table) => {
  const all = boxes(table);
  const chosen = all.filter((box) => box.checked);
  const head = table.querySelector("[data-pick-all]");
  if (head) {
    head.checked = chosen.length > 0 && chosen.length === all.length;
    head.indeterminate = chosen.length > 0 && chosen.length < all.length;
  }
  const bar = all[0]?.form;
  if (!bar) return;
  const everything = bar.querySelector("[data-bulk-all]");
  if (everything && chosen.length < all.length) everything.checked = false;
  bar.querySelector("[data-bulk-count]").textContent = word("chosen").replace("{count}", chosen.length);
};

/** The row that the keyboard is on, the first one when there is none and `start` is set. */
export const currentRow = (start = false) => document.querySelector(".rows tr.row-now") ?? (start ? document.querySelector(".rows tbody tr") : null);

/** Make `row` the current one and bring it into view. */
export const goTo = (row) => {
  if (!row) return;
  document.querySelectorAll("tr.row-now").forEach((other) => other.classList.remove("row-now"));
  row.classList.add("row-now");
  (row.querySelector("td:not(.c-pick) a") ?? row.querySelector("input, button"))?.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
};

/** The address of a row's page of one kind (show, edit, peekUrl), or nothing. */
export const addressOf = (row, kind) => {
  const pattern = row?.closest("table").dataset[kind];
  return pattern ? filled(pattern, row) : "";
};

const openMenu = (row, button) => {
  const table = row.closest("table");
  const source = document.querySelector(`template[data-menu-for="${CSS.escape(table.dataset.grid)}"]`);
  const menu = document.getElementById("row-menu");
  if (!source || !menu) return;
  menu.replaceChildren(source.content.cloneNode(true));
  menu.querySelectorAll("a[href], form[action]").forEach((part) => {
    for (const name of ["href", "action", "data-peek"]) {
      if (part.hasAttribute(name)) part.setAttribute(name, filled(part.getAttribute(name), row));
    }
  });
  goTo(row);
  menu.showPopover();
  const place = button.getBoundingClientRect();
  const below = innerHeight - place.bottom > menu.offsetHeight + 8;
  menu.style.top = `${below ? place.bottom + 2 : Math.max(8, place.top - menu.offsetHeight - 2)}px`;
  menu.style.left = `${Math.max(8, Math.min(place.right - menu.offsetWidth, innerWidth - menu.offsetWidth - 8))}px`;
  menu.querySelector("a, button")?.focus();
};

export const startRows = () => {
  on("click", ".rows tbody .c-pick input", (event, box) => {
    const table = box.closest("table");
    const all = boxes(table);
    if (event.shiftKey && last && all.includes(last)) {
      const [from, to] = [all.indexOf(last), all.indexOf(box)].toSorted((a, b) => a - b);
      all.slice(from, to + 1).forEach((one) => { one.checked = box.checked; });
    }
    last = box;
    count(table);
  });
  on("change", ".rows .c-pick input", (_event, box) => {
    const table = box.closest("table");
    if (box.matches("[data-pick-all]")) boxes(table).forEach((one) => { one.checked = box.checked; });
    count(table);
  });
  on("change", "[data-bulk-all]", (_event, box) => {
    if (!box.checked) return;
    const table = document.querySelector(`.rows:has(input[form="${box.form.id}"])`);
    boxes(table).forEach((one) => { one.checked = true; });
    count(table);
  });
  on("reset", "[data-bulk]", (_event, form) => setTimeout(() => count(document.querySelector(`.rows:has(input[form="${form.id}"])`))));
  on("click", "[data-more]", (_event, button) => openMenu(button.closest("tr"), button));
  on("click", ".rows tbody tr", (event, row) => {
    if (!event.target.closest("a, button, input, label")) goTo(row);
  });
  document.querySelectorAll(".rows:has(.c-pick)").forEach(count);
};
