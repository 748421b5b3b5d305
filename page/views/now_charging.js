// Now: what each charger is doing, and energy and sessions of 24 hours.

import { el, svg } from "../lib/dom.js";
import { number, quantity } from "../lib/format.js";
import { card, chip, coverage } from "../lib/parts.js";
import { addressOf } from "../lib/place.js";
import { t } from "../lib/text.js";
import { sized } from "./now_air.js";

const PICTURES = {
  free: "M12 12h.01", plugged: "M9 5v5M15 5v5M7 10h10v3a5 5 0 0 1-10 0zM12 18v3", charging: "M13 4 7 13h5l-1 7 6-9h-5z", fault: "M12 6v7M12 17v.5", unknown: "M8 12h8",
};

export function chargingCard({ city }, { charging: c }) {
  if (!c) return null;
  const uses = Object.entries(c.counts).filter(([use, n]) => use !== "free" && n);
  return sized(
    card(
      t("now.charging.title"),
      [t("now.charging.find"), addressOf(city.id, ["map"], { show: "charging" })],
      el("p", { class: "value" }, number(c.counts.free), el("small", {}, " ", t("now.charging.free", { n: c.total }))),
      el("ul", { class: "chargers" }, ...c.chargers.map((one) => el("li", { "data-use": one.use, title: `${one.site || one.id}: ${t(`use.${one.use}`)}` }, picture(one.use), el("span", { class: "unseen" }, `${one.site || one.id}: ${t(`use.${one.use}`)}`)))),
      c.total > c.chargers.length ? el("p", { class: "muted small" }, t("now.charging.more", { n: c.total - c.chargers.length })) : null,
      el("dl", { class: "facts" }, ...uses.flatMap(([use, n]) => pair(t(`use.${use}`), number(n))), ...(c.energy_kwh === null ? [] : pair(t("now.charging.energy"), quantity(c.energy_kwh, "kWh"))), ...(c.sessions === null ? [] : pair(t("now.charging.sessions"), number(c.sessions)))),
      c.counts.unknown ? chip("watch", t("now.charging.unknown", { n: c.counts.unknown })) : null,
      c.coverage === undefined ? null : el("div", { class: "foot-row" }, coverage(c.coverage, city.rules.period_capture)),
    ),
    "c3",
  );
}

const pair = (name, value) => [el("dt", {}, name), el("dd", {}, value)];

function picture(use) {
  const attributes = { d: PICTURES[use], fill: use === "charging" ? "currentColor" : "none", stroke: "currentColor", "stroke-width": use === "free" ? 4 : 2, "stroke-linecap": "round", "stroke-linejoin": "round" };
  return svg("svg", { viewBox: "0 0 24 24", width: 20, height: 20, "aria-hidden": "true" }, svg("path", attributes));
}
