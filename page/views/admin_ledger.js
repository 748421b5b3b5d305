// Admin: the loss ledger. What devices numbered, and what of it is stored, rejected or missing.

import { getJson } from "../lib/api.js";
import { el } from "../lib/dom.js";
import { number } from "../lib/format.js";
import { card, chip, folded, none } from "../lib/parts.js";
import { periodChooser } from "../lib/period.js";
import { addressOf } from "../lib/place.js";
import { t } from "../lib/text.js";

const COUNTS = ["sent", "stored", "refused", "missing", "duplicate", "recovered"];
const SHOWN = 8;

export async function ledgerCard(context) {
  const { city, signal } = context;
  const path = `/v1/admin/ledger?city=${encodeURIComponent(city.id)}`;
  const body = el("div", { class: "stack" });
  const draw = (found) => body.replaceChildren(...inside(context, found, change));
  const change = (period) => getJson(`${path}&period=${encodeURIComponent(period)}`, signal).then(draw, (error) => body.append(none(error.message)));
  draw(await getJson(path, signal));
  const node = card(t("admin.ledger"), null, body);
  return node;
}

function inside({ city, clock }, found, change) {
  const broken = found.devices.filter((d) => !d.whole).length;
  const total = Object.fromEntries(COUNTS.map((name) => [name, found.devices.reduce((sum, d) => sum + d[name], 0)]));
  const rows = found.devices.map((d) => [el("span", {}, el("a", { href: addressOf(city.id, ["d", d.device]) }, d.device), " ", d.whole ? "" : chip("watch", t("admin.incomplete"))), ...COUNTS.map((name) => number(d[name], 0))]);
  const chooser = el("div", { class: "row between" }, el("p", { class: "small" }, said(found, broken, total)), periodChooser(city, found.period, ["day", "month", "quarter", "year"], change));
  if (!rows.length) return [chooser];
  const as_of = found.as_of ? el("p", { class: "muted small" }, t("admin.as_of", { at: clock.full(found.as_of) })) : "";
  const heads = [t("devices.head.device"), ...COUNTS.map((name) => ({ text: t(`ledger.${name}`), num: true }))];
  return [chooser, folded(t("admin.ledger"), heads, rows, SHOWN), as_of];
}

function said(found, broken, total) {
  if (!found.devices.length) return t("admin.ledger_none");
  return t(broken ? "admin.ledger_broken" : "admin.ledger_whole", { n: broken || found.devices.length, sent: number(total.sent, 0), missing: number(total.missing, 0) });
}
