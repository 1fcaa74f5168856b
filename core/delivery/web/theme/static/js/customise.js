// Pages of Fields and records: keys proposed from labels, rows of choices, fields put in order by dragging. Without scripts the buttons do.
import { load, on, onContent } from "./dom.js";

const WAIT_MS = 250;
let timer = 0;

const propose = (form, field) => {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    const url = new URL(form.dataset.propose, location.href);
    url.searchParams.set("label", field.value);
    const answer = await fetch(url, { headers: { Accept: "application/json" } });
    const key = form.querySelector("[name=key]");
    if (answer.ok && !key.dataset.touched) key.value = field.value ? (await answer.json()).key : "";
  }, WAIT_MS);
};

const number = (body) => body.querySelectorAll("tr").forEach((row, at) => {
  row.querySelectorAll("[data-row]").forEach((button) => { button.value = `${button.dataset.row}:${at}`; });
});

const rearrange = (button) => {
  const body = button.closest(".field-wide").querySelector("[data-rows]");
  const row = button.closest("tr");
  const way = button.dataset.row;
  if (way === "more") {
    const made = body.lastElementChild.cloneNode(true);
    made.querySelectorAll("input").forEach((field) => { field.value = ""; });
    made.querySelectorAll("select").forEach((field) => { field.selectedIndex = 0; });
    body.append(made);
    made.querySelector("input").focus();
  } else if (way === "up") row.previousElementSibling?.before(row);
  else if (way === "down") row.nextElementSibling?.after(row);
  else if (body.children.length > 1) row.remove();
  else row.querySelectorAll("input").forEach((field) => { field.value = ""; });
  number(body);
  if (way === "up" || way === "down") button.focus();
  body.closest("form").dispatchEvent(new Event("input", { bubbles: true }));
};

const paint = (select) => {
  select.parentElement.querySelector(".swatch").dataset.kind = select.value || select.dataset.swatch;
};

const prepared = new WeakSet();
const order = async (list) => {
  if (prepared.has(list)) return;
  prepared.add(list);
  await load(document.body.dataset.sortableSrc);
  const send = () => document.querySelector(list.dataset.order).requestSubmit();
  globalThis.Sortable.create(list, { handle: "[data-grip]", animation: 100, onEnd: (event) => event.oldIndex !== event.newIndex && send() });
};

export const startCustomise = () => {
  on("input", "[data-propose] [name=label]", (event, field) => event.isComposing || propose(field.form, field));
  on("compositionend", "[data-propose] [name=label]", (_event, field) => propose(field.form, field));
  on("input", "[data-propose] [name=key]", (_event, field) => { field.dataset.touched = field.value; });
  on("click", "[data-row]", (event, button) => {
    event.preventDefault();
    rearrange(button);
  });
  on("change", "select[data-swatch]", (_event, select) => paint(select));
  onContent((root) => root.querySelectorAll("[data-order]").forEach(order));
};
