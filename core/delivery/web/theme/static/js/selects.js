// Selects with data-pick become searchable; data-pick="<address>" asks the server as one types. Loaded only on pages that have one.
import { load, loadSheet, onContent } from "./dom.js";

const enhance = (select) => {
  if (select.tomselect) return;
  const source = select.dataset.pick;
  const remote = source ? {
    valueField: "value",
    labelField: "text",
    searchField: [],
    load: async (asked, done) => {
      const url = new URL(source, location.href);
      url.searchParams.set("q", asked.normalize("NFKC"));
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      const found = answer.ok ? await answer.json() : [];
      done(found.options ?? found);
    },
  } : {};
  new globalThis.TomSelect(select, { maxOptions: 200, ...remote });
};

export const startSelects = () => {
  onContent(async (root) => {
    const found = [...root.querySelectorAll("select[data-pick]")];
    if (found.length === 0) return;
    loadSheet(document.body.dataset.selectCss);
    await load(document.body.dataset.selectSrc);
    found.forEach(enhance);
  });
};
