// The form for a token, where the server needs one.

import { hasToken, useToken } from "../lib/api.js";
import { el } from "../lib/dom.js";
import { t } from "../lib/text.js";

/** A form that asks for a token, then loads the page again with it. `why`: the server's sentence about the one sent. */
export function entry(why) {
  const said = hasToken() ? t("entry.rejected", { why }) : t("entry.closed");
  const input = el("input", { id: "token", type: "password", autocomplete: "off", spellcheck: "false", required: true });
  const form = el(
    "form",
    { class: "card entry", onsubmit: (event) => {
      event.preventDefault();
      useToken(input.value.trim());
      location.reload();
    } },
    el("p", { role: "alert" }, said),
    el("label", { for: "token" }, t("entry.label")),
    input,
    el("button", { class: "button main" }, t("entry.send")),
    el("p", { class: "muted" }, t("entry.how")),
  );
  useToken("");
  queueMicrotask(() => input.focus());
  return form;
}
