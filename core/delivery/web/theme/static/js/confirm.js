// Asks before a form with data-confirm is sent. data-confirm-word must be typed; data-confirm-kind="bad" paints the button red.
import { on } from "./dom.js";

const agreed = new WeakSet();

const ask = ({ text, needed, kind, label }) => new Promise((answer) => {
  const dialog = document.getElementById("confirm");
  const yes = dialog.querySelector("[data-yes]");
  const typing = dialog.querySelector(".ask-type");
  const field = dialog.querySelector("#confirm-word");
  dialog.querySelector(".ask-text").textContent = text;
  yes.textContent = label;
  yes.classList.toggle("bad", kind === "bad");
  typing.hidden = !needed;
  field.value = "";
  dialog.querySelector("[data-word]").textContent = needed ?? "";
  const check = () => { yes.disabled = Boolean(needed) && field.value.normalize("NFKC").trim() !== needed; };
  check();
  field.oninput = check;
  dialog.returnValue = "no";
  dialog.onclose = () => answer(dialog.returnValue === "yes");
  dialog.showModal();
});

export const startConfirm = () => {
  on("submit", "form", async (event, form) => {
    const button = event.submitter;
    const asker = button?.dataset.confirm ? button : form;
    if (!asker.dataset.confirm || agreed.has(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { confirm: text, confirmWord: needed, confirmKind: kind } = asker.dataset;
    if (!(await ask({ text, needed, kind, label: button?.textContent.trim() || text }))) return;
    agreed.add(form);
    form.requestSubmit(button);
    agreed.delete(form);
  }, true);
};
