// Forms and pages of records: tabs made of parts that otherwise stand below each other, and fields that others show, hide or ask for.
import { onContent } from "./dom.js";

// Tabs

const choose = (tabs, at, focus) => {
  tabs.forEach(({ button, panel }, place) => {
    button.setAttribute("aria-selected", String(place === at));
    button.tabIndex = place === at ? 0 : -1;
    panel.hidden = place !== at;
  });
  if (focus) tabs[at].button.focus();
};

const keys = { ArrowRight: 1, ArrowLeft: -1 };

const makeTabs = (box) => {
  const panels = [...box.querySelectorAll(":scope > [data-tab]")];
  if (panels.length < 2 || box.dataset.ready) return;
  box.dataset.ready = "1";
  const list = Object.assign(document.createElement("div"), { className: "tabs record-tabs", role: "tablist" });
  const tabs = panels.map((panel, at) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "tab", role: "tab", id: `tab-${at}` });
    button.textContent = panel.dataset.tab;
    button.setAttribute("aria-controls", panel.id);
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", button.id);
    panel.classList.add("tabbed");
    list.append(button);
    return { button, panel };
  });
  tabs.forEach(({ button }, at) => {
    button.addEventListener("click", () => choose(tabs, at, false));
    button.addEventListener("keydown", (event) => {
      const step = keys[event.key];
      if (step) choose(tabs, (at + step + tabs.length) % tabs.length, true);
    });
  });
  box.prepend(list);
  const wrong = tabs.findIndex(({ panel }) => panel.querySelector("[aria-invalid]"));
  choose(tabs, Math.max(wrong, 0), false);
  // A link of the error summary opens the tab that its field is in.
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[href^='#']") : null;
    const at = link ? tabs.findIndex(({ panel }) => panel.querySelector(`[id="${link.hash.slice(1)}"]`)) : -1;
    if (at >= 0) choose(tabs, at, false);
  });
};

// Conditions. Answers true, false, or undefined where only the server can tell.

const both = (parts) => (parts.includes(false) ? false : parts.includes(undefined) ? undefined : true);
const either = (parts) => (parts.includes(true) ? true : parts.includes(undefined) ? undefined : false);
const order = (a, b) => (a < b ? -1 : Number(a > b));
const numeric = new Set(["integer", "decimal"]);

const typed = (value, type) => {
  if (value === null || value === undefined || value === "") return null;
  if (numeric.has(type)) return Number.isNaN(Number(value)) ? undefined : Number(value);
  if (type === "datetime") return new Date(value).getTime();
  return type === "boolean" ? Boolean(value) && value !== "false" : value;
};

const compare = (op, seen, wanted) => {
  const asked = Array.isArray(wanted) ? wanted : [wanted];
  const list = Array.isArray(seen) ? seen : [seen];
  switch (op) {
    case "eq": return seen === wanted;
    case "ne": return seen !== wanted;
    case "lt": return order(seen, wanted) < 0;
    case "le": return order(seen, wanted) <= 0;
    case "gt": return order(seen, wanted) > 0;
    case "ge": return order(seen, wanted) >= 0;
    case "between": return order(seen, asked[0]) >= 0 && order(seen, asked[1]) <= 0;
    case "in": return asked.includes(seen);
    case "not_in": return !asked.includes(seen);
    case "contains": return seen.toLowerCase().includes(wanted.toLowerCase());
    case "starts_with": return seen.toLowerCase().startsWith(wanted.toLowerCase());
    case "has_any": return asked.some((one) => list.includes(one));
    case "has_all": return asked.every((one) => list.includes(one));
    default: return undefined;
  }
};

export const holds = (tree, read) => {
  if (tree.all) return both(tree.all.map((one) => holds(one, read)));
  if (tree.any) return either(tree.any.map((one) => holds(one, read)));
  if (tree.not) {
    const inner = holds(tree.not, read);
    return inner === undefined ? undefined : !inner;
  }
  const [raw, type] = read(tree.field);
  if (raw === undefined || !type || tree.match) return undefined;
  const seen = Array.isArray(raw) ? raw : typed(raw, type);
  const isEmpty = seen === null || (Array.isArray(seen) && seen.length === 0);
  if (tree.op === "is_empty") return isEmpty;
  if (tree.op === "is_not_empty") return !isEmpty;
  if (isEmpty) return false;
  if (seen === undefined) return undefined;
  const wanted = Array.isArray(tree.value) ? tree.value.map((one) => typed(one, type)) : typed(tree.value, type);
  return compare(tree.op, seen, wanted);
};

const valueOf = (form, name) => {
  const control = form.elements.namedItem(name);
  if (!control) return undefined;
  if (control instanceof HTMLInputElement && control.type === "checkbox") return control.checked;
  if (control instanceof HTMLSelectElement && control.multiple) return [...control.selectedOptions].map((one) => one.value);
  return control.value.trim();
};

const judge = (form) => {
  const known = JSON.parse(form.dataset.ruled);
  const read = (name) => {
    const given = valueOf(form, name);
    return [given === undefined ? known.values[name] : given, known.types[name]];
  };
  Object.entries(known.rules).forEach(([name, rules]) => {
    const control = form.elements.namedItem(name);
    const field = control?.closest?.(".field");
    if (!field) return;
    if (rules.visible_if) {
      const hidden = holds(rules.visible_if, read) === false;
      field.hidden = hidden;
      control.disabled = hidden;
      if (control.tomselect) control.tomselect[hidden ? "disable" : "enable"]();
    }
    if (rules.required_if) {
      const needed = holds(rules.required_if, read) === true;
      control.required = needed;
      const label = field.querySelector(".form-label");
      const mark = label?.querySelector(".must");
      if (needed && label && !mark) label.append(Object.assign(document.createElement("span"), { className: "must", textContent: "*", ariaHidden: "true" }));
      else if (!needed) mark?.remove();
    }
  });
};

export const startRecords = () => {
  onContent((root) => {
    root.querySelectorAll("[data-tabs]").forEach(makeTabs);
    root.querySelectorAll("form[data-ruled]").forEach(judge);
  });
  ["input", "change"].forEach((type) => document.addEventListener(type, (event) => {
    const form = event.target instanceof Element ? event.target.closest("form[data-ruled]") : null;
    if (form) judge(form);
  }));
};
