// Copy buttons, and chosen rows as tab-separated text with Ctrl+C.
import { isTyping, on, word } from "./dom.js";
import { toast } from "./toasts.js";

const put = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    toast("warn", word("copyFailed"));
    return false;
  }
};

const cells = (row, selector) => [...row.querySelectorAll(selector)].filter((cell) => !cell.matches(".c-pick, .c-more"))
  .map((cell) => cell.innerText.replaceAll(/\s+/g, " ").trim());

export const startCopy = () => {
  on("click", "[data-copy]", async (event, button) => {
    event.preventDefault();
    event.stopPropagation();
    if (!(await put(button.dataset.copy))) return;
    const sign = button.querySelector(".i");
    button.classList.add("copied");
    sign?.classList.replace("i-copy", "i-check");
    setTimeout(() => {
      button.classList.remove("copied");
      sign?.classList.replace("i-check", "i-copy");
    }, 1500);
  });
  document.addEventListener("copy", (event) => {
    const rows = [...document.querySelectorAll(".rows tbody tr:has(.c-pick input:checked)")];
    if (rows.length === 0 || isTyping(event) || String(getSelection()) !== "") return;
    const head = rows[0].closest("table").querySelector("thead tr");
    const lines = [cells(head, "th"), ...rows.map((row) => cells(row, "td"))];
    event.clipboardData.setData("text/plain", lines.map((line) => line.join("\t")).join("\n"));
    event.preventDefault();
    toast("ok", word("copied"));
  });
};
