// The column chooser and other ordered lists: drag by the grip, or the up and down buttons. The order is the order of the form's fields.
import { load, on, word } from "./dom.js";

const button = (name, sign) => {
  const made = Object.assign(document.createElement("button"), { type: "button", className: "nudge", ariaLabel: word(name), title: word(name) });
  made.dataset.nudge = name;
  made.append(Object.assign(document.createElement("i"), { className: `i i-${sign}` }));
  return made;
};

const prepare = async (list) => {
  if (list.dataset.ready) return;
  list.dataset.ready = "1";
  list.querySelectorAll(":scope > li").forEach((item) => item.append(button("moveUp", "chevron-up"), button("moveDown", "chevron-down")));
  await load(document.body.dataset.sortableSrc);
  globalThis.Sortable.create(list, { handle: "[data-grip]", animation: 100 });
};

export const startColumns = () => {
  document.addEventListener("toggle", (event) => {
    if (event.target instanceof Element) event.target.querySelectorAll("[data-sortable]").forEach(prepare);
  }, true);
  on("click", "[data-nudge]", (_event, pressed) => {
    const item = pressed.closest("li");
    if (pressed.dataset.nudge === "moveUp") item.previousElementSibling?.before(item);
    else item.nextElementSibling?.after(item);
    pressed.focus();
  });
};
