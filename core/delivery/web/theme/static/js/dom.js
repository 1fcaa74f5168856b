// Small helpers that the other modules share.

/** Call `act(event, element)` for events of `type` whose target is inside an element that matches `selector`. */
export const on = (type, selector, act, options) => {
  document.addEventListener(type, (event) => {
    const element = event.target instanceof Element ? event.target.closest(selector) : null;
    if (element) act(event, element);
  }, options);
};

/** A translated word that the page carries in its words template. */
export const word = (name) => document.getElementById("words")?.dataset[name] ?? "";

/** True while a person types, or composes a character with an input method: keys then belong to the field. */
export const isTyping = (event) => {
  const field = event.target instanceof Element ? event.target.closest("input, textarea, select, [contenteditable='true']") : null;
  const ticks = field instanceof HTMLInputElement && ["checkbox", "radio", "button", "submit"].includes(field.type);
  return event.isComposing || event.keyCode === 229 || (field !== null && !ticks);
};

/** Run `act` now and after each piece that htmx puts into the page. */
export const onContent = (act) => {
  act(document.body);
  document.addEventListener("htmx:after:swap", () => act(document.body));
};

/** Load a vendored script once; resolves when it has run. The policy lets scripts that we create load others. */
const loading = new Map();
export const load = (url) => {
  if (!loading.has(url)) {
    loading.set(url, new Promise((done, failed) => {
      const script = Object.assign(document.createElement("script"), { src: url, onload: done, onerror: failed });
      document.head.append(script);
    }));
  }
  return loading.get(url);
};

export const loadSheet = (url) => {
  if (document.querySelector(`link[href="${url}"]`)) return;
  document.head.prepend(Object.assign(document.createElement("link"), { rel: "stylesheet", href: url }));
};
