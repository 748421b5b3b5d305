// The form for a token, where the server needs one, and the way to the identity provider, where it has one.

import { getJson, hasToken, useToken } from "../lib/api.js";
import { el } from "../lib/dom.js";
import { note } from "../lib/parts.js";
import { here } from "../lib/place.js";
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
  provider().then((parts) => form.prepend(...parts), () => {});
  queueMicrotask(() => input.focus());
  return form;
}

const FAILED = ["refused", "no_role", "away"];

/** The link to the identity provider, and why the last sign-in failed. */
async function provider() {
  const me = await getJson("/v1/me");
  return me.login ? signInLink() : [];
}

/** The same where the server is already known to have a provider. */
export function signInLink() {
  const { login } = here().query;
  const failed = FAILED.includes(login) ? [note("bad", t(`login.${login}`))] : [];
  return [...failed, el("p", {}, el("a", { class: "button main", href: "/v1/login" }, t("login.button")))];
}
