// The preview at the side: opened by Space or from the row menu, follows the current row, closed by Escape.
import { on } from "./dom.js";
import { addressOf, currentRow } from "./rows.js";

const drawer = () => document.getElementById("peek");
let shown = "";

export const closePeek = () => {
  const side = drawer();
  if (!side || side.hidden) return;
  side.hidden = true;
  shown = "";
  currentRow()?.querySelector("a")?.focus();
};

/** Show the fragment at `url`; the same one again closes the drawer. */
export const openPeek = async (url) => {
  const side = drawer();
  if (!side || !url) return;
  if (!side.hidden && shown === url) {
    closePeek();
    return;
  }
  shown = url;
  side.hidden = false;
  await globalThis.htmx.ajax("GET", url, { target: "#peek-body", swap: "innerHTML" });
};

/** Let an open drawer follow the current row. */
export const follow = () => {
  const url = addressOf(currentRow(), "peekUrl");
  if (!drawer()?.hidden && url && url !== shown) openPeek(url);
};

export const startPeek = () => {
  on("click", "a[data-peek]", (event, link) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    document.getElementById("row-menu")?.hidePopover?.();
    openPeek(link.dataset.peek);
  });
  on("click", "[data-peek-close]", closePeek);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !document.querySelector("dialog[open], details.menu[open], :popover-open")) closePeek();
  });
};
