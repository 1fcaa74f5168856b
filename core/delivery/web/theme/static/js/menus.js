// <details class="menu">: one open at a time, closed by Escape or a click elsewhere, arrow keys inside.
import { on } from "./dom.js";

const close = (menu, back) => {
  menu.open = false;
  if (back) menu.querySelector("summary")?.focus();
};

export const startMenus = () => {
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.menu[open]").forEach((menu) => menu.contains(event.target) || close(menu, false));
  });
  document.addEventListener("toggle", (event) => {
    const menu = event.target;
    if (!(menu instanceof HTMLDetailsElement) || !menu.open) return;
    if (menu.matches(".menu")) {
      document.querySelectorAll("details.menu[open]").forEach((other) => other === menu || other.contains(menu) || close(other, false));
    }
    menu.querySelector("[hx-trigger*='menu:open']")?.dispatchEvent(new CustomEvent("menu:open"));
  }, true);
  document.addEventListener("keydown", (event) => {
    const menu = event.target instanceof Element ? event.target.closest("details.menu[open]") : null;
    if (!menu) return;
    if (event.key === "Escape") {
      event.preventDefault();
      close(menu, true);
    } else if (["ArrowDown", "ArrowUp"].includes(event.key) && !event.target.matches("input, select, textarea")) {
      const items = [...menu.querySelectorAll(".menu-panel :is(a, button, input)")].filter((item) => item.checkVisibility());
      const step = event.key === "ArrowDown" ? 1 : -1;
      const next = items.at((items.indexOf(document.activeElement) + step) % items.length);
      event.preventDefault();
      (next ?? items[0])?.focus();
    }
  });
  on("input", "[data-menu-find]", (_event, field) => {
    const asked = field.value.normalize("NFKC").toLowerCase();
    field.closest(".menu-panel").querySelectorAll(".menu-item").forEach((item) => { item.hidden = !item.textContent.toLowerCase().includes(asked); });
  });
};
