// The layout designer: dragging becomes the same request that the buttons send; the focus stays on the button that moved something.
import { load, on, onContent } from "./dom.js";

const prepared = new WeakSet();
let pressed = "";

const move = (list, item, at) => {
  const drop = list.dataset.drop;
  if (drop === "out") return `place:${item.dataset.key}:out`;
  return drop.includes(".") ? `place:${item.dataset.key}:${drop}.${at}` : `${drop}-place:${item.dataset.key}:${at}`;
};

const send = (event) => {
  if (event.from === event.to && event.oldIndex === event.newIndex) return;
  const field = document.querySelector("[data-dragged]");
  field.name = "do";
  field.value = move(event.to, event.item, event.newIndex);
  pressed = "";
  field.form.requestSubmit();
  setTimeout(() => field.removeAttribute("name"));
};

const prepare = async (list) => {
  if (prepared.has(list)) return;
  prepared.add(list);
  await load(document.body.dataset.sortableSrc);
  const drop = list.dataset.drop;
  const group = drop === "out" || drop.includes(".") ? "form" : drop;
  globalThis.Sortable.create(list, { group, handle: "[data-grip]", animation: 100, onEnd: send });
};

export const startDesigner = () => {
  if (!document.getElementById("designer")) return;
  document.addEventListener("submit", (event) => {
    pressed = event.submitter?.id ?? "";
    // Saving leaves the page, so it is sent as a plain form.
    if (event.submitter?.value === "save") event.stopImmediatePropagation();
  }, true);
  on("keydown", "#designer input", (event) => { if (event.key === "Enter") event.preventDefault(); });
  onContent((root) => {
    root.querySelectorAll("#designer [data-drop]").forEach(prepare);
    if (pressed) (document.getElementById(pressed) ?? document.querySelector(".designer-side .d-add") ?? document.getElementById("do-save"))?.focus();
  });
};
