// Relative times stay true while the page is open; every moment shows its full form when pointed at.
import { on } from "./dom.js";

const STEPS = [["year", 31536000], ["month", 2592000], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const EVERY_MS = 30000;

const say = (element, writer) => {
  const distance = (new Date(element.dateTime) - Date.now()) / 1000;
  const [unit, size] = STEPS.find(([, seconds]) => Math.abs(distance) >= seconds) ?? STEPS.at(-1);
  element.textContent = writer.format(Math.round(distance / size), unit);
};

export const startTimes = () => {
  const language = document.documentElement.lang || "en";
  const writer = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const refresh = () => document.querySelectorAll("time[data-ago]").forEach((element) => say(element, writer));
  setInterval(() => document.hidden || refresh(), EVERY_MS);
  on("pointerover", "time[datetime]", (_event, element) => {
    if (!element.title) element.title = new Date(element.dateTime).toLocaleString(language, { dateStyle: "full", timeStyle: "long" });
  });
};
