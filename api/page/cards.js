// One card per KPI part: name, code, value, trend, coverage, status; everything else under "Details".

import { byId, el, setText } from "./dom.js";
import { partText } from "./format.js";
import { coverageView, flash, missing, sentence, statusView, valueView } from "./kpi.js";
import { sparkline } from "./sparkline.js";
import { trend, whole } from "./trend.js";
import { KINDS } from "./values.js";

const ORDER = ["EN:EN:AQ:1C", "EN:E:E:2C", "EC:ICT:ES:1C"];
const PART_ORDER = ["pm2_5", "pm10", "no2", "o3", "so2"];

/** The grid of cards; `show(context, kind)` draws it, `touch(context, kpis)` takes changed values in. */
export class Cards {
  #cards = new Map();
  #kind = "";

  show(context, kind) {
    this.#kind = kind;
    const kpis = context.values.ofKind(kind).sort(byPlace);
    this.#cards = new Map(kpis.map((kpi) => [keyOf(kpi), new Card(context, kpi)]));
    const none = el("p", { class: "muted" }, `${KINDS.find((k) => k.id === kind).text}: there is no value yet.`);
    byId("cards").replaceChildren(...(kpis.length ? [...this.#cards.values()].map((card) => card.node) : [none]));
    for (const kpi of kpis) this.#cards.get(keyOf(kpi)).update(context, kpi, kind);
    this.#count(kpis);
  }

  #count(kpis) {
    const without = kpis.filter((kpi) => kpi.value === null).length;
    const text = `${KINDS.find((k) => k.id === this.#kind).text}: ${kpis.length} values`;
    setText(byId("kpi-count"), without ? `${text}, ${without} of them without enough data` : text);
  }

  touch(context, kpis) {
    if (kpis.some((kpi) => !this.#cards.has(keyOf(kpi)))) this.show(context, this.#kind);
    for (const kpi of kpis) this.#cards.get(keyOf(kpi)).update(context, kpi, this.#kind);
    this.#count(context.values.ofKind(this.#kind));
  }
}

const keyOf = (kpi) => `${kpi.code}|${kpi.part}`;

function byPlace(a, b) {
  const place = (list, item) => (list.indexOf(item) + 1 || list.length + 1);
  return place(ORDER, a.code) - place(ORDER, b.code) || place(PART_ORDER, a.part) - place(PART_ORDER, b.part) || a.code.localeCompare(b.code);
}

class Card {
  constructor({ catalogue, rule }, kpi) {
    const entry = catalogue.get(kpi.code) ?? { name: kpi.code, dimension: "Local", direction: "" };
    this.direction = entry.direction;
    this.value = valueView();
    this.coverage = coverageView(rule);
    this.status = statusView();
    this.trend = el("p", { class: "trend" });
    this.line = el("div", { class: "line" });
    this.why = el("p", { class: "why", hidden: true });
    this.more = el("dl", { class: "more" });
    const id = `card-${keyOf(kpi).replace(/[^A-Za-z0-9]+/g, "-")}`;
    const name = kpi.part ? partText(kpi.part) : entry.name;
    this.node = el(
      "article",
      { class: "card", "aria-labelledby": id, "data-dimension": entry.dimension, "data-code": kpi.code, "data-part": kpi.part },
      el("div", { class: "card-head" }, el("div", {}, el("h3", { id }, name), el("p", { class: "code" }, kpi.part ? `${entry.name} · ${kpi.code}` : kpi.code)), this.status.node),
      el("div", { class: "card-body" }, this.value.node, this.line),
      this.trend,
      this.why,
      this.coverage.node,
      el("details", {}, el("summary", {}, "Details", el("span", { class: "unseen" }, ` of ${name}`)), this.more),
    );
  }

  update(context, kpi, kind) {
    if (this.value.update(kpi)) flash(this.node);
    this.status.update(kpi);
    this.coverage.update(kpi);
    const why = missing(kpi, context.rule);
    setText(this.why, why);
    this.why.hidden = !why;
    const points = context.values.series(kpi.code, kpi.part, KINDS.find((k) => k.id === kind).series);
    this.#showTrend(trend(kpi, kind, points, context.now(), this.direction));
    this.line.replaceChildren(...[sparkline(whole(points, context.now()))].filter(Boolean));
    this.more.replaceChildren(...details(kpi, context.clock));
  }

  #showTrend(found) {
    const judged = found?.better === null || !found ? "" : found.better ? " (better)" : " (worse)";
    setText(this.trend, found ? `${found.arrow} ${found.text}${judged}`.trim() : "");
    this.trend.dataset.better = found?.better ?? "";
  }
}

function details(kpi, clock) {
  const pairs = [
    ["Period", `${clock.full(Date.parse(kpi.start))} to ${clock.full(Date.parse(kpi.end))}`],
    ["Method", kpi.method],
    ["Revision", String(kpi.revision)],
    ["Notes", kpi.notes ? sentence(kpi.notes) : "none"],
  ];
  return pairs.flatMap(([name, text]) => [el("dt", {}, name), el("dd", {}, text)]);
}
