// Admin: rejected messages; each can be corrected and resent, or all replayed while the gateway is stopped.

import { getJson, sendJson } from "../lib/api.js";
import { el } from "../lib/dom.js";
import { card, table } from "../lib/parts.js";
import { t } from "../lib/text.js";
import { once } from "./admin_devices.js";

const SHOWN = 50;

export async function rejectsCard({ clock, signal }) {
  const { rejects } = await getJson(`/v1/admin/rejects?limit=${SHOWN}`, signal);
  const node = card(t("admin.rejects", { n: rejects.length }), null);
  if (!rejects.length) return node.append(el("p", { class: "small" }, t("admin.no_rejects"))), node;
  const said = el("div", { role: "status" });
  const rows = rejects.map((r) => [clock.full(r.at), el("span", { class: "code" }, r.topic), r.reason, correction(r)]);
  const all = async () => (await sendJson("POST", "/v1/admin/rejects/replay", { ids: rejects.map((r) => r.id) })).text;
  node.append(
    table(t("admin.rejects", { n: rejects.length }), [t("since"), t("admin.topic"), t("admin.reason"), t("admin.message")], rows, { class: "rejects" }),
    el("p", { class: "muted small" }, t("admin.replay_how")),
    el("div", {}, once(t("admin.replay_all"), all, said)),
    said,
  );
  return node;
}

/** The message, to be changed and resent. */
function correction(r) {
  const box = el("details", {}, el("summary", {}, t("admin.payload", { n: r.bytes })));
  box.addEventListener("toggle", () => {
    if (box.children.length > 1) return;
    const said = el("div", { role: "status" });
    const text = el("textarea", { class: "payload", rows: 5, spellcheck: "false", "aria-label": t("admin.message") });
    text.value = r.payload;
    const send = async () => (await sendJson("POST", "/v1/admin/rejects/send", { topic: r.topic, payload: text.value })).text;
    box.append(el("div", { class: "stack" }, text, el("p", { class: "muted small" }, t("admin.correct_how")), el("div", {}, once(t("admin.send"), send, said)), said));
  });
  return box;
}
