// Admin: what operators and admins do. The API decides what each role may do; the page only shows it.

import { signInLink } from "../frame/entry.js";
import { getJson, hasToken, sendJson, useToken } from "../lib/api.js";
import { el } from "../lib/dom.js";
import { number } from "../lib/format.js";
import { button, card, chip, none, note, select, table } from "../lib/parts.js";
import { t } from "../lib/text.js";
import { devicesCard } from "./admin_devices.js";
import { ledgerCard } from "./admin_ledger.js";
import { rejectsCard } from "./admin_rejects.js";

const ROLES = ["viewer", "reporter", "operator", "admin"];
const SCOPES = ["read", "reporter", "operator", "admin", "metrics"];

export async function admin(root, context) {
  const { city, signal } = context;
  const me = await getJson("/v1/me", signal);
  const at = ROLES.indexOf(me.role);
  root.append(
    el("div", { class: "row between view-head" }, el("div", {}, el("h1", {}, at >= 2 ? t("admin.answer", { city: city.name }) : t("admin.viewer")), el("p", { class: "muted" }, me.name ? t(byProvider(me) ? "login.who" : "admin.who", { name: me.name, role: t(`role.${me.role}`) }) : t("admin.nobody", { role: t(`role.${me.role}`) }))), me.name ? button(t(byProvider(me) ? "login.out" : "admin.leave"), () => leave(me)) : null),
    rolesCard(me),
  );
  if (!me.name) root.append(...signIn(me));
  const grid = el("div", { class: "grid" });
  root.append(grid);
  if (at >= 2) grid.append(await sized(devicesCard(context), "c6"), await sized(healthCard(context), "c6"), await sized(rejectsCard(context), "c12"), await sized(ledgerCard(context), "c12"));
  if (at >= 3) grid.append(await sized(tokensCard(context), "c12"));
}

/** A card that fails alone: the others live on. */
async function sized(promise, size) {
  const node = await promise.catch((error) => card(t("admin.failed"), null, note("bad", error.message)));
  node.classList.add(size);
  return node;
}

function rolesCard(me) {
  const rights = ["read", "figures", "rejects", "devices", "tokens"];
  const least = { read: 0, figures: 1, rejects: 2, devices: 2, tokens: 3 };
  const rows = ROLES.map((role, i) => [el("span", {}, t(`role.${role}`), role === me.role ? chip("good", t("admin.you")) : ""), ...rights.map((right) => (i >= least[right] ? t("yes") : "–"))]);
  return el("details", { class: "card", open: me.role === "viewer" }, el("summary", {}, t("admin.roles")), table(t("admin.roles"), [t("admin.role"), ...rights.map((right) => t(`right.${right}`))], rows));
}

const byProvider = (me) => me.login && !hasToken();

/** Forget the token, or end what the identity provider began. */
async function leave(me) {
  if (byProvider(me)) await sendJson("POST", "/v1/logout");
  useToken("");
  location.reload();
}

function signIn(me) {
  const provider = me.login ? signInLink() : [];
  if (!me.tokens) return me.login ? provider : [note("off", t("admin.no_tokens"), t("admin.no_tokens_how"))];
  const input = el("input", { id: "admin-token", type: "password", autocomplete: "off", required: true });
  const form = el("form", { class: "card entry", onsubmit: (event) => {
    event.preventDefault();
    useToken(input.value.trim());
    location.reload();
  } }, el("label", { for: "admin-token" }, t("entry.label")), input, el("button", { class: "button main" }, t("admin.enter")), el("p", { class: "muted small" }, hasToken() ? t("admin.wrong") : t("entry.how")));
  return [...provider, form];
}

async function healthCard({ clock, signal }) {
  const h = await getJson("/v1/admin/health", signal);
  const rows = h.cities.map((c) => [c.id, number(c.devices), c.newest_hour === null ? "–" : clock.full(c.newest_hour)]);
  return card(t("admin.health"), null, el("p", {}, chip(h.store ? "good" : "bad", t(h.store ? "admin.store_ok" : "state.store"))), el("dl", { class: "facts" }, el("dt", {}, t("admin.live")), el("dd", {}, number(h.live_clients)), el("dt", {}, t("admin.requests")), el("dd", {}, number(h.requests, 0))), table(t("admin.cities"), [t("frame.city"), { text: t("view.devices"), num: true }, t("admin.newest")], rows));
}

async function tokensCard({ signal }) {
  const node = card(t("admin.tokens"), null);
  const said = el("div", { role: "status" });
  const list = el("div");
  const load = async () => {
    const found = await getJson("/v1/admin/tokens", signal);
    const remove = async (name) => {
      await sendJson("DELETE", `/v1/admin/tokens/${encodeURIComponent(name)}`).catch((error) => said.replaceChildren(note("bad", error.message)));
      await load();
    };
    list.replaceChildren(found.length ? table(t("admin.tokens"), [t("admin.name"), t("admin.scopes"), ""], found.map((row) => [row.name, row.scopes.join(", "), button(t("admin.delete", { name: row.name }), () => remove(row.name))])) : none(t("no_value")));
  };
  const name = el("input", { "aria-label": t("admin.name"), placeholder: t("admin.name"), required: true });
  const scope = { value: "read" };
  const make = async (event) => {
    event.preventDefault();
    try {
      const made = await sendJson("POST", "/v1/admin/tokens", { name: name.value.trim(), scopes: [scope.value] });
      said.replaceChildren(note("good", t("admin.made", { name: made.name }), el("code", {}, made.token)));
      await load();
    } catch (error) {
      said.replaceChildren(note("bad", error.message));
    }
  };
  await load();
  node.append(list, el("form", { class: "row filters", onsubmit: make }, name, select(t("admin.scopes"), SCOPES.map((s) => [s, s]), "read", (s) => (scope.value = s)), el("button", { class: "button main" }, t("admin.create"))), said);
  return node;
}
