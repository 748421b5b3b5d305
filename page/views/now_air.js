// Now: the air in words and bands, and the year against the guideline.

import { el, svg } from "../lib/dom.js";
import { number, partText, percent, POLLUTANTS } from "../lib/format.js";
import { card, coverage, none, reason, status, track, trend } from "../lib/parts.js";
import { addressOf } from "../lib/place.js";
import { t } from "../lib/text.js";

const BANDS = [1, 2, 3, 4, 5, 6];

/** The name of a band of the European air quality index, as it stands in a sentence. */
export const bandWord = (band) => t(`band.${band}`);

export function airCard({ city, clock }, { air }) {
  if (!air) return null;
  const head = [t("now.air.title"), [t("now.on_map"), addressOf(city.id, ["map"])]];
  if (air.band === null) return sized(card(...head, none(reason(air.reason, air.notes)), pollutants(city, air)), "c5");
  return sized(
    card(
      ...head,
      el("div", { class: "row between" }, el("p", { class: "word" }, capital(bandWord(air.band))), since(air)),
      scale(air.band),
      pollutants(city, air),
      el("p", { class: "muted small" }, t("now.air.about")),
      hours(air, clock),
      foot(air, t("stations", { n: air.n_devices }), city),
    ),
    "c5",
  );
}

const capital = (word) => word.charAt(0).toLocaleUpperCase() + word.slice(1);

export function sized(node, size) {
  node.classList.add(size);
  return node;
}

/** Coverage on the left, status on the right. */
export function foot(value, words, city) {
  return el("div", { class: "row between foot-row" }, coverage(value.coverage, city.rules.period_capture, words), status(value.status));
}

function since(air) {
  if (air.yesterday === null) return null;
  const change = air.band - air.yesterday;
  return trend(change, t(change === 0 ? "now.air.same" : change > 0 ? "now.air.worse" : "now.air.better"), change === 0 ? null : change < 0);
}

function scale(band) {
  return el(
    "ol",
    { class: "bands", "aria-label": t("now.air.scale", { band: bandWord(band) }) },
    ...BANDS.map((b) => el("li", { "data-band": b, "aria-current": b === band ? "true" : null }, el("i", { "aria-hidden": "true" }), el("span", {}, capital(bandWord(b))))),
  );
}

function pollutants(city, air) {
  return el("ul", { class: "pollutants" }, ...air.pollutants.map((p) => pollutant(city, p)));
}

function pollutant(city, p) {
  const name = el("a", { href: addressOf(city.id, ["k", "EN:EN:AQ:1C", p.part], { period: "24h" }), title: partText(p.part) }, POLLUTANTS[p.part]);
  if (p.highest_8h !== undefined && p.highest_8h !== null) return eightHours(name, p);
  if (p.value === null) return el("li", {}, name, none(reason(p.reason, p.notes)));
  if (p.limit === null) return el("li", {}, name, el("b", {}, number(p.value)), el("span", { class: "muted small wide-cell" }, t("now.air.no_limit")));
  return el("li", {}, name, el("b", {}, number(p.value)), track(p.value, p.limit), el("span", { class: "muted small num" }, t("share_of", { share: percent(p.value / p.limit), limit: number(p.limit) })));
}

/** Ozone: its guideline is one for 8 hours. */
function eightHours(name, p) {
  name.append(` ${t("now.air.eight")}`);
  return el("li", {}, name, el("b", {}, number(p.highest_8h)), track(p.highest_8h, p.limit_8h), el("span", { class: "muted small num" }, t("share_of", { share: percent(p.highest_8h / p.limit_8h), limit: number(p.limit_8h) })));
}

function hours(air, clock) {
  const cell = (h) => el("i", { "data-band": h.band, title: `${clock.time(h.start)}: ${h.band === null ? t("no_value") : bandWord(h.band)}` });
  const worst = Math.max(...air.hours.map((h) => h.band ?? 0));
  const said = worst ? t("now.air.hours", { band: bandWord(worst) }) : t("no_value");
  return el("div", {}, el("div", { class: "strip", role: "img", "aria-label": said }, ...air.hours.map(cell)), el("p", { class: "strip-ends" }, el("span", {}, clock.time(air.hours[0].start)), el("span", {}, t("now.word"))));
}

export function yearCard({ city }, { air }) {
  if (!air?.year.length) return null;
  const rows = air.year.map((y) => el("li", {}, el("span", {}, POLLUTANTS[y.part]), y.value === null ? none(reason(y.reason, y.notes)) : multiple(y.value / y.limit), y.value === null ? null : el("b", { class: "num" }, `${number(y.value / y.limit, 1)} ×`)));
  const known = air.year.filter((y) => y.value !== null);
  const over = known.filter((y) => y.value > y.limit).length;
  const sentence = known.length ? t("now.year.over", { n: over, all: known.length }) : null;
  const sure = known[0] ?? air.year[0];
  return sized(
    card(t("now.year.title"), [t("details"), addressOf(city.id, ["k", "EN:EN:AQ:1C", "pm2_5"], { period: "365d" })], el("p", { class: "muted small" }, t("now.year.about")), el("ul", { class: "year" }, ...rows), sentence ? el("p", { class: "small" }, sentence) : null, el("div", { class: "foot-row" }, coverage(sure.coverage, city.rules.period_capture, t("stations", { n: sure.n_devices })))),
    "c3",
  );
}

function multiple(times) {
  const line = (attributes) => svg("line", { y1: 8, y2: 8, ...attributes });
  return svg(
    "svg",
    { viewBox: "0 0 120 16", preserveAspectRatio: "none", width: "100%", height: 16, "aria-hidden": "true" },
    line({ x1: 0, x2: 120, class: "rail" }),
    line({ x1: Math.min(40, times * 40), x2: Math.max(40, Math.min(times * 40, 120)), class: times > 1 ? "over" : "under" }),
    svg("line", { x1: 40, x2: 40, y1: 1, y2: 15, class: "limit-mark" }),
  );
}
