// Every htmx request carries the forgery token; failures become a message instead of silence.
import { toast } from "./toasts.js";
import { word } from "./dom.js";

export const startRequests = () => {
  document.addEventListener("htmx:config:request", (event) => {
    const token = document.body.dataset.csrf;
    if (token) event.detail.ctx.request.headers["X-CSRFToken"] = token;
  });
  document.addEventListener("htmx:error", () => toast("bad", navigator.onLine ? word("failed") : word("offline")));
  document.addEventListener("htmx:response:error", (event) => {
    const status = event.detail.ctx?.response?.status ?? 0;
    if (status === 401) location.reload();
    else if (status >= 500) toast("bad", word("failed"));
  });
};
